//! The ledger as a page for people: a plot of the last days' hours, the same as a table, and what is odd.
//!
//! Without script, so that the strictest policy holds; its one style is allowed by its hash.

use super::{HOUR, Hour, Sheet, hour_of, text_of};
use crate::{api::Pool, governor::Break, node::Node, value::Value};

/// Hours that are shown: three days, in which whoever looks twice a week sees all.
const SHOWN: u64 = 72;

/// The height of a plot, and the width of one hour in it.
const HEIGHT: i64 = 120;
const BAR: u64 = 10;

/// A part of a bar: what it stands for, the name of its colour, how high it is.
type Part = (&'static str, &'static str, fn(&Hour) -> i64);

/// What a bar is made of, from the bottom.
const PARTS: [Part; 4] = [
    ("delivered", "ok", |hour| hour.delivered),
    ("pending", "wait", |hour| hour.pending),
    ("dead", "bad", Hour::dead),
    ("erased", "gone", |hour| hour.erased),
];

/// What was not taken, likewise.
const BESIDE: [Part; 2] =
    [("duplicate", "gone", |hour| hour.duplicate), ("refused", "bad", Hour::refused)];

/// The page's style.
const STYLE: &str = "\
:root{color-scheme:light dark;--ok:#2e7d32;--wait:#f9a825;--bad:#c62828;--gone:#78909c;--line:#ccc}\
@media(prefers-color-scheme:dark){:root{--ok:#66bb6a;--wait:#fdd835;--bad:#ef5350;--gone:#90a4ae;--line:#555}}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
svg{width:100%;height:auto;border-bottom:1px solid var(--line)}\
.ok{fill:var(--ok);color:var(--ok)}.wait{fill:var(--wait);color:var(--wait)}\
.bad{fill:var(--bad);color:var(--bad)}.gone{fill:var(--gone);color:var(--gone)}\
.key{margin-right:1em}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:right;padding:.15rem .4rem;border-bottom:1px solid var(--line)}\
th:first-child,td:first-child{text-align:left}caption{text-align:left;padding:.5rem 0}\
.scroll{overflow-x:auto}.wrong{font-weight:700;color:var(--bad)}";

/// What a page shows.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "hosts fill it")]
pub struct Page {
    /// Unix time in milliseconds.
    pub now: u64,
    /// The version of the Worker.
    pub version: String,
    /// The parts of the platform's API that nobody calls at present.
    pub held: Vec<Held>,
    /// The sites, in their order.
    pub sites: Vec<Site>,
}

/// A part of the platform's API that nobody calls at present.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "hosts fill it")]
pub struct Held {
    /// One of the pools that it answers.
    pub pool: Pool,
    /// Why.
    pub why: Break,
    /// Until when, Unix time in milliseconds.
    pub until: u64,
}

/// A site's part of it.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "hosts fill it")]
pub struct Site {
    /// Its name in the settings.
    pub name: String,
    /// What its outboxes tell.
    pub sheet: Sheet,
    /// What is known of the import of its feed, if it has one.
    pub feed: Option<Value>,
}

/// The page's HTML, and its style, of which the page's policy needs the hash.
#[must_use]
pub fn render(page: &Page) -> (String, &'static str) {
    let title = "esputnik-kit: status";
    let head = Node::new("head")
        .child(Node::new("meta").with("charset", "utf-8"))
        .child(
            Node::new("meta")
                .with("name", "viewport")
                .with("content", "width=device-width, initial-scale=1"),
        )
        .child(Node::new("title").text(title))
        // No sign in it is one that HTML escapes.
        .child(Node::new("style").text(STYLE));
    let at = clock(page.now);
    let line = [&at, " UTC, version ", &page.version].concat();
    let body = Node::new("body")
        .child(Node::new("h1").text(title))
        .child(Node::new("p").text(&line))
        .child(platform(page))
        .children(page.sites.iter().map(|site| section(site, page.now)));
    let html = Node::new("html").with("lang", "en").child(head).child(body);
    let mut out = String::from("<!doctype html>");
    html.write_html(&mut out);
    (out, STYLE)
}

/// What the platform's API takes, beside events.
fn platform(page: &Page) -> Node {
    if page.held.is_empty() {
        return Node::new("p").text("The platform's API is called as it is needed.");
    }
    let item = |held: &Held| {
        let part = match held.pool {
            Pool::ContactApi => "The platform's API for contact tokens",
            Pool::MobileApi => "The platform's API for recommendations to apps",
            _ => "The platform's REST API",
        };
        let why = match held.why {
            Break::Key => "refuses the key: give the Worker another one",
            _ => "fails",
        };
        let left = duration(held.until.saturating_sub(page.now));
        let text = format!("{part} {why}. It is asked again in {left}.");
        Node::of("li", "wrong").text(&text)
    };
    Node::new("ul").children(page.held.iter().map(item))
}

