use esputnik_kit::{
    definition::{
        Interval, Words,
        page::{Confirmation, SecondStep, Sheet},
        render::{self, Filled},
        view,
    },
    node::Node,
};
use serde_json::{Value, json};

use super::{definition, news};

fn view_in(form: Value, languages: &[&str]) -> Value {
    let definition = definition(form);
    let words = Words::choose(&definition, languages);
    serde_json::from_str(&view::view("news", &definition, &words).to_json()).unwrap()
}

fn html(form: Value, filled: &Filled) -> String {
    let definition = definition(form);
    let words = Words::choose(&definition, &["en"]);
    let mut html = String::new();
    render::form("news", &definition, &words, filled).write_html(&mut html);
    html
}

#[test]
fn a_view_does_not_tell_what_the_worker_keeps() {
    let mut form = news();
    form["segments"] = json!(["Secret segment"]);
    form["promo_code"] = json!({"kind": "WELCOME", "event": "welcomeCode"});
    let text = view_in(form, &["en"]).to_string();
    for kept in
        ["footer", "Secret segment", "segments", "form_type", "limits", "WELCOME", "welcomeCode"]
    {
        assert!(!text.contains(kept), "{kept} in {text}");
    }
}

#[test]
fn a_code_that_is_the_same_for_all_stands_in_the_end_of_a_form() {
    assert!(!view_in(news(), &["en"])["tree"].to_string().contains("es-code"));
    let mut form = news();
    form["thanks"] = json!({"code": "SALE10"});
    let tree = view_in(form, &["en"])["tree"].clone();
    let thanks = tree.as_array().unwrap().iter().find(|node| node[1]["class"] == "es-thanks");
    let thanks = thanks.expect("the end of the form").to_string();
    assert!(thanks.contains(r#"["output",{"class":"es-code","dir":"auto"},"SALE10"]"#), "{thanks}");
}

#[test]
fn the_language_is_the_first_wish_that_the_form_speaks() {
    for (wishes, language) in [
        (&["uk"][..], "uk"),
        (&["uk-UA"], "uk"),
        (&["UK_ua"], "uk"),
        (&["fr", "uk"], "uk"),
        (&["fr"], "en"),
        (&[], "en"),
        (&["<script>"], "en"),
    ] {
        let view = view_in(news(), wishes);
        assert_eq!(view["lang"], language, "{wishes:?}");
    }
    let view = view_in(news(), &["uk"]);
    assert_eq!(view["messages"]["wrong_missing"], "Заповніть це поле.");
    assert!(view["tree"].to_string().contains("Новини"));
}

#[test]
fn a_language_of_the_definition_s_own_falls_back_word_by_word() {
    let mut form = news();
    form["languages"] = json!({"ar": {"button": "اشترك"}});
    let view = view_in(form, &["ar"]);
    assert_eq!((&view["lang"], &view["dir"]), (&json!("ar"), &json!("rtl")));
    let tree = view["tree"].to_string();
    assert!(tree.contains("اشترك"), "{tree}");
    assert_eq!(view["messages"]["wrong_missing"], "Please fill this in.");
}

/// Every text of a tree, with the direction that it is written in.
fn directions<'a>(node: &'a Node, direction: &'a str, texts: &mut Vec<(&'a str, &'a str)>) {
    match node {
        Node::Text(text) => texts.push((text, direction)),
        Node::Element { tag, attributes, children } => {
            // Options are the browser's own to write.
            let own = attributes.iter().find(|(name, _)| *name == "dir");
            let own = own.map_or(direction, |(_, own)| own.as_str());
            for child in children.iter().filter(|_| *tag != "option") {
                directions(child, own, texts);
            }
        }
    }
}

#[test]
fn texts_in_another_language_than_the_form_s_run_their_own_way() {
    let mut form = news();
    form["languages"] = json!({"ar": {"button": "اشترك"}});
    form["thanks"] = json!({"code": "SALE10"});
    form["pages"][0]["text"] = "Twice a month. See our [policy](/privacy).".into();
    form["pages"][0]["fields"][0]["hint"] = "We write once a week.".into();
    let fields = form["pages"][0]["fields"].as_array_mut().unwrap();
    fields.push(json!({"kind": "consent", "label": "I agree."}));
    fields
        .push(json!({"kind": "radio", "field": 7, "label": "Size?", "options": [{"value": "S"}]}));
    form["second_step"] = json!([{"title": "More", "fields": [{"kind": "last_name"}]}]);
    let definition = definition(form);
    let words = Words::choose(&definition, &["ar"]);
    let mut filled = Filled::default();
    filled.wrong = vec![("email".into(), "missing")];
    filled.status = Some("look_again");
    let tree = render::form("news", &definition, &words, &filled);
    let mut texts = Vec::new();
    directions(&tree, "", &mut texts);
    assert!(texts.contains(&("Please fill this in.", "auto")), "{texts:?}");
    // What people do not see may run as it likes.
    let other: Vec<_> = texts.iter().filter(|(_, direction)| *direction != "auto").collect();
    assert_eq!(other, [&("Company site", "rtl")]);
    let html = html(news(), &Filled::default());
    for name in ["email", "firstName", "12345"] {
        let (_, input) = html.split_once(&format!(" name=\"{name}\"")).unwrap();
        let (input, _) = input.split_once('>').unwrap();
        assert!(input.contains("dir=\"auto\""), "{input}");
    }
}

#[test]
fn nothing_of_a_text_becomes_an_element() {
    let mut form = news();
    let hostile = "<img src=x onerror=alert(1)>\"'&";
    form["pages"][0]["title"] = hostile.into();
    form["pages"][0]["fields"][0]["placeholder"] = hostile.into();
    form["pages"][0]["text"] =
        "[me](javascript:alert(1)) [you](https://a.example/?a=1&b=\"2)".into();
    let mut filled = Filled::default();
    filled.values = vec![("email".into(), hostile.into())];
    filled.wrong = vec![("email".into(), "email")];
    let html = html(form, &filled);
    assert!(!html.contains("<img"), "{html}");
    assert!(!html.contains("href=\"javascript"), "{html}");
    assert!(html.contains("href=\"https://a.example/?a=1&amp;b=&quot;2\""), "{html}");
    assert!(
        html.contains("value=\"&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\""),
        "{html}"
    );
    assert!(html.contains("aria-invalid=\"true\""), "{html}");
    assert!(html.contains("Please give an address like name@example.com."), "{html}");
}

#[test]
fn every_input_has_a_label_and_a_place_for_its_message() {
    let html = html(news(), &Filled::default());
    let ids = |start: &str| {
        let parts = html.split(start).skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let known = ids(" id=\"");
    let mut seen = known.clone();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), known.len(), "an id stands twice: {known:?}");
    for target in ids(" for=\"").into_iter().chain(ids("aria-describedby=\"")) {
        for id in target.split(' ') {
            assert!(known.iter().any(|own| own == id), "{id} of {known:?}");
        }
    }
}

