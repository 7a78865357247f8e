//! A deployment's settings: what is taken, what is refused by name, and what a page may learn.

use esputnik_kit::{config::Config, value::Value};
use serde_json::json;

/// Settings with these changes to a sound minimum: a pointer and a value each.
fn config(changes: &[(&str, serde_json::Value)]) -> Result<Config, Vec<String>> {
    let mut settings = json!({
        "version": 1,
        "outbox": {},
        "sites": {"main": {"hosts": ["shop.example"], "site_id": "8A412DC"}},
    });
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        settings.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    let config: Config =
        serde_json::from_value(settings).map_err(|error| vec![error.to_string()])?;
    match config.validate() {
        Ok(()) => Ok(config),
        Err(errors) => {
            assert!(errors.iter().all(|error| !error.fix.is_empty()));
            Err(errors.into_iter().map(|error| error.setting).collect())
        }
    }
}

/// The change is refused by a problem at exactly this setting.
#[track_caller]
fn refused(pointer: &str, value: serde_json::Value, setting: &str) {
    let settings = config(&[(pointer, value.clone())]).expect_err(&value.to_string());
    assert_eq!(settings.len(), 1, "{value}: {settings:?}");
    assert!(settings[0].starts_with(setting), "{value}: {settings:?}");
}

#[track_caller]
fn taken(pointer: &str, value: serde_json::Value) -> Config {
    config(&[(pointer, value.clone())]).unwrap_or_else(|errors| panic!("{value}: {errors:?}"))
}

const MAIN: &str = "/sites/main";

#[test]
fn a_version_that_this_build_does_not_read_is_refused() {
    for version in [0, 2, 99] {
        refused("/version", json!(version), "version");
    }
}

#[test]
fn a_setting_that_does_not_exist_is_refused_by_name() {
    for pointer in ["/api_key", "/outbox/shard", "/sites/main/host", "/sites/main/siteId"] {
        let name = pointer.rsplit('/').next().unwrap();
        let error = config(&[(pointer, json!("x"))]).unwrap_err().remove(0);
        assert!(error.contains(&format!("unknown field `{name}`")), "{error}");
    }
}

#[test]
fn the_path_is_one_or_more_plain_segments() {
    for path in ["/k", "/kit/v1", "/a_b-C9"] {
        assert_eq!(taken("/path", json!(path)).path, path);
    }
    for path in ["", "/", "k", "/k/", "//k", "/k//a", "/..", "/k?x", "/k#", "/к", "/k k", "/%2e"] {
        refused("/path", json!(path), "path");
    }
}

#[test]
fn shards_are_between_one_and_1024() {
    for shards in [1, 2, 1023, 1024] {
        assert_eq!(taken("/outbox/shards", json!(shards)).outbox.shards, shards);
    }
    for shards in [0, 1025, u32::MAX] {
        refused("/outbox/shards", json!(shards), "outbox.shards");
    }
}

#[test]
fn a_later_generation_says_how_many_shards_there_were() {
    refused("/outbox", json!({"generation": 2}), "outbox.previous_shards");
    taken("/outbox", json!({"generation": 2, "shards": 4, "previous_shards": 1}));
}

#[test]
fn an_invocation_may_make_at_least_ten_requests() {
    refused("/outbox/subrequests", json!(9), "outbox.subrequests");
    taken("/outbox/subrequests", json!(10));
    taken("/outbox/subrequests", json!(10_000));
}

#[test]
fn there_is_at_least_one_site_with_a_plain_name() {
    refused("/sites", json!({}), "sites");
    let site = json!({"hosts": ["shop.example"], "site_id": "8A412DC"});
    for name in ["", "a b", "a/b", "../x", "a.b", "é"] {
        refused("/sites", json!({name: site}), &format!("sites.{name}"));
    }
    taken("/sites", json!({"main-UA_2": site}));
}

#[test]
fn no_site_is_named_like_what_the_worker_serves() {
    // By the table in its source.
    let routes = include_str!("../../worker/src/routes.rs");
    let rows = routes.lines().filter_map(|line| line.strip_prefix("//! | "));
    let addresses = rows.filter_map(|row| row.split(" | ").next()).flat_map(|row| row.split(", "));
    // `POST t`, `<any> api/…`, but neither `GET kit.js` nor `GET <site>/kit.js`.
    let first = |address: &'static str| -> Option<&str> {
        let path = address.split('`').nth(1)?.rsplit(' ').next()?;
        let path = path.split(['/', '?']).next()?;
        path.bytes().all(|b| b.is_ascii_alphanumeric()).then_some(path)
    };
    let mut reserved: Vec<&str> = addresses.filter_map(first).collect();
    reserved.sort_unstable();
    reserved.dedup();
    assert_eq!(reserved.len(), 23, "{reserved:?}");
    let site = json!({"hosts": ["shop.example"], "site_id": "8A412DC"});
    for name in reserved {
        refused("/sites", json!({name: site}), &format!("sites.{name}"));
    }
}

