//! Whether the product ids of events are ids of the account's feed: where they are not, the platform
//! cannot tell what a visitor looked at.

mod found;

use std::{collections::BTreeSet, io::Read as _, time::Duration};

use esputnik_kit::{
    api::feed::ReadFeeds,
    config::{Config, is_loopback},
};

use self::found::{Broken, Found};
use super::{
    account::unreadable,
    report::{Outcome, Report},
};
use crate::platform::{self, Platform};

/// Most of a feed that is read, in bytes.
const MOST_READ: u64 = 50 * 1024 * 1024;

/// How long a feed may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How many missing ids are named.
const EXAMPLES: usize = 3;

/// A feed as it was read.
#[derive(Debug)]
struct Feed {
    found: Found,
    /// Whether it goes on after what was read.
    cut: bool,
    media_type: String,
}

/// Checks each of the account's feeds, and those of the settings, against `ids` if there are any.
pub(super) fn check(
    config: &Config,
    ids: Option<&BTreeSet<String>>,
    platform: &mut Platform,
    report: &mut Report,
) {
    let feeds = match platform.ask(&ReadFeeds {}) {
        Ok(answer) => answer.value.feeds.unwrap_or_default(),
        Err(error) => return report.add(platform, &unreadable("feed", &error)),
    };
    let named =
        feeds.iter().filter_map(|feed| Some((feed.url.as_deref()?, feed.language.as_deref())));
    let named: Vec<(&str, Option<&str>)> = named.collect();
    if named.is_empty() {
        let text = "the account has no product feed";
        let fix = "recommendations and triggers on products need one: add it in the platform's \
                   settings; tracking goes on without";
        report.add(platform, &Outcome::unknown("feed", text, fix));
    }
    let account = named.iter().map(|(address, language)| {
        (language.map_or("feed".to_owned(), |language| format!("feed {language}")), *address)
    });
    // What the Worker reads beside them.
    let own = config.sites.iter().filter_map(|(name, site)| {
        let address = site.feed.as_ref()?.address.as_str();
        let is_known = named.iter().any(|(known, _)| *known == address);
        (!is_known).then(|| (format!("feed, site {name}"), address))
    });
    let key = config.sites.values().find_map(|site| site.product_key.as_deref());
    for (check, address) in account.chain(own) {
        let outcome = match fetch(address, ids.unwrap_or(&BTreeSet::new())) {
            Ok(feed) => judge(check, address, &feed, ids, key),
            Err((text, fix)) => Outcome::unknown(check, format!("{address}: {text}"), fix),
        };
        report.add(platform, &outcome);
    }
}

/// Reads a feed, without the key. An error says what is odd about it and what to do.
fn fetch(address: &str, wanted: &BTreeSet<String>) -> Result<Feed, (String, &'static str)> {
    let host = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
    let fit = match address.split_once("://") {
        Some(("https", _)) => true,
        Some(("http", rest)) => !host(rest).contains('@') && is_loopback(&host(rest)),
        _ => false,
    };
    if !fit {
        let fix = "let the shop serve it over https, and give the platform that address";
        return Err(("it is not an https address, so it was not read".to_owned(), fix));
    }
    let mut response = platform::open(address, PATIENCE).map_err(|error| {
        (format!("it cannot be reached: {error}"), "put right the feed's address at the platform")
    })?;
    let status = response.status();
    if status.is_redirection() {
        let fix = "give the platform the address where the feed is";
        return Err((format!("it leads elsewhere ({status}), which was not followed"), fix));
    }
    if !status.is_success() {
        let fix = "let the shop serve the feed there, to anybody, or put right its address at the \
                   platform";
        return Err((format!("the shop answers {status}"), fix));
    }
    let media_type = response.body().mime_type().unwrap_or("no type").to_owned();
    let body = response.body_mut().with_config().limit(u64::MAX).reader();
    let mut source = body.take(MOST_READ);
    let found = found::read(&mut source, wanted);
    Ok(Feed { found, cut: source.limit() == 0, media_type })
}

