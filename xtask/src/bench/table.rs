//! The report as a table for people.

use serde_json::Value;

use crate::progress;

/// What a figure should be.
#[derive(Clone, Copy)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn verdict(self, value: f64) -> String {
        let (sign, limit, verdict) = match self {
            Self::AtMost(limit) => ("<=", limit, if value <= limit { "ok" } else { "over" }),
            Self::AtLeast(limit) => (">=", limit, if value >= limit { "ok" } else { "under" }),
        };
        format!("{sign} {limit:<7} {verdict}")
    }
}

/// A line of the table: what it is, where it stands in the report, its unit.
struct Line {
    name: &'static str,
    path: &'static str,
    /// Where smallest and largest of several runs stand.
    spread: Option<&'static str>,
    unit: &'static str,
    target: Option<Target>,
}

const fn line(name: &'static str, path: &'static str, unit: &'static str) -> Line {
    Line { name, path, spread: None, unit, target: None }
}

impl Line {
    const fn of(mut self, spread: &'static str) -> Self {
        self.spread = Some(spread);
        self
    }

    const fn most(mut self, limit: f64) -> Self {
        self.target = Some(Target::AtMost(limit));
        self
    }

    const fn least(mut self, limit: f64) -> Self {
        self.target = Some(Target::AtLeast(limit));
        self
    }
}

