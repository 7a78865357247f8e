//! The edge's part: the Worker on loopback under load, and how fast it passes events on.

use std::{fs, path::PathBuf, thread, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{
    load::{Connection, Done, End, Load, To},
    now,
};
use crate::{
    progress, project,
    stack::{self, Plan, Stack},
};

/// Requests under way at a time.
const CONNECTIONS: usize = 16;

/// How long a load lasts, after one that warms the Worker up.
const LENGTH: Duration = Duration::from_secs(5);
const WARM_UP: Duration = Duration::from_secs(1);

const VISITORS: u64 = 400;

/// The latency of the platform while it is measured how fast events reach it, in milliseconds.
const LATENCY: u64 = 100;

/// Events that are passed on for that figure.
const DRAINED: u64 = 600;

/// Batches of twenty events for the count of written rows.
const COUNTED: u64 = 120;

/// Batches of twenty that are under way at a time towards one object, of which many are written in one
/// transaction; and what one object is to take of them, in events a second.
const TOGETHER: usize = 64;
const TO_REACH: f64 = 10_000.0;

/// How long events may take to reach the platform.
const PATIENCE: Duration = Duration::from_mins(2);

/// All figures of the edge.
pub(super) fn measure() -> Result<Value> {
    let object = one_object()?;
    let single = ingest(1, 1)?;
    let twenty = ingest(20, 1)?;
    let spread = ingest(1, 8)?;
    let free = drain(50)?;
    let paid = drain(10_000)?;
    let rows = json!({
        "subrequests_50": rows(50, 20)?,
        "subrequests_10000": rows(10_000, 20)?,
        "ten_events": rows(10_000, 10)?,
        "one_event": rows(10_000, 1)?,
    });
    Ok(json!({
        "rps": single["rps"],
        "cpu_us": single["cpu_us"],
        "p50_ms": single["p50_ms"],
        "p99_ms": single["p99_ms"],
        "drain_per_s": free,
        "rows_per_event": rows["subrequests_50"]["rows_per_event"],
        "runs": 1,
        "one_object": object,
        "one_event_a_request": single,
        "twenty_events_a_request": twenty,
        "eight_shards": spread,
        "drain": { "latency_ms": LATENCY, "subrequests_50": free, "subrequests_10000": paid },
        "rows": rows,
    }))
}

/// Has outboxes pass nothing on: asked to come back in an hour, they rest.
fn rest(stack: &Stack) -> Result<()> {
    set_faults(stack, &json!({ "status": 429, "retry_after": "3600" }))
}

/// What the Worker takes while it passes nothing on.
fn ingest(events: u64, shards: u32) -> Result<Value> {
    progress::note(format_args!("taking: events a request {events}, shards {shards}"));
    let stack = start(json!({ "shards": shards }))?;
    rest(&stack)?;
    let load = |length| Load {
        kit: &stack.kit,
        to: To::Worker,
        origin: &stack.shop,
        connections: CONNECTIONS,
        events,
        visitors: VISITORS,
        rate: None,
        end: End::Time(length),
    };
    load(WARM_UP).run()?;
    let before = processor_time();
    let done = load(LENGTH).run()?;
    let requests = count(done.latencies.len());
    let cpu = processor_time().zip(before).map(|(after, before)| (after - before) / requests);
    Ok(json!({
        "events_a_request": events,
        "shards": shards,
        "connections": CONNECTIONS,
        "requests": done.latencies.len(),
        "rps": requests / done.seconds,
        "cpu_us": cpu,
        "p50_ms": quantile(&done, 0.5)?,
        "p99_ms": quantile(&done, 0.99)?,
    }))
}

/// A Worker that hands what it gets over to the outbox object, and nothing else.
const DOOR: &str = r#"export default {
  fetch: ({ body, headers }, { OUTBOX }) =>
    OUTBOX.getByName("main/g1/0").fetch("https://object/ingest", {
      method: "POST",
      body: body.pipeThrough(new FixedLengthStream(headers.get("content-length"))),
    }),
};
"#;

/// What one object takes of batches of twenty, each answered when it is on disk: one after the other,
/// so that each has a transaction of its own; many at a time; and half of what is to be reached, at
/// even distances. First by itself, then with the Worker in front of it in the same process.
fn one_object() -> Result<Value> {
    progress::note("taking: one object, twenty events a request");
    let stack = start_with(json!({}), Some(DOOR))?;
    rest(&stack)?;
    let door = stack.plain.as_deref().context("there is a door to the object")?;
    let mut figures = one_object_by(&stack, door, To::Object)?;
    // The processor's time is that of the one process there is.
    drop(stack);
    progress::note("taking: the same, through the Worker");
    let stack = start(json!({}))?;
    rest(&stack)?;
    figures["through_the_worker"] = one_object_by(&stack, &stack.kit, To::Worker)?;
    Ok(figures)
}

