//! How an outbox object passes on what it has stored.

use std::{collections::HashMap, rc::Rc};

use esputnik_kit::{
    api::Pool,
    governor::{Grant, Outcome},
    ledger::reason_of,
    outbox::{Output, Settled},
    retry::parse_retry_after,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use worker::{Env, Result};

use super::OutboxObject;
use crate::{
    catalogue::{self, Sold},
    objects::{now, random},
    pace,
    settings::load_config,
    store::{Dead, Sending},
    upstream,
};

/// How often the tables are cleaned, in milliseconds.
const CLEAN_EVERY: u64 = 60 * 60 * 1000;

/// Requests of an alarm that are left for what is not an event.
const SPARE_REQUESTS: u32 = 5;

/// Most of them that tell the governor of failures.
const NEWS: u32 = 3;

/// How long a pass waits for its next slot, in milliseconds: an alarm for what is nearer would cost as
/// much.
const NEAR: u64 = 2000;

/// How long a pass lasts at most, in milliseconds: a third of what the runtime lets it.
const SHIFT: u64 = 5 * 60 * 1000;

/// One time of passing on.
struct Pass {
    /// Requests that may still be made, the governor's too.
    left: u32,
    ends_at: u64,
    /// Rows of which something is sent.
    loaded: HashMap<u64, Rc<Sending>>,
    paused_until: Option<u64>,
    /// How often the governor may be told of failures when nothing is left.
    news: u32,
    is_telling: bool,
}

/// Something of a pass that takes its time.
enum Task<'a> {
    Send { row: u64, position: usize, bodies: Rc<Sending>, tracker: &'a str },
    Lease { want: u32, back: bool },
    Tell(Vec<Outcome>),
    Pause(u64),
}

/// What has come of it.
enum Done {
    Answered { row: u64, position: usize, bodies: Rc<Sending>, answer: upstream::Answer },
    Granted(Option<(Grant, bool)>),
    Told,
    Paused,
}

async fn perform(env: &Env, task: Task<'_>) -> Done {
    match task {
        Task::Send { row, position, bodies, tracker } => {
            let body = bodies.bodies.get(position).map_or("{}", |body| body.get());
            let answer = upstream::send_event(tracker, body, &bodies.agent).await;
            Done::Answered { row, position, bodies, answer }
        }
        Task::Lease { want, back } => Done::Granted(pace::ask_for_tracker(env, want, back).await),
        Task::Tell(outcomes) => {
            pace::report(env, Pool::Tracker, &outcomes).await;
            Done::Told
        }
        Task::Pause(millis) => {
            pace::sleep(millis).await;
            Done::Paused
        }
    }
}

impl OutboxObject {
    /// Sends what can be sent, within the requests that one invocation may make.
    pub(super) async fn drain(&self) -> Result<()> {
        self.open()?;
        if self.draining.replace(true) {
            return Ok(());
        }
        if now().saturating_sub(self.cleaned.get()) > CLEAN_EVERY {
            let more = self.with(|inner| inner.store.clean(now()))?;
            // The rest with the next pass.
            self.cleaned.set(if more { 0 } else { now() });
        }
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let name = self.state.id().name().unwrap_or_default();
        let site = self.site(name.split('/').next().unwrap_or_default())?;
        let mut pass = Pass {
            left: config.outbox.subrequests.saturating_sub(SPARE_REQUESTS),
            ends_at: now() + SHIFT,
            loaded: HashMap::new(),
            paused_until: None,
            news: NEWS,
            is_telling: false,
        };
        let mut under_way = FuturesUnordered::new();
        loop {
            let (tasks, rests) = self.plan(&mut pass, site.tracker())?;
            under_way.extend(tasks.into_iter().map(|task| perform(&self.env, task)));
            match under_way.next().await {
                Some(Done::Answered { row, position, bodies, answer }) => {
                    self.answer(row, position, &bodies, &answer)?;
                    if position + 1 == bodies.bodies.len() {
                        pass.loaded.remove(&row);
                    }
                }
                Some(Done::Granted(word)) => self.with(|inner| {
                    let wants_successes = word.as_ref().is_some_and(|(_, wants)| *wants);
                    let grant = word.as_ref().map(|(grant, _)| grant);
                    inner.outbox.handle_grant(grant, wants_successes, now());
                    Ok(())
                })?,
                Some(Done::Told) => pass.is_telling = false,
                Some(Done::Paused) => pass.paused_until = None,
                None if rests => break,
                None => {}
            }
        }
        self.with(|inner| {
            inner.outbox.handle_rest();
            inner.save()
        })?;
        self.tell_sold(&name).await
    }

    /// Tells the catalogue what was bought. It only counts, so what cannot be told is not repeated.
    async fn tell_sold(&self, object: &str) -> Result<()> {
        let products = self.with(|inner| Ok(std::mem::take(&mut inner.sold)))?;
        if !products.is_empty() {
            let sold = Sold { at: now(), products };
            let site = object.split('/').next().unwrap_or_default();
            if let Err(error) = catalogue::sold(&self.env, site, &sold).await {
                worker::console_error!("sold: {error:?}");
            }
        }
        Ok(())
    }

    /// What is to be done now, and whether nothing was found to send.
    fn plan<'a>(&self, pass: &mut Pass, tracker: &'a str) -> Result<(Vec<Task<'a>>, bool)> {
        let (mut tasks, mut sends) = (Vec::new(), Vec::new());
        if now() > pass.ends_at {
            pass.left = 0;
        }
        self.with(|inner| {
            while pass.left > 0 {
                match inner.outbox.poll_output(now()) {
                    Output::Send { row, position, resent_unknown } => {
                        pass.left -= 1;
                        inner.counters.resent_unknown += u64::from(resent_unknown);
                        sends.push((row, position));
                    }
                    Output::Lease { want, back } => {
                        pass.left -= 1;
                        tasks.push(Task::Lease { want: want.min(pass.left), back });
                    }
                    Output::Pause(until) => {
                        let wait = until.saturating_sub(now());
                        if wait <= NEAR && pass.paused_until.is_none_or(|known| until < known) {
                            pass.paused_until = Some(until);
                            tasks.push(Task::Pause(wait));
                        }
                        break;
                    }
                    _ => break,
                }
            }
            if !pass.is_telling && (pass.left > 0 || pass.news > 0) {
                let outcomes = inner.outbox.take_outcomes();
                if !outcomes.is_empty() {
                    let budget = if pass.left > 0 { &mut pass.left } else { &mut pass.news };
                    *budget -= 1;
                    pass.is_telling = true;
                    tasks.push(Task::Tell(outcomes));
                }
            }
            // Before anything leaves of which a crash would not know whether it did; and with
            // it, in one write, what the answer before has changed.
            inner.save()
        })?;
        let rests = sends.is_empty();
        for (row, position) in sends {
            let bodies = self.with(|inner| match pass.loaded.get(&row) {
                Some(known) => Ok(Some(Rc::clone(known))),
                None => Ok(inner.store.sending(row)?.map(Rc::new)),
            })?;
            let Some(bodies) = bodies else {
                // Erased meanwhile.
                self.with(|inner| {
                    if inner.outbox.row(row).is_some() {
                        inner.settled.entry(row).or_default().erased += 1;
                    }
                    inner.outbox.handle_answer(row, Some(200), true, None, now(), 0);
                    Ok(())
                })?;
                continue;
            };
            pass.loaded.insert(row, Rc::clone(&bodies));
            tasks.push(Task::Send { row, position, bodies, tracker });
        }
        Ok((tasks, rests))
    }

    fn answer(
        &self,
        row: u64,
        position: usize,
        sending: &Sending,
        answer: &upstream::Answer,
    ) -> Result<()> {
        #[cfg(feature = "panics")]
        sending.bodies.iter().for_each(|body| crate::panics::once("drain", body.get()));
        self.with(|inner| {
            // The tracker says so about an event that it has; which status goes with it is not
            // documented.
            let known = answer.text.contains("Duplicated request");
            let wait = parse_retry_after(answer.retry_after.as_deref(), now());
            // Erased meanwhile, and counted so.
            let Some(stored) = inner.outbox.row(row) else { return Ok(()) };
            let (web_id, hour) = (stored.web_id.clone(), inner.hour_of(stored));
            let settled =
                inner.outbox.handle_answer(row, answer.status, known, wait, now(), random());
            match settled {
                Settled::Delivered => {
                    inner.counters.delivered += 1;
                    inner.settled.entry(row).or_default().delivered += 1;
                }
                Settled::Dead => {
                    inner.counters.dead += 1;
                    let code = reason_of(answer.status);
                    inner.settled.entry(row).or_default().add_dead(&code, 1);
                    let reason: String = answer.text.chars().take(1000).collect();
                    // How far the row is, with it: another time it would be buried again.
                    let store = Rc::clone(&inner.store);
                    let dead = Dead {
                        message_id: sending.ids.get(position).map_or("", String::as_str),
                        web_id: &web_id,
                        body: sending.bodies.get(position).map_or("{}", |body| body.get()),
                        agent: &sending.agent,
                        status: answer.status.unwrap_or(0),
                        reason: &reason,
                        code: &code,
                        hour,
                        at: now(),
                    };
                    store.transact(|| {
                        store.bury(&dead)?;
                        inner.save_with(Some(row))
                    })?;
                }
                _ => {}
            }
            Ok(())
        })
    }
}