/// The table, by heading.
const TABLE: &[(&str, &[Line])] = &[
    (
        "sizes, Brotli",
        &[
            line("loader", "/sizes/loader/brotli", "B").most(2_500.0),
            line("tracker", "/sizes/tracker/brotli", "B").most(25_000.0),
            line("extras", "/sizes/extras/brotli", "B"),
            line("panel", "/sizes/panel/brotli", "B"),
            line("Worker", "/sizes/worker/brotli", "B"),
        ],
    ),
    (
        "main thread, first 3.5 s, processor 4 times slower",
        &[
            line("script of the kit", "/main_thread/script_ms", "ms")
                .of("/main_thread/start/script")
                .most(10.0),
            line("  of it on the processor", "/main_thread/script_cpu_ms", "ms")
                .of("/main_thread/start/script_cpu"),
            line("  its duties without it", "/main_thread/floor_ms", "ms")
                .of("/main_thread/start/floor"),
            line("  times as much", "/main_thread/script_by_floor", ""),
            line("blocking by the kit", "/main_thread/blocking_ms", "ms")
                .of("/main_thread/start/blocking")
                .most(0.0),
            line("longest part of a task", "/main_thread/longest_ms", "ms")
                .of("/main_thread/start/longest"),
            line("all script, with the kit", "/main_thread/start/with_kit/script_ms/median", "ms")
                .of("/main_thread/start/with_kit/script_ms"),
            line("all script, without", "/main_thread/start/without_kit/script_ms/median", "ms")
                .of("/main_thread/start/without_kit/script_ms"),
            line("a call, median", "/main_thread/call_ms/median", "ms")
                .of("/main_thread/calls/kit/median")
                .most(0.5),
            line("a call, 95 of 100", "/main_thread/call_ms/p95", "ms")
                .of("/main_thread/calls/kit/p95")
                .most(2.0),
            line("  writing the journal alone", "/main_thread/journal_ms", "ms")
                .of("/main_thread/calls/journal/median"),
            line("  times as much", "/main_thread/call_by_journal", ""),
        ],
    ),
    (
        "first event, from the start of the navigation",
        &[
            line("cold cache", "/first_event/cold/ms/median", "ms").of("/first_event/cold/ms"),
            line("warm cache", "/first_event/warm/ms/median", "ms").of("/first_event/warm/ms"),
            line("cold, 4 times slower", "/first_event/cold_slowed/ms/median", "ms")
                .of("/first_event/cold_slowed/ms"),
            line("warm, 4 times slower", "/first_event/warm_slowed/ms/median", "ms")
                .of("/first_event/warm_slowed/ms"),
            line("bytes, by the loader", "/first_event/bytes/loader", "B"),
            line("bytes, by the tracker", "/first_event/bytes/tracker", "B"),
        ],
    ),
    (
        "first recommended product, beside a script by hand",
        &[
            line("cold cache", "/blocks/near/cold/kit_ms/median", "ms")
                .of("/blocks/near/cold/kit_ms"),
            line("  by hand", "/blocks/near/cold/by_hand_ms/median", "ms")
                .of("/blocks/near/cold/by_hand_ms"),
            line("  times as much", "/blocks/near/cold/ratio/median", "")
                .of("/blocks/near/cold/ratio")
                .most(1.2),
            line("warm cache", "/blocks/near/warm/kit_ms/median", "ms")
                .of("/blocks/near/warm/kit_ms"),
            line("  by hand", "/blocks/near/warm/by_hand_ms/median", "ms")
                .of("/blocks/near/warm/by_hand_ms"),
            line("  times as much", "/blocks/near/warm/ratio/median", "")
                .of("/blocks/near/warm/ratio")
                .most(1.2),
            line("40 ms away, cold", "/blocks/far/cold/kit_ms/median", "ms")
                .of("/blocks/far/cold/kit_ms"),
            line("  times as much", "/blocks/far/cold/ratio/median", "")
                .of("/blocks/far/cold/ratio")
                .most(1.2),
            line("40 ms away, warm", "/blocks/far/warm/kit_ms/median", "ms")
                .of("/blocks/far/warm/kit_ms"),
            line("  times as much", "/blocks/far/warm/ratio/median", "")
                .of("/blocks/far/warm/ratio")
                .most(1.2),
            line("processor an answer, known", "/blocks/answer/data/warm_cpu_us/median", "µs")
                .of("/blocks/answer/data/warm_cpu_us"),
            line("  as a block", "/blocks/answer/block/warm_cpu_us/median", "µs")
                .of("/blocks/answer/block/warm_cpu_us"),
            line("processor an answer, asked for", "/blocks/answer/data/cold_cpu_us/median", "µs")
                .of("/blocks/answer/data/cold_cpu_us"),
            line("  as a block", "/blocks/answer/block/cold_cpu_us/median", "µs")
                .of("/blocks/answer/block/cold_cpu_us"),
        ],
    ),
    (
        "calls of the REST API, beside a Worker by hand",
        &[
            line("processor a call", "/relay/cpu_us/median", "µs").of("/relay/cpu_us"),
            line("  by hand", "/relay/plain_cpu_us/median", "µs").of("/relay/plain_cpu_us"),
            line("  times as much", "/relay/ratio/median", "").of("/relay/ratio").most(1.3),
            line("contacts taken one by one", "/relay/bulk/taken_per_s", "/s"),
            line("contacts at the platform", "/relay/bulk/delivered_per_s", "/s"),
            line("  in requests", "/relay/bulk/requests", ""),
        ],
    ),
    (
        "one outbox object, twenty events a request",
        &[
            line("events, many at a time", "/edge/one_object/events_per_s", "/s").least(10_000.0),
            line("  processor a request", "/edge/one_object/cpu_us", "µs"),
            line(
                "  one commit a request",
                "/edge/one_object/one_commit_a_request/events_per_s",
                "/s",
            ),
            line("  times as many", "/edge/one_object/ratio", ""),
            line("at 5,000 a second, median", "/edge/one_object/half/p50_ms", "ms"),
            line("  99 of 100", "/edge/one_object/half/p99_ms", "ms").most(50.0),
            line(
                "through the Worker, many",
                "/edge/one_object/through_the_worker/events_per_s",
                "/s",
            ),
            line("  processor a request", "/edge/one_object/through_the_worker/cpu_us", "µs"),
            line("  times one commit each", "/edge/one_object/through_the_worker/ratio", ""),
            line("  99 of 100 at 5,000", "/edge/one_object/through_the_worker/half/p99_ms", "ms"),
        ],
    ),
    (
        "edge, one event a request, one shard",
        &[
            line("requests", "/edge/rps", "/s"),
            line("processor a request", "/edge/cpu_us", "µs"),
            line("answer, median", "/edge/p50_ms", "ms"),
            line("answer, 99 of 100", "/edge/p99_ms", "ms"),
        ],
    ),
    (
        "edge, twenty events a request, one shard",
        &[
            line("requests", "/edge/twenty_events_a_request/rps", "/s"),
            line("processor a request", "/edge/twenty_events_a_request/cpu_us", "µs"),
            line("answer, median", "/edge/twenty_events_a_request/p50_ms", "ms"),
            line("answer, 99 of 100", "/edge/twenty_events_a_request/p99_ms", "ms"),
            line("rows written an event", "/edge/rows_per_event", "").most(0.5),
            line("  with 10,000 requests", "/edge/rows/subrequests_10000/rows_per_event", "")
                .most(0.5),
            line(
                "dollars a million events",
                "/edge/rows/subrequests_10000/dollars_per_million",
                "$",
            ),
            line("  ten events a request", "/edge/rows/ten_events/dollars_per_million", "$"),
            line("  one event a request", "/edge/rows/one_event/dollars_per_million", "$"),
            line("processor an event, all in", "/edge/rows/subrequests_50/cpu_us_per_event", "µs"),
        ],
    ),
    (
        "edge, one event a request, eight shards",
        &[
            line("requests", "/edge/eight_shards/rps", "/s"),
            line("processor a request", "/edge/eight_shards/cpu_us", "µs"),
            line("answer, 99 of 100", "/edge/eight_shards/p99_ms", "ms"),
        ],
    ),
    (
        "passing on, the platform takes 100 ms, one shard",
        &[
            line("50 requests an invocation", "/edge/drain/subrequests_50", "/s").least(40.0),
            line("10,000 requests", "/edge/drain/subrequests_10000", "/s").least(40.0),
        ],
    ),
    (
        "a feed of 100,000 products",
        &[
            line("length", "/feed/megabytes", "MB"),
            line("first import", "/feed/first/seconds", "s"),
            line("  processor", "/feed/first/cpu_s", "s").most(30.0),
            line("  rows written", "/feed/first/rows_written", "").most(10_000.0),
            line("one in twenty changed", "/feed/changed/seconds", "s"),
            line("  processor", "/feed/changed/cpu_s", "s").most(30.0),
            line("  rows written", "/feed/changed/rows_written", "").most(10_000.0),
            line("nothing changed", "/feed/same/seconds", "s"),
            line("  processor", "/feed/same/cpu_s", "s").most(30.0),
            line("  rows written", "/feed/same/rows_written", "").most(10.0),
            line("memory before", "/feed/memory_before_mb", "MB"),
            line("memory, most of all", "/feed/memory_peak_mb", "MB"),
            line("  more than before", "/feed/memory_more_mb", "MB").most(128.0),
            line("twelve products by id", "/feed/lookup/ms/median", "ms").of("/feed/lookup/ms"),
            line("  processor", "/feed/lookup/cpu_us", "µs"),
            line("bestsellers of a category", "/feed/find/ms/median", "ms").of("/feed/find/ms"),
            line("  processor", "/feed/find/cpu_us", "µs"),
        ],
    ),
    ("trials", &[line("passed", "/trials/passed", "").least(13.0)]),
];