fn one_object_by(stack: &Stack, kit: &str, to: To) -> Result<Value> {
    let events = 20;
    let load = |connections, rate, length| Load {
        kit,
        to,
        origin: &stack.shop,
        connections,
        events,
        visitors: VISITORS,
        rate,
        end: End::Time(length),
    };
    let written = || -> Result<u64> {
        let health = Connection::open(&stack.kit)?.json("/k/health")?;
        let outbox = outboxes(&health).next().context("there is an outbox")?.clone();
        outbox["since_start"]["rows_written"].as_u64().context("the outbox counts rows")
    };
    load(TOGETHER, None, WARM_UP).run()?;
    let measure = |connections, rate| -> Result<(Done, Option<f64>)> {
        let before = processor_time();
        let done = load(connections, rate, LENGTH).run()?;
        let requests = count(done.latencies.len());
        Ok((done, processor_time().zip(before).map(|(after, before)| (after - before) / requests)))
    };
    let per_second = |done: &Done| count(done.latencies.len()) * exact(events) / done.seconds;
    let (alone, _) = measure(1, None)?;
    let before = written()?;
    let (together, cpu) = measure(TOGETHER, None)?;
    let rows = exact(written()? - before) / (count(together.latencies.len()) * exact(events));
    let (half, _) = measure(TOGETHER, Some(TO_REACH / 2.0 / exact(events)))?;
    Ok(json!({
        "events_a_request": events,
        "connections": TOGETHER,
        "events_per_s": per_second(&together),
        "cpu_us": cpu,
        "p99_ms": quantile(&together, 0.99)?,
        // As long as they wait: what is sent on is counted elsewhere.
        "rows_per_event": rows,
        "one_commit_a_request": { "events_per_s": per_second(&alone), "p99_ms": quantile(&alone, 0.99)? },
        "ratio": per_second(&together) / per_second(&alone),
        "half": {
            "events_per_s": per_second(&half),
            "p50_ms": quantile(&half, 0.5)?,
            "p99_ms": quantile(&half, 0.99)?,
        },
    }))
}

/// Events a second that one shard passes on to a platform that takes its time.
fn drain(subrequests: u32) -> Result<f64> {
    progress::note(format_args!("passing on: requests an invocation {subrequests}"));
    let stack = start(json!({ "subrequests": subrequests }))?;
    set_faults(&stack, &json!({ "delay_ms": LATENCY }))?;
    let events = 2;
    let load = Load {
        kit: &stack.kit,
        to: To::Worker,
        origin: &stack.shop,
        connections: CONNECTIONS,
        events,
        visitors: VISITORS,
        rate: None,
        end: End::Batches(DRAINED / events),
    };
    load.run()?;
    let full = super::unix_time();
    wait_for_empty(&stack)?;
    let mut platform = Connection::open(&stack.platform)?;
    let arrived = platform.json("/events?limit=100000")?;
    let arrived = arrived.as_array().context("the stand-in lists events")?;
    if count(arrived.len()) < exact(DRAINED) {
        bail!("{} of {DRAINED} events reached the platform", arrived.len());
    }
    // From the moment on when everything waited, so that the load itself disturbs nothing.
    let times: Vec<u64> = arrived
        .iter()
        .filter_map(|event| event["received"].as_u64())
        .filter(|time| *time >= full)
        .collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        bail!("everything had been passed on before the load ended");
    };
    Ok(count(times.len() - 1) / exact(last - first) * 1000.0)
}

