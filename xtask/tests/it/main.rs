//! `cargo xtask check` as its user runs it, against the platform's stand-in.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail like the test itself")]

mod rig;

use serde_json::{Value, json};

use crate::rig::{FeedServer, KEY, Rig};

const FEED: &str = "<rss><channel>\
    <item><g:id>24-MB01</g:id></item><item><g:id>24-MB02</g:id></item>\
    <item><g:id>24-MB03</g:id><g:item_group_id>PARENT</g:item_group_id></item>\
    </channel></rss>";

#[test]
fn without_a_key_the_settings_alone_are_checked() {
    let rig = Rig::start();
    let run = rig.check_with(None, &[]);
    assert!(run.success, "{run:?}");
    assert!(run.out.contains("site main: 0a1b2c3 at Yespo"), "{run:?}");
    assert!(!run.out.contains("connection"), "{run:?}");
    assert_eq!(run.err.matches("KIT_API_KEY").count(), 1, "{run:?}");
    assert_eq!(rig.requests(), 0);
}

#[test]
fn an_account_that_fits_passes() {
    let rig = Rig::start();
    rig.register("shop.ua");
    let server = FeedServer::start(FEED);
    rig.set_feed(&server.address);
    let ids = rig.file("ids.txt", "24-MB01\n24-MB02\n");
    let run = rig.check(&["--ids", &ids, "--event", "--json"]);
    assert!(run.success, "{run:?}");
    let lines = run.lines();
    for check in [
        "connection",
        "right general",
        "right contact-read",
        "right contact-update",
        "right messages",
        "right activity",
        "right events",
        "tracked domain, site main",
        "script",
        "site id, site main",
        "feed uk",
    ] {
        assert_eq!(verdict(&lines, check), "ok", "{check}: {run:?}");
    }
    assert!(text(&lines, "connection").contains("Sandbox (id 12345)"), "{run:?}");
    assert_eq!(rig.events(), 1);
    assert!(!server.heard().to_lowercase().contains("authorization"));
}

#[test]
fn nothing_is_changed_unless_it_is_asked_for() {
    let rig = Rig::start();
    rig.register("shop.ua");
    let before = rig.requests();
    let run = rig.check(&["--json"]);
    assert!(run.success, "{run:?}");
    let lines = run.lines();
    assert_eq!(verdict(&lines, "right events"), "unknown");
    assert_eq!(verdict(&lines, "feed"), "unknown");
    assert!(text(&lines, "feed").contains("no product feed"));
    let made = rig.methods(before);
    assert!(made.len() > 4 && made.iter().all(|method| method == "GET"), "{made:?}");
}

#[test]
fn a_refused_key_ends_the_check_and_is_not_shown() {
    let rig = Rig::start();
    let run = rig.check_with(Some("a-wrong-key-90210"), &[]);
    assert!(!run.success);
    assert!(run.out.contains("wrong    connection: "), "{run:?}");
    assert!(run.out.contains("90 days") && run.out.contains("make a key"), "{run:?}");
    assert!(!run.out.contains("right "), "{run:?}");
    assert_eq!(rig.requests(), 1);
}

#[test]
fn a_key_of_some_groups_is_told_which_right_is_missing() {
    let rig = Rig::start();
    rig.register("shop.ua");
    rig.put("/settings", &json!({"api_keys": [{"key": KEY, "groups": ["general", "events"]}]}));
    let run = rig.check(&["--json"]);
    assert!(!run.success);
    let lines = run.lines();
    assert_eq!(verdict(&lines, "connection"), "ok");
    assert_eq!(verdict(&lines, "right general"), "ok");
    for group in ["contact-read", "contact-update", "messages", "activity"] {
        let line = line(&lines, &format!("right {group}"));
        assert_eq!(line["verdict"], "wrong");
        assert!(line["fix"].as_str().unwrap().contains(group), "{line}");
    }
    // Not known, which is another matter than not there.
    for check in ["tracked domain", "script", "site id, site main", "feed"] {
        assert_eq!(verdict(&lines, check), "unknown", "{check}: {run:?}");
    }
    let run = rig.check(&["--json", "--event"]);
    assert_eq!(verdict(&run.lines(), "right events"), "ok");
    assert_eq!(rig.events(), 1);
}

#[test]
fn a_key_without_the_name_of_its_organisation_goes_on() {
    let rig = Rig::start();
    rig.put("/settings", &json!({"api_keys": [{"key": KEY, "groups": ["contact-read"]}]}));
    let run = rig.check(&["--json"]);
    let lines = run.lines();
    assert_eq!(verdict(&lines, "connection"), "ok");
    assert_eq!(verdict(&lines, "right general"), "wrong");
    assert_eq!(verdict(&lines, "right contact-read"), "ok");
}

