//! Browsers: tabs with a queue in memory each, and a store that they share.

use std::collections::BTreeMap;

use esputnik_kit::{
    delivery::{Delivery, Output},
    wire::{TIME_TO_LIVE, message_time},
};

/// A request of a page.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) browser: usize,
    pub(crate) tab: usize,
    /// Which of the pages that the tab has had.
    pub(crate) life: u64,
    pub(crate) body: String,
}

#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) life: u64,
    delivery: Delivery,
    /// When the page wakes; timers do not care for clocks.
    timer: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) number: usize,
    pub(crate) web_id: String,
    /// How far its clock is ahead of the world's, in milliseconds.
    pub(crate) ahead: i64,
    pub(crate) tabs: [Option<Tab>; 2],
    /// Records whose write is complete, and whose page made or took them.
    disk: BTreeMap<String, (String, u64)>,
    /// Records whose write is under way: the end of the browser loses them, that of a tab does not.
    writing: BTreeMap<String, (String, u64)>,
    lives: u64,
}

impl Browser {
    pub(crate) fn new(number: usize) -> Self {
        let mut browser = Self {
            number,
            web_id: format!("V{number}-0"),
            ahead: 0,
            tabs: [None, None],
            disk: BTreeMap::new(),
            writing: BTreeMap::new(),
            lives: 0,
        };
        browser.open(0);
        browser
    }

    /// What the pages take for the time.
    pub(crate) fn clock(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.ahead)
    }

    /// How many records wait here.
    pub(crate) fn len(&self) -> usize {
        self.disk.len() + self.writing.len()
    }

    /// Opens a page in a tab, in place of the one that is there.
    pub(crate) fn open(&mut self, tab: usize) {
        self.lives += 1;
        let mut delivery = Delivery::new("main".into());
        delivery.handle_web_id(&self.web_id);
        self.tabs[tab] = Some(Tab { life: self.lives, delivery, timer: None });
    }

    pub(crate) fn call(&mut self, tab: usize, id: &str, record: String, now: u64) {
        let clock = self.clock(now);
        let page = self.tabs[tab].as_mut().expect("a call comes from a page");
        self.writing.insert(id.to_owned(), (record.clone(), page.life));
        assert!(page.delivery.handle_record(id, record, message_time(id), clock));
    }

    /// Completes what is being written.
    pub(crate) fn write(&mut self) {
        self.disk.append(&mut self.writing);
    }

    /// The browser ends: what it was writing is lost.
    pub(crate) fn kill(&mut self) -> Vec<String> {
        self.tabs = [None, None];
        std::mem::take(&mut self.writing).into_keys().collect()
    }

    /// Everything is dropped, and whoever comes next is somebody else.
    pub(crate) fn forget(&mut self) -> Vec<String> {
        self.write();
        self.lives += 1;
        self.web_id = format!("V{}-{}", self.number, self.lives);
        for tab in self.tabs.iter_mut().flatten() {
            tab.delivery.clear();
            tab.delivery.handle_web_id(&self.web_id);
        }
        std::mem::take(&mut self.disk).into_keys().collect()
    }

    pub(crate) fn online(&mut self) {
        for tab in self.tabs.iter_mut().flatten() {
            tab.delivery.handle_online();
        }
    }

    /// When a page of this browser wakes.
    pub(crate) fn wakes(&self) -> Option<u64> {
        self.tabs.iter().flatten().filter_map(|tab| tab.timer).min()
    }

    /// Lets pages do what they have to do now: what they send, and what has expired.
    pub(crate) fn drive(&mut self, now: u64) -> (Vec<Asked>, Vec<String>) {
        self.adopt(now);
        let (clock, mut sent, mut expired) = (self.clock(now), Vec::new(), Vec::new());
        for (number, tab) in self.tabs.iter_mut().enumerate() {
            let Some(tab) = tab else { continue };
            let mut steps = 0;
            loop {
                steps += 1;
                assert!(steps < 1000, "no rest");
                match tab.delivery.poll_output(clock) {
                    Output::Send { body, .. } => {
                        let (browser, life) = (self.number, tab.life);
                        sent.push(Asked { browser, tab: number, life, body });
                    }
                    Output::Expired(id) => {
                        assert!(clock - message_time(&id) > TIME_TO_LIVE, "lost before its time");
                        expired.push(id);
                    }
                    Output::Wait(until) => {
                        assert!(until.is_none_or(|until| until > clock), "a timer due at once");
                        tab.timer = until.map(|until| now + (until - clock));
                        break;
                    }
                    other => panic!("an output that no host knows: {other:?}"),
                }
            }
        }
        for id in &expired {
            self.remove(id);
        }
        (sent, expired)
    }

    /// A page takes over what pages left that are gone.
    fn adopt(&mut self, now: u64) {
        let clock = self.clock(now);
        let lives: Vec<u64> = self.tabs.iter().flatten().map(|tab| tab.life).collect();
        let Some(heir) = self.tabs.iter_mut().flatten().next() else { return };
        for (id, (record, owner)) in &mut self.disk {
            if !lives.contains(owner) {
                *owner = heir.life;
                assert!(heir.delivery.handle_record(id, record.clone(), message_time(id), clock));
            }
        }
    }

    fn remove(&mut self, id: &str) {
        self.disk.remove(id);
        self.writing.remove(id);
    }

    /// The answer to a batch, if its page is still there. Returns what was refused with its batch.
    pub(crate) fn answer(
        &mut self,
        asked: &Asked,
        status: Option<u16>,
        settled: &[String],
        wait: Option<u64>,
        now: u64,
    ) -> Option<String> {
        let clock = self.clock(now);
        let tab = self.tabs[asked.tab].as_mut().filter(|tab| tab.life == asked.life)?;
        let random = u32::try_from(now % 4_000_000_000).unwrap_or(0);
        let refused = tab.delivery.handle_answer(status, settled, wait, clock, random);
        for id in settled.iter().chain(&refused) {
            self.remove(id);
        }
        refused
    }
}
