//! The points at which the Worker can be killed to the moment.

use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

/// A moment that is seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// A page has sent a batch, and has no answer yet.
    BatchSent,
    /// A page has its answer.
    BatchTaken,
    /// The Worker's request has come, and the platform does not know of it yet.
    EventCame,
    /// The platform has the event, and the Worker does not know that.
    EventTaken,
    /// The Worker has been answered.
    EventAnswered,
}

impl Point {
    pub(super) const ALL: [Self; 5] =
        [Self::BatchSent, Self::BatchTaken, Self::EventCame, Self::EventTaken, Self::EventAnswered];
}

/// Where somebody who comes to the point has to wait until the Worker is dead.
type Waiting = Sender<Sender<()>>;

/// What waits for its point, at most one at a time.
#[derive(Debug, Default)]
pub(super) struct Points(Mutex<Option<(Point, u64, Waiting)>>);

impl Points {
    /// Waits for the point to be reached the `nth` time. Whoever reached it goes on when what this
    /// returns is dropped; `None` if nobody came in time.
    pub(super) fn wait(&self, point: Point, nth: u64, most: Duration) -> Option<Sender<()>> {
        let (sender, reached) = channel();
        *self.lock() = Some((point, nth, sender));
        let found = reached.recv_timeout(most).ok();
        if found.is_none() {
            *self.lock() = None;
        }
        // Reached after all, between the two.
        found.or_else(|| reached.try_recv().ok())
    }

    /// Says that the point is reached, and waits as long as the Worker is being killed because of it.
    pub(super) fn reach(&self, point: Point) {
        let ended: Receiver<()> = {
            let mut waiting = self.lock();
            match waiting.as_mut() {
                Some((wanted, nth, _)) if *wanted == point && *nth > 0 => {
                    *nth -= 1;
                    return;
                }
                Some((wanted, ..)) if *wanted == point => {}
                _ => return,
            }
            let Some((_, _, sender)) = waiting.take() else { return };
            let (end, ended) = channel();
            if sender.send(end).is_err() {
                return;
            }
            ended
        };
        let _ = ended.recv_timeout(Duration::from_secs(10));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Point, u64, Waiting)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