#[test]
fn without_script_nothing_of_the_second_step_is_asked_for() {
    let mut form = news();
    form["second_step"] = json!([{"fields": [{"kind": "last_name", "required": true}]}]);
    let html = html(form, &Filled::default());
    let second =
        html.split("<fieldset class=\"es-page\"").nth(1).expect("it is a group of its own");
    let (attributes, _) = second.split_once('>').unwrap();
    assert!(attributes.contains(" disabled") && attributes.contains(" hidden"), "{attributes}");
}

#[test]
fn a_page_of_a_form_s_own_has_one_heading_of_the_first_rank() {
    let thanked =
        json!({"pages": [{"fields": [{"kind": "email"}]}], "thanks": {"title": "Thanks"}});
    let asks = json!({
        "kind": "request",
        "layout": "popup",
        "launcher": {"text": "Ask us"},
        "event": "asked",
        "open_to_all": true,
        "pages": [{"fields": [{"kind": "email"}]}],
    });
    let mut titled = news();
    titled["pages"][0]["title"] = "News".into();
    for (form, own, end) in [
        (titled, "News", "Almost done"),
        (thanked, "Subscribe", "Thanks"),
        (asks, "Ask us", "Thank you"),
    ] {
        let definition = definition(form);
        let words = Words::choose(&definition, &["en"]);
        let sheet = Sheet { id: "news", definition: &definition, words: &words, style: "" };
        let asked = Confirmation { typed: &[], token: "t", status: None };
        let next = SecondStep { typed: &[], token: "t" };
        for (page, heading) in [
            (sheet.form(&Filled::default()), own),
            (sheet.second_step(&next, None), end),
            (sheet.second_step_again(&next, &Filled::default()), own),
            (sheet.confirmation(&asked), "One more step"),
            (sheet.end(None), end),
            (sheet.trouble("failed"), own),
        ] {
            let headings: Vec<&str> = page.split("<h1").skip(1).collect();
            assert_eq!(headings.len(), 1, "{page}");
            let (_, text) = headings[0].split_once('>').unwrap();
            assert!(text.starts_with(&[heading, "</h1>"].concat()), "{heading}: {page}");
        }
    }
}