#[test]
fn a_domain_that_is_not_registered_and_another_shops_are_wrong() {
    let rig = Rig::start();
    let run = rig.check(&["--json"]);
    assert!(!run.success);
    let lines = run.lines();
    let line = line(&lines, "tracked domain, site main");
    assert_eq!(line["verdict"], "wrong");
    assert!(line["fix"].as_str().unwrap().contains("register shop.ua"), "{line}");
    assert_eq!(verdict(&lines, "script"), "unknown");

    rig.register("other.ua");
    let run = rig.check(&["--json"]);
    assert!(!run.success);
    assert_eq!(verdict(&run.lines(), "tracked domain, site main"), "wrong");
}

#[test]
fn a_wrong_site_id_is_told_with_the_right_one() {
    let rig = Rig::of_site("8A412DC");
    rig.register("shop.ua");
    for arguments in [&["--json"][..], &["--json", "--confirm-site-id"]] {
        let run = rig.check(arguments);
        assert!(!run.success);
        let lines = run.lines();
        let line = line(&lines, "site id, site main");
        assert_eq!(line["verdict"], "wrong");
        assert!(line["fix"].as_str().unwrap().contains("\"0a1b2c3\""), "{line}");
    }
}

#[test]
fn a_script_with_the_long_id_alone_is_no_mismatch_and_registering_again_tells() {
    let rig = Rig::of_site("8A412DC");
    rig.register("shop.ua");
    let snippet = "'https://statics.esputnik.com/scripts/0123456789ABCDEF0123456789ABCDEF.js'";
    rig.put("/faults", &json!({"body": snippet, "match": {"path": "/api/v1/site/script"}}));
    let run = rig.check(&["--json"]);
    assert!(run.success, "{run:?}");
    let lines = run.lines();
    assert_eq!(verdict(&lines, "site id, site main"), "unknown");
    assert!(text(&lines, "script").contains("0123456789ABCDEF0123456789ABCDEF"));
    let run = rig.check(&["--json", "--confirm-site-id"]);
    assert!(!run.success);
    assert_eq!(verdict(&run.lines(), "site id, site main"), "wrong");
}

