//! The platform's list of promo codes: read whatever its shape, since the documents say no more of it than
//! that it is JSON inside a string; and shared out.

use serde::{Deserialize, Serialize};

use super::{Claim, Stage, Trouble, Why};
use crate::{
    api::{Request, promo_code::ListPromoCodes, time::DateTime},
    json, retry,
    value::{Members, Value, parse_whole},
};

/// How deep codes may stand in lists, objects and texts that hold JSON.
const MAX_DEPTH: usize = 8;

/// Longest code that is one, in characters.
const MAX_CODE: usize = 200;

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A code that may be given to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Code {
    /// The code.
    pub text: String,
    /// Until when it holds, as the platform writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What it takes off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<i32>,
}

impl Code {
    /// Whether enough is known of it to tell the platform that it is used: its call for that writes the
    /// end and the discount anew, so neither may be invented.
    #[must_use]
    pub fn can_be_marked(&self) -> bool {
        self.until.is_some() && self.discount.is_some()
    }
}

/// The codes of a list that nobody has yet and that hold at `now`, in the list's order.
///
/// Taken are: a list of texts; a list of objects with the code as `code`, `promoCode`, `name` or `value`;
/// objects that have such a list, and say what is true of all of its codes; and texts that hold any of
/// this as JSON. Names count without regard to case and separators.
///
/// # Errors
///
/// A list in another shape: what it looks like, without what stands in it.
pub fn read(listing: &Value, kind: &str, now: u64) -> Result<Vec<Code>, Trouble> {
    let mut found = Found { kind, now, codes: Vec::new(), understood: 0, odd: 0 };
    found.look(listing, &Traits::default(), 0);
    if found.odd > 0 && found.understood == 0 {
        let text =
            ["the platform's list of codes is of a shape that is not known: ", &sketch(listing)];
        return Err(Trouble::new(Why::ListingUnreadable, &text.concat()));
    }
    Ok(found.codes)
}

/// What is said of a code, or of all that stand in an object.
#[derive(Clone, Debug, Default)]
struct Traits {
    in_list: bool,
    until: Option<String>,
    discount: Option<i32>,
    /// Somebody has it, it holds no longer, or it is of another type.
    is_gone: bool,
}

struct Found<'a> {
    kind: &'a str,
    now: u64,
    codes: Vec<Code>,
    /// Codes that could be read, taken or not.
    understood: usize,
    odd: usize,
}

/// Names of members as they are compared.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Members that hold a code, the most certain first. A name with a value beside it may be either, and
/// then neither is taken.
const CODE: [&str; 6] = ["code", "promocode", "promo", "coupon", "name", "value"];

/// Members that hold codes, be they no more than texts.
const CODES: [&str; 12] = [
    "promocodes",
    "promocode",
    "codes",
    "code",
    "coupons",
    "data",
    "items",
    "result",
    "results",
    "content",
    "list",
    "rows",
];

const UNTIL: [&str; 8] = [
    "expirationdate",
    "expiration",
    "expirydate",
    "expires",
    "expiresat",
    "validto",
    "validuntil",
    "enddate",
];

/// What is said of a code that is not to be given out, if it is anything but no.
const GONE: [&str; 19] = [
    "inuse",
    "isinuse",
    "used",
    "isused",
    "usedat",
    "useddate",
    "usedby",
    "taken",
    "assigned",
    "isassigned",
    "assignedto",
    "assignedat",
    "contact",
    "contactid",
    "externalcustomerid",
    "email",
    "phone",
    "expired",
    "isexpired",
];

/// What is said of a code that is to be given out, if it is not no.
const FREE: [&str; 5] = ["active", "isactive", "available", "free", "isfree"];

/// States of codes that are not to be given out.
const GONE_STATES: [&str; 7] =
    ["used", "inuse", "expired", "assigned", "taken", "inactive", "disabled"];

