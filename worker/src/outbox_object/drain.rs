//! How an outbox object passes on what it has stored.

use std::{collections::HashMap, rc::Rc};

use esputnik_kit::{
    outbox::{Output, Settled},
    retry::parse_retry_after,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use worker::Result;

use super::OutboxObject;
use crate::{
    objects::{now, random},
    settings::load_config,
    store::{Dead, Sending},
    upstream,
};

/// How often the tables are cleaned, in milliseconds.
const CLEAN_EVERY: u64 = 60 * 60 * 1000;

/// Requests of an alarm that are left for what is not an event.
const SPARE_REQUESTS: u32 = 5;

impl OutboxObject {
    /// Sends what can be sent, within the requests that one invocation may make.
    pub(super) async fn drain(&self) -> Result<()> {
        self.open()?;
        if self.draining.replace(true) {
            return Ok(());
        }
        if now().saturating_sub(self.cleaned.get()) > CLEAN_EVERY {
            self.cleaned.set(now());
            self.with(|inner| inner.store.clean(now()))?;
        }
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let name = self.state.id().name().unwrap_or_default();
        let site = self.site(name.split('/').next().unwrap_or_default())?;
        let mut left = config.outbox.subrequests.saturating_sub(SPARE_REQUESTS);
        let mut loaded: HashMap<u64, Rc<Sending>> = HashMap::new();
        let mut under_way = FuturesUnordered::new();
        loop {
            let mut sends = Vec::new();
            self.with(|inner| {
                while left > 0
                    && let Output::Send { row, position, resent_unknown } =
                        inner.outbox.poll_output(now())
                {
                    left -= 1;
                    inner.counters.resent_unknown += u64::from(resent_unknown);
                    sends.push((row, position));
                }
                // Before anything leaves of which a crash would not know whether it did; and with
                // it, in one write, what the answer before has changed.
                inner.save()
            })?;
            let rests = sends.is_empty();
            for (row, position) in sends {
                let bodies = self.with(|inner| match loaded.get(&row) {
                    Some(known) => Ok(Some(Rc::clone(known))),
                    None => Ok(inner.store.sending(row)?.map(Rc::new)),
                })?;
                let Some(bodies) = bodies else {
                    // Erased meanwhile.
                    self.with(|inner| {
                        inner.outbox.handle_answer(row, Some(200), true, None, now(), 0);
                        Ok(())
                    })?;
                    continue;
                };
                loaded.insert(row, Rc::clone(&bodies));
                let tracker = site.tracker();
                under_way.push(async move {
                    let body = bodies.bodies.get(position).map_or("{}", |body| body.get());
                    let answer = upstream::send_event(tracker, body, &bodies.agent).await;
                    (row, position, bodies, answer)
                });
            }
            match under_way.next().await {
                Some((row, position, bodies, answer)) => {
                    self.answer(row, position, &bodies, &answer)?;
                    if position + 1 == bodies.bodies.len() {
                        loaded.remove(&row);
                    }
                }
                None if rests => break,
                None => {}
            }
        }
        self.with(|inner| {
            inner.outbox.handle_rest();
            inner.save()
        })
    }

    fn answer(
        &self,
        row: u64,
        position: usize,
        sending: &Sending,
        answer: &upstream::Answer,
    ) -> Result<()> {
        self.with(|inner| {
            // The tracker says so about an event that it has; which status goes with it is not
            // documented.
            let known = answer.text.contains("Duplicated request");
            let wait = parse_retry_after(answer.retry_after.as_deref(), now());
            let web_id = inner.outbox.visitor_of(row).unwrap_or_default();
            let settled =
                inner.outbox.handle_answer(row, answer.status, known, wait, now(), random());
            match settled {
                Settled::Delivered => inner.counters.delivered += 1,
                Settled::Dead => {
                    inner.counters.dead += 1;
                    let reason: String = answer.text.chars().take(1000).collect();
                    inner.store.bury(&Dead {
                        message_id: sending.ids.get(position).map_or("", String::as_str),
                        web_id: &web_id,
                        body: sending.bodies.get(position).map_or("{}", |body| body.get()),
                        agent: &sending.agent,
                        status: answer.status.unwrap_or(0),
                        reason: &reason,
                        at: now(),
                    })?;
                }
                _ => {}
            }
            Ok(())
        })
    }
}