/// Prints what of the table has been measured.
pub(super) fn print(report: &Value) {
    for (heading, lines) in TABLE {
        let measured: Vec<String> = lines.iter().filter_map(|line| render(line, report)).collect();
        if !measured.is_empty() {
            progress::result(format_args!("\n{heading}"));
            measured.iter().for_each(progress::result);
        }
    }
    let text = |path: &str| match report.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "unknown".to_owned(),
        Some(other) => other.to_string(),
    };
    progress::result(format_args!(
        "\n{}; Chromium {}; {} cores, load {} before and {} after",
        text("/toolchain"),
        text("/browser"),
        text("/machine/cores"),
        text("/machine/load_before"),
        text("/load_after"),
    ));
}

fn render(line: &Line, report: &Value) -> Option<String> {
    let value = report.pointer(line.path)?.as_f64()?;
    let spread = line.spread.and_then(|path| {
        let number = |name: &str| report.pointer(path)?.get(name)?.as_f64();
        let (min, max, runs) = (number("min")?, number("max")?, number("runs")?);
        Some(format!("{} to {} in {runs}", short(min), short(max)))
    });
    let verdict = line.target.map(|target| target.verdict(value)).unwrap_or_default();
    let text = format!(
        "  {:<28} {:>10} {:<3} {:<24} {verdict}",
        line.name,
        short(value),
        line.unit,
        spread.unwrap_or_default(),
    );
    Some(text.trim_end().to_owned())
}

/// Whole numbers as they are, others to the digits that mean something.
fn short(value: f64) -> String {
    if value.fract() == 0.0 || value >= 1000.0 {
        format!("{value:.0}")
    } else if value >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