#[test]
fn a_feed_has_an_address_of_https_and_a_time_between_an_hour_and_a_week() {
    let feed = |name: &str, value: serde_json::Value| {
        let mut feed = json!({"address": "https://shop.example/feed.xml?token=a&b=c%20d"});
        feed[name] = value;
        feed
    };
    let config = taken("/sites/main/feed", feed("fields", json!(["brand", "tags_colour"])));
    assert_eq!(config.sites["main"].feed.as_ref().unwrap().hours, 24);
    for (name, value, setting) in [
        ("address", json!("http://shop.example/feed.xml"), "address"),
        ("address", json!("https://shop.example/feed.xml#x"), "address"),
        ("address", json!("https://a@shop.example/feed.xml"), "address"),
        ("address", json!("https://shop.example/feed.xml?a b"), "address"),
        ("address", json!(""), "address"),
        ("hours", json!(0), "hours"),
        ("hours", json!(169), "hours"),
        ("fields", json!(["brand", "g:brand"]), "fields[1]"),
        ("fields", json!(["category"]), "fields[0]"),
        ("fields", json!(vec!["brand"; 11]), "fields"),
    ] {
        refused("/sites/main/feed", feed(name, value), &format!("sites.main.feed.{setting}"));
    }
    refused("/sites/main/feed", json!({}), "sites.main.feed.address");
}

#[test]
fn fields_without_a_proof_are_some_of_those_with_one() {
    let calls = |unproven: &str| json!({"contact_fields": ["email", "firstName"], "unproven_fields": [unproven]});
    taken("/sites/main/calls", calls("firstName"));
    refused("/sites/main/calls", calls("lastName"), "sites.main.calls.unproven_fields[0]");
}

#[test]
fn events_that_write_orders_are_not_opened_to_pages() {
    for list in ["events", "proven_events"] {
        taken("/sites/main/calls", json!({list: ["callRequested"]}));
        for key in ["orderCreated", "orderUpdated", "orderDelivered", "ORDERCANCELLED"] {
            let setting = format!("sites.main.calls.{list}[1]");
            refused("/sites/main/calls", json!({list: ["callRequested", key]}), &setting);
        }
    }
}

#[test]
fn hosts_are_bare_names_in_lower_case_with_a_port_where_it_is_not_the_usual_one() {
    for host in ["shop.example", "localhost:8787", "127.0.0.1:8080", "xn--80ak6aa92e.com", "a-b.c"]
    {
        taken("/sites/main/hosts", json!([host]));
    }
    for host in [
        "",
        "https://shop.example",
        "shop.example/",
        "Shop.example",
        "shop..example",
        ".shop.example",
        "shop.example.",
        "*.shop.example",
        "shop.example:",
        "shop.example:x",
        "shop.example:99999",
        "a@shop.example",
        "shop example",
        "магазин.укр",
    ] {
        refused("/sites/main/hosts", json!([host]), "sites.main.hosts");
    }
    refused("/sites/main/hosts", json!([]), "sites.main.hosts");
}

#[test]
fn a_host_and_an_id_belong_to_one_site() {
    let other = |host: &str, id: &str| json!({"hosts": [host], "site_id": id});
    refused("/sites/other", other("shop.example", "OTHER"), "sites.other.hosts");
    refused("/sites/other", other("other.example", "8A412DC"), "sites.other.site_id");
    refused("/sites/main/hosts", json!(["a.b", "a.b"]), "sites.main.hosts");
    taken("/sites/other", other("other.example", "OTHER"));
}

#[test]
fn a_site_id_is_letters_digits_and_underscores() {
    for id in ["8A412DC", "site_id", &"a".repeat(64)] {
        taken("/sites/main/site_id", json!(id));
    }
    for id in ["", "8A 412", "8A-412", "8A\"", &"a".repeat(65)] {
        refused("/sites/main/site_id", json!(id), "sites.main.site_id");
    }
}

#[test]
fn a_tracker_is_https_or_on_this_machine() {
    for tracker in
        ["https://tracker.example/api/v2", "http://127.0.0.1:9000/api/v2", "http://localhost/x"]
    {
        let config = taken("/sites/main/tracker", json!(tracker));
        assert_eq!(config.sites["main"].tracker(), tracker);
    }
    for tracker in [
        "",
        "tracker.example",
        "http://tracker.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "https://user@tracker.example/",
        "https://localhost@evil.example/",
        "https://tracker.example/?x",
        "https://tracker.example/#x",
        "https://tracker.example\\@evil.example",
        "ftp://tracker.example/",
        "https:///api/v2",
        "https://TRACKER.example/",
        "javascript://x",
    ] {
        refused("/sites/main/tracker", json!(tracker), "sites.main.tracker");
    }
}

