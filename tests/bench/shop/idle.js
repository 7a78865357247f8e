// A worker that waits.
