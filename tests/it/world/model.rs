//! Pages and Worker together, in one virtual world: browsers with tabs and a store, a network that
//! loses, doubles, delays and reorders, a Worker that is durable up to its last commit, a platform
//! that fails in every way there is. Pages run on the real [`Delivery`], the Worker on the real
//! [`Outbox`] and [`Visitor`].
//!
//! Every step checks what the kit promises, so a run that ends is a run that held. The steps come
//! from bytes, so that the fuzzer and the properties share them.
//!
//! [`Delivery`]: esputnik_kit::delivery::Delivery
//! [`Outbox`]: esputnik_kit::outbox::Outbox
//! [`Visitor`]: esputnik_kit::visitor::Visitor

#[path = "edge.rs"]
mod edge;
#[path = "page.rs"]
mod page;
#[path = "platform.rs"]
mod platform;

use std::collections::BTreeMap;

use esputnik_kit::wire::Verdict;

use self::{
    edge::{Edge, Effect, Results, Sent},
    page::{Asked, Browser},
    platform::{DOOMED, Platform},
};

/// What happens to something on the network between a page and the Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Arrives,
    /// It arrives, and will once more.
    ArrivesTwice,
    /// The page hears that it failed, and it never arrives.
    Lost,
    /// The page gives up, and it arrives all the same, at some time.
    Late,
    /// The Worker asks to be left alone for a while, in milliseconds.
    Busy(u64),
    /// Somebody in between answers in the Worker's place.
    Portal,
}

/// What the platform, or the network before it, does to a request of the Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Judges it.
    Takes,
    /// Judges it, and ends the connection without an answer.
    TakesAndResets,
    /// Never gets it.
    Lost,
    /// Gets it when the Worker has given up.
    Hangs,
    /// A status without a verdict, and the wait that it asks for, in milliseconds.
    Later(u16, Option<u64>),
}

/// What ends at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    Tab(usize, usize),
    Browser(usize),
    Edge,
}

/// Something that happens in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Call {
        browser: usize,
        tab: usize,
        kind: Kind,
    },
    Carry {
        which: usize,
        way: Way,
    },
    Answer {
        which: usize,
        reply: Reply,
    },
    Crash(Process),
    /// A clock is set, by so many milliseconds; that of the Worker if no browser is named.
    Clock {
        browser: Option<usize>,
        by: i64,
    },
    Elapse(u64),
    /// The Worker's disk is slow: what comes from now on is not durable before the next step.
    Hold,
    /// A page takes the place of the one in a tab.
    Open {
        browser: usize,
        tab: usize,
    },
    /// The network of a browser is back, or a page was hidden or shown.
    Online {
        browser: usize,
    },
    /// A visitor asks to be forgotten.
    Forget {
        browser: usize,
    },
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Event,
    /// One that the platform will refuse for good.
    Doomed,
    /// One whose record nobody can read.
    Broken,
}

const BROWSERS: usize = 3;

impl Op {
    /// The step that four bytes stand for; all zero is the plainest one.
    pub(crate) fn from_bytes([kind, a, b, c]: [u8; 4]) -> Self {
        let number = u64::from(u16::from_be_bytes([a, b]));
        let (browser, tab) = (usize::from(a) % BROWSERS, usize::from(b) % 2);
        let which = usize::from(a);
        match kind % 16 {
            0..=3 => {
                let kind = match c % 16 {
                    14 => Kind::Doomed,
                    15 => Kind::Broken,
                    _ => Kind::Event,
                };
                Self::Call { browser, tab, kind }
            }
            4..=6 => Self::Carry { which, way: Way::Arrives },
            7 => {
                let busy = Way::Busy(u64::from(b) * 1000);
                let ways = [Way::ArrivesTwice, Way::Lost, Way::Late, busy, Way::Portal];
                Self::Carry { which, way: ways[usize::from(c) % ways.len()] }
            }
            8..=10 => Self::Answer { which, reply: Reply::Takes },
            11 => {
                let wait = (b % 2 == 1).then(|| u64::from(b) * 1000);
                let replies = [
                    Reply::TakesAndResets,
                    Reply::Lost,
                    Reply::Hangs,
                    Reply::Later(500, None),
                    Reply::Later(429, wait),
                    Reply::Later(503, wait),
                ];
                Self::Answer { which, reply: replies[usize::from(c) % replies.len()] }
            }
            // Sometimes long enough that what waits may expire.
            12 => Self::Elapse(if c < 16 { number * 20_000 } else { number }),
            13 => Self::Crash(match c % 4 {
                0 => Process::Tab(browser, tab),
                1 => Process::Browser(browser),
                _ => Process::Edge,
            }),
            14 => {
                let by = i64::from(i16::from_be_bytes([a, b]));
                match usize::from(c) % 4 {
                    // A server's clock is corrected by little.
                    BROWSERS => Self::Clock { browser: None, by },
                    browser => Self::Clock {
                        browser: Some(browser),
                        by: by * [1, 60, 20_000][usize::from(c / 4) % 3],
                    },
                }
            }
            _ => match c % 8 {
                0..=2 => Self::Hold,
                3 | 4 => Self::Open { browser, tab },
                5 => Self::Forget { browser },
                _ => Self::Online { browser },
            },
        }
    }
}