#[test]
fn what_may_be_left_out_is_marked_where_a_step_asks_for_more_than_one_thing() {
    let marked = |first: Value, second: Value| {
        let form = json!({"pages": [{"fields": first}], "second_step": [{"fields": second}]});
        html(form, &Filled::default()).matches("es-optional").count()
    };
    let [email, phone, name] = ["email", "phone", "last_name"].map(|kind| json!({"kind": kind}));
    assert_eq!(marked(json!([email]), json!([name])), 0);
    assert_eq!(marked(json!([email]), json!([phone, name])), 2);
    assert_eq!(marked(json!([email, phone]), json!([name])), 2);
}

#[test]
fn a_tree_is_what_html_is() {
    let node = Node::of("p", "a").with("title", "\"").text("1 < 2").child(Node::new("br"));
    let tree: Value = serde_json::from_str(&node.to_value().to_json()).unwrap();
    assert_eq!(tree, json!(["p", {"class": "a", "title": "\""}, "1 < 2", ["br", {}]]));
    let mut html = String::new();
    node.write_html(&mut html);
    assert_eq!(html, "<p class=\"a\" title=\"&quot;\">1 &lt; 2<br></p>");
}

#[test]
fn the_list_holds_what_decides_when_a_form_shows() {
    let mut form = news();
    form["layout"] = "popup".into();
    form["show"] = json!({"when": {"scroll": 50}, "frequency": "session"});
    let definition = definition(form);
    let forms = [("news", &definition)].into_iter();
    let list = view::list("main", true, Interval::Views(3), "links", forms, &[]);
    let list: Value = serde_json::from_str(&list.to_json()).unwrap();
    assert_eq!(list["interval"], json!({"views": 3}));
    let form = &list["forms"][0];
    assert_eq!((&form["id"], &form["layout"]), (&json!("news"), &json!("popup")));
    assert_eq!(form["show"]["when"], json!({"mode": "any", "scroll": 50}));
    assert_eq!(form["show"]["frequency"], "session");
    assert_eq!(form["show"]["stop"]["closes"], 3);
    assert!(form.get("segments").is_none());
    assert!(form["show"]["who"].get("pages").is_none());
}

#[test]
fn a_subscription_does_not_end_a_request() {
    let request = definition(json!({
        "kind": "request",
        "event": "callRequested",
        "open_to_all": true,
        "launcher": {"text": "Ask us"},
        "layout": "box",
        "pages": [{"fields": [{"kind": "phone", "required": true}]}],
    }));
    let news = definition(news());
    let forms = [("call", &request), ("news", &news)].into_iter();
    let list = view::list("main", true, Interval::default(), "links", forms, &["en"]);
    let list: Value = serde_json::from_str(&list.to_json()).unwrap();
    assert_eq!(list["forms"][0]["show"]["stop"]["after_subscription"], "no");
    assert_eq!(list["forms"][0]["launcher"], "Ask us");
    assert!(list["forms"][1].get("show").is_none());
}

#[test]
fn a_style_keeps_the_places_of_forms_as_high_as_their_definitions_say() {
    let mut form = news();
    form["reserve"] = json!([[0, 460], [600, 400]]);
    let (kept, other) = (definition(form), definition(news()));
    let style = view::reserved([("kept", &kept), ("other", &other)].into_iter());
    let place = ":where(es-form[form=\"kept\"],[data-es-form=\"kept\"]:not(form))";
    for (width, height) in [(0, 460), (600, 400)] {
        let rule = format!("@media(min-width:{width}px){{{place}{{min-height:{height}px}}}}");
        assert!(style.contains(&rule), "{style}");
    }
    assert!(!style.contains("other"), "{style}");
    assert_eq!(view::reserved([("other", &other)].into_iter()), "");
}

#[test]
fn pages_look_for_contacts_in_links_where_a_form_asks_who_is_known() {
    let links = |form: Value| {
        let definition = definition(form);
        let forms = [("news", &definition)].into_iter();
        let list = view::list("main", true, Interval::default(), "links", forms, &[]);
        list.member("links").is_some()
    };
    let mut form = news();
    assert!(!links(form.clone()));
    form["show"] = json!({"when": {"exit": true}, "who": {"known": false}});
    assert!(links(form));
    let mut request = json!({"kind": "request", "event": "asked", "pages": [{"fields": []}]});
    assert!(links(request.clone()));
    request["open_to_all"] = true.into();
    assert!(!links(request));
}
