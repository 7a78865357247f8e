//! The import of a large product feed, and what is asked of the catalogue after it.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{
    edge::{self, processor_time},
    load::Connection,
    now,
    relay::spread,
};
use crate::{
    progress,
    stack::{SERVER_TOKEN, Stack},
};

/// Products of the feed.
const PRODUCTS: u64 = 100_000;

/// Its categories at the lowest level.
const CATEGORIES: u64 = 400;

/// No feed is sent.
const CLOSED: u64 = u64::MAX;

/// How long an import may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often the state is asked for meanwhile.
const LOOK: Duration = Duration::from_millis(250);

/// Questions for products, after some that warm up.
const QUESTIONS: u64 = 300;
const WARM_UP: u64 = 50;

/// All figures of the feed.
pub(super) fn measure() -> Result<Value> {
    let shop = Shop::open()?;
    let stack = start(&shop.address)?;
    let mut kit = Connection::open(&stack.kit)?;
    // The import that comes by itself finds the shop closed.
    while state(&mut kit)?["problem"].is_null() {
        thread::sleep(LOOK);
    }
    let before = memory("VmRSS").context("this system does not tell of memory")?;
    reset_peak();
    let mut report = json!({ "products": PRODUCTS, "memory_before_mb": before });
    for (name, round) in [("first", 0), ("same", 0), ("changed", 1)] {
        progress::note(format_args!("import: {name}"));
        shop.round.store(round, Ordering::Relaxed);
        report[name] = import(&mut kit)?;
    }
    let peak = memory("VmHWM").context("workerd has ended")?;
    report["megabytes"] = json!(edge::exact(shop.sent.load(Ordering::Relaxed)) / 3e6);
    report["memory_peak_mb"] = json!(peak);
    report["memory_more_mb"] = json!(peak - before);
    report["lookup"] = questions(&mut kit, "products of twelve ids", |turn| {
        let ids = (0..12).map(|n| format!("SKU-{}", (turn * 7919 + n * 104_729) % PRODUCTS));
        format!("/k/products?ids={}", ids.collect::<Vec<_>>().join(","))
    })?;
    report["find"] = questions(&mut kit, "bestsellers of a category", |turn| {
        let category = turn % CATEGORIES;
        format!(
            "/k/products?field=category&value=Group+{category}&order=bestsellers&in_stock=1&limit=12"
        )
    })?;
    Ok(report)
}

fn start(address: &str) -> Result<Stack> {
    let feed = json!({ "address": address, "fields": ["brand", "tags_colour"] });
    Stack::start(&edge::plan(json!({ "feed": feed }))?)
}

/// The state of the catalogue.
fn state(kit: &mut Connection) -> Result<Value> {
    Ok(kit.json("/k/health")?["sites"]["main"]["feed"].clone())
}

/// Orders an import and waits for it.
fn import(kit: &mut Connection) -> Result<Value> {
    let earlier = state(kit)?;
    let cpu = processor_time();
    let begun = now();
    let (status, answer) = kit.send_with_token("POST", "/k/feed", SERVER_TOKEN, "")?;
    if status != 202 {
        bail!("the Worker answered {status}: {answer}");
    }
    let after = loop {
        let state = state(kit)?;
        let is_new =
            state["imported_at"].is_u64() && state["imported_at"] != earlier["imported_at"];
        if is_new && state["importing"] == false {
            break state;
        }
        if begun.elapsed() > PATIENCE {
            bail!("the import has not ended: {state}");
        }
        thread::sleep(LOOK);
    };
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = processor_time().zip(cpu).map(|(after, before)| (after - before) / 1e6);
    if after["items"] != PRODUCTS || !after["problem"].is_null() || after["skipped"] != 0 {
        bail!("the feed was not imported as it is: {after}");
    }
    let rows = |state: &Value| state["rows_written"].as_u64().unwrap_or(0);
    Ok(json!({
        "seconds": seconds,
        "cpu_s": cpu,
        "rows_written": rows(&after) - rows(&earlier),
    }))
}

