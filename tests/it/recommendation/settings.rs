//! What the settings of recommendations say, and what they may not.

use std::collections::BTreeMap;

use esputnik_kit::config::{
    Config,
    recommendations::{Fallback, OutOfStock, Source, Template, Where},
};
use serde_json::{Value, json};

fn config(recommendations: Value) -> Result<Config, String> {
    let settings = json!({
        "version": 1,
        "sites": {"main": {"hosts": ["shop.example"], "site_id": "8A412DC", "recommendations": recommendations}},
    });
    Config::from_json(&settings.to_string())
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// A change of the settings, the setting that is named then, and words of what to do.
type Wrong = (fn(&mut Value), &'static str, &'static str);

fn block() -> Value {
    json!({"source": "contact", "data_source": 1244})
}

#[test]
fn a_block_with_its_source_is_enough() {
    let config = config(json!({"blocks": {"r12v34": block()}})).unwrap();
    let all = &config.sites["main"].recommendations;
    assert_eq!((all.budget, all.fresh, all.stale), (300, 300, 86_400));
    assert_eq!(all.out_of_stock, OutOfStock::Hide);
    assert_eq!(all.mobile(), "https://mobile-api.reteno.com/api");
    assert_eq!(all.mobile_header(), "X-Reteno-Access-Key");
    let block = &all.blocks["r12v34"];
    assert_eq!((block.source, block.data_source), (Source::Contact, Some(1244)));
    assert_eq!((block.fallback, block.size), (Fallback::Bestsellers, 12));
    assert_eq!((block.template, block.buy), (Template::Grid, false));
}

#[test]
fn everything_that_can_be_said_survives_the_way_through_json() {
    let all = json!({
        "budget": 500, "fresh": 60, "stale": 3600, "out_of_stock": "last",
        "mobile_address": "https://mobile.example/api", "mobile_header": "X-Key",
        "contact_address": "https://contact.example",
        "blocks": {
            "r12v34": {
                "source": "token", "data_source": 7, "fallback": "feed", "size": 4,
                "container_type": "19534_r12v34", "header": {"en": "For you", "uk": "Для вас"},
                "template": "carousel", "buy": true,
                "place": {"selector": "#main > .next", "where": "after", "pages": ["/product/*", "*"]},
                "reserve": [[0, 900], [600, 500]],
            },
            "r12v35": {"source": "mobile", "fallback": "none"},
        },
        "tests": {"home": {"variants": {"r12v34": 30, "r12v35": 70}}},
    });
    let config = config(all).unwrap();
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(Config::from_json(&text).unwrap(), config);
    let block = &config.sites["main"].recommendations.blocks["r12v34"];
    assert_eq!(block.place.as_ref().unwrap().at, Where::After);
    assert_eq!(block.reserve, [(0, 900), (600, 500)]);
    assert_eq!(block.header.in_language("uk", "en"), "Для вас");
}

#[test]
fn what_cannot_be_used_is_named_with_what_to_do() {
    let with = |change: fn(&mut Value)| {
        let mut all = json!({
            "blocks": {"r12v34": block(), "r12v35": block()},
            "tests": {"home": {"variants": {"r12v34": 50, "r12v35": 50}}},
        });
        change(&mut all);
        config(all).expect_err("wrong settings")
    };
    let wrong: [Wrong; 26] = [
        (|all| all["budget"] = json!(49), "budget", "50 to 5000"),
        (|all| all["budget"] = json!(5001), "budget", "50 to 5000"),
        (|all| all["fresh"] = json!(0), "fresh", "1 to 86400"),
        (|all| all["stale"] = json!(299), "stale", "as many seconds as `fresh`"),
        (|all| all["stale"] = json!(2_592_001), "stale", "2592000"),
        (|all| all["mobile_address"] = json!("http://a.b"), "mobile_address", "https"),
        (|all| all["contact_address"] = json!("https://a.b?x"), "contact_address", "https"),
        (|all| all["mobile_header"] = json!("X Key"), "mobile_header", "name a header"),
        (|all| all["blocks"]["home"] = block(), "blocks.home", "r12v34"),
        (
            |all| all["blocks"]["r12v34"]["source"] = json!("token"),
            "blocks.r12v34.source",
            "contact_address",
        ),
        (
            |all| all["blocks"]["r12v34"] = json!({"source": "contact"}),
            "blocks.r12v34.data_source",
            "1244",
        ),
        (
            |all| all["blocks"]["r12v34"]["data_source"] = json!(0),
            "blocks.r12v34.data_source",
            "1244",
        ),
        (
            |all| all["blocks"]["r12v34"]["source"] = json!("mobile"),
            "blocks.r12v34.data_source",
            "leave it out",
        ),
        (|all| all["blocks"]["r12v34"]["size"] = json!(0), "blocks.r12v34.size", "1 to 50"),
        (|all| all["blocks"]["r12v34"]["size"] = json!(51), "blocks.r12v34.size", "1 to 50"),
        (
            |all| all["blocks"]["r12v34"]["container_type"] = json!("a b"),
            "blocks.r12v34.container_type",
            "19534",
        ),
        (
            |all| all["blocks"]["r12v34"]["place"] = json!({"selector": " "}),
            "blocks.r12v34.place.selector",
            "#main",
        ),
        (
            |all| all["blocks"]["r12v34"]["place"] = json!({"selector": "a", "pages": ["product"]}),
            "blocks.r12v34.place.pages[0]",
            "/product/*",
        ),
        (
            |all| all["blocks"]["r12v34"]["reserve"] = json!([[600, 500]]),
            "blocks.r12v34.reserve",
            "from 0",
        ),
        (
            |all| all["blocks"]["r12v34"]["reserve"] = json!([[0, 500], [0, 600]]),
            "blocks.r12v34.reserve",
            "upwards",
        ),
        (
            |all| all["blocks"]["r12v34"]["reserve"] = json!([[0, 0]]),
            "blocks.r12v34.reserve",
            "height",
        ),
        (
            |all| all["tests"]["r1v1"] = all["tests"]["home"].clone(),
            "tests.r1v1",
            "not like a variant",
        ),
        (|all| all["tests"]["Home"] = all["tests"]["home"].clone(), "tests.Home", "small letters"),
        (
            |all| all["tests"]["home"]["variants"] = json!({"r12v34": 50, "r9v9": 50}),
            "tests.home.variants.r9v9",
            "add its block",
        ),
        (
            |all| all["tests"]["home"]["variants"] = json!({"r12v34": 100}),
            "tests.home.variants",
            "2 to 8",
        ),
        (
            |all| all["tests"]["home"]["variants"] = json!({"r12v34": 50, "r12v35": 49}),
            "tests.home.variants",
            "100 visitors",
        ),
    ];
    for (change, setting, fix) in wrong {
        let error = with(change);
        assert!(error.starts_with(&format!("sites.main.recommendations.{setting}: ")), "{error}");
        assert!(error.contains(fix) && !error.contains('\n'), "{error}");
    }
    for (name, value) in [("source", "other"), ("fallback", "x"), ("template", "x"), ("kind", "x")]
    {
        let mut odd = block();
        odd[name] = value.into();
        let error = config(json!({"blocks": {"r12v34": odd}})).expect_err(name);
        assert!(error.contains("unknown"), "{error}");
    }
}

#[test]
fn visitors_of_a_test_are_split_as_it_says_and_stay_where_they_are() {
    let blocks = json!({"r1v1": block(), "r1v2": block(), "r1v3": block()});
    let tests = json!({
        "home": {"variants": {"r1v1": 20, "r1v2": 30, "r1v3": 50}},
        "cart": {"variants": {"r1v1": 20, "r1v2": 30, "r1v3": 50}},
    });
    let config = config(json!({"blocks": blocks, "tests": tests})).unwrap();
    let all = &config.sites["main"].recommendations;
    let chosen = |test: &str, visitor: &str| all.choose(test, Some(visitor)).unwrap().0.to_owned();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut both = 0;
    for visitor in 0..10_000 {
        let visitor = format!("visitor-{visitor}");
        let variant = chosen("home", &visitor);
        assert_eq!(chosen("home", &visitor), variant);
        both += u32::from(chosen("cart", &visitor) == variant);
        *counts.entry(variant).or_default() += 1;
    }
    for (variant, share) in [("r1v1", 2000), ("r1v2", 3000), ("r1v3", 5000)] {
        assert!(counts[variant].abs_diff(share) < 200, "{counts:?}");
    }
    // By chance 0.2² + 0.3² + 0.5² of them.
    assert!(both.abs_diff(3800) < 250, "two tests split independently: {both}");
    assert_eq!(all.choose("home", None).unwrap().0, "r1v1");
    assert_eq!(all.choose("r1v2", Some("x")).unwrap().0, "r1v2");
    assert!(all.choose("r9v9", None).is_none() && all.choose("away", None).is_none());
}