fn judge(
    check: String,
    address: &str,
    feed: &Feed,
    ids: Option<&BTreeSet<String>>,
    key: Option<&str>,
) -> Outcome {
    let Feed { found, cut, media_type } = feed;
    let products = match found.products {
        1 => "1 product".to_owned(),
        count => format!("{count} products"),
    };
    let missing: Vec<&str> = ids
        .into_iter()
        .flatten()
        .filter(|id| !found.known.contains(*id))
        .map(String::as_str)
        .collect();
    let checked = ids.map_or(0, BTreeSet::len);
    if ids.is_some() && missing.is_empty() {
        return Outcome::ok(check, format!("{address}: all {checked} ids are among {products}"));
    }
    if *cut {
        let read = MOST_READ / (1024 * 1024);
        let text = format!("{address}: only the first {read} MB were read, with {products}");
        return Outcome::unknown(check, text, "compare the ids where the feed is made");
    }
    match &found.broken {
        None => {}
        Some(Broken::Cut) => {
            let text = format!("{address}: it ends before its last tag, after {products}");
            return Outcome::wrong(check, text, "let the shop write all of it");
        }
        Some(Broken::Refused(refusal)) => {
            let text = format!("{address}: {refusal} ({media_type})");
            let fix = "the platform's documents ask for RSS 2.0 with Google's attributes, one <item> \
                       a product, its id in <g:id>";
            return Outcome::unknown(check, text, fix);
        }
        Some(Broken::Stopped(reason)) => {
            let text = format!("{address}: it stopped after {products}: {reason}");
            return Outcome::unknown(
                check,
                text,
                "try again later, or let the shop serve it faster",
            );
        }
    }
    if let Some(first) = found.skipped.first.first() {
        let count = found.skipped.count;
        let (place, reason) = (first.place, first.reason.as_str());
        let text = format!(
            "{address}: {count} of its products cannot be read beside {products}; product {place}: {reason}"
        );
        return Outcome::wrong(check, text, "put right how the shop writes them");
    }
    if found.products == 0 {
        let text = format!("{address}: no product with a g:id ({media_type})");
        let fix = "the platform's documents ask for RSS 2.0 with Google's attributes, one <item> a \
                   product, its id in <g:id>";
        return Outcome::unknown(check, text, fix);
    }
    if ids.is_none() {
        let text = format!("{address}: {products}; no ids to compare");
        let fix = "`--ids FILE` compares the product ids that your events carry, one a line";
        return Outcome::unknown(check, text, fix);
    }
    let mut examples = missing.iter().take(EXAMPLES).copied().collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = missing.len().checked_sub(EXAMPLES) {
        examples = format!("{examples} and {more} more");
    }
    let are = if missing.len() == 1 { "is" } else { "are" };
    let text = format!(
        "{address}: {} of {checked} ids {are} not among {products}: {examples}",
        missing.len()
    );
    Outcome::wrong(check, text, fix(found, key))
}

/// What to do about ids that the feed does not have.
fn fix(found: &Found, key: Option<&str>) -> String {
    let mut parts =
        vec!["let every event carry as productKey what the feed has as <g:id>".to_owned()];
    let most = found.elsewhere.iter().max_by_key(|(_, ids)| ids.len());
    parts.extend(most.map(|(name, ids)| format!("as {name} it has {} of them", ids.len())));
    parts.push(match key {
        Some(key) => format!("kit.toml says it is the {key} (`product_key`)"),
        None => "write down in `product_key` which of the shop's ids that is".to_owned(),
    });
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use esputnik_kit::catalogue::feed::Refusal;

    use super::*;
    use crate::check::report::Verdict;

    fn feed(products: u64, known: &[&str], broken: Option<Broken>) -> Feed {
        let known = known.iter().map(ToString::to_string).collect();
        let found = Found { products, known, broken, ..Found::default() };
        Feed { found, cut: false, media_type: "text/xml".to_owned() }
    }

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    fn judged(feed: &Feed, wanted: &[&str]) -> Outcome {
        let wanted = ids(wanted);
        let wanted = Some(&wanted).filter(|wanted| !wanted.is_empty());
        judge("feed".to_owned(), "https://shop.ua/feed.xml", feed, wanted, Some("sku"))
    }

    #[test]
    fn missing_ids_are_counted_and_three_of_them_named() {
        let outcome = judged(&feed(5, &["1"], None), &["1", "2", "3", "4", "5"]);
        assert_eq!(outcome.verdict, Verdict::Wrong);
        assert!(outcome.text.ends_with("4 of 5 ids are not among 5 products: 2, 3, 4 and 1 more"));
        assert!(outcome.fix.unwrap().contains("<g:id>; kit.toml says it is the sku"));
        assert_eq!(judged(&feed(5, &["1"], None), &["1"]).verdict, Verdict::Ok);
    }

    #[test]
    fn the_attribute_that_was_taken_for_the_id_is_named() {
        let mut feed = feed(2, &[], None);
        feed.found.elsewhere.insert("item_group_id", ids(&["P1"]));
        assert!(judged(&feed, &["P1"]).fix.unwrap().contains("as item_group_id it has 1 of them"));
    }

    #[test]
    fn what_was_not_read_to_its_end_says_nothing_of_missing_ids() {
        let cut = Feed { cut: true, ..feed(9, &[], Some(Broken::Cut)) };
        assert_eq!(judged(&cut, &["1"]).verdict, Verdict::Unknown);
        assert_eq!(judged(&feed(9, &[], Some(Broken::Cut)), &["1"]).verdict, Verdict::Wrong);
        let late = feed(9, &[], Some(Broken::Stopped("timeout".to_owned())));
        assert_eq!(judged(&late, &["1"]).verdict, Verdict::Unknown);
        let encoded = feed(9, &[], Some(Broken::Refused(Refusal::Encoding("KOI8-U".to_owned()))));
        assert_eq!(judged(&encoded, &["1"]).verdict, Verdict::Unknown);
        assert!(judged(&encoded, &["1"]).text.contains("KOI8-U"));
        assert_eq!(judged(&feed(0, &[], None), &["1"]).verdict, Verdict::Unknown);
        assert_eq!(judged(&feed(9, &[], None), &[]).verdict, Verdict::Unknown);
    }

    #[test]
    fn only_https_is_read_and_http_on_this_machine() {
        for address in
            ["http://shop.ua/feed.xml", "ftp://shop.ua/feed.xml", "http://localhost:1@shop.ua/"]
        {
            let (text, _) = fetch(address, &BTreeSet::new()).unwrap_err();
            assert!(text.contains("https"), "{address}: {text}");
        }
    }
}
