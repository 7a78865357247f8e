//! `cargo xtask chaos`: the real Worker and the stand-in, under load, while everything fails that can.
//!
//! workerd is killed again and again, at random and at moments that are seen from outside; the network
//! to the platform fails, limits, hangs, drips and resets; pages repeat and reorder their batches, go,
//! and have visitors erased; the Worker's disk is full; its objects fail and hang, so that events go to a
//! queue, which delivers twice and in another order, and to a bucket, and both fail too. Then everything
//! works again, what waits is passed on, and each event is looked for. A seed repeats what is done, not how
//! the machine times it.

mod http;
mod judge;
mod pages;
mod panics;
mod points;
mod proxy;
mod random;
mod ways;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use self::{
    http::Client,
    pages::{Sent, Shop},
    points::{Point, Points},
    proxy::Proxy,
    random::Random,
    ways::Ways,
};
use crate::{
    build, process, progress, project,
    stack::{self, Cloud, Plan, Stack},
    tools::Toolbox,
};

/// The event that the platform refuses for good in every run.
const DOOMED: &str = "AddToWishlist";

/// Objects that the visitors are spread over: more than one, so that they share what the platform takes.
const SHARDS: u32 = 2;

/// One in so many kills ends a time with a full disk.
const FULL_DISK_EVERY: u64 = 20;

/// What the Worker may still write to a file when its disk is about to be full, in bytes.
const ROOM: u64 = 64 * 1024;

/// How long what waits may take in the end.
const PATIENCE: Duration = Duration::from_mins(15);

/// What the caller asks for.
#[derive(Debug)]
struct Options {
    json: Option<PathBuf>,
    keep: Option<PathBuf>,
    seed: u64,
    kills: u64,
    events: u64,
    /// Nothing of this: it is shown what a panic costs a Worker that unwinds.
    panics: bool,
}

/// Runs it, and ends with an error if anything was lost.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let options = parse(arguments)?;
    let toolbox = Toolbox::prepare()?;
    build::run(&toolbox)?;
    stack::build_sandbox(&toolbox)?;
    if options.panics {
        return panics::run(&toolbox);
    }
    run(&options)
}

/// A run that is short enough for every change.
pub(crate) fn run_small() -> Result<()> {
    run(&Options { kills: 12, events: 4000, ..Options::new() })
}

