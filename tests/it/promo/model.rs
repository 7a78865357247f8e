//! A Worker without Cloudflare that gives codes out: what is stored, the platform, those on their way, and
//! hosts that can be stopped between any two steps. What is stored is what a crash leaves.
//!
//! Whatever the platform gets to see is checked at once, so a run that ends is a run that held.

use std::collections::{BTreeMap, BTreeSet};

use esputnik_kit::{
    api::{self, Reply, promo_code::AddPromoCodes},
    json,
    promo::{Claim, Code, List, Stage, Told, Trouble, Wish, listing, wished},
    value::Value,
};

const KIND: &str = "WELCOME";

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// A person subscribes: with an e-mail address, with both, or with the phone that is known.
    Subscribe { person: u8, way: u8 },
    /// The shop uploads so many codes.
    Upload(u8),
    /// The shop uploads all codes anew, as not used.
    UploadAgain,
    /// A host asks for the list; what it gets is older when it is used.
    Fetch(u8),
    /// The host shares the list out.
    Give,
    /// A host begins what is next for a claim, and the platform does with it what this says.
    Begin { which: u8, fate: u8 },
    /// A host stores what it has heard.
    Finish { which: u8 },
    /// All that is not stored is gone.
    Crash,
    /// Those on their way get to the platform, or are refused.
    Deliver { is_refused: bool },
    /// Somebody tries dead ones again.
    Replay,
    /// Dead ones have been dead for long.
    Forget,
    /// Milliseconds pass.
    Elapse(u64),
}

impl Op {
    pub(crate) fn from_bytes([kind, a, b, c]: [u8; 4]) -> Self {
        match kind % 16 {
            0..=2 => Self::Subscribe { person: a % 8, way: b % 3 },
            3 => Self::Upload(a % 4),
            4 => Self::Fetch(a),
            5 | 6 => Self::Give,
            7..=9 => Self::Begin { which: a, fate: b },
            10..=12 => Self::Finish { which: a },
            13 => match c % 8 {
                0 | 1 => Self::Crash,
                2 => Self::UploadAgain,
                3 | 4 => Self::Replay,
                5 => Self::Forget,
                _ => Self::Deliver { is_refused: true },
            },
            14 => Self::Deliver { is_refused: false },
            _ => Self::Elapse(u64::from(u16::from_be_bytes([a, b])) * u64::from(c) * 100),
        }
    }
}

/// What a host has under way: the claim as it read it, and what it has heard.
struct UnderWay {
    id: u64,
    before: Claim,
    heard: Heard,
}

enum Heard {
    Marked(Option<Reply>),
    Handed(bool),
    Told(Told),
}

/// An event of those on their way: its body, and what became of it.
type Event = (String, Told);

#[derive(Default)]
struct Model {
    now: u64,
    // What is stored.
    claims: BTreeMap<u64, Claim>,
    last: u64,
    names: BTreeMap<String, u64>,
    list: Option<List>,
    events: BTreeMap<String, Event>,
    // What a host has in memory.
    listed: Option<Result<Vec<Code>, Trouble>>,
    under_way: Vec<UnderWay>,
    // The platform.
    codes: BTreeMap<String, bool>,
    marked: BTreeSet<String>,
    /// The code and the event of each address that got one.
    mailed: BTreeMap<String, (String, String)>,
    // The world.
    with_phone: BTreeSet<u8>,
    subscribed: BTreeSet<u8>,
    messages: u32,
    random: u32,
}

pub(crate) fn run(ops: Vec<Op>) {
    let mut model = Model { now: 1_793_620_800_000, ..Model::default() };
    for op in ops {
        model.apply(op);
    }
    model.come_to_rest();
}

impl Model {
    fn apply(&mut self, op: Op) {
        self.random = self.random.wrapping_mul(48_271).wrapping_add(11);
        match op {
            Op::Subscribe { person, way } => self.subscribe(person, way),
            Op::Upload(count) => {
                for _ in 0..count {
                    self.codes.insert(format!("CODE-{}", self.codes.len()), false);
                }
            }
            Op::UploadAgain => self.codes.values_mut().for_each(|is_used| *is_used = false),
            Op::Fetch(fate) => self.fetch(fate),
            Op::Give => self.give(),
            Op::Begin { which, fate } => self.begin(which, fate),
            Op::Finish { which } => self.finish(which),
            Op::Crash => {
                self.listed = None;
                self.under_way.clear();
            }
            Op::Deliver { is_refused } => self.deliver(is_refused),
            Op::Replay => {
                let is_there = |claim: &&mut Claim| claim.dead.is_some() && claim.wish.is_some();
                for claim in self.claims.values_mut().filter(is_there) {
                    *claim = claim.clone().retry(self.now);
                }
            }
            Op::Forget => self.forget(),
            Op::Elapse(millis) => self.now += millis,
        }
    }

