//! Visitors of a shop, made up: batches as pages send them, over connections that stay open.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{edge::exact, now, unix_time};

/// How long an answer may take before the Worker counts as stuck.
const PATIENCE: Duration = Duration::from_secs(20);

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/147.0.0.0";

/// An HTTP/1.1 connection to a server on loopback.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    /// Connects to `address`, for instance `http://127.0.0.1:8787`.
    pub(super) fn open(address: &str) -> Result<Self> {
        let host = address.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).with_context(|| format!("connecting to {host}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), host })
    }

    /// Sends a request with JSON as a shop's server does, and returns the status and the body.
    pub(super) fn send_with_token(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
    ) -> Result<(u16, String)> {
        self.exchange(method, path, &format!("authorization: Bearer {token}"), body)
    }

    /// Sends a request with JSON and returns the status and the body of the answer.
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        origin: &str,
        body: &str,
    ) -> Result<(u16, String)> {
        self.exchange(method, path, &format!("origin: {origin}"), body)
    }

    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        header: &str,
        body: &str,
    ) -> Result<(u16, String)> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{header}\r\nuser-agent: {AGENT}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            body.len(),
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
        let status = status.with_context(|| format!("{line:?} is no status line"))?;
        let (mut length, mut chunked) = (0, false);
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let header = line.trim_end().to_ascii_lowercase();
            match header.split_once(": ") {
                Some(("content-length", text)) => length = text.parse()?,
                Some(("transfer-encoding", "chunked")) => chunked = true,
                Some(_) => {}
                None => break,
            }
        }
        let mut answer = Vec::new();
        if chunked {
            loop {
                line.clear();
                self.stream.read_line(&mut line)?;
                let size = u64::from_str_radix(line.trim_end(), 16)?;
                self.take(size, &mut answer)?;
                line.clear();
                self.stream.read_line(&mut line)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            self.take(length, &mut answer)?;
        }
        Ok((status, String::from_utf8(answer)?))
    }

    fn take(&mut self, length: u64, answer: &mut Vec<u8>) -> Result<()> {
        let read = (&mut self.stream).take(length).read_to_end(answer)?;
        if u64::try_from(read)? < length {
            bail!("the answer ends too soon");
        }
        Ok(())
    }

    /// What is at `path`, as JSON.
    pub(super) fn json(&mut self, path: &str) -> Result<Value> {
        let (status, text) = self.send("GET", path, "", "")?;
        if status != 200 {
            bail!("{path} answered {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{path} answers JSON"))
    }
}

/// What a load is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load<'a> {
    /// Where batches go.
    pub(super) kit: &'a str,
    pub(super) to: To,
    /// The shop whose pages send them.
    pub(super) origin: &'a str,
    /// Requests that are under way at a time.
    pub(super) connections: usize,
    /// Events in a batch; they are of one visitor.
    pub(super) events: u64,
    /// Visitors, who take turns.
    pub(super) visitors: u64,
    /// Batches a second, each at its time whether the ones before are answered or not; where none is
    /// given, each connection sends the next one as soon as the last one is answered.
    pub(super) rate: Option<f64>,
    /// When it ends.
    pub(super) end: End,
}

/// Who takes the batches.
#[derive(Debug, Clone, Copy)]
pub(super) enum To {
    /// The Worker, as from pages.
    Worker,
    /// An outbox object, as from the Worker.
    Object,
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// After so many batches.
    Batches(u64),
    /// After so long.
    Time(Duration),
}

/// What a load came to.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) seconds: f64,
    /// How long each answer took, in milliseconds, the fastest first.
    pub(super) latencies: Vec<f64>,
}

/// Numbers of batches: each is given out once in the life of the process, so that no two batches
/// carry the same message ids.
static BATCH: AtomicU64 = AtomicU64::new(0);

