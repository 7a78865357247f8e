//! "Did you mean": domains that a slip of the finger makes of those that many people have.
//!
//! A wrong hint sends somebody's mail to somebody else, so a domain that many people have is
//! never doubted, however near another it is, and short names are only doubted where letters are swapped.

use super::{Email, typed};

/// The domains that hints lead to: those that most people in Ukraine, in Poland and elsewhere have.
const TARGETS: [&str; 24] = [
    "gmail.com",
    "ukr.net",
    "icloud.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "i.ua",
    "meta.ua",
    "bigmir.net",
    "online.ua",
    "live.com",
    "proton.me",
    "protonmail.com",
    "googlemail.com",
    "wp.pl",
    "o2.pl",
    "op.pl",
    "vp.pl",
    "onet.pl",
    "onet.eu",
    "interia.pl",
    "interia.eu",
    "gazeta.pl",
    "buziaczek.pl",
];

/// Domains that people have too and that look like a slip of one above.
const NEAR: [&str; 14] = [
    "mail.com",
    "email.com",
    "ymail.com",
    "zmail.com",
    "xmail.com",
    "jmail.com",
    "qmail.com",
    "tmail.com",
    "fmail.com",
    "hmail.com",
    "cloud.com",
    "gmx.com",
    "gmx.net",
    "aol.com",
];

/// Ends of domains that fingers slip on.
const ENDS: [&str; 3] = ["com", "net", "org"];

/// Top-level domains that look like a slip of those.
const REAL_ENDS: [&str; 11] =
    ["cam", "bom", "mom", "bet", "vet", "pet", "new", "nec", "next", "get", "ong"];

/// Letters of Cyrillic keyboards that look like one of the Latin ones below them, and signs that are
/// beside the dot.
const LOOK_ALIKE: &str = "аеорсхуікмт,;";
const LATIN: &str = "aeopcxyikmt..";

/// Whether this is one of the domains that many people have. None of them has mailboxes with other
/// letters than Latin ones.
pub(super) fn is_target(domain: &str) -> bool {
    TARGETS.iter().any(|target| target.eq_ignore_ascii_case(domain))
}

/// The address that was probably meant by one that is hardly anybody's: `olena@gmial.com` is
/// `olena@gmail.com`. Where an address is as good as any other, nothing.
///
/// It is a hint to be clicked, nothing to change by itself.
#[must_use]
pub fn suggest(typed: &str) -> Option<String> {
    let (local, domain) = typed::cut_last(typed::trim(typed), b'@')?;
    let read = latin(domain);
    let meant = meant(&read)?;
    let local = if local.is_ascii() { local.to_owned() } else { latin(local) };
    let mut address = local;
    address.push('@');
    address.push_str(&meant);
    let same = address.eq_ignore_ascii_case(typed::trim(typed));
    if same || Email::parse(&address).is_err() { None } else { Some(address) }
}

/// The text in small Latin letters, as far as it looks like them.
fn latin(text: &str) -> String {
    let mut latin = String::with_capacity(text.len());
    for character in text.chars().filter(|c| !typed::is_blank(*c)) {
        let found = LOOK_ALIKE.chars().zip(LATIN.chars()).find(|(other, _)| *other == character);
        let letter = found.map_or(character.to_ascii_lowercase(), |(_, latin)| latin);
        if letter != '.' || !latin.ends_with('.') {
            latin.push(letter);
        }
    }
    latin
}

/// The domain that was meant by this one, itself if it is good.
fn meant(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    if NEAR.contains(&domain) || !domain.is_ascii() {
        return None;
    }
    let mut best: Option<(u8, &str)> = None;
    for target in TARGETS {
        if let Some(slips) = slips(domain, target)
            && best.is_none_or(|(fewest, _)| slips < fewest)
        {
            best = Some((slips, target));
        }
    }
    if let Some((_, target)) = best {
        return Some(target.to_owned());
    }
    let (name, end) = typed::cut_last(domain, b'.')?;
    // `firma.con.ua`
    let country = matches!(end, "ua" | "pl");
    let (name, inner) =
        if country { typed::cut_last(name, b'.').unwrap_or((name, "")) } else { (name, end) };
    let mut meant = name.to_owned();
    if let Some(fixed) = mended_end(inner) {
        meant.push('.');
        meant.push_str(fixed);
        if country {
            meant.push('.');
            meant.push_str(end);
        }
        return Some(meant);
    }
    let known = country || ENDS.contains(&end) || matches!(end, "eu" | "me");
    known.then(|| domain.to_owned())
}

/// The end that a slip was meant to be.
fn mended_end(end: &str) -> Option<&'static str> {
    if end.len() < 3 || ENDS.contains(&end) || REAL_ENDS.contains(&end) {
        return None;
    }
    ENDS.into_iter().find(|meant| edits(end, meant, 1).is_some())
}

/// How many slips lead from `target` to `domain`, if these are few enough for a name of its length.
fn slips(domain: &str, target: &str) -> Option<u8> {
    let (name, end) = typed::cut(target, b'.')?;
    let Some((typed_name, typed_end)) = typed::cut(domain, b'.') else {
        // `gmail` and `gmailcom`.
        let joined = domain.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest == end);
        return (joined && name.len() > 2).then_some(1);
    };
    let end_slips = if typed_end == end {
        0
    } else if name.len() > 2 && end.len() > 2 && edits(typed_end, end, 1).is_some() {
        1
    } else if matches!(name, "gmail" | "icloud") && typed_name == name {
        // Nobody has an address of it below another end.
        1
    } else {
        return None;
    };
    let most = match name.len() {
        7.. if end == "com" && end_slips == 0 && typed_name.get(..1) == name.get(..1) => 2,
        5.. if end.len() > 2 => 1,
        // Short names are too near each other.
        _ if typed_name == name || (name.len() > 2 && is_swap(typed_name, name)) => 1,
        _ => 0,
    };
    Some(end_slips + edits(typed_name, name, most)?)
}

/// Whether two neighbouring letters have changed places.
fn is_swap(typed: &str, meant: &str) -> bool {
    let sum = |text: &str| text.bytes().map(u32::from).sum::<u32>();
    typed.len() == meant.len() && sum(typed) == sum(meant)
}

/// How many letters are missing, too many, others or swapped, if no more than `most`.
fn edits(typed: &str, meant: &str, most: u8) -> Option<u8> {
    (0..=most).find(|edits| is_within(typed.as_bytes(), meant.as_bytes(), *edits))
}

fn is_within(typed: &[u8], meant: &[u8], edits: u8) -> bool {
    match (typed, meant) {
        ([], []) => true,
        ([one, typed @ ..], [other, meant @ ..]) if one == other => is_within(typed, meant, edits),
        _ if edits == 0 => false,
        _ => {
            let (next, meant_next) = (typed.get(1..), meant.get(1..));
            let is_near = |typed: Option<&[u8]>, meant: Option<&[u8]>| {
                typed.zip(meant).is_some_and(|(typed, meant)| is_within(typed, meant, edits - 1))
            };
            is_near(next, Some(meant))
                || is_near(Some(typed), meant_next)
                || is_near(next, meant_next)
                || (is_crossed(typed, meant) && is_near(typed.get(2..), meant.get(2..)))
        }
    }
}

/// Whether the first two letters have changed places.
fn is_crossed(typed: &[u8], meant: &[u8]) -> bool {
    typed.first().is_some_and(|first| meant.get(1) == Some(first)) && typed.get(1) == meant.first()
}