    fn forget(&mut self) {
        // Whose event may have arrived long ago could get it once more, under another id.
        let is_old = |claim: &Claim| claim.dead.is_some() && claim.message.is_none();
        for (id, claim) in std::mem::take(&mut self.claims) {
            let kept = if is_old(&claim) { claim.forget() } else { Some(claim) };
            match kept {
                Some(kept) => {
                    self.claims.insert(id, kept);
                }
                None => self.names.retain(|_, own| *own != id),
            }
        }
        // Whose phone is forgotten is nobody known who comes with that alone.
        let names = &self.names;
        self.with_phone
            .retain(|person| names.contains_key(&format!("sealed +38050123456{person}")));
    }

    fn subscribe(&mut self, person: u8, way: u8) {
        let has_both = way == 1 || way == 2 && !self.with_phone.contains(&person);
        let (email, phone) = (format!("{person}@shop.example"), format!("+38050123456{person}"));
        let (email, phone) = match way {
            0 => (Some(email), None),
            _ if has_both => (Some(email), Some(phone)),
            _ => (None, Some(phone)),
        };
        if has_both {
            self.with_phone.insert(person);
        }
        self.subscribed.insert(person);
        let mut wish = Wish::default();
        (wish.kind, wish.event) = (KIND.to_owned(), "welcomeCode".to_owned());
        wish.names =
            email.iter().chain(&phone).map(|address| format!("sealed {address}")).collect();
        (wish.email, wish.phone) = (email, phone);
        let ids: BTreeSet<u64> =
            wish.names.iter().filter_map(|name| self.names.get(name).copied()).collect();
        let ids: Vec<u64> = ids.into_iter().collect();
        let known: Vec<Claim> = ids.iter().map(|id| self.claims[id].clone()).collect();
        let mut id = ids.first().copied();
        if let Some((place, claim)) = wished(&known, &wish, self.now) {
            self.last += 1;
            let next = self.last;
            let own = place.map_or(next, |place| ids[place]);
            self.claims.insert(own, claim);
            id = id.or(Some(own));
        }
        for name in wish.names {
            self.names.entry(name).or_insert(id.expect("known or just made"));
        }
    }