/// How long questions take, and what of it the processor.
fn questions(kit: &mut Connection, name: &str, path: impl Fn(u64) -> String) -> Result<Value> {
    progress::note(name);
    let mut ask = |turn: u64| -> Result<()> {
        let (status, answer) = kit.send_with_token("GET", &path(turn), SERVER_TOKEN, "")?;
        if status != 200 || answer.matches("\"product_id\"").count() != 12 {
            bail!("the Worker answered {status}: {answer}");
        }
        Ok(())
    };
    (0..WARM_UP).try_for_each(&mut ask)?;
    let mut times = Vec::new();
    let before = processor_time();
    for turn in WARM_UP..WARM_UP + QUESTIONS {
        let begun = now();
        ask(turn)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let cpu = processor_time().zip(before);
    let cpu = cpu.map(|(after, before)| (after - before) / edge::exact(QUESTIONS));
    Ok(json!({ "ms": spread(times), "cpu_us": cpu }))
}

/// A figure of workerd's memory, in megabytes.
fn memory(name: &str) -> Option<f64> {
    let text = fs::read_to_string(edge::workerd()?.join("status")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kilobytes = line.split_whitespace().nth(1)?.parse::<f64>().ok()?;
    Some(kilobytes / 1000.0)
}

/// Lets the most that workerd's memory has been begin anew.
fn reset_peak() {
    if let Some(process) = edge::workerd() {
        // Where that is not allowed the most since the process began is told, which is no less.
        let _ = fs::write(process.join("clear_refs"), "5");
    }
}

/// A shop's server, which makes its feed while it sends it.
struct Shop {
    address: String,
    /// Which of its feeds it sends; none while it is closed.
    round: Arc<AtomicU64>,
    /// Bytes so far.
    sent: Arc<AtomicU64>,
}

impl Shop {
    fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}/feed.xml", listener.local_addr()?);
        let (round, sent) = (Arc::new(AtomicU64::new(CLOSED)), Arc::new(AtomicU64::new(0)));
        let shop = Self { address, round: Arc::clone(&round), sent: Arc::clone(&sent) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who has gone needs no answer.
                let _ = send(stream, round.load(Ordering::Relaxed), &sent);
            }
        });
        Ok(shop)
    }
}

fn send(stream: TcpStream, round: u64, sent: &AtomicU64) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut out = BufWriter::with_capacity(64 * 1024, stream);
    if round == CLOSED {
        return out.write_all(b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n");
    }
    out.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\nconnection: close\r\n\r\n",
    )?;
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
          xmlns:g=\"http://base.google.com/ns/1.0\"><channel><title>A shop</title>\n",
    )?;
    let mut text = String::new();
    for number in 0..PRODUCTS {
        text.clear();
        product(number, round, &mut text);
        sent.fetch_add(text.len() as u64, Ordering::Relaxed);
        out.write_all(text.as_bytes())?;
    }
    out.write_all(b"</channel></rss>\n")?;
    out.flush()
}

/// A product as shops describe one, of about a thousand bytes; in round 1 one in twenty has changed.
fn product(number: u64, round: u64, out: &mut String) {
    // Evenly spread and the same in each run.
    let random =
        |salt: u64| (number.wrapping_add(salt << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let changed = round > 0 && random(1) % 20 == 0;
    let price = 100 + random(2) % 9000 + u64::from(changed);
    let stock = if random(3) % 10 == 0 { "out_of_stock" } else { "in_stock" };
    let category = random(4) % CATEGORIES;
    let brand = random(5) % 120;
    let colour = ["olive", "sand", "black", "blue", "red"][usize::from(random(6) % 5 == 0)];
    let written = write!(
        out,
        "<item>\n<g:id>SKU-{number}</g:id>\n<title><![CDATA[Намет туристичний «Полонина {number}» \
         двомісний, {colour}]]></title>\n<link>https://shop.example/ua/product/{number}-namet-turystychnyi\
         ?utm_source=feed&amp;utm_medium=cpc</link>\n<description>Легкий намет для двох: два входи, \
         дуги з алюмінію, вага 1,9 кг &amp; тент із поліестеру 3000 мм. Стоїть без кілків на камінні, \
         піску й дерев'яному помості, тамбури вміщують два наплічники. Номер {number} у нашому \
         каталозі.</description>\n<g:image_link>https://cdn.shop.example/img/{number}/main.jpg\
         </g:image_link>\n<g:additional_image_link>https://cdn.shop.example/img/{number}/2.jpg\
         </g:additional_image_link>\n<g:brand>Brand {brand}</g:brand>\n<g:gtin>48200{number:08}</g:gtin>\n\
         <g:availability>{stock}</g:availability>\n<g:price>{price}.00 UAH</g:price>\n<g:condition>new\
         </g:condition>\n<g:google_product_category>Sporting Goods &gt; Outdoor Recreation &gt; Camping \
         &amp; Hiking</g:google_product_category>\n<g:product_type>Туризм &gt; Намети &gt; Group {category}\
         </g:product_type>\n<tags_colour>{colour}</tags_colour>\n</item>\n"
    );
    debug_assert!(written.is_ok(), "writing to a string");
}
