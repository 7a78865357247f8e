//! `cargo xtask bench`: what the kit costs pages and the edge, and which trials it passes.
//!
//! Times of a shared machine differ from run to run, so no time ends this command with a failure;
//! what cannot be measured does. Sizes are gated by `sizes`, trials by `test`.

mod blocks;
mod edge;
mod feed;
mod load;
mod page;
mod relay;
mod table;
mod trials;

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::{
    build, process, progress,
    sizes::{self, Size},
    stack,
    tools::Toolbox,
};

/// How often each figure of the page is measured, unless the caller says otherwise.
const RUNS: u32 = 5;

/// The parts of the benchmark, in the order in which they run: what disturbs others comes last.
const PARTS: &[&str] = &["sizes", "page", "blocks", "edge", "relay", "feed", "trials"];

/// What the caller asks for.
struct Options {
    json: Option<PathBuf>,
    runs: u32,
    parts: Vec<String>,
}

/// Runs the benchmark.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let options = parse(arguments)?;
    let toolbox = Toolbox::prepare()?;
    let manifest = build::run(&toolbox)?;
    stack::build_sandbox(&toolbox)?;
    let mut report = Map::new();
    report.insert("version".into(), json!(1));
    report.insert("toolchain".into(), json!(toolchain(&toolbox)?));
    report.insert("machine".into(), machine());
    let mut failed = Vec::new();
    for part in PARTS.iter().filter(|part| options.parts.iter().any(|wanted| wanted == *part)) {
        progress::step(format_args!("measuring: {part}"));
        let measured = match *part {
            "sizes" => measure_sizes(&toolbox, &manifest).map(|sizes| json!({ "sizes": sizes })),
            "page" => page::measure(&toolbox, &manifest, options.runs),
            "blocks" => blocks::measure(&toolbox, options.runs),
            "edge" => edge::measure().map(|edge| json!({ "edge": edge })),
            "relay" => relay::measure().map(|relay| json!({ "relay": relay })),
            "feed" => feed::measure().map(|feed| json!({ "feed": feed })),
            _ => trials::run(&toolbox).map(|trials| json!({ "trials": trials })),
        };
        match measured {
            Ok(Value::Object(members)) => report.extend(members),
            Ok(_) => {}
            Err(error) => {
                progress::failure(&error);
                failed.push(*part);
            }
        }
    }
    report.insert("load_after".into(), json!(load_average()));
    let report = Value::Object(report);
    table::print(&report);
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("not measured: {}", failed.join(", "))
}

fn parse(arguments: &[String]) -> Result<Options> {
    let parts = PARTS.iter().map(|part| (*part).to_owned()).collect();
    let mut options = Options { json: None, runs: RUNS, parts };
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{name} takes a value"));
        match name.as_str() {
            "--json" => options.json = Some(value()?.into()),
            "--runs" => options.runs = value()?.parse().context("--runs takes a number")?,
            "--only" => options.parts = value()?.split(',').map(str::to_owned).collect(),
            _ => bail!("`bench` takes --json FILE, --runs NUMBER and --only PART,PART"),
        }
    }
    if options.runs == 0 {
        bail!("--runs takes a number from 1 on");
    }
    match options.parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        Some(unknown) => bail!("there is no part `{unknown}`; there are {}", PARTS.join(", ")),
        None => Ok(options),
    }
}

/// What pages and the edge load, in bytes.
fn measure_sizes(toolbox: &Toolbox, manifest: &build::Manifest) -> Result<Value> {
    let asset = |name: &str| manifest.get(name).map(|asset| asset.size);
    let required = |name: &str| asset(name).with_context(|| format!("the {name} was not built"));
    let worker = sizes::measure(toolbox, &build::worker_outputs(), false)?;
    let none = json!({
        "raw": null, "gzip": null, "brotli": null, "note": "there are no widgets yet",
    });
    Ok(json!({
        "loader": size(required("loader")?),
        "tracker": size(sum(&[required("tracker")?, required("wasm")?])),
        "tracker_script": size(required("tracker")?),
        "tracker_wasm": size(required("wasm")?),
        "widgets": asset("widgets").map_or(none, size),
        "extras": asset("extras").map(size),
        "panel": asset("panel").map(size),
        "worker": size(sum(&worker)),
    }))
}

fn size(Size { raw, gzip, brotli }: Size) -> Value {
    json!({ "raw": raw, "gzip": gzip, "brotli": brotli })
}

fn sum(parts: &[Size]) -> Size {
    parts.iter().fold(Size::default(), |sum, part| Size {
        raw: sum.raw + part.raw,
        gzip: sum.gzip + part.gzip,
        brotli: sum.brotli + part.brotli,
    })
}

/// The compiler, without which sizes mean little.
fn toolchain(toolbox: &Toolbox) -> Result<String> {
    process::stdout(toolbox.command("rustc".as_ref()).arg("--version"))
}

fn machine() -> Value {
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        line.split_once(": ").map(|(_, name)| name.to_owned())
    });
    json!({
        "cores": thread::available_parallelism().ok().map(usize::from),
        "processor": cpu,
        "system": process::probe(Command::new("uname").arg("-sr")),
        // Well above nothing, and the times below are those of a busy machine.
        "load_before": load_average(),
    })
}

/// Programs that wanted a processor, on average over the last minute; Linux tells.
fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// A clock for durations.
#[expect(clippy::disallowed_methods, reason = "the rule is for wasm; this program is native")]
fn now() -> Instant {
    Instant::now()
}

/// Unix time in milliseconds.
#[expect(clippy::disallowed_methods, reason = "the rule is for wasm; this program is native")]
fn unix_time() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_misspelt_part_measures_nothing_instead_of_less() {
        let parse = |line: &str| parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(parse("--only edges").is_err());
        assert!(parse("--runs 0").is_err());
        let options = parse("--only edge,page --runs 2").unwrap();
        assert_eq!((options.parts, options.runs), (vec!["edge".into(), "page".into()], 2));
    }
}