fn section(site: &Site, now: u64) -> Node {
    let sheet = &site.sheet;
    let last = hour_of(now);
    let first = last.saturating_sub(SHOWN - 1);
    let shown: Vec<(u64, Hour)> = (first..=last)
        .map(|hour| (hour, sheet.hours.get(&hour).cloned().unwrap_or_default()))
        .collect();
    Node::new("section")
        .child(Node::new("h2").text(&["Site ", &site.name].concat()))
        .child(facts(site, now))
        .child(Node::new("h3").text("What became of the events of each hour"))
        .child(plot(&shown, &PARTS, "Events by the hour in which they were received"))
        .child(key(&PARTS))
        .child(Node::new("h3").text("What was not taken"))
        .child(plot(&shown, &BESIDE, "Duplicate and refused events by hour"))
        .child(key(&BESIDE))
        .child(Node::of("div", "scroll").child(table(&shown)))
}

/// What there is to know in sentences.
fn facts(site: &Site, now: u64) -> Node {
    let sheet = &site.sheet;
    let total = sheet.total();
    let item = |is_wrong: bool, text: String| {
        Node::new("li").with_if(is_wrong, "class", "wrong").text(&text)
    };
    let off = sheet.unbalanced().count();
    let balance = match off {
        0 => "Every hour of the last 32 days balances.".to_owned(),
        count => format!("{count} of the hours of the last 32 days do not balance."),
    };
    let waiting = match sheet.oldest {
        Some(oldest) => format!(
            "{} events wait, the oldest for {}.",
            total.pending,
            duration(now.saturating_sub(oldest))
        ),
        None => "Nothing waits.".to_owned(),
    };
    let closed = sheet.closed_until.filter(|until| *until > now);
    let breaker = match closed {
        Some(until) => format!(
            "Nothing is sent for {}: the platform fails, or has asked for a pause.",
            duration(until - now)
        ),
        None => "The platform takes events.".to_owned(),
    };
    let mut list = Node::new("ul")
        .child(item(off > 0, balance))
        .child(item(false, waiting))
        .child(item(closed.is_some(), breaker));
    for (what, reasons) in [("dead", &total.dead), ("refused", &total.refused)] {
        if !reasons.is_empty() {
            let reasons: Vec<String> =
                reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            list = list.child(item(false, format!("In 32 days {what}: {}.", reasons.join(", "))));
        }
    }
    if let Some(feed) = &site.feed {
        list = list.child(item(false, feed_in_words(feed, now)));
        if let Some(problem) = feed.member("problem").and_then(Value::as_text) {
            list = list.child(item(true, format!("The product feed: {problem}.")));
        }
    }
    list
}

fn feed_in_words(feed: &Value, now: u64) -> String {
    let number = |name: &str| feed.member(name).and_then(Value::as_whole);
    let skipped = match number("skipped") {
        None | Some(0) => String::new(),
        Some(count) => format!(", and {count} that were not taken"),
    };
    let products = match number("imported_at") {
        None => "The product feed has not been read yet".to_owned(),
        Some(at) => format!(
            "The product feed has {} products{skipped}; they were imported {} ago",
            number("items").unwrap_or(0),
            duration(now.saturating_sub(at))
        ),
    };
    let next = match number("next_at") {
        _ if feed.member("importing") == Some(&Value::Bool(true)) => {
            "it is being read now".to_owned()
        }
        Some(at) if at > now => format!("it is read again in {}", duration(at - now)),
        _ => "it is about to be read".to_owned(),
    };
    format!("{products}; {next}.")
}

fn plot(shown: &[(u64, Hour)], parts: &[Part], name: &str) -> Node {
    let sum = |hour: &Hour| parts.iter().map(|(.., count)| count(hour).max(0)).sum::<i64>();
    let most = shown.iter().map(|(_, hour)| sum(hour)).max().unwrap_or(0).max(1);
    let width = SHOWN * BAR;
    let mut svg = Node::new("svg")
        .with("viewBox", format!("0 0 {width} {HEIGHT}"))
        .with("role", "img")
        .with("aria-label", format!("{name}; at most {most}. The table below has the numbers."));
    for (place, (at, hour)) in (0_u64..).zip(shown) {
        if sum(hour) == 0 {
            continue;
        }
        let mut bar = Node::new("g");
        let mut top = HEIGHT;
        let mut said = Vec::new();
        for (part, class, count) in parts {
            let count = count(hour).max(0);
            // What is there at all is seen.
            let height = if count == 0 { 0 } else { (count * HEIGHT / most).max(1) };
            top = (top - height).max(0);
            if count > 0 {
                said.push(format!("{count} {part}"));
                bar = bar.child(
                    Node::of("rect", class)
                        .with("x", (place * BAR + 1).to_string())
                        .with("y", top.to_string())
                        .with("width", (BAR - 2).to_string())
                        .with("height", height.to_string()),
                );
            }
        }
        let text = format!("{}: {}", clock(at * HOUR), said.join(", "));
        svg = svg.child(bar.child(Node::new("title").text(&text)));
    }
    svg
}

fn key(parts: &[Part]) -> Node {
    let entry = |(part, class, _): &Part| {
        let sign = Node::of("span", class).with("aria-hidden", "true").text("\u{25a0} ");
        Node::of("span", "key").child(sign).text(part)
    };
    Node::new("p").children(parts.iter().map(entry))
}

