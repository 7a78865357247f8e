//! The only file that reads a clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall-clock time that never steps back while the process lives.
///
/// Arrival times are compared with each other to a millisecond, so a correction of the machine's
/// clock in the middle of a test must not reorder them.
#[derive(Debug)]
pub(crate) struct Clock {
    wall_at_start: u64,
    start: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a native program: both clocks exist here")]
    pub(crate) fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall_at_start: millis(wall), start: Instant::now() }
    }

    /// Unix time in milliseconds.
    pub(crate) fn now(&self) -> u64 {
        self.wall_at_start.saturating_add(millis(self.start.elapsed()))
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
