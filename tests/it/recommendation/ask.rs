//! What pages ask for, as an object and as a query, and what the platform is asked then.

use std::collections::BTreeMap;

use esputnik_kit::{
    api::{Method, Pool},
    config::recommendations::{Block, Source},
    identity::WebId,
    json,
    problem::Code,
    recommendation::{Ask, Filter, Person},
    value::Value,
};
use proptest::prelude::*;

use super::ask;

/// The examples of the vendor's pages.
fn example(id: &str) -> Value {
    let examples = json::parse(include_str!("../../data/site.json")).unwrap();
    let examples = examples.as_list().unwrap().iter();
    let found = |example: &&Value| example.member("id").and_then(Value::as_text) == Some(id);
    examples.clone().find(found).unwrap().member("payload").unwrap().clone()
}

/// The parameters of a call of `eS` among the examples.
fn parameters(id: &str) -> Value {
    example(id).member("args").and_then(Value::as_list).unwrap()[1].clone()
}

fn block(source: &str) -> Block {
    let text = match source {
        "mobile" => r#"{"source": "mobile"}"#.to_owned(),
        source => format!(r#"{{"source": "{source}", "data_source": 1244}}"#),
    };
    serde_json::from_str(&text).unwrap()
}

fn browser(id: &str) -> Person {
    Person::Browser(WebId::parse(id).unwrap())
}

#[test]
fn the_vendors_examples_are_read() {
    assert_eq!(Ask::read(&parameters("REC-01")).unwrap().variant, "r554v778");
    let cart = Ask::read(&parameters("REC-03")).unwrap();
    assert_eq!(cart.products, ["123", "543534"]);
    let filtered = Ask::read(&parameters("REC-05")).unwrap();
    let city = Filter { name: "city".into(), values: vec!["Kiev".into(), "Kharkiv".into()] };
    assert_eq!(filtered.filters.include, [city]);
}

#[test]
fn a_query_says_the_same_as_the_object() {
    let object = ask(
        r#"{"variantId": "r1v2", "productId": 7, "productIds": ["A B", "Ж"], "categoryKey": "Tents & more",
            "categoryField": "tags_all_category_names", "allFields": true,
            "filters": {"exclude": [{"name": "brand", "values": ["A+B", "100%"]}]}}"#,
    );
    let query = "product=7&products=A%20B%2C%D0%96&category=Tents%20%26%20more\
                 &category_field=tags_all_category_names&all_fields=1&lang=uk&sc=x\
                 &filters=%7B%22exclude%22%3A%5B%7B%22name%22%3A%22brand%22%2C%22values%22%3A%5B%22A%2BB%22%2C%22100%25%22%5D%7D%5D%7D";
    assert_eq!(Ask::from_query("r1v2", query).unwrap(), object);
    assert_eq!(Ask::from_query("r1v2", "").unwrap(), ask(r#"{"variantId": "r1v2"}"#));
    // As a form sends what nobody has filled in.
    let empty = "product=&products=&category=&category_field=&all_fields=&filters=";
    assert_eq!(Ask::from_query("r1v2", empty).unwrap(), ask(r#"{"variantId": "r1v2"}"#));
}

#[test]
fn what_cannot_be_used_is_named_with_what_to_do() {
    let long = "x".repeat(201);
    let many = |count: usize, entry: &str| vec![entry; count].join(",");
    let filter = r#"{"name": "a", "values": ["b"]}"#;
    for (parameters, code, field) in [
        ("[]".to_owned(), Code::WrongType, ""),
        ("{}".into(), Code::MissingField, "variantId"),
        (r#"{"variantId": "  "}"#.into(), Code::MissingField, "variantId"),
        (r#"{"variantId": {}}"#.into(), Code::WrongType, "variantId"),
        (format!(r#"{{"variantId": "{long}"}}"#), Code::TooLong, "variantId"),
        (r#"{"variantId": "r1v1", "productId": ["1"]}"#.into(), Code::WrongType, "productId"),
        (
            r#"{"variantId": "r1v1", "productIds": ["1", null]}"#.into(),
            Code::WrongType,
            "productIds[1]",
        ),
        (
            format!(
                r#"{{"variantId": "r1v1", "productIds": [{}]}}"#,
                (0..101).map(|id| id.to_string()).collect::<Vec<_>>().join(",")
            ),
            Code::TooMany,
            "productIds",
        ),
        (
            r#"{"variantId": "r1v1", "productId": "a\u0000b"}"#.into(),
            Code::ForbiddenCharacter,
            "productId",
        ),
        (
            r#"{"variantId": "r1v1", "categoryField": "tags_x"}"#.into(),
            Code::MissingField,
            "categoryKey",
        ),
        (r#"{"variantId": "r1v1", "allFields": "maybe"}"#.into(), Code::WrongType, "allFields"),
        (r#"{"variantId": "r1v1", "filters": []}"#.into(), Code::WrongType, "filters"),
        (
            r#"{"variantId": "r1v1", "filters": {"includes": []}}"#.into(),
            Code::UnknownValue,
            "filters.includes",
        ),
        (
            r#"{"variantId": "r1v1", "filters": {"include": [{"values": ["a"]}]}}"#.into(),
            Code::MissingField,
            "filters.include[0].name",
        ),
        (
            r#"{"variantId": "r1v1", "filters": {"should": [{"name": "a", "values": []}]}}"#.into(),
            Code::MissingField,
            "filters.should[0].values",
        ),
        (
            r#"{"variantId": "r1v1", "filters": {"exclude": [{"name": "a", "values": [{}]}]}}"#
                .into(),
            Code::WrongType,
            "filters.exclude[0].values[0]",
        ),
        (
            format!(r#"{{"variantId": "r1v1", "filters": {{"include": [{}]}}}}"#, many(21, filter)),
            Code::TooMany,
            "filters.include",
        ),
        (
            format!(
                r#"{{"variantId": "r1v1", "filters": {{"include": [{{"name": "a", "values": [{}]}}]}}}}"#,
                many(101, "\"b\"")
            ),
            Code::TooMany,
            "filters.include[0].values",
        ),
    ] {
        let problem = Ask::read(&json::parse(&parameters).unwrap()).unwrap_err();
        assert_eq!((problem.code, problem.field.as_str()), (code, field), "{parameters}");
        assert!(!problem.fix.is_empty());
    }
    let problem = Ask::from_query("r1v1", "filters=%7Binclude").unwrap_err();
    assert_eq!((problem.code, problem.field.as_str()), (Code::InvalidBody, "filters"));
}

#[test]
fn an_object_survives_the_way_to_another_part_of_the_worker() {
    for parameters in [
        r#"{"variantId": "r1v2"}"#,
        r#"{"variantId": "home", "productIds": ["1", "2"], "categoryKey": "c", "allFields": 1}"#,
        r#"{"variantId": "r1v2", "categoryKey": "c", "categoryField": "f",
            "filters": {"include": [{"name": "a", "values": [true, 3]}], "should": {"name": "b", "values": "c"}}}"#,
    ] {
        let ask = ask(parameters);
        assert_eq!(Ask::read(&ask.to_value()).unwrap(), ask);
    }
}

#[test]
fn the_rest_api_is_asked_for_one_person_by_one_name() {
    let about =
        ask(r#"{"variantId": "r1v2", "productIds": ["a/b", "c"], "categoryKey": "Tents & more"}"#);
    let target = |person: &Person| about.contact_call(&block("contact"), person).unwrap().target;
    let end = "&products=a%2Fb%2Cc&category=Tents%20%26%20more";
    let start = "/v2/contacts/recoms/1244?";
    assert_eq!(target(&browser("CDA6-1")), [start, "webId=CDA6-1", end].concat());
    let proven = Person::Proven("externalCustomerId", "C 7".into());
    assert_eq!(target(&proven), [start, "externalCustomerId=C%207", end].concat());
    let proven = Person::Proven("email", "a+b@c.d".into());
    assert_eq!(target(&proven), [start, "email=a%2Bb%40c.d", end].concat());
    assert_eq!(about.contact_call(&block("contact"), &Person::Nobody), None);
    let call = about.contact_call(&block("contact"), &browser("x")).unwrap();
    assert_eq!((call.method, call.pool, call.body), (Method::Get, Pool::Shared, None));
}

#[test]
fn a_token_is_asked_for_by_whom_it_is_for() {
    let body = |person: Person| person.new_token_call().unwrap().body.unwrap();
    assert_eq!(body(browser("CDA6-1")), r#"{"cookie":"CDA6-1"}"#);
    let proven = Person::Proven("externalCustomerId", "1234509876".into());
    assert_eq!(body(proven), r#"{"externalCustomerId":"1234509876"}"#);
    assert_eq!(Person::Nobody.new_token_call(), None);
    let about = ask(r#"{"variantId": "r1v2", "productId": "5"}"#);
    let call = about.token_call(&block("token")).unwrap();
    assert_eq!((call.target.as_str(), call.pool), ("/v1/recoms/1244?products=5", Pool::ContactApi));
}

#[test]
fn the_mobile_style_api_gets_the_body_of_the_vendors_example_and_the_filters_that_it_has() {
    let documented = example("REC-11");
    let documented = documented.member("body").unwrap();
    let about = ask(r#"{"variantId": "r1107v1482", "productIds": ["240-LV09", "24-WG080"]}"#);
    let call = about.variant_call("r1107v1482");
    assert_eq!(
        (call.method, call.target.as_str()),
        (Method::Post, "/v1/recoms/r1107v1482/request")
    );
    let body = json::parse(&call.body.unwrap()).unwrap();
    assert_eq!(body.member("products"), documented.member("products"));
    assert_eq!((body.member("category"), body.member("filters")), (None, None));
    let fields = body.member("fields").and_then(Value::as_list).unwrap();
    let wanted = documented.member("fields").and_then(Value::as_list).unwrap();
    assert!(wanted.iter().all(|field| fields.contains(field)), "{fields:?}");

    let about = ask(
        r#"{"variantId": "r1v2", "categoryKey": "Kyiv", "categoryField": "city", "allFields": true,
            "filters": {"include": [{"name": "brand", "values": ["A", "B"]}],
                        "exclude": [{"name": "colour", "values": ["red"]}]}}"#,
    );
    let body = about.variant_call("r1v2").body.unwrap();
    let filters = r#"[{"name":"brand","values":["A","B"]},{"name":"city","values":["Kyiv"]}]"#;
    assert_eq!(body, format!(r#"{{"filters":{filters}}}"#));
}

#[test]
fn nobody_in_particular_has_no_answer_of_their_own() {
    let about = ask(r#"{"variantId": "r1v2"}"#);
    assert_eq!(about.key("r1v2", Source::Contact, &Person::Nobody), None);
    assert_eq!(about.key("r1v2", Source::Token, &Person::Nobody), None);
    let mobile = about.key("r1v2", Source::Mobile, &Person::Nobody);
    assert_eq!(mobile, about.key("r1v2", Source::Mobile, &browser("x")), "the same for everybody");
    for person in [browser("x"), Person::Proven("phone", "380501234567".into())] {
        let (name, own) = person.name().unwrap();
        assert_eq!(Person::named(name, own), Some(person.clone()));
    }
    assert_eq!((Person::Nobody.name(), Person::named("contactId", "1")), (None, None));
    assert!(Ask::is_personal(Source::Contact) && Ask::is_personal(Source::Token));
    assert!(!Ask::is_personal(Source::Mobile));
}

/// Few names, so that they often meet, and signs that a careless key would trip over.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]", Just("a,b".to_owned()), Just("\"".to_owned()), Just("a\\".to_owned())]
}

fn filters() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    prop::collection::vec((name(), prop::collection::vec(name(), 1..3)), 0..2)
}

prop_compose! {
    fn any_ask()(
        products in prop::collection::vec(name(), 0..3),
        category in prop::option::of(name()),
        by_field in any::<bool>(),
        all_fields in any::<bool>(),
        include in filters(),
        exclude in filters(),
    ) -> Ask {
        let list = |filters: &[(String, Vec<String>)]| {
            let filters = filters.iter().map(|(name, values)| {
                serde_json::json!({"name": name, "values": values})
            });
            filters.collect::<Vec<_>>()
        };
        let mut parameters = serde_json::json!({
            "variantId": "r1v2", "productIds": products, "allFields": all_fields,
            "filters": {"include": list(&include), "exclude": list(&exclude)},
        });
        if let Some(category) = category {
            parameters["categoryKey"] = category.into();
            if by_field {
                parameters["categoryField"] = "f".into();
            }
        }
        ask(&parameters.to_string())
    }
}

fn any_person() -> impl Strategy<Value = Person> {
    let name = prop_oneof![Just("externalCustomerId"), Just("email"), Just("phone")];
    prop_oneof![
        Just(Person::Nobody),
        "[ab:]{1,2}".prop_map(|id| browser(&id)),
        (name, "[ab:]{1,2}").prop_map(|(name, own)| Person::Proven(name, own)),
    ]
}

/// What goes to the platform, but for the order of the products, which makes no difference.
fn asked(ask: &Ask, source: Source, person: &Person) -> Option<String> {
    let mut sorted = ask.clone();
    sorted.products.sort();
    match source {
        Source::Mobile => sorted.variant_call("r1v2").body,
        Source::Token => {
            let whose = person.new_token_call()?.body.unwrap();
            Some([sorted.token_call(&block("token"))?.target, whose].concat())
        }
        _ => Some(sorted.contact_call(&block("contact"), person)?.target),
    }
}

proptest! {
    #[test]
    fn two_asks_share_a_key_exactly_if_the_platform_is_asked_the_same_for_the_same_person(
        asks in prop::collection::vec((any_ask(), any_person()), 2..12),
        source in prop_oneof![Just(Source::Contact), Just(Source::Token), Just(Source::Mobile)],
    ) {
        let mut by_key: BTreeMap<String, (String, Person)> = BTreeMap::new();
        let mut by_call: BTreeMap<String, String> = BTreeMap::new();
        // One product with a comma in its id is asked for like two.
        let is_odd = |ask: &Ask| ask.products.iter().any(|id| id.contains(','));
        for (ask, person) in &asks {
            let key = ask.key("r1v2", source, person);
            let asked = asked(ask, source, person);
            prop_assert_eq!(key.is_some(), asked.is_some());
            let (Some(key), Some(asked)) = (key, asked) else { continue };
            if !is_odd(ask) {
                let known = by_call.entry(asked.clone()).or_insert_with(|| key.clone());
                prop_assert_eq!(&*known, &key);
            }
            let (same, whose) =
                by_key.entry(key).or_insert_with(|| (asked.clone(), person.clone()));
            prop_assert_eq!(&*same, &asked);
            if Ask::is_personal(source) {
                prop_assert_eq!(&*whose, person);
            }
        }
    }
}