#[test]
fn ids_that_the_feed_does_not_have_are_counted_with_examples() {
    let rig = Rig::start();
    rig.register("shop.ua");
    let server = FeedServer::start(FEED);
    rig.set_feed(&server.address);
    let ids = rig.file("ids.json", r#"["24-MB01", "PARENT", 1, 2, 3]"#);
    let run = rig.check(&["--ids", &ids]);
    assert!(!run.success);
    assert!(run.out.contains("4 of 5 ids are not among 3 products: 1, 2, 3 and 1 more"), "{run:?}");
    assert!(run.out.contains("as item_group_id it has 1 of them"), "{run:?}");
    assert!(run.out.contains("product_key"), "{run:?}");
}

#[test]
fn a_feed_that_is_cut_short_is_wrong_and_a_page_in_its_place_is_told() {
    let rig = Rig::start();
    rig.register("shop.ua");
    let server = FeedServer::start("<rss><channel><item><g:id>24-MB01</g:id></item>");
    rig.set_feed(&server.address);
    let ids = rig.file("ids.txt", "24-MB02");
    let run = rig.check(&["--ids", &ids, "--json"]);
    assert!(!run.success);
    let lines = run.lines();
    assert_eq!(verdict(&lines, "feed uk"), "wrong");
    assert!(text(&lines, "feed uk").contains("ends before its last tag"), "{run:?}");

    let server = FeedServer::start("<html><body>Not here</body></html>");
    rig.set_feed(&server.address);
    let run = rig.check(&["--ids", &ids, "--json"]);
    let lines = run.lines();
    assert_eq!(verdict(&lines, "feed uk"), "unknown");
    assert!(text(&lines, "feed uk").contains("it is <html>"), "{run:?}");
}

#[test]
fn a_platform_that_has_no_room_is_waited_for() {
    let rig = Rig::start();
    rig.register("shop.ua");
    let fault = json!({"status": 429, "retry_after": "1", "count": 2});
    rig.put("/faults", &fault);
    let run = rig.check(&["--json"]);
    assert!(run.success, "{run:?}");
    assert_eq!(run.err.matches("once more in 1 s").count(), 2, "{run:?}");
    // Longer than anybody would sit there for.
    let fault = json!({"status": 429, "retry_after": "3000",
                       "match": {"path": "/api/v1/broadcasts"}});
    rig.put("/faults", &fault);
    let run = rig.check(&["--json"]);
    let lines = run.lines();
    let line = line(&lines, "right messages");
    assert_eq!(line["verdict"], "unknown");
    assert!(line["fix"].as_str().unwrap().contains("3000 s"), "{line}");
    assert_eq!(verdict(&lines, "right activity"), "ok");
}

#[test]
fn an_answer_that_leads_elsewhere_or_echoes_the_key_gives_nothing_away() {
    let rig = Rig::start();
    let elsewhere = FeedServer::start("{}");
    rig.put("/faults", &json!({"redirect": elsewhere.address}));
    let run = rig.check(&[]);
    assert!(!run.success);
    assert!(run.out.contains("wrong    connection"), "{run:?}");
    assert_eq!(elsewhere.heard(), "");

    let echo = json!({"status": 400, "body": format!("who is {KEY}?\u{1b}[2J")});
    rig.put("/faults", &echo);
    let run = rig.check(&[]);
    assert!(run.out.contains("who is …?"), "{run:?}");
    assert!(!run.out.contains('\u{1b}'));
}

#[test]
fn a_platform_that_is_not_there_is_said_to_be_unreachable() {
    let rig = Rig::start();
    rig.put("/faults", &json!({"down": true}));
    let run = rig.check(&["--json"]);
    assert!(!run.success);
    let lines = run.lines();
    assert_eq!(verdict(&lines, "connection"), "wrong");
    assert!(text(&lines, "connection").contains("cannot be reached"), "{run:?}");
    assert_eq!(lines.len(), 1, "{run:?}");
}

#[test]
fn forms_are_told_what_the_account_lacks_and_what_to_look_at() {
    let rig = Rig::start();
    rig.register("shop.ua");
    let settings = rig.read("kit.toml") + "forms = [\"news\"]\n";
    rig.file("kit.toml", &settings);
    let form = |fields: Value| {
        let form = json!({
            "form_type": "footer",
            "segments": ["News"],
            "subscriptions": ["news"],
            "turnstile": {"site_key": "1x0"},
            "promo_code": {"kind": "WELCOME", "event": "welcomeCode"},
            "pages": [{"fields": fields}],
        });
        form.to_string()
    };
    let email = json!({"kind": "email"});
    let known = json!({"kind": "text", "field": 12345, "label": "Profession"});
    rig.file("forms/news.json", &form(json!([email, known])));
    rig.file("forms/unseen.json", &form(json!([email])));
    let run = rig.check(&["--json"]);
    assert!(run.out.contains("forms.unseen") && run.out.contains("no site shows it"), "{run:?}");
    let lines = run.lines();
    assert_eq!(verdict(&lines, "form news, fields"), "ok");
    assert_eq!(verdict(&lines, "form news, categories"), "ok");
    assert_eq!(verdict(&lines, "segment News"), "unknown");
    // The stand-in's account has one that is active.
    assert_eq!(verdict(&lines, "double opt-in, workflows"), "wrong");
    assert!(text(&lines, "form news, event").contains("subscribeFromApi-footer"), "{run:?}");
    for check in ["message", "confirmation", "Turnstile"] {
        assert_eq!(verdict(&lines, &format!("form news, {check}")), "unknown", "{check}");
    }
    assert!(!run.out.contains("form unseen"), "{run:?}");
    assert_eq!(verdict(&lines, "promo codes WELCOME"), "wrong");
    assert!(text(&lines, "form news, promo code").contains("welcomeCode"), "{run:?}");
    rig.add_codes("WELCOME", &["A", "B"]);

    let unknown = json!({"kind": "text", "field": 99, "label": "?"});
    let weekly = json!({"kind": "subscriptions", "options": [{"value": "weekly"}]});
    rig.file("forms/news.json", &form(json!([email, unknown, weekly])));
    let lines = rig.check(&["--json"]).lines();
    assert_eq!(verdict(&lines, "form news, fields"), "wrong");
    assert!(text(&lines, "form news, fields").ends_with("no 99"));
    assert!(text(&lines, "form news, categories").ends_with("no weekly"));
    assert_eq!(text(&lines, "promo codes WELCOME"), "2 are unused");
}

fn line<'a>(lines: &'a [Value], check: &str) -> &'a Value {
    let found = lines.iter().find(|line| line["check"] == check);
    found.unwrap_or_else(|| panic!("no line on {check}: {lines:?}"))
}

fn verdict<'a>(lines: &'a [Value], check: &str) -> &'a str {
    line(lines, check)["verdict"].as_str().unwrap()
}

fn text<'a>(lines: &'a [Value], check: &str) -> &'a str {
    line(lines, check)["text"].as_str().unwrap()
}