/// What has become of a record, as far as its page knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Waits,
    Told(Verdict),
    Refused,
    Expired,
    Forgotten,
    /// The browser ended before its write was complete.
    Lost,
}

#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) fate: Fate,
    key: String,
    /// The page that made it, and how often clocks had been set by then.
    page: (usize, u64, u64),
}

/// Something on the network.
#[derive(Clone, Debug)]
enum Packet {
    Up(Asked),
    Down(Asked, Results),
}

#[derive(Debug)]
pub(crate) struct World {
    now: u64,
    browsers: Vec<Browser>,
    /// What is on its way, and whether the page that sent it still waits.
    network: Vec<(Packet, bool)>,
    edge: Edge<(Asked, bool)>,
    upstream: Vec<Sent>,
    pub(crate) platform: Platform,
    /// Every record, by its message id.
    pub(crate) made: BTreeMap<String, Made>,
    /// How often clocks of browsers were set.
    set: u64,
    is_held: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: 1_579_622_183_208,
            browsers: (0..BROWSERS).map(Browser::new).collect(),
            network: Vec::new(),
            edge: Edge::new(),
            upstream: Vec::new(),
            platform: Platform::default(),
            made: BTreeMap::new(),
            set: 0,
            is_held: false,
        }
    }

    pub(crate) fn handle(&mut self, op: Op) {
        self.is_held = false;
        if let Op::Crash(process) = op {
            self.crash(process);
        }
        for browser in &mut self.browsers {
            browser.write();
        }
        match op {
            Op::Call { browser, tab, kind } => self.call(browser, tab, kind),
            Op::Carry { which, way } => {
                if !self.network.is_empty() {
                    self.carry(which % self.network.len(), way);
                }
            }
            Op::Answer { which, reply } => {
                if !self.upstream.is_empty() {
                    self.reply(which % self.upstream.len(), reply);
                }
            }
            Op::Crash(_) => {}
            Op::Clock { browser: None, by } => self.edge.ahead += by,
            Op::Clock { browser: Some(browser), by } => {
                let ahead = &mut self.browsers[browser].ahead;
                // Whatever it is set to, it is a time.
                *ahead = ahead.saturating_add(by).max(-1_500_000_000_000);
                self.set += 1;
            }
            Op::Elapse(time) => self.elapse(time),
            Op::Hold => self.is_held = true,
            Op::Open { browser, tab } => self.browsers[browser].open(tab),
            Op::Online { browser } => self.browsers[browser].online(),
            Op::Forget { browser } => {
                let web_id = self.browsers[browser].web_id.clone();
                for id in self.browsers[browser].forget() {
                    self.settle(&id, Fate::Forgotten);
                }
                self.edge.erase(&web_id);
            }
        }
        self.drive();
    }

    fn crash(&mut self, process: Process) {
        match process {
            Process::Tab(browser, tab) => self.browsers[browser].tabs[tab] = None,
            Process::Browser(browser) => {
                for id in self.browsers[browser].kill() {
                    self.settle(&id, Fate::Lost);
                }
            }
            Process::Edge => self.edge.crash(),
        }
    }

    fn call(&mut self, browser: usize, tab: usize, kind: Kind) {
        let number = self.made.len();
        let owner = &mut self.browsers[browser];
        if owner.tabs[tab].is_none() {
            owner.open(tab);
        }
        let clock = owner.clock(self.now);
        let id = format!("{:08x}-{:04x}-7000-8000-{number:012x}", clock >> 16, clock & 0xffff);
        let key = format!("{}{number}", if kind == Kind::Doomed { DOOMED } else { "p-" });
        let record = if kind == Kind::Broken {
            format!(r#"{{"id":"{id}",broken"#)
        } else {
            format!(
                r#"{{"v":1,"id":"{id}","at":{clock},"call":["sendEvent","ProductPage",{{"ProductPage":{{"productKey":"{key}","price":"1","isInStock":1}}}}],"page":{{"url":"https://shop.example/"}},"consent":["tracking"]}}"#
            )
        };
        owner.call(tab, &id, record, self.now);
        let life = owner.tabs[tab].as_ref().map_or(0, |tab| tab.life);
        let page = (browser, life, self.set);
        self.made.insert(id, Made { fate: Fate::Waits, key, page });
    }

    fn carry(&mut self, which: usize, way: Way) {
        let (packet, is_awaited) = self.network[which].clone();
        let asked = match &packet {
            Packet::Up(asked) | Packet::Down(asked, _) => asked.clone(),
        };
        if way == Way::ArrivesTwice {
            self.network[which].1 = false;
        } else if way == Way::Late {
            self.network[which].1 = false;
            if is_awaited {
                self.tell(&asked, None, &[], None);
            }
            return;
        } else {
            self.network.remove(which);
        }
        match (way, packet) {
            (Way::Arrives | Way::ArrivesTwice, Packet::Up(asked)) => {
                let body = asked.body.clone();
                let read = self.edge.ingest(&body, (asked.clone(), is_awaited), self.now);
                if read.is_none() && is_awaited {
                    self.tell(&asked, Some(400), &[], None);
                }
            }
            // Nobody is there to hear it.
            (Way::Arrives | Way::ArrivesTwice, Packet::Down(..)) if !is_awaited => {}
            (Way::Arrives | Way::ArrivesTwice, Packet::Down(asked, results)) => {
                let known = &self.edge.durable().known;
                for (id, verdict) in &results {
                    assert!(known.contains_key(id), "told before it was durable");
                    if let Some(made) = self.made.get_mut(id)
                        && made.fate == Fate::Waits
                    {
                        made.fate = Fate::Told(*verdict);
                    }
                }
                let ids: Vec<String> = results.into_iter().map(|(id, _)| id).collect();
                self.tell(&asked, Some(202), &ids, None);
            }
            _ if !is_awaited => {}
            (Way::Busy(wait), _) => self.tell(&asked, Some(503), &[], Some(wait)),
            (Way::Portal, _) => self.tell(&asked, Some(200), &[], None),
            (Way::Lost | Way::Late, _) => self.tell(&asked, None, &[], None),
        }
    }

    /// A page hears what became of its batch.
    fn tell(&mut self, asked: &Asked, status: Option<u16>, ids: &[String], wait: Option<u64>) {
        let browser = &mut self.browsers[asked.browser];
        if let Some(id) = browser.answer(asked, status, ids, wait, self.now) {
            self.settle(&id, Fate::Refused);
        }
    }

    fn settle(&mut self, id: &str, fate: Fate) {
        let made = self.made.get_mut(id).expect("a record that was made");
        assert!(matches!(made.fate, Fate::Waits | Fate::Told(_)), "{:?}, then {fate:?}", made.fate);
        if made.fate == Fate::Waits {
            made.fate = fate;
        }
    }

    fn reply(&mut self, which: usize, reply: Reply) {
        let sent = self.upstream[which].clone();
        if reply == Reply::Hangs && sent.is_awaited {
            self.upstream[which].is_awaited = false;
        } else {
            self.upstream.remove(which);
        }
        let (status, known, wait) = match reply {
            Reply::Takes => {
                let (status, known) = self.platform.take(&sent.body, self.now);
                (Some(status), known, None)
            }
            Reply::TakesAndResets => {
                self.platform.take(&sent.body, self.now);
                (None, false, None)
            }
            Reply::Lost | Reply::Hangs => (None, false, None),
            Reply::Later(status, wait) => (Some(status), false, wait),
        };
        if sent.is_awaited {
            self.edge.answer(&sent, status, known, wait, self.now);
        }
    }

    /// Everybody does what there is to do now.
    fn drive(&mut self) {
        for number in 0..BROWSERS {
            let (sent, expired) = self.browsers[number].drive(self.now);
            self.network.extend(sent.into_iter().map(|asked| (Packet::Up(asked), true)));
            for id in expired {
                self.settle(&id, Fate::Expired);
            }
        }
        self.edge.drive(self.now);
        if self.is_held {
            return;
        }
        for effect in self.edge.commit() {
            match effect {
                Effect::Answer((asked, is_awaited), results) => {
                    self.network.push((Packet::Down(asked, results), is_awaited));
                }
                Effect::Send(sent) => self.upstream.push(sent),
            }
        }
    }

    fn elapse(&mut self, time: u64) {
        let end = self.now + time;
        loop {
            let pages = self.browsers.iter().filter_map(Browser::wakes);
            let next = pages.chain(self.edge.alarm).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if self.edge.alarm.is_some_and(|alarm| alarm <= self.now) {
                self.edge.alarm = None;
            }
            self.drive();
        }
        self.now = end;
    }

    /// Everything works again, and time passes until nothing waits.
    pub(crate) fn recover(&mut self) {
        self.handle(Op::Online { browser: 0 });
        for browser in 0..BROWSERS {
            self.handle(Op::Open { browser, tab: 0 });
        }
        for _ in 0..20 * (self.made.len() + 10) {
            while !self.network.is_empty() || !self.upstream.is_empty() {
                self.handle(Op::Carry { which: 0, way: Way::Arrives });
                self.handle(Op::Answer { which: 0, reply: Reply::Takes });
            }
            let waits = self.browsers.iter().map(Browser::len).sum::<usize>() + self.edge.pending();
            if waits == 0 {
                return self.judge();
            }
            let pages = self.browsers.iter().filter_map(Browser::wakes);
            let next = pages.chain(self.edge.alarm).min().expect("what waits, wakes");
            // The longest wait that is asked for in this world, a pause, a server's clock set back.
            assert!(next <= self.now + 255_000 + 300_000 + 33_000, "nobody wakes in time");
            self.handle(Op::Elapse(next.saturating_sub(self.now)));
        }
        panic!("something waits for ever: {self:?}");
    }

    /// Nothing is missing, nothing is twice, everything is in its order.
    fn judge(&self) {
        let store = self.edge.durable();
        for (id, made) in &self.made {
            let counted = self.platform.counted.get(&made.key).map_or(0, Vec::len);
            if store.known.contains_key(id) {
                let ended = store.dead.contains(&made.key) || store.erased.contains(&made.key);
                assert!(counted > 0 || ended, "{id} is missing: {made:?}");
            } else {
                assert_eq!(counted, 0, "{id} was never accepted");
                assert!(!matches!(made.fate, Fate::Waits | Fate::Told(_)), "{id}: {made:?}");
            }
            let resent = self.edge.resent_unknown.get(&made.key).copied().unwrap_or(0);
            assert!(counted as u64 <= 1 + resent, "{id} was counted {counted} times unnoticed");
        }
        let mut last = BTreeMap::new();
        for key in &self.platform.order {
            let (visitor, row, place) = &store.places[key];
            if store.erased.contains(key) || store.dead.contains(key) {
                continue;
            }
            let before = last.insert(visitor, (row, place));
            assert!(before < Some((row, place)), "{key} came to the platform out of order");
        }
        let mut last = BTreeMap::new();
        // What was given up after a week may come by a network that took longer.
        for made in self.made.values().filter(|made| made.fate != Fate::Expired) {
            let Some((visitor, row, place)) = store.places.get(&made.key) else { continue };
            let before = last.insert((made.page, visitor), (row, place));
            assert!(before < Some((row, place)), "{} came to the Worker out of order", made.key);
        }
    }
}

/// Runs the steps, then lets everything recover.
pub(crate) fn run(ops: impl IntoIterator<Item = Op>) {
    let mut world = World::new();
    for op in ops {
        world.handle(op);
    }
    world.recover();
}
