//! Calls of the platform's REST API through the Worker, beside a plain Worker by hand in the same
//! process; and contacts that go in bulk.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{
    edge::{count, processor_time, set_faults, start_with},
    load::Connection,
    now,
};
use crate::{
    progress,
    stack::{SERVER_TOKEN, Stack},
};

/// Requests under way at a time.
const CONNECTIONS: u64 = 8;

/// Calls before the first round: the runtime compiles what is called often anew beside them, which is
/// no part of what a call costs.
const WARM_UP: u64 = 2000;

/// Calls of one round; rounds of both alternate, so that what disturbs one disturbs the other.
const CALLS: u64 = 400;

/// The time between two calls of a connection: both get 200 a second, below what the platform takes,
/// since a process that is busier does each call for less.
const PACE: Duration = Duration::from_millis(40);
const ROUNDS: usize = 11;

/// Contacts that are handed in one by one.
const CONTACTS: u64 = 3000;

/// How long the last of them may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Numbers of calls, so that no two are the same.
static CALL: AtomicU64 = AtomicU64::new(0);

/// All figures of calls.
pub(super) fn measure() -> Result<Value> {
    progress::note("calls, beside a plain Worker");
    let plain = include_str!("../../../tests/bench/plain-worker.js");
    let stack = start_with(json!({}), Some(plain))?;
    set_platform(&stack, &json!({ "rest_limits": false }))?;
    let by_hand = stack.plain.clone().context("the plain Worker runs")?;
    for address in [&stack.kit, &by_hand] {
        call(address, WARM_UP)?;
    }
    let (mut kit, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        kit.push(cost(&stack.kit)?);
        plain.push(cost(&by_hand)?);
    }
    let ratios: Vec<f64> = kit.iter().zip(&plain).map(|(kit, plain)| kit / plain).collect();
    let bulk = bulk(&stack)?;
    Ok(json!({
        "cpu_us": spread(kit),
        "plain_cpu_us": spread(plain),
        "ratio": spread(ratios),
        "calls": CALLS,
        "rounds": ROUNDS,
        "bulk": bulk,
    }))
}

/// The processor's time of a call, in microseconds.
fn cost(address: &str) -> Result<f64> {
    let before = processor_time().context("this system does not tell the processor's time")?;
    call(address, CALLS)?;
    let after = processor_time().context("workerd has ended")?;
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let calls = CALLS as f64;
    Ok((after - before) / calls)
}

fn call(address: &str, calls: u64) -> Result<()> {
    each(address, calls, PACE, |connection, number| {
        let body = json!({
            "eventTypeKey": "bench",
            "keyValue": format!("call-{number}"),
            "params": [
                {"name": "email", "value": "bench@shop.example"},
                {"name": "total", "value": 450.5},
                {"name": "items", "value": [{"id": "P-1", "quantity": 2}, {"id": "P-2", "quantity": 1}]},
            ],
        });
        let (status, answer) = connection.send_with_token(
            "POST",
            "/k/api/v2/event",
            SERVER_TOKEN,
            &body.to_string(),
        )?;
        if status != 200 {
            bail!("{address} answered {status}: {answer}");
        }
        Ok(())
    })
}

/// Does something so many times, over several connections.
fn each(
    address: &str,
    times: u64,
    pace: Duration,
    act: impl Fn(&mut Connection, u64) -> Result<()> + Sync,
) -> Result<()> {
    let act = &act;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(move || -> Result<()> {
                    let mut connection = Connection::open(address)?;
                    let begun = now();
                    for turn in 0..times / CONNECTIONS {
                        let due = pace * u32::try_from(turn).unwrap_or(u32::MAX);
                        thread::sleep(due.saturating_sub(begun.elapsed()));
                        act(&mut connection, CALL.fetch_add(1, Ordering::Relaxed))?;
                    }
                    Ok(())
                })
            })
            .collect();
        for worker in workers {
            match worker.join() {
                Ok(done) => done?,
                Err(_) => bail!("a connection's thread has ended early"),
            }
        }
        Ok(())
    })
}

/// Contacts that come one by one, until the platform has them all.
fn bulk(stack: &Stack) -> Result<Value> {
    progress::note("contacts, one by one");
    let begun = now();
    each(&stack.kit, CONTACTS, Duration::ZERO, |connection, number| {
        let body = json!({
            "contact": {"channels": [{"type": "email", "value": format!("bench{number}@shop.example")}]},
            "dedupeOn": "email",
        });
        let (status, answer) =
            connection.send_with_token("POST", "/k/contacts", SERVER_TOKEN, &body.to_string())?;
        if status != 202 {
            bail!("the Worker answered {status}: {answer}");
        }
        Ok(())
    })?;
    let taken = begun.elapsed().as_secs_f64();
    let mut platform = Connection::open(&stack.platform)?;
    loop {
        let stored = platform.json("/contacts?count=1")?["count"].as_u64().unwrap_or(0);
        if stored >= CONTACTS {
            break;
        }
        if begun.elapsed() > PATIENCE {
            bail!("{stored} of {CONTACTS} contacts have reached the platform");
        }
        thread::sleep(Duration::from_millis(100));
    }
    let there = begun.elapsed().as_secs_f64();
    let requests = platform.json("/requests?limit=100000&path=/api/v1/contacts")?;
    let requests = requests.as_array().map_or(0, Vec::len);
    let contacts = count(usize::try_from(CONTACTS)?);
    Ok(json!({
        "contacts": CONTACTS,
        "taken_per_s": contacts / taken,
        "delivered_per_s": contacts / there,
        "requests": requests,
    }))
}

fn set_platform(stack: &Stack, settings: &Value) -> Result<()> {
    let mut platform = Connection::open(&stack.platform)?;
    let (status, answer) = platform.send("PUT", "/settings", "", &settings.to_string())?;
    if status != 200 {
        bail!("the stand-in does not take {settings}: {answer}");
    }
    set_faults(stack, &json!([]))
}

/// The middle and the ends of several values.
pub(super) fn spread(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    json!({
        "median": values.get(values.len() / 2),
        "min": values.first(),
        "max": values.last(),
    })
}