impl Found<'_> {
    fn look(&mut self, value: &Value, traits: &Traits, depth: usize) {
        if depth > MAX_DEPTH {
            self.odd += 1;
            return;
        }
        match value {
            Value::Text(text) if holds_json(text) => match json::parse(text.trim()) {
                Ok(inner) => self.look(&inner, traits, depth + 1),
                Err(_) => self.odd += 1,
            },
            Value::Text(text) | Value::Number(text) if traits.in_list => self.take(text, traits),
            // Nothing in place of a list is an empty one; a text in its place is no code.
            Value::Text(text) if text.trim().is_empty() => {}
            Value::Null if !traits.in_list => {}
            Value::List(list) => {
                let traits = Traits { in_list: true, ..traits.clone() };
                for one in list {
                    self.look(one, &traits, depth + 1);
                }
            }
            Value::Object(members) => self.open(members, traits, depth),
            _ => self.odd += 1,
        }
    }

    fn open(&mut self, members: &Members, traits: &Traits, depth: usize) {
        let traits = self.traits(members, traits);
        let scalar = |wanted: &str| {
            let found = members.iter().find(|(name, _)| plain(name) == wanted);
            found.and_then(|(_, value)| match value {
                Value::Text(text) if !holds_json(text) => Some(text),
                Value::Number(text) => Some(text),
                _ => None,
            })
        };
        if let Some((name, text)) = CODE.iter().find_map(|name| Some((*name, scalar(name)?))) {
            if name == "name" && scalar("value").is_some() {
                self.odd += 1;
            } else {
                self.take(text, &traits);
            }
            return;
        }
        let mut inside = false;
        for (name, value) in members {
            let nests = match value {
                Value::List(_) | Value::Object(_) => true,
                Value::Text(text) => holds_json(text),
                _ => false,
            };
            // In a list of any other name texts may be anything, errors for example.
            let of_objects = || {
                let list = value.as_list().unwrap_or_default();
                !list.is_empty() && list.iter().all(|one| matches!(one, Value::Object(_)))
            };
            if nests && (CODES.contains(&plain(name).as_str()) || of_objects()) {
                inside = true;
                self.look(value, &traits, depth + 1);
            }
        }
        if !inside {
            self.odd += 1;
        }
    }

    /// What the members of an object say, over what was said around it.
    fn traits(&self, members: &Members, around: &Traits) -> Traits {
        let mut traits = around.clone();
        for (name, value) in members {
            let name = plain(name);
            let name = name.as_str();
            if UNTIL.contains(&name) {
                traits.until = date(value).or(traits.until);
            } else if name == "discount" {
                traits.discount = discount(value).or(traits.discount);
            } else if GONE.contains(&name) {
                traits.is_gone |= says_yes(value);
            } else if FREE.contains(&name) {
                traits.is_gone |= *value != Value::Null && !says_yes(value);
            } else if matches!(name, "status" | "state") {
                let state = value.as_text().map(plain).unwrap_or_default();
                traits.is_gone |= GONE_STATES.contains(&state.as_str());
            } else if name == "type" {
                let other = |kind: &str| !kind.trim().is_empty() && kind.trim() != self.kind.trim();
                traits.is_gone |= value.as_text().is_some_and(other);
            }
        }
        traits.is_gone |= traits.until.as_deref().is_some_and(|until| is_over(until, self.now));
        traits
    }

    fn take(&mut self, text: &str, traits: &Traits) {
        let text = text.trim();
        let is_code = !text.is_empty()
            && text.chars().count() <= MAX_CODE
            && !text.chars().any(char::is_control);
        if !is_code {
            self.odd += 1;
            return;
        }
        self.understood += 1;
        if !traits.is_gone {
            let Traits { until, discount, .. } = traits.clone();
            self.codes.push(Code { text: text.to_owned(), until, discount });
        }
    }
}