impl Options {
    fn new() -> Self {
        let seed = process::unix_millis();
        Self { json: None, keep: None, seed, kills: 200, events: 100_000, panics: false }
    }
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options::new();
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{name} takes a value"));
        let number =
            |text: &String| text.parse::<u64>().with_context(|| format!("{name} takes a number"));
        match name.as_str() {
            "--json" => options.json = Some(value()?.into()),
            "--keep" => options.keep = Some(value()?.into()),
            "--seed" => options.seed = number(value()?)?,
            "--kills" => options.kills = number(value()?)?,
            "--events" => options.events = number(value()?)?,
            "--panics" => options.panics = true,
            _ => bail!(
                "`chaos` takes --json FILE, --keep DIR, --seed NUMBER, --kills NUMBER and --events NUMBER, \
                 or --panics"
            ),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<()> {
    let Options { seed, kills, events, .. } = *options;
    progress::step(format_args!("chaos: seed {seed}, kills {kills}, events {events}"));
    let folder = options.keep.clone().unwrap_or_else(|| project::kit().join("chaos"));
    stack::clear(&folder)?;
    let start = now();
    let report = in_folder(options, &folder, start)?;
    let text = serde_json::to_string_pretty(&report)? + "\n";
    progress::result(text.trim_end());
    if let Some(path) = &options.json {
        fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let number = |name: &str| report[name].as_u64().unwrap_or(u64::MAX);
    let wrong: Vec<&str> = [
        "pending",
        "missing",
        "counted_twice",
        "out_of_order",
        "dead_wrongly",
        "never_told",
        "undrained",
        "parcels_dead",
        "parcels_lost",
    ]
    .into_iter()
    .filter(|name| number(name) != 0)
    .chain((report["ledger_differs"] != json!([])).then_some("ledger_differs"))
    .collect();
    if !wrong.is_empty() {
        bail!("not as promised: {}; the folder {} tells more", wrong.join(", "), folder.display());
    }
    if number("kills") < kills || number("sent") < events {
        bail!("the run ended too soon");
    }
    if options.keep.is_none() {
        stack::clear(&folder)?;
    }
    Ok(())
}

fn in_folder(options: &Options, folder: &Path, start: Instant) -> Result<Value> {
    let Options { seed, events, .. } = *options;
    let points = Arc::new(Points::default());
    // The proxy is there before the stand-in, so that the Worker can be told of it.
    let (mut stack, proxy) = Stack::start_behind(
        &Plan {
            outbox: json!({
                "shards": SHARDS,
                "subrequests": 1000,
                "patience": ways::PATIENCE,
            }),
            cloud: Cloud { queue: true, bucket: true, faults: true },
            ..Plan::new(fs::canonicalize(make(folder)?)?, json!({ "consent": "granted" }))
        },
        |platform| {
            let proxy = Proxy::start(platform, &points, seed, events)?;
            Ok((proxy.address.clone(), proxy))
        },
    )?;
    let doomed = json!([{ "refuse": true, "match": { "event": DOOMED } }]);
    ways::put(&stack.platform, "/faults", &doomed)?;
    let shop = Arc::new(Shop::new((&stack.kit, &stack.shop), &points, seed, events));
    let mut ways = Ways::open(&stack, seed, &shop.is_over)?;
    let threads = shop.open();
    let ended = disturb(options, &mut stack, (&shop, &points), &mut ways)
        .and_then(|kills| Ok((kills, drain(&stack, &shop, (&proxy, &ways), events)?)));
    shop.is_over.store(true, Ordering::Relaxed);
    let mut sent = Sent::default();
    for thread in threads {
        let Ok(own) = thread.join() else { bail!("a thread of pages panicked") };
        merge(&mut sent, own?);
    }
    let (kills, (pending, undrained)) = ended?;
    let dead = read_dead(&stack.kit)?;
    let ledger = read_ledger(&stack.kit)?;
    let (left, detours) = (ways.left()?, ways.detours()?);
    sent.write(&folder.join("events.jsonl"), &detours)?;
    // The stand-in's file is judged when nobody writes to it.
    drop(stack);
    let found = judge::judge(&sent, &folder.join("platform.sqlite"), &dead, &detours)?;
    let count = |name: &str| ledger[name].as_u64();
    // What pages were told and the platform has against what the Worker says. An event that is erased
    // while it is on its way is erased to the Worker, and delivered all the same.
    let settled = count("delivered").zip(count("erased")).map(|(one, other)| one + other);
    let differs: Vec<String> = [
        ("accepted", count("accepted"), found.accepted, found.open),
        ("delivered and erased", settled, found.delivered + found.erased, found.open),
        ("dead", count("dead"), found.dead, 0),
        ("pending", count("pending"), pending, 0),
        ("balance", count("balance"), 0, 0),
    ]
    .into_iter()
    .filter(|(_, said, own, open)| said.is_none_or(|said| said < *own || said > own + open))
    .map(|(name, said, own, _)| format!("{name}: {said:?} for {own}"))
    .collect();
    let mut faults = json!(proxy.counts());
    for (name, count) in &ways.told {
        faults[name] = json!(count);
    }
    for (name, count) in [
        ("batch_repeated", json!(sent.repeated)),
        ("batch_reordered", json!(sent.reordered)),
        ("page_reload", json!(sent.reloads)),
        ("full_disk", json!(kills.full_disks)),
        ("message_twice", left.counts["twice"].clone()),
        ("message_reversed", left.counts["reversed"].clone()),
    ] {
        faults[name] = count;
    }
    let [accepted, duplicate, refused] = ["accepted", "duplicate", "refused"].map(count);
    let received = accepted.zip(duplicate).zip(refused).map(|((a, b), c)| a + b + c);
    Ok(json!({
        "seed": seed,
        "kills": kills.done,
        "kills_by_moment": kills.moments,
        "sent": sent.events.len(),
        "received": received,
        "accepted": accepted,
        "ways": ways::count(&detours, found.accepted)?,
        "duplicate": duplicate,
        "refused": refused,
        "delivered": count("delivered"),
        "pending": count("pending"),
        "dead": count("dead"),
        "erased": count("erased"),
        "missing": found.unaccounted.saturating_sub(pending),
        "counted_twice": found.counted_twice,
        "counted_again": found.counted_again,
        "resent_unknown": proxy.resent_unknown(),
        "out_of_order": found.out_of_order,
        "dead_wrongly": found.dead_wrongly,
        "never_told": found.never_told,
        "undrained": undrained,
        "parcels_dead": left.dead,
        "parcels_lost": left.lost,
        // Of erased visitors, not known to be accepted or not, or on their way elsewhere meanwhile: by so
        // many the ledger may be above what pages know.
        "open": found.open,
        "ledger_differs": differs,
        "erasures": sent.erasures,
        "put_off": sent.put_off,
        "unanswered": sent.unanswered,
        "faults": faults,
        "messages": left.counts,
        "examples": found.examples,
        "seconds": start.elapsed().as_secs(),
    }))
}

/// What the Worker says became of all events.
fn read_ledger(kit: &str) -> Result<Value> {
    let token = format!("Bearer {}", stack::SERVER_TOKEN);
    let mut client = Client::new(kit);
    let answer = client.ask("GET /k/ledger", &[("authorization", &token)], b"", || {})?;
    let mut ledger: Value = serde_json::from_str(&answer.text())?;
    Ok(ledger["total"].take())
}

fn make(folder: &Path) -> Result<&Path> {
    fs::create_dir_all(folder)?;
    Ok(folder)
}

/// The kills of a run.
#[derive(Debug, Default)]
struct Kills {
    done: u64,
    moments: std::collections::BTreeMap<String, u64>,
    full_disks: u64,
}

/// Kills the Worker again and again while the pages call.
fn disturb(
    options: &Options,
    stack: &mut Stack,
    (shop, points): (&Shop, &Points),
    ways: &mut Ways,
) -> Result<Kills> {
    let mut random = Random::new(options.seed, 2);
    let mut kills = Kills::default();
    for number in 0..options.kills {
        // Before there is anything for the objects to take.
        let life = ways.disturb(number)?;
        let share = options.events * (number + 1) / (options.kills + 1);
        shop.allowed.store(share, Ordering::Relaxed);
        thread::sleep(life);
        let is_full = number % FULL_DISK_EVERY == FULL_DISK_EVERY / 2;
        let choice = random.below(8);
        let (nth, wait) = (random.below(60), random.below(600));
        let moment = if is_full {
            kills.full_disks += 1;
            thread::sleep(Duration::from_millis(1500));
            None
        } else {
            usize::try_from(choice).ok().and_then(|choice| Point::ALL.get(choice).copied())
        };
        let held = moment.and_then(|point| points.wait(point, nth, Duration::from_secs(2)));
        if moment.is_none() {
            thread::sleep(Duration::from_millis(wait));
        }
        stack.kill_worker();
        kills.done += 1;
        let name = match (is_full, moment, &held) {
            (true, ..) => "full disk".to_owned(),
            (_, Some(point), Some(_)) => format!("{point:?}"),
            _ => "any".to_owned(),
        };
        *kills.moments.entry(name).or_default() += 1;
        drop(held);
        thread::sleep(Duration::from_millis(random.below(150)));
        let is_last = number + 1 == options.kills;
        if !is_last && (number + 1) % FULL_DISK_EVERY == FULL_DISK_EVERY / 2 {
            stack.start_worker_within(largest(&stack.objects())? + ROOM)?;
        } else {
            stack.start_worker()?;
        }
        if kills.done % 20 == 0 {
            let made = shop.made.load(Ordering::Relaxed);
            progress::note(format_args!("{} kills, {made} events", kills.done));
        }
    }
    shop.allowed.store(options.events, Ordering::Relaxed);
    let deadline = now() + PATIENCE;
    while shop.made.load(Ordering::Relaxed) < options.events && now() < deadline {
        thread::sleep(Duration::from_millis(100));
    }
    Ok(kills)
}

/// Waits until nothing waits any more. Returns what still does: at the Worker, and elsewhere.
fn drain(
    stack: &Stack,
    shop: &Shop,
    (proxy, ways): (&Proxy, &Ways),
    events: u64,
) -> Result<(u64, u64)> {
    shop.is_calm.store(true, Ordering::Relaxed);
    ways.calm()?;
    let mut kit = Client::new(&stack.kit);
    let deadline = now() + PATIENCE;
    let (mut is_told, mut pending) = (0, 0);
    loop {
        // In the order in which events come, so that none is overlooked on its way.
        let on_pages = shop.waiting();
        let parcels = ways.left()?.waiting;
        let waiting = on_pages + parcels;
        if let Ok(answer) = kit.ask("GET /k/health", &[], b"", || {}) {
            let health: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
            let outboxes = health["sites"]["main"]["outbox"].as_array().cloned();
            let count = |outbox: &Value| outbox["pending"].as_u64().unwrap_or(u64::MAX / 16);
            pending = outboxes.context("the Worker tells its health")?.iter().map(count).sum();
            if pending + waiting == 0 {
                return Ok((0, 0));
            }
            // The network fails for as long as there is something to fail for.
            if pending + waiting < events / 20 {
                proxy.calm();
            }
        }
        if now() > deadline {
            return Ok((pending, waiting));
        }
        is_told += 1;
        if is_told % 20 == 0 {
            progress::note(format_args!(
                "{on_pages} on the pages, {parcels} parcels, {pending} at the Worker"
            ));
        }
        thread::sleep(Duration::from_millis(500));
    }
}

/// The ids of all dead events.
fn read_dead(kit: &str) -> Result<Vec<String>> {
    let mut client = Client::new(kit);
    let mut ids = Vec::new();
    for shard in 0..SHARDS {
        let object = format!("main/g1/{shard}");
        let mut after = 0;
        loop {
            let token = format!("Bearer {}", stack::SERVER_TOKEN);
            let path = format!("GET /k/dead?object={object}&after={after}");
            let answer = client.ask(&path, &[("authorization", &token)], b"", || {})?;
            let answer: Value = serde_json::from_str(&answer.text())?;
            let page = &answer[&object];
            let rows = page["dead"].as_array().context("the Worker lists what is dead")?;
            ids.extend(rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)));
            let Some(next) = page["after"].as_u64() else { break };
            after = next;
        }
    }
    Ok(ids)
}

fn merge(sent: &mut Sent, own: Sent) {
    sent.events.extend(own.events);
    sent.keys.extend(own.keys);
    sent.repeated += own.repeated;
    sent.reordered += own.reordered;
    sent.reloads += own.reloads;
    sent.erasures += own.erasures;
    sent.put_off += own.put_off;
    sent.unanswered += own.unanswered;
}

/// The size of the largest file in a folder, or below it.
fn largest(folder: &Path) -> Result<u64> {
    let mut most = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let size = if entry.file_type()?.is_dir() {
            largest(&entry.path())?
        } else {
            // A file that has gone meanwhile has no size.
            entry.metadata().map_or(0, |data| data.len())
        };
        most = most.max(size);
    }
    Ok(most)
}

/// The key of the event that a body is about.
fn key_of(body: &str) -> Option<&str> {
    keys_of(body).next()
}

/// The keys of all events that a text is about.
fn keys_of(text: &str) -> impl Iterator<Item = &str> {
    text.split("\"productKey\":\"").skip(1).filter_map(|rest| rest.split('"').next())
}

#[expect(clippy::disallowed_methods, reason = "the rule is for wasm; this program is native")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_by_its_options() {
        let parse = |line: &str| parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let options = parse("--kills 3 --events 10 --seed 7").unwrap();
        assert_eq!((options.kills, options.events, options.seed), (3, 10, 7));
        assert!(parse("--kills many").is_err());
        assert!(parse("--kill 3").is_err());
        assert!(parse("--json").is_err());
    }

    #[test]
    fn a_seed_repeats_what_is_chosen() {
        let chosen = |seed| {
            let mut random = Random::new(seed, 2);
            (0..20).map(|_| random.below(8)).collect::<Vec<_>>()
        };
        assert_eq!(chosen(7), chosen(7));
        assert_ne!(chosen(7), chosen(8));
    }
}