/// Rows written for an event, which is what Durable Objects charge for, and the processor's time.
fn rows(subrequests: u32, events_a_request: u64) -> Result<Value> {
    progress::note(format_args!(
        "counting rows: events a request {events_a_request}, requests an invocation {subrequests}"
    ));
    let stack = start(json!({ "subrequests": subrequests }))?;
    let before = processor_time();
    let load = Load {
        kit: &stack.kit,
        to: To::Worker,
        origin: &stack.shop,
        connections: 4,
        events: events_a_request,
        visitors: COUNTED / 2,
        rate: None,
        end: End::Batches(COUNTED),
    };
    load.run()?;
    let health = wait_for_empty(&stack)?;
    let after = processor_time();
    let counters = outboxes(&health).next().context("there is an outbox")?["since_start"].clone();
    let number =
        |name: &str| counters[name].as_u64().with_context(|| format!("the outbox counts {name}"));
    let (written, delivered) = (number("rows_written")?, number("delivered")?);
    if delivered != COUNTED * events_a_request {
        bail!("{delivered} of {} events were delivered", COUNTED * events_a_request);
    }
    let events = exact(delivered);
    let cpu = after.zip(before).map(|(after, before)| (after - before) / events);
    let rows = exact(written) / events;
    Ok(json!({
        "events_a_request": events_a_request,
        "events": delivered,
        "rows_written": written,
        "rows_per_event": rows,
        "dollars_per_million": dollars_per_million(exact(events_a_request), rows),
        // Taking, storing and passing on, all in all.
        "cpu_us_per_event": cpu,
    }))
}

/// What a million events cost by the prices of Workers' paid plan, beyond what is included: a request of
/// the Worker, one of the object, and rows written. Of the processor's time a request takes some tenths
/// of a millisecond, of which a million cost 2 cents a millisecond.
fn dollars_per_million(events_a_request: f64, rows_per_event: f64) -> f64 {
    (0.30 + 0.15) / events_a_request + rows_per_event
}

fn start(outbox: Value) -> Result<Stack> {
    start_with(outbox, None)
}

/// A stack; with a Worker by hand beside the kit's, if there is one.
pub(super) fn start_with(outbox: Value, plain: Option<&'static str>) -> Result<Stack> {
    Stack::start(&Plan { outbox, plain, ..plan(json!({ "consent": "granted" }))? })
}

/// What a stack of the benchmark is made of, with nothing of an earlier one in its folder.
pub(super) fn plan(site: Value) -> Result<Plan> {
    let folder = project::kit().join("bench/stack");
    stack::clear(&folder)?;
    Ok(Plan::new(folder, site))
}

pub(super) fn set_faults(stack: &Stack, faults: &Value) -> Result<()> {
    let mut platform = Connection::open(&stack.platform)?;
    let (status, answer) = platform.send("PUT", "/faults", "", &faults.to_string())?;
    if status != 200 {
        bail!("the stand-in does not take {faults}: {answer}");
    }
    Ok(())
}

/// Waits until nothing is on its way any more; returns the Worker's last word on its health.
fn wait_for_empty(stack: &Stack) -> Result<Value> {
    let mut kit = Connection::open(&stack.kit)?;
    let start = now();
    loop {
        let health = kit.json("/k/health")?;
        let pending: u64 = outboxes(&health).filter_map(|outbox| outbox["pending"].as_u64()).sum();
        if pending == 0 {
            return Ok(health);
        }
        if start.elapsed() > PATIENCE {
            bail!("{pending} events have not reached the platform");
        }
        // Each question wakes the outbox, so it is asked rarely.
        thread::sleep(Duration::from_millis(500));
    }
}

fn outboxes(health: &Value) -> impl Iterator<Item = &Value> {
    health["sites"]["main"]["outbox"].as_array().into_iter().flatten()
}

/// Time that workerd has had a processor for, in microseconds; only Linux tells.
pub(super) fn processor_time() -> Option<f64> {
    let text = fs::read_to_string(workerd()?.join("stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let ticks = |index: usize| rest.split(' ').nth(index)?.parse::<f64>().ok();
    // The kernel counts in hundredths of a second towards programs, whatever its own tick.
    Some((ticks(11)? + ticks(12)?) * 10_000.0)
}

/// What Linux tells of workerd's process: a folder.
pub(super) fn workerd() -> Option<PathBuf> {
    let own = std::process::id().to_string();
    let mut processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    processes.find(|process| {
        let text = fs::read_to_string(process.join("stat")).unwrap_or_default();
        // The name is in parentheses and may hold anything; after it come state, parent, ….
        text.rsplit_once(") ").is_some_and(|(name, rest)| {
            rest.split(' ').nth(1) == Some(&own) && name.ends_with("(workerd")
        })
    })
}

fn quantile(done: &Done, part: f64) -> Result<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a length is a place in the list"
    )]
    let place = (count(done.latencies.len()) * part) as usize;
    done.latencies.get(place).copied().context("no request was answered")
}

pub(super) fn count(number: usize) -> f64 {
    exact(number as u64)
}

#[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^53")]
pub(super) fn exact(number: u64) -> f64 {
    number as f64
}
