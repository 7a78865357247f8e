//! Reading what pages and servers send, and writing what the tracker takes.

mod codes;
mod examples;
mod hostile;
mod limits;
mod page;
mod round;
mod variants;