impl Load<'_> {
    /// Sends batches, and fails unless each of their events is accepted.
    pub(super) fn run(&self) -> Result<Done> {
        let start = now();
        let first = BATCH.load(Ordering::Relaxed);
        let latencies = Mutex::new(Vec::new());
        let client = || -> Result<()> {
            let mut connection = Connection::open(self.kit)?;
            let mut own = Vec::new();
            loop {
                let number = BATCH.fetch_add(1, Ordering::Relaxed);
                // When it is to be sent: what waits for a connection waits for its answer too.
                let due =
                    self.rate.map(|rate| Duration::from_secs_f64(exact(number - first) / rate));
                let over = match self.end {
                    End::Batches(count) => number - first >= count,
                    End::Time(length) => due.unwrap_or(start.elapsed()) >= length,
                };
                if over {
                    break;
                }
                let (path, taken, body) = match self.to {
                    To::Worker => ("/k/b", 202, batch(number, number % self.visitors, self.events)),
                    To::Object => ("/", 200, ingest(number, number % self.visitors, self.events)),
                };
                let mut sent = now();
                if let Some(due) = due {
                    sent = start + due;
                    thread::sleep(due.saturating_sub(start.elapsed()));
                }
                let (status, answer) = connection.send("POST", path, self.origin, &body)?;
                own.push(sent.elapsed().as_secs_f64() * 1000.0);
                let accepted = answer.matches("\"verdict\":\"accepted\"").count();
                if status != taken || u64::try_from(accepted)? != self.events {
                    bail!("{accepted} of {} events were taken: {status} {answer}", self.events);
                }
            }
            latencies.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
            Ok(())
        };
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.connections).map(|_| scope.spawn(client)).collect();
            let ended = clients.into_iter().map(|client| {
                client.join().unwrap_or_else(|_| bail!("a thread of the load panicked"))
            });
            ended.collect::<Result<Vec<()>>>()
        })?;
        let mut latencies = latencies.into_inner().unwrap_or_else(PoisonError::into_inner);
        latencies.sort_by(f64::total_cmp);
        Ok(Done { seconds: start.elapsed().as_secs_f64(), latencies })
    }
}

/// A batch as the loader and the tracker write it. It is written as text: what makes it takes the
/// processor's time from what is measured.
fn batch(number: u64, visitor: u64, events: u64) -> String {
    let time = unix_time();
    let records = records(time, number, visitor, events);
    format!(r#"{{"v":1,"site":"main","sentAt":{time},"records":[{records}]}}"#)
}

/// The same as the Worker hands it over.
fn ingest(number: u64, visitor: u64, events: u64) -> String {
    let time = unix_time();
    let records = records(time, number, visitor, events);
    format!(
        r#"{{"site":"main","received":{time},"sent_at":{time},"agent":"{AGENT}","sc":null,"records":[{records}]}}"#
    )
}

fn records(time: u64, number: u64, visitor: u64, events: u64) -> String {
    let (high, low) = (time >> 16 & 0xffff_ffff, time & 0xffff);
    let mut records = String::new();
    for index in 0..events {
        let comma = if index > 0 { "," } else { "" };
        let call = call(number, index);
        let _ = write!(
            records,
            r#"{comma}{{"v":1,"id":"{high:08x}-{low:04x}-7{index:03x}-8000-{number:012x}","at":{time},"call":{call},"page":{PAGE},"sc":"{visitor:08X}-5A3C-4E1B-9D70-6F2B8C4D1E90","consent":["tracking","forms","recommendations","push"]}}"#
        );
    }
    records
}

const PAGE: &str = r#"{"url":"https://shop.example/tents/two-person-tent?utm_source=search","ref":"https://shop.example/tents","title":"Two-person tent · Polonyna","lang":"uk","tz":120}"#;

/// What visitors do: they look more than they buy.
fn call(number: u64, index: u64) -> String {
    let product = index % 7;
    match (number + index) % 5 {
        0 => r#"["sendEvent","PageView",{"PageView":{}}]"#.to_owned(),
        1 => r#"["sendEvent","CategoryPage",{"CategoryPage":{"categoryKey":"Tents"}}]"#.to_owned(),
        // A state of the cart has a GUID of its own, else it counts as unchanged.
        2 => format!(
            r#"["sendEvent","StatusCart",{{"StatusCart":[{{"productKey":"tent-{product}p","price":"4990","quantity":"1","currency":"UAH"}},{{"productKey":"mat-air","price":"1450.50","quantity":"1","currency":"UAH"}}],"GUID":"{index:08x}-5a3c-4e1b-9d70-{number:012x}"}}]"#
        ),
        _ => format!(
            r#"["sendEvent","ProductPage",{{"ProductPage":{{"productKey":"tent-{product}p","price":"4990","isInStock":1,"tag_season":["spring","summer"],"tag_brand":["Polonyna"]}}}}]"#
        ),
    }
}