/// Whether a text is to be read as JSON: no code begins like this.
fn holds_json(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{', '"'])
}

fn says_yes(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(text) | Value::Text(text) => {
            let text = text.trim().to_ascii_lowercase();
            !matches!(text.as_str(), "" | "0" | "false" | "no" | "null" | "none")
        }
        Value::List(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// A date as the platform takes it: as it was written, or out of seconds or milliseconds.
fn date(value: &Value) -> Option<String> {
    match value {
        Value::Number(text) => {
            let number: i64 = text.parse().ok().filter(|number| *number > 0)?;
            // Milliseconds of all but the first four months of 1970, and no seconds before the year 2286.
            let millis = if number < 10_000_000_000 { number * 1000 } else { number };
            Some(DateTime::from_millis(millis).as_str().to_owned())
        }
        Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        _ => None,
    }
}

fn discount(value: &Value) -> Option<i32> {
    let (Value::Number(text) | Value::Text(text)) = value else { return None };
    let whole = parse_whole(text.trim().trim_end_matches('%'))?;
    i32::try_from(whole).ok()
}

/// Whether a code that holds until then holds no longer. A day counts to its end; in whose time zone, the
/// documents do not say, and a date in another form than theirs says nothing.
fn is_over(until: &str, now: u64) -> bool {
    let Some(millis) = DateTime::parse(until).and_then(|date| date.millis()) else { return false };
    let end = if until.contains(':') { millis } else { millis.saturating_add(DAY) };
    i64::try_from(now).unwrap_or(i64::MAX) >= end
}

/// What a value looks like, without what it says: codes are money.
fn sketch(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Text(text) if holds_json(text) => match json::parse(text.trim()) {
            Ok(inner) => ["in a text, ", &sketch(&inner)].concat(),
            Err(_) => "a text that is no JSON".to_owned(),
        },
        Value::Text(_) => "a text".to_owned(),
        Value::List(list) => match list.first() {
            Some(first) => ["a list, first in it ", &sketch(first)].concat(),
            None => "an empty list".to_owned(),
        },
        Value::Object(members) => {
            // Such as no code is: a list may have its codes as names.
            let is_plain = |name: &&str| {
                name.chars().any(char::is_lowercase) && !name.chars().any(char::is_numeric)
            };
            let names = members.iter().map(|(name, _)| name.as_str()).filter(is_plain);
            let names: Vec<&str> = names.take(12).collect();
            let members = ["an object of ", &members.len().to_string(), " members"].concat();
            if names.is_empty() {
                members
            } else {
                [&members, ", of them ", &names.join(", ")].concat()
            }
        }
    }
}

/// Most claims that one list is shared out among at a time.
pub const MOST_WAITING: usize = 500;

/// The codes of a type, as far as it matters when they are listed next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct List {
    /// The type.
    pub kind: String,
    /// How often in a row there was not one for everybody.
    pub attempts: u32,
    /// Not before this time, Unix milliseconds.
    pub next_at: u64,
    /// Why there was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

impl List {
    /// The codes of a type that were not listed yet.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// The call that lists them.
    #[must_use]
    pub fn request(&self) -> Request {
        Request::for_call(&ListPromoCodes {
            kind: Some(self.kind.clone()),
            in_use: Some(false),
            active_due_days: None,
            discount: None,
        })
    }

    /// Shares out what was listed among those that wait, the oldest first. `is_given` says of a code
    /// whether a claim has it already: however late the list is, and whatever it says, that one stays where
    /// it is. Claims and list are to be stored before anything else happens.
    ///
    /// # Errors
    ///
    /// What `is_given` cannot find out.
    pub fn give<E>(
        &mut self,
        waiting: &mut [Claim],
        listed: Result<Vec<Code>, Trouble>,
        mut is_given: impl FnMut(&str) -> Result<bool, E>,
        now: u64,
        random: u32,
    ) -> Result<(), E> {
        let (codes, mut trouble) = match listed {
            Ok(codes) => (codes, None),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        let mut codes = codes.into_iter();
        let mut taken: Vec<String> = Vec::new();
        for claim in waiting.iter_mut().filter(|claim| claim.stage == Stage::Waiting) {
            let free = loop {
                let Some(code) = codes.next() else { break None };
                if !taken.contains(&code.text) && !is_given(&code.text)? {
                    break Some(code);
                }
            };
            let Some(code) = free else {
                let none =
                    || Trouble::new(Why::NoCodeLeft, "the platform lists no code that nobody has");
                let trouble = trouble.get_or_insert_with(none);
                if claim.is_over(now) {
                    *claim = std::mem::take(claim).bury(trouble.clone(), now);
                }
                continue;
            };
            taken.push(code.text.clone());
            // Of one that the platform cannot be told about, the claim alone knows that it is used.
            let stage = if code.can_be_marked() { Stage::Taken } else { Stage::Marked };
            *claim = Claim { code: Some(code), ..std::mem::take(claim) }.begin(stage, now);
        }
        if trouble.is_none() {
            (self.attempts, self.next_at) = (0, now);
        } else {
            self.next_at = now + retry::pause(self.attempts, None, random);
            self.attempts = self.attempts.saturating_add(1);
        }
        self.trouble = trouble;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-02, noon.
    const NOW: u64 = 1_793_620_800_000;

    fn codes(text: &str) -> Vec<String> {
        let listing = json::parse(text).expect("JSON");
        read(&listing, "SALE", NOW).expect("a list").into_iter().map(|code| code.text).collect()
    }

    fn shape(text: &str) -> String {
        let trouble = read(&json::parse(text).expect("JSON"), "SALE", NOW).unwrap_err();
        assert_eq!(trouble.why, Why::ListingUnreadable);
        trouble.text.split(": ").nth(1).unwrap().to_owned()
    }

    #[test]
    fn a_list_is_read_in_every_shape_that_it_may_have() {
        for text in [
            r#"["A", "B"]"#,
            r#"[{"code": "A"}, {"code": "B"}]"#,
            r#"[{"promoCode": "A"}, {"PROMO_CODE": " B "}]"#,
            r#"[{"name": "A"}, {"value": "B"}]"#,
            r#"{"promocodes": ["A", "B"], "total": 2}"#,
            r#"{"data": {"items": [{"code": "A", "id": 7}, {"code": "B"}]}}"#,
            r#"{"welcome": [{"code": "A"}, {"code": "B"}]}"#,
            r#"[{"promocodes": ["A"], "discount": 5}, {"promocodes": ["B"], "discount": 7}]"#,
            r#""[\"A\", \"B\"]""#,
            r#""\"[{\\\"code\\\": \\\"A\\\"}, {\\\"code\\\": \\\"B\\\"}]\"""#,
            r#"{"promocodes": "[\"A\", \"B\"]"}"#,
            r#"["{\"code\": \"A\"}", "B"]"#,
            // What is odd beside them costs nobody anything.
            r#"["A", null, "", {}, "B", true]"#,
        ] {
            assert_eq!(codes(text), ["A", "B"], "{text}");
        }
        assert_eq!(codes("[1001, {\"code\": 1002}]"), ["1001", "1002"]);
        for text in ["[]", "null", r#""""#, r#""[]""#, r#"{"promocodes": []}"#] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn codes_that_somebody_has_or_that_are_over_are_left_out() {
        for gone in [
            r#""inUse": true"#,
            r#""inUse": "true""#,
            r#""in_use": 1"#,
            r#""used": true"#,
            r#""contactId": 1967597908"#,
            r#""assignedTo": {"email": "a@b.c"}"#,
            r#""status": "IN_USE""#,
            r#""state": "Expired""#,
            r#""active": false"#,
            r#""type": "OTHER""#,
            r#""expirationDate": "2026-11-01""#,
            r#""expirationDate": "2026-11-02T13:59:00+02:00""#,
            r#""expirationDate": 1793620799"#,
        ] {
            assert_eq!(codes(&format!(r#"[{{"code": "A", {gone}}}, "B"]"#)), ["B"], "{gone}");
            assert_eq!(codes(&format!(r#"{{"codes": ["A"], {gone}}}"#)), [""; 0], "{gone}");
        }
        for free in [
            r#""inUse": false"#,
            r#""used": null"#,
            r#""contactId": 0"#,
            r#""email": """#,
            r#""status": "ACTIVE""#,
            r#""active": true"#,
            r#""type": "SALE""#,
            r#""expirationDate": "2026-11-02""#,
            r#""expirationDate": "some day""#,
        ] {
            assert_eq!(codes(&format!(r#"[{{"code": "A", {free}}}]"#)), ["A"], "{free}");
        }
    }

    #[test]
    fn end_and_discount_are_kept_as_the_platform_has_them() {
        let first = |text: &str| read(&json::parse(text).unwrap(), "SALE", NOW).unwrap().remove(0);
        let code = first(r#"[{"code": "A", "expirationDate": "31.12.2026", "discount": "10 %"}]"#);
        assert_eq!((code.until.as_deref(), code.discount), (Some("31.12.2026"), Some(10)));
        let code =
            first(r#"[{"codes": ["A"], "expirationDate": 1893456000000, "discount": "10%"}]"#);
        assert_eq!(code.until.as_deref(), Some("2030-01-01T00:00:00.000Z"));
        assert_eq!((code.discount, code.can_be_marked()), (Some(10), true));
        assert!(!first(r#"["A"]"#).can_be_marked());
        assert!(!first(r#"[{"code": "A", "discount": 5}]"#).can_be_marked());
    }

    #[test]
    fn another_shape_is_told_without_a_code_in_it() {
        let errors = shape(r#"{"errors": ["no such type"]}"#);
        assert_eq!(errors, "an object of 1 members, of them errors");
        assert_eq!(shape(r#"{"SECRET": {"left": 1}}"#), "an object of 1 members");
        assert_eq!(shape(r#""SECRET""#), "a text");
        assert_eq!(shape(r#""[SECRET""#), "a text that is no JSON");
        assert_eq!(shape("true"), "a boolean");
        assert_eq!(shape(r#""\"SECRET\"""#), "in a text, a text");
        let twofold = r#"[{"name": "welcome", "value": "SECRET"}]"#;
        assert_eq!(
            shape(twofold),
            "a list, first in it an object of 2 members, of them name, value"
        );
        let deep = format!("{}\"A\"{}", "[".repeat(12), "]".repeat(12));
        assert!(shape(&deep).starts_with("a list, first in it a list"));
        let long = format!(r#"["{}"]"#, "x".repeat(201));
        assert_eq!(shape(&long), "a list, first in it a text");
    }
}
