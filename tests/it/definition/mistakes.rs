use esputnik_kit::definition::{Definition, Mistake};
use serde_json::{Value, json};

use super::{definition, news};

/// What is wrong with [`news`] once this member is this.
fn wrong(pointer: &str, value: Value) -> String {
    let mut form = news();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match form.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
    let mistakes = definition(form).mistakes();
    assert!(!mistakes.is_empty(), "{pointer} is taken");
    let line = |mistake: &Mistake| format!("{}: {}", mistake.place, mistake.fix);
    mistakes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_right_form_has_no_mistakes() {
    assert_eq!(definition(news()).mistakes(), []);
}

#[test]
fn a_form_that_asks_for_no_address_is_refused() {
    let found = wrong("/pages", json!([{"fields": [{"kind": "first_name"}]}]));
    assert!(found.starts_with("pages[0].fields: ask for an \"email\""), "{found}");
}

#[test]
fn what_cannot_be_used_is_named_with_its_place() {
    for (pointer, value, place) in [
        ("/form_type", json!("a;b"), "form_type"),
        ("/event", json!("called"), "event"),
        ("/launcher", json!({"text": "Open"}), "launcher"),
        ("/redirect", json!("javascript:alert(1)"), "redirect"),
        ("/theme", json!({"colour": "red"}), "theme.colour"),
        ("/theme", json!({"accent": "red;background:url(x)"}), "theme.accent"),
        ("/languages", json!({"Polish": {}}), "languages.Polish"),
        ("/languages", json!({"pl": {"buton": "x"}}), "languages.pl.buton"),
        ("/split", json!({"test": "a", "from": 50, "to": 50}), "split.to"),
        ("/limits", json!({"contact_per_day": 0}), "limits"),
        ("/show", json!({"when": {}}), "show.when"),
        ("/show", json!({"when": {"scroll": 101}}), "show.when.scroll"),
        ("/show", json!({"who": {"pages": {"include": ["catalog"]}}}), "show.who.pages.include"),
        ("/show", json!({"who": {"utm": {"sauce": ["a"]}}}), "show.who.utm.sauce"),
        ("/pages/0/fields/2", json!({"kind": "text", "label": "Size"}), "pages[0].fields[2].field"),
        ("/pages/0/fields/2", json!({"kind": "text", "field": 1}), "pages[0].fields[2].label"),
        ("/pages/0/fields/2", json!({"kind": "consent"}), "pages[0].fields[2].label"),
        ("/pages/0/fields/2", json!({"kind": "email"}), "pages[0].fields[2]"),
        ("/pages/0/fields/3", json!({"kind": "subscriptions"}), "pages[0].fields[3].options"),
        ("/pages/0/fields/1/country", json!("UA"), "pages[0].fields[1].country"),
        ("/pages/0/image", json!({"url": "/a.png"}), "pages[0].image.width"),
    ] {
        let found = wrong(pointer, value);
        assert!(found.starts_with(&format!("{place}: ")), "{pointer}: {found}");
    }
}

#[test]
fn a_request_names_its_event_and_its_parameters() {
    let request = |change: fn(&mut Value)| {
        let mut form = json!({
            "kind": "request",
            "event": "callRequested",
            "pages": [{"fields": [{"kind": "text", "param": "size", "label": "Size"}]}],
        });
        change(&mut form);
        let mistakes = definition(form).mistakes();
        mistakes.first().map(|mistake| mistake.place.clone())
    };
    assert_eq!(request(|_| ()), None);
    let place = |place: &str| Some(place.to_owned());
    assert_eq!(request(|form| form["event"] = Value::Null), place("event"));
    assert_eq!(request(|form| form["event"] = "ORDERcreated".into()), place("event"));
    assert_eq!(request(|form| form["segments"] = json!(["A"])), place("segments"));
    assert_eq!(request(|form| form["open_to_all"] = true.into()), place("pages[0].fields"));
    let param = "/pages/0/fields/0/param";
    // Whose it is, the form's fields must not say.
    for name in ["contactId", "externalCustomerId", "webid", "EMAIL", "a b"] {
        let mut form = json!({
            "kind": "request",
            "event": "callRequested",
            "pages": [{"fields": [{"kind": "text", "param": "size", "label": "Size"}]}],
        });
        *form.pointer_mut(param).unwrap() = name.into();
        let mistakes = definition(form).mistakes();
        assert_eq!(mistakes[0].place, "pages[0].fields[0].param", "{name}");
    }
}

#[test]
fn heights_are_kept_for_inline_forms_from_no_width_on() {
    for odd in
        [json!([[600, 400]]), json!([[0, 400], [0, 300]]), json!([[0, 0]]), json!([[0, 20000]])]
    {
        assert!(wrong("/reserve", odd.clone()).starts_with("reserve: give widths"), "{odd}");
    }
    let mut form = news();
    form["reserve"] = json!([[0, 460], [600, 400]]);
    assert_eq!(definition(form.clone()).mistakes(), []);
    form["layout"] = "popup".into();
    assert_eq!(definition(form).mistakes()[0].place, "reserve");
}

#[test]
fn a_misspelt_member_is_refused() {
    let mut form = news();
    form["segmants"] = json!(["News"]);
    let error = serde_json::from_value::<Definition>(form).unwrap_err().to_string();
    assert!(error.contains("unknown field `segmants`"), "{error}");
    let mut form = news();
    form["pages"][0]["fields"][0]["kind"] = "mail".into();
    let error = serde_json::from_value::<Definition>(form).unwrap_err().to_string();
    assert!(error.contains("give one of email, phone"), "{error}");
}

#[test]
fn what_was_read_is_written_the_same() {
    let mut form = news();
    form["show"] = json!({
        "when": {"mode": "all", "scroll": 50, "exit": true},
        "who": {"visitors": "new", "device": ["mobile"], "pages": {"exclude": ["/cart*"]}},
        "frequency": {"every": 3600},
        "stop": {"idle": 30, "closes": 2, "after_subscription": "this"},
        "interval": "drop",
        "priority": 2,
    });
    let first = definition(form);
    let text = serde_json::to_string(&first).unwrap();
    assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), first);
}

#[test]
fn the_demo_s_forms_can_be_used() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/www/shop/forms");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let form: Definition = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(form.mistakes(), [], "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 3);
}