fn table(shown: &[(u64, Hour)]) -> Node {
    const COLUMNS: [&str; 9] = [
        "Hour, UTC",
        "Accepted",
        "Delivered",
        "Pending",
        "Dead",
        "Erased",
        "Balance",
        "Duplicate",
        "Refused",
    ];
    let head = COLUMNS.iter().map(|name| Node::new("th").with("scope", "col").text(name));
    let rows = shown.iter().rev().filter(|(_, hour)| !hour.is_empty()).map(|(at, hour)| {
        let off = hour.balance();
        let cell = |count: i64| Node::new("td").text(&count.to_string());
        Node::new("tr")
            .child(Node::new("td").text(&clock(at * HOUR)))
            .child(cell(hour.accepted))
            .children(PARTS.iter().map(|(.., count)| cell(count(hour))))
            .child(cell(off).with_if(off != 0, "class", "wrong"))
            .children(BESIDE.iter().map(|(.., count)| cell(count(hour))))
    });
    let caption = "The last three days; hours without events are left out.";
    Node::new("table")
        .child(Node::new("caption").text(caption))
        .child(Node::new("thead").child(Node::new("tr").children(head)))
        .child(Node::new("tbody").children(rows))
}

/// Day and minute of a time.
fn clock(time: u64) -> String {
    let text = text_of(time).replace('T', " ");
    text.chars().take(16).collect()
}

fn duration(millis: u64) -> String {
    match millis / 1000 {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 500_000 * HOUR + 60_000;

    fn html(sheet: Sheet, feed: Option<Value>) -> String {
        let site = Site { name: "main".into(), sheet, feed };
        render(&Page { now: NOW, version: "1".into(), held: Vec::new(), sites: vec![site] }).0
    }

    fn sheet() -> Sheet {
        let mut hour = Hour { accepted: 10, delivered: 6, pending: 3, ..Hour::default() };
        hour.add_dead("http_400", 1);
        Sheet { hours: [(500_000, hour)].into(), oldest: Some(NOW - 300_000), closed_until: None }
    }

    #[test]
    fn plot_and_table_say_the_same() {
        let page = html(sheet(), None);
        assert!(page.contains("<title>2027-01-15 08:00: 6 delivered, 3 pending, 1 dead</title>"));
        let row =
            "<td>10</td><td>6</td><td>3</td><td>1</td><td>0</td><td>0</td><td>0</td><td>0</td>";
        assert!(page.contains(row), "{page}");
        assert!(page.contains("3 events wait, the oldest for 5 minutes."));
        assert!(page.contains("In 32 days dead: 1 http_400."));
    }

    #[test]
    fn what_is_wrong_stands_out() {
        assert!(!html(sheet(), None).contains("class=\"wrong\""));
        let mut lost = sheet();
        lost.hours.get_mut(&500_000).unwrap().accepted += 1;
        lost.closed_until = Some(NOW + 5000);
        let page = html(lost, None);
        assert!(page.contains("<li class=\"wrong\">1 of the hours of the last 32 days"), "{page}");
        assert!(page.contains("<td class=\"wrong\">1</td>"), "{page}");
        assert!(page.contains("<li class=\"wrong\">Nothing is sent for 5 s"), "{page}");
    }

    #[test]
    fn who_is_not_called_is_named_and_why() {
        let held = |pool, why| Held { pool, why, until: NOW + 90_000 };
        let page = |held| render(&Page { now: NOW, version: "1".into(), held, sites: vec![] }).0;
        assert!(page(Vec::new()).contains("is called as it is needed"));
        let found =
            page(vec![held(Pool::Shared, Break::Key), held(Pool::MobileApi, Break::Failures)]);
        let key = "<li class=\"wrong\">The platform&#39;s REST API refuses the key: give the Worker another one. It is asked again in 90 s.</li>";
        assert!(found.contains(key), "{found}");
        assert!(found.contains("recommendations to apps fails."), "{found}");
    }

    #[test]
    fn a_feed_is_told_of_in_words() {
        let feed = |members: &[(&str, u64)]| {
            let members =
                members.iter().map(|(name, number)| ((*name).into(), Value::whole(*number)));
            html(Sheet::default(), Some(Value::Object(members.collect())))
        };
        let hours = 3 * HOUR;
        let read =
            [("items", 5), ("skipped", 2), ("imported_at", NOW - hours), ("next_at", NOW + hours)];
        let words = "The product feed has 5 products, and 2 that were not taken; they were imported 3 hours ago; \
                     it is read again in 3 hours.";
        assert!(feed(&read).contains(words), "{}", feed(&read));
        assert!(feed(&[("next_at", 0)]).contains("has not been read yet; it is about to be read."));
    }

    #[test]
    fn nothing_of_it_runs_and_the_policy_can_name_its_style() {
        let feed =
            Value::Object(vec![("problem".into(), Value::text("<script>alert(1)</script>"))]);
        let page = html(sheet(), Some(feed));
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains(&["<style>", STYLE, "</style>"].concat()));
        assert!(!page.contains("style=") && !page.contains(" on"), "{page}");
    }
}
