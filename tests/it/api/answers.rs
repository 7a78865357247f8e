//! What the platform answers in place of what it announces.

use esputnik_kit::{
    api::{Kind, Reply},
    problem::Code,
};

use super::{named, reply};

fn clean(id: &str, text: &str) -> String {
    named(id).decode(&reply(200, text), 0).unwrap().value.to_json()
}

#[test]
fn one_object_in_place_of_a_list_is_a_list_of_one() {
    assert_eq!(
        clean(
            "contactsBulkUpdate",
            r#"{"failedContacts": {"error": "bad"}, "asyncSessionId": "a", "id": 0}"#
        ),
        r#"{"failedContacts":[{"error":"bad"}],"asyncSessionId":"a","id":0}"#
    );
    assert_eq!(
        clean("getContactSubscriptionCategories", r#"{"id": 1, "key": "news"}"#),
        r#"[{"id":1,"key":"news"}]"#
    );
    assert_eq!(
        clean("searchWorkflows", r#"[{"id": 1, "tags": "a"}]"#),
        r#"[{"id":1,"tags":["a"]}]"#
    );
}

#[test]
fn text_under_a_json_type_is_text() {
    assert_eq!(
        clean("updateContact", "Contact with id='7' has been updated"),
        r#""Contact with id='7' has been updated""#
    );
    assert_eq!(clean("changeContactSubscriptionCategories", r#""done""#), r#""done""#);
    assert_eq!(clean("generateApiKey", r#""ey.token""#), r#""ey.token""#);
}

#[test]
fn json_inside_a_string_is_json() {
    let inner = r#"[{"code": "A"}]"#;
    let text = esputnik_kit::value::Value::text(inner).to_json();
    assert_eq!(clean("getPromocodes", &text), r#"[{"code":"A"}]"#);
    assert_eq!(clean("getPromocodes", inner), r#"[{"code":"A"}]"#);
    assert_eq!(clean("getPromocodesCount", "12"), "12");
}

#[test]
fn nothing_at_all_is_a_success() {
    assert_eq!(clean("registerEvent_1", ""), "null");
    assert_eq!(clean("ordersBulkInsert", ""), "{}");
    assert_eq!(clean("searchContacts", ""), "[]");
    assert_eq!(clean("removeOrders", " \n"), "null");
}

#[test]
fn text_before_the_json_is_left_out() {
    let text = "Deprecated: mbstring in a.php on line 3\n{\"id\": \"42\"}";
    let clean = named("addContact").decode(&reply(200, text), 0).unwrap();
    assert_eq!(clean.value.to_json(), r#"{"id":42}"#);
    assert_eq!(clean.warnings[0].code, Code::Unclean);
    let clean = named("addContact").decode(&reply(200, "\u{feff}{\"id\": 42}"), 0).unwrap();
    assert_eq!((clean.value.to_json().as_str(), clean.warnings.len()), (r#"{"id":42}"#, 0));
}

#[test]
fn what_cannot_be_read_costs_nothing_else() {
    let text = r#"{"id": "many", "emailStatus": "SOMETHING_NEW", "new": "true", "more": [1]}"#;
    let clean = named("subscribeContact").decode(&reply(200, text), 0).unwrap();
    assert_eq!(clean.value.to_json(), r#"{"emailStatus":"SOMETHING_NEW","new":true}"#);
    assert_eq!(clean.warnings.len(), 1);
    assert_eq!(clean.warnings[0].field, "id");
}

#[test]
fn errors_inside_a_success_are_errors() {
    for (id, text, words) in [
        ("contactsBulkUpdate", r#"{"errorMessage": "no contacts", "id": 0}"#, "no contacts"),
        ("fileContactsBulkUpdate", r#"{"valid": false, "message": "no file"}"#, "no file"),
        ("updatePreprocessorFile", r#"{"valid": "false", "message": "no file"}"#, "no file"),
        (
            "addWebPushDomainSingle",
            r#"{"errors": {"domain": "x", "message": "no domain"}}"#,
            "no domain",
        ),
    ] {
        let error = named(id).decode(&reply(200, text), 0).unwrap_err();
        assert_eq!(
            (error.kind, error.status, error.text.as_str()),
            (Kind::Refused, Some(200), words)
        );
    }
    // Part of it was taken.
    let text = r#"{"errorMessage": "some", "asyncSessionId": "a"}"#;
    assert!(named("contactsBulkUpdate").decode(&reply(200, text), 0).is_ok());
}

#[test]
fn what_is_not_the_answer_at_all_is_said_with_its_text() {
    let error = named("addContact").decode(&reply(200, "<html>Welcome</html>"), 0).unwrap_err();
    assert_eq!((error.kind, error.text.as_str()), (Kind::Unreadable, "<html>Welcome</html>"));
    let error = named("addContact").decode(&reply(302, ""), 0).unwrap_err();
    assert_eq!((error.kind, error.repeat_after), (Kind::Redirected, None));
}

#[test]
fn the_total_is_told_where_the_platform_tells_it() {
    let reply = Reply { total_count: Some("22000".into()), ..reply(200, "[]") };
    assert_eq!(named("searchContacts").decode(&reply, 0).unwrap().total_count, Some(22_000));
}
