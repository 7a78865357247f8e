//! What comes while something is made durable is gathered, and then written in one transaction: one wait
//! for the disk, or for the copies of it elsewhere, for all of them.
//!
//! Whoever finds nobody writing writes for all who wait. Nothing here knows what is written.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    future::poll_fn,
    task::{Poll, Waker},
};

/// Those who wait for a write.
pub(super) struct Group<W, A> {
    state: RefCell<State<W, A>>,
}

struct State<W, A> {
    /// What is to be written, with the number of who brought it, oldest first.
    waiting: Vec<(u64, W)>,
    /// What became of what was written, by number; nothing of what nobody knows of.
    answers: HashMap<u64, Option<A>>,
    wakers: HashMap<u64, Waker>,
    /// Who has come and not gone.
    members: HashSet<u64>,
    is_writing: bool,
    last: u64,
    /// How many were written the last time.
    written: usize,
}

/// One of those who wait.
pub(super) struct Member<'a, W, A> {
    group: &'a Group<W, A>,
    number: u64,
}

/// What is next for a member.
pub(super) enum Turn<'a, W, A> {
    /// To write what everybody has brought.
    Write(Lead<'a, W, A>),
    /// To go, with what became of its own; nothing if that is not known.
    Answered(Option<A>),
}

/// The one who writes.
pub(super) struct Lead<'a, W, A> {
    group: &'a Group<W, A>,
    /// Whose work it has taken.
    taken: HashSet<u64>,
}

impl<W, A> Group<W, A> {
    pub(super) fn new() -> Self {
        let state = State {
            waiting: Vec::new(),
            answers: HashMap::new(),
            wakers: HashMap::new(),
            members: HashSet::new(),
            is_writing: false,
            last: 0,
            written: 0,
        };
        Self { state: RefCell::new(state) }
    }

    /// Brings something that is to be written.
    pub(super) fn join(&self, work: W) -> Member<'_, W, A> {
        let mut state = self.state.borrow_mut();
        state.last += 1;
        let number = state.last;
        state.waiting.push((number, work));
        state.members.insert(number);
        Member { group: self, number }
    }

    /// Whether several came at a time just before, so that others can be expected.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.state.borrow();
        state.written > 1 || state.waiting.len() > 1
    }
}

impl<'a, W, A> Member<'a, W, A> {
    /// Waits until its work is done, or until it is this one's turn to do it.
    pub(super) async fn turn(&self) -> Turn<'a, W, A> {
        poll_fn(|context| {
            let mut state = self.group.state.borrow_mut();
            if let Some(answer) = state.answers.remove(&self.number) {
                return Poll::Ready(Turn::Answered(answer));
            }
            if state.is_writing {
                state.wakers.insert(self.number, context.waker().clone());
                return Poll::Pending;
            }
            state.is_writing = true;
            Poll::Ready(Turn::Write(Lead { group: self.group, taken: HashSet::new() }))
        })
        .await
    }
}

impl<W, A> Drop for Member<'_, W, A> {
    fn drop(&mut self) {
        let mut state = self.group.state.borrow_mut();
        state.members.remove(&self.number);
        state.waiting.retain(|(number, _)| *number != self.number);
        state.answers.remove(&self.number);
        state.wakers.remove(&self.number);
    }
}

impl<W, A> Lead<'_, W, A> {
    /// All that waits, with the numbers to answer under.
    pub(super) fn take(&mut self) -> Vec<(u64, W)> {
        let mut state = self.group.state.borrow_mut();
        let works = std::mem::take(&mut state.waiting);
        state.written = works.len();
        self.taken.extend(works.iter().map(|(number, _)| *number));
        works
    }

    /// Answers one of those whose work was taken.
    pub(super) fn answer(&mut self, number: u64, answer: A) {
        if self.taken.remove(&number) {
            self.give(number, Some(answer));
        }
    }

    fn give(&self, number: u64, answer: Option<A>) {
        let waker = {
            let mut state = self.group.state.borrow_mut();
            if state.members.contains(&number) {
                state.answers.insert(number, answer);
            }
            state.wakers.remove(&number)
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl<W, A> Drop for Lead<'_, W, A> {
    /// However it ends, nobody waits for it any longer, and somebody else goes on.
    fn drop(&mut self) {
        for number in std::mem::take(&mut self.taken) {
            self.give(number, None);
        }
        let next = {
            let mut state = self.group.state.borrow_mut();
            state.is_writing = false;
            let next = state.waiting.first().map(|(number, _)| *number);
            next.and_then(|number| state.wakers.remove(&number))
        };
        next.into_iter().for_each(Waker::wake);
    }
}