    fn fetch(&mut self, fate: u8) {
        let codes = self.codes.iter().filter(|(_, is_used)| fate.is_multiple_of(2) || !**is_used);
        let member = |(code, is_used): (&String, &bool)| match fate % 3 {
            // A list that says nothing of what is used.
            0 => format!(r#""{code}""#),
            _ => format!(
                r#"{{"code": "{code}", "inUse": {is_used}, "expirationDate": "2099-01-01", "discount": 5}}"#
            ),
        };
        let mut codes: Vec<String> = codes.map(member).collect();
        if fate % 5 == 4 {
            codes = codes.into_iter().flat_map(|code| [code.clone(), code]).collect();
        }
        let text = ["[", &codes.join(","), "]"].concat();
        let text = if fate % 16 == 15 { "{}".to_owned() } else { text };
        self.listed = Some(listing::read(&json::parse(&text).unwrap(), KIND, self.now));
    }

    fn give(&mut self) {
        let Some(listed) = self.listed.take() else { return };
        let is_waiting = |claim: &Claim| claim.stage == Stage::Waiting && claim.dead.is_none();
        let (ids, mut waiting): (Vec<u64>, Vec<Claim>) =
            self.claims.clone().into_iter().filter(|(_, claim)| is_waiting(claim)).unzip();
        let mut list = self.list.take().unwrap_or_else(|| List::new(KIND));
        let given: BTreeSet<String> = self.given().collect();
        let is_given = |code: &str| Ok::<bool, ()>(given.contains(code));
        list.give(&mut waiting, listed, is_given, self.now, self.random).unwrap();
        self.list = Some(list);
        self.claims.extend(ids.into_iter().zip(waiting));
        let count = self.given().count();
        assert_eq!(count, self.given().collect::<BTreeSet<_>>().len(), "one code, two claims");
    }

    fn given(&self) -> impl Iterator<Item = String> {
        self.claims.values().filter_map(|claim| claim.code.as_ref()).map(|code| code.text.clone())
    }

    fn begin(&mut self, which: u8, fate: u8) {
        let is_due = |claim: &Claim| {
            claim.dead.is_none()
                && claim.next_at <= self.now
                && matches!(claim.stage, Stage::Taken | Stage::Marked | Stage::Sent)
        };
        let due: Vec<u64> =
            self.claims.iter().filter(|(_, claim)| is_due(claim)).map(|(id, _)| *id).collect();
        let Some(id) = due.get(usize::from(which) % due.len().max(1)).copied() else { return };
        let mut before = self.claims[&id].clone();
        let heard = match before.stage {
            Stage::Taken => Heard::Marked(self.mark(&before, fate)),
            Stage::Marked => {
                self.messages += 1;
                before = before.named(format!("m-{}", self.messages));
                self.claims.insert(id, before.clone());
                let body = before.event().expect("the platform takes it").items.remove(0).body;
                let message = before.message.clone().expect("just named");
                let was_stored = fate % 4 != 3;
                if was_stored || fate % 8 == 3 {
                    let (stored, _) =
                        self.events.entry(message).or_insert((body.clone(), Told::Waiting));
                    assert_eq!(*stored, body, "one id, two events");
                }
                Heard::Handed(was_stored)
            }
            _ => {
                let message = before.message.as_ref().expect("sent under an id");
                let told = self.events.get(message).map(|(_, told)| told.clone());
                Heard::Told(told.unwrap_or(Told::Unknown))
            }
        };
        self.under_way.push(UnderWay { id, before, heard });
    }

    /// The platform hears that a code is used; what it answers, if anything.
    fn mark(&mut self, claim: &Claim, fate: u8) -> Option<Reply> {
        let request = claim.mark().expect("enough is known of it");
        let body = json::parse(&request.body.unwrap()).unwrap();
        let code = &body.member("promocodes").and_then(Value::as_list).unwrap()[0];
        let code = code.as_text().unwrap();
        assert!(self.given().any(|given| given == code), "told before it was stored");
        let reply = |status: u16| Reply { status, text: "{}".to_owned(), ..Reply::default() };
        let (arrives, reply) = match fate % 8 {
            0..=3 => (true, Some(reply(200))),
            4 => (true, None),
            5 => (false, None),
            6 => (false, Some(reply(503))),
            _ => (false, Some(reply(400))),
        };
        if arrives {
            self.codes.insert(code.to_owned(), true);
            self.marked.insert(code.to_owned());
        }
        reply
    }

    fn finish(&mut self, which: u8) {
        if self.under_way.is_empty() {
            return;
        }
        let UnderWay { id, before, heard } =
            self.under_way.swap_remove(usize::from(which) % self.under_way.len());
        // Somebody else was faster.
        if self.claims.get(&id) != Some(&before) {
            return;
        }
        let (now, random) = (self.now, self.random);
        let after = match heard {
            Heard::Marked(reply) => {
                let unreachable = || api::Error::unreachable(api::Repeat::Same);
                let answer = reply.ok_or_else(unreachable);
                let answer = answer.and_then(|reply| api::decode::<AddPromoCodes>(&reply, now));
                before.marked(answer.as_ref().map(|_| ()), now, random)
            }
            Heard::Handed(was_stored) => before.handed(was_stored, now, random),
            Heard::Told(told) => before.told(&told, now, random),
        };
        self.claims.insert(id, after);
    }

    fn deliver(&mut self, is_refused: bool) {
        for (message, (body, told)) in &mut self.events {
            if *told != Told::Waiting {
                continue;
            }
            if is_refused {
                *told = Told::Failed("no".to_owned());
                continue;
            }
            *told = Told::Done;
            let event = json::parse(body).unwrap();
            let params = event.member("params").and_then(Value::as_list).unwrap();
            let param = |name: &str| {
                let named =
                    params.iter().find(|param| param.member("name") == Some(&Value::text(name)));
                named.and_then(|param| param.member("value")).and_then(Value::as_text)
            };
            let code = param("promoCode").expect("the code").to_owned();
            let people = self.mailed.iter().filter(|(_, (own, _))| *own == code);
            let addresses: Vec<&str> = ["email", "phone"].into_iter().filter_map(param).collect();
            for (other, _) in people {
                let digit = |text: &str| text.trim_end_matches("@shop.example").chars().last();
                assert_eq!(digit(other), digit(addresses[0]), "{code} for two contacts");
            }
            for address in addresses {
                let got = (code.clone(), message.clone());
                let before = self.mailed.insert(address.to_owned(), got.clone());
                assert!(
                    before.is_none_or(|before| before == got),
                    "two codes or two mails for {address}"
                );
            }
        }
    }

    /// The platform is well, the shop has codes for all, and nothing is stopped any more.
    fn come_to_rest(&mut self) {
        self.apply(Op::Crash);
        for _ in 0..self.subscribed.len() {
            self.apply(Op::Upload(1));
        }
        for person in self.subscribed.clone() {
            self.apply(Op::Subscribe { person, way: 0 });
        }
        for _ in 0..200 {
            self.apply(Op::Elapse(301_000));
            self.apply(Op::Replay);
            self.apply(Op::Fetch(1));
            self.apply(Op::Give);
            for which in 0..u8::MAX {
                self.apply(Op::Begin { which, fate: 0 });
                self.apply(Op::Finish { which: 0 });
                self.apply(Op::Deliver { is_refused: false });
            }
            if self.claims.values().all(|claim| claim.stage == Stage::Done) {
                break;
            }
        }
        for claim in self.claims.values() {
            assert_eq!((claim.stage, &claim.wish), (Stage::Done, &None), "{claim:?}");
            let code = claim.code.as_ref().expect("everybody has one");
            assert!(
                !code.can_be_marked() || self.marked.contains(&code.text),
                "never told of {code:?}"
            );
        }
        for person in &self.subscribed {
            let email = format!("{person}@shop.example");
            let phone = format!("+38050123456{person}");
            let got = [email, phone].iter().filter_map(|address| self.mailed.get(address)).count();
            assert!(got > 0, "nothing for {person}");
        }
    }
}
