//! The network between Worker and stand-in: it passes requests on, and fails in every way there is.

use std::{
    collections::{BTreeMap, HashMap},
    io::{BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;

use super::{
    http::{Client, Message},
    key_of,
    points::{Point, Points},
    random::Random,
};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// Answered with 500 or 503, and not passed on.
    Fails,
    /// Answered with 429 and a second's wait.
    Limits,
    /// Never answered; passed on or not.
    Hangs,
    /// Passed on, and the answer comes byte by byte.
    Drips,
    /// Passed on, and the connection ends without an answer.
    ResetsAfter,
    /// The connection ends, and nothing is passed on.
    ResetsBefore,
}

/// Each fault, its name in the report, how often it happens in a million, and how often at least in a
/// run. A limit stops the whole outbox for a second and a hang one of its six lanes for ten, so both are
/// rare.
const FAULTS: [(Fault, &str, u64, u64); 6] = [
    (Fault::Fails, "upstream_500", 3000, 10),
    (Fault::Limits, "upstream_429", 200, 3),
    (Fault::Hangs, "hang", 200, 2),
    (Fault::Drips, "slow_drip", 1000, 5),
    (Fault::ResetsAfter, "reset_after_accept", 3000, 10),
    (Fault::ResetsBefore, "reset_before", 2000, 5),
];

/// How long a hanging request hangs; the Worker gives up after ten seconds.
const HANG: Duration = Duration::from_secs(12);

/// The proxy, which ends with the process.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Its address, which the Worker takes for the platform's.
    pub(super) address: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    platform: String,
    points: Arc<Points>,
    /// Events that the run makes: the fewer, the more often things fail.
    events: u64,
    is_calm: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    counts: BTreeMap<&'static str, u64>,
    /// Whether the last request about an event was answered in a way that says it did not arrive.
    last: HashMap<String, bool>,
    resent_unknown: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    pub(super) fn start(
        platform: &str,
        points: &Arc<Points>,
        seed: u64,
        events: u64,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let state = State {
            random: Random::new(seed, 1),
            counts: FAULTS.iter().map(|(_, name, ..)| (*name, 0)).collect(),
            last: HashMap::new(),
            resent_unknown: 0,
        };
        let shared = Arc::new(Shared {
            platform: platform.to_owned(),
            points: Arc::clone(points),
            events,
            is_calm: AtomicBool::new(false),
            state: Mutex::new(state),
        });
        let address = format!("http://{}", listener.local_addr()?);
        let own = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&own);
                // An error is the end of the connection, and the Worker's to cope with.
                thread::spawn(move || serve(&shared, stream));
            }
        });
        Ok(Self { address, shared })
    }

    /// From now on everything is passed on.
    pub(super) fn calm(&self) {
        self.shared.is_calm.store(true, Ordering::Relaxed);
    }

    /// How often each fault happened.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.shared.state().counts.clone()
    }

    /// How many requests were about an event that may have arrived before.
    pub(super) fn resent_unknown(&self) -> u64 {
        self.shared.state().resent_unknown
    }
}

fn serve(shared: &Shared, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut platform = Client::new(&shared.platform);
    while let Some(request) = Message::read(&mut stream)? {
        let fault = choose(shared, &request);
        shared.points.reach(Point::EventCame);
        match fault {
            Some(Fault::Fails) => {
                write!(
                    stream.get_mut(),
                    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
                )?;
                continue;
            }
            Some(Fault::Limits) => {
                write!(
                    stream.get_mut(),
                    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
                )?;
                continue;
            }
            Some(Fault::ResetsBefore) => return Ok(()),
            Some(Fault::Hangs) if shared.state().random.happens(500_000) => {
                thread::sleep(HANG);
                return Ok(());
            }
            _ => {}
        }
        let answer = pass_on(&mut platform, &request)?;
        shared.points.reach(Point::EventTaken);
        let mut text = format!("{}\r\ncontent-length: {}\r\n", answer.start, answer.body.len());
        if let Some(kind) = answer.header("content-type") {
            text.push_str("content-type: ");
            text.push_str(kind);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        let bytes = [text.as_bytes(), &answer.body].concat();
        match fault {
            Some(Fault::ResetsAfter) => return Ok(()),
            Some(Fault::Hangs) => {
                thread::sleep(HANG);
                return Ok(());
            }
            Some(Fault::Drips) => {
                for part in bytes.chunks(8) {
                    stream.get_mut().write_all(part)?;
                    thread::sleep(Duration::from_millis(40));
                }
            }
            _ => stream.get_mut().write_all(&bytes)?,
        }
        shared.points.reach(Point::EventAnswered);
    }
    Ok(())
}

fn pass_on(platform: &mut Client, request: &Message) -> Result<Message> {
    let start = request.start.trim_end_matches(" HTTP/1.1");
    let own = ["host", "content-length", "transfer-encoding", "connection"];
    let headers = request.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let headers: Vec<(&str, &str)> =
        headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    platform.ask(start, &headers, &request.body, || {})
}

fn choose(shared: &Shared, request: &Message) -> Option<Fault> {
    let mut state = shared.state();
    let mut chosen = None;
    if !shared.is_calm.load(Ordering::Relaxed) {
        let events = shared.events.max(1);
        chosen = FAULTS.into_iter().find(|(_, _, times, least)| {
            state.random.happens((*times).max(least * 1_000_000 / events))
        });
    }
    if let Some((_, name, ..)) = chosen {
        *state.counts.entry(name).or_default() += 1;
    }
    let fault = chosen.map(|(fault, ..)| fault);
    if let Some(key) = key_of(&request.text()) {
        let is_clear = matches!(fault, Some(Fault::Fails | Fault::Limits));
        if state.last.insert(key.to_owned(), is_clear) == Some(false) {
            state.resent_unknown += 1;
        }
    }
    fault
}