#[test]
fn each_brand_has_its_tracker() {
    for (brand, host) in [
        ("yespo", "https://tracker.yespo.io/api/v2"),
        ("esputnik", "https://tracker.esputnik.com/api/v2"),
        ("reteno", "https://tracker.esputnik.com/api/v2"),
    ] {
        assert_eq!(taken("/sites/main/brand", json!(brand)).sites["main"].tracker(), host);
    }
    assert!(config(&[("/sites/main/brand", json!("Yespo"))]).is_err());
}

#[test]
fn a_cookies_domain_covers_every_host_of_the_site() {
    let with = |hosts: serde_json::Value, domain: &str| {
        config(&[("/sites/main/hosts", hosts), ("/sites/main/cookie_domain", json!(domain))])
    };
    assert!(
        with(json!(["shop.example", "m.shop.example", "a.b.shop.example"]), "shop.example").is_ok()
    );
    assert!(with(json!(["shop.example:8443"]), "shop.example").is_ok());
    for domain in
        ["other.example", "op.example", "m.shop.example", ".shop.example", "shop.example:8"]
    {
        let errors = with(json!(["shop.example"]), domain).unwrap_err();
        assert_eq!(errors, ["sites.main.cookie_domain"], "{domain}");
    }
}

#[test]
fn only_the_listed_words_are_taken() {
    for (setting, words) in [
        ("consent", &["denied", "granted", "cmp"][..]),
        ("mode", &["replace", "beside"]),
        ("jurisdiction", &["eu", "us"]),
    ] {
        let pointer = [MAIN, "/", setting].concat();
        for word in words {
            taken(&pointer, json!(word));
        }
        for word in ["", "Denied", "EU", "yes", "true"] {
            assert!(config(&[(&pointer, json!(word))]).is_err(), "{setting} = {word}");
        }
    }
}

#[test]
fn what_is_not_said_is_the_careful_choice() {
    let config = config(&[]).unwrap();
    let site = serde_json::to_value(&config.sites["main"]).unwrap();
    assert_eq!(site["consent"], "denied");
    assert_eq!((&site["gpc"], &site["mode"]), (&json!(true), &json!("replace")));
    assert_eq!((config.path.as_str(), config.outbox.subrequests), ("/k", 50));
}

#[test]
fn every_problem_is_listed_at_once() {
    let problems = config(&[
        ("/path", json!("k")),
        ("/outbox/subrequests", json!(1)),
        ("/sites/main/site_id", json!("")),
        ("/sites/other", json!({"hosts": ["https://x"], "site_id": "OTHER"})),
    ])
    .unwrap_err();
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn settings_survive_being_written_and_read() {
    let config = taken("/sites/main/cookie_domain", json!("shop.example"));
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
}

#[test]
fn an_origin_is_matched_as_a_whole() {
    let config = taken("/sites/main/hosts", json!(["shop.example", "localhost:8787"]));
    for origin in ["https://shop.example", "http://localhost:8787", "https://localhost:8787"] {
        assert_eq!(config.site_of_origin(origin).map(|(name, _)| name), Some("main"), "{origin}");
    }
    for origin in [
        "",
        "null",
        "shop.example",
        "http://shop.example",
        "ftp://shop.example",
        "https://shop.example/",
        "https://shop.example:443",
        "https://shop.example.evil",
        "https://evilshop.example",
        "https://shop.example@evil.example",
        "https://m.shop.example",
        "https://SHOP.EXAMPLE",
        "HTTPS://shop.example",
        " https://shop.example",
        "https://shop.example https://shop.example",
        "http://localhost",
        "http://localhost:8788",
        "https://https://shop.example",
    ] {
        assert_eq!(config.site_of_origin(origin).map(|(name, _)| name), None, "{origin}");
    }
}

#[test]
fn a_site_is_found_by_host_and_by_id() {
    let other = json!({"hosts": ["other.example"], "site_id": "OTHER"});
    let config = taken("/sites/other", other);
    let name = |found: Option<(&str, _)>| found.map(|(name, _)| name.to_owned());
    assert_eq!(name(config.site_of_host("other.example")), Some("other".into()));
    assert_eq!(name(config.site_of_host("third.example")), None);
    assert_eq!(name(config.site_of_id("8A412DC")), Some("main".into()));
    assert_eq!(name(config.site_of_id("8a412dc")), None);
}

#[test]
fn a_page_learns_nothing_of_the_account() {
    let config = config(&[
        ("/sites/main/site_id", json!("SECRET1")),
        ("/sites/main/tracker", json!("https://secret2.example/api")),
        ("/sites/main/product_key", json!("secret3")),
    ])
    .unwrap();
    let part = Value::Object(config.sites["main"].page_part("main")).to_json();
    assert!(part.contains("\"main\""), "{part}");
    for secret in ["SECRET1", "secret2", "secret3", "api"] {
        assert!(!part.contains(secret), "{part}");
    }
}
