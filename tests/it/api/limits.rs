//! What the platform would refuse is refused before the call, by code, field and fix; what clients
//! write otherwise is read.

use esputnik_kit::{
    api::{
        Endpoint as _,
        contact::{AddContacts, Channel, ChannelKind, Contact, Contacts, DedupeOn},
        table,
    },
    json,
    problem::Code,
};

use super::{odd, wrong};

#[test]
fn what_is_missing_is_named() {
    for (call, body, code, field) in [
        ("POST /v1/contact", "{}", Code::MissingField, "channels"),
        ("POST /v1/contact", r#"{"channels": []}"#, Code::MissingField, "channels"),
        ("POST /v1/contact", "[]", Code::WrongType, ""),
        ("POST /v1/contact", "", Code::MissingField, ""),
        ("POST /v1/contact/subscribe", r#"{"groups": null}"#, Code::MissingField, "contact"),
        ("POST /v1/contacts", r#"{"contacts": []}"#, Code::MissingField, "contacts"),
        (
            "POST /v1/contacts",
            r#"{"contacts": [{"channels": [{"type": "email", "value": "a@b.example"}]}], "dedupeOn": "fieldId"}"#,
            Code::MissingField,
            "fieldId",
        ),
        ("GET /v1/contacts/email", "", Code::MissingField, "ids"),
        ("DELETE /v1/contact", "", Code::MissingField, "externalCustomerId"),
        ("DELETE /v1/orders", "", Code::MissingField, "externalOrderId"),
        (
            "POST /v1/orders",
            r#"{"orders": [{"externalOrderId": "1", "totalCost": 1, "status": "DELIVERED",
                "date": "2026-05-31T10:00:00Z", "currency": "UAH", "email": " "}]}"#,
            Code::MissingField,
            "orders[0].externalCustomerId",
        ),
        ("POST /v2/event", r#"{"eventTypeKey": "a"}"#, Code::MissingField, "keyValue"),
        (
            "POST /v2/event",
            r#"{"eventTypeKey": "a", "params": [{"name": "externalCustomerId", "value": "null"}]}"#,
            Code::MissingField,
            "keyValue",
        ),
        (
            "POST /v2/past_events",
            r#"{"events": [{"eventTypeKey": "a"}]}"#,
            Code::MissingField,
            "events[0].keyValue",
        ),
        (
            "POST /v1/message/1/smartsend",
            r#"{"recipients": [{"jsonParam": "{}"}]}"#,
            Code::MissingField,
            "recipients[0].locator",
        ),
        (
            "POST /v1/message/sms",
            r#"{"from": "a", "text": "b"}"#,
            Code::MissingField,
            "phoneNumbers",
        ),
        (
            "GET /v2/contacts/messages?dateFrom=2026-05-01&dateTo=2026-05-02",
            "",
            Code::MissingField,
            "contactId",
        ),
        ("GET /v2/contacts/recoms/7", "", Code::MissingField, "webId"),
        ("POST /v1/auth/contact/token", "{}", Code::MissingField, "externalCustomerId"),
        ("POST /v1/broadcast", r#"{"messageId": "1", "groups": []}"#, Code::MissingField, "groups"),
    ] {
        assert_eq!(wrong(call, body), [(code, field.to_owned())], "{call} {body}");
    }
}

#[test]
fn what_is_too_much_or_of_no_use_is_named() {
    let long = "x".repeat(41);
    let key = "x".repeat(101);
    for (call, body, code, field) in [
        (
            "POST /v1/contact",
            format!(r#"{{"channels": [{{"type": "sms"}}], "firstName": "{long}"}}"#),
            Code::TooLong,
            "firstName",
        ),
        (
            "POST /v2/event",
            format!(r#"{{"eventTypeKey": "{key}", "keyValue": "1"}}"#),
            Code::TooLong,
            "eventTypeKey",
        ),
        (
            "POST /v2/event",
            r#"{"eventTypeKey": "a/b", "keyValue": "1"}"#.into(),
            Code::ForbiddenCharacter,
            "eventTypeKey",
        ),
        (
            "POST /v1/contact/subscribe",
            r#"{"contact": {"channels": [{"type": "email"}]}, "formType": "a>b"}"#.into(),
            Code::ForbiddenCharacter,
            "formType",
        ),
        (
            "POST /v1/contact",
            r#"{"channels": [{"type": "pigeon", "value": "1"}]}"#.into(),
            Code::UnknownValue,
            "channels[0].type",
        ),
        (
            "POST /v1/group/1/contacts/attach",
            r#"{"contactIds": [1], "externalCustomerIds": ["a"]}"#.into(),
            Code::Conflict,
            "externalCustomerIds",
        ),
        (
            "POST /v1/messages/viber",
            r#"{"name": "a", "from": "b", "text": "c", "img": "d"}"#.into(),
            Code::Conflict,
            "img",
        ),
        ("GET /v1/groups?maxrows=501", String::new(), Code::OutOfRange, "maxrows"),
        ("GET /v1/groups?startindex=0", String::new(), Code::OutOfRange, "startindex"),
        ("GET /v1/contact/abc", String::new(), Code::WrongType, "id"),
        ("GET /v1/contact/..", String::new(), Code::MissingField, "id"),
        ("GET /v1/groups?maxrows=99999999999", String::new(), Code::OutOfRange, "maxrows"),
        (
            "DELETE /v1/orders?from=2026-05-01T00:00:00&to=2026-05-02T00:00:01",
            String::new(),
            Code::InvalidDate,
            "to",
        ),
        (
            "DELETE /v1/orders?from=2026-05-01&externalOrderId=1",
            String::new(),
            Code::Conflict,
            "externalOrderId",
        ),
        (
            "GET /v1/balance/history?dateFrom=2026-01-01&dateTo=2026-05-01",
            String::new(),
            Code::InvalidDate,
            "dateTo",
        ),
        (
            "POST /v1/apps/x/token/mute",
            r#"{"token": "a", "duration": 4}"#.into(),
            Code::OutOfRange,
            "duration",
        ),
        (
            "GET /v1/contacts?externalCustomerId=1&email=a",
            String::new(),
            Code::Conflict,
            "externalCustomerId",
        ),
    ] {
        assert_eq!(wrong(call, &body), [(code, field.to_owned())], "{call} {body}");
    }
}

#[test]
fn events_hold_to_20_kilobytes() {
    let event = |size: usize| {
        format!(
            r#"{{"eventTypeKey":"a","keyValue":"1","params":[{{"name":"b","value":"{}"}}]}}"#,
            "x".repeat(size)
        )
    };
    let room = 20_000 - event(0).len();
    assert!(super::prepare("POST /v2/event", &event(room)).is_ok());
    assert_eq!(wrong("POST /v2/event", &event(room + 1)), [(Code::TooLong, String::new())]);
}

#[test]
fn what_clients_write_otherwise_is_read_and_written_as_documented() {
    let (warnings, body) = odd(
        "POST /v1/contact",
        r#"{"channels": {"type": "EMAIL", "value": "a@b.example"}, "externalCustomerId": 42,
            "fields": [{"id": "12", "value": 7}], "address": {"city": "Kyiv"}, "shoeSize": 44,
            "groups": {"name": "Buyers"}, "timeZone": null}"#,
    );
    assert_eq!(
        body.to_json(),
        r#"{"channels":[{"type":"email","value":"a@b.example"}],"address":{"town":"Kyiv"},"fields":[{"id":12,"value":"7"}],"externalCustomerId":"42","groups":[{"name":"Buyers"}],"shoeSize":44}"#
    );
    let found: Vec<(Code, &str)> =
        warnings.iter().map(|(code, field)| (*code, field.as_str())).collect();
    for expected in [
        (Code::ValueForList, "channels"),
        (Code::Alias, "channels.type"),
        (Code::NumberForText, "externalCustomerId"),
        (Code::TextForNumber, "fields[0].id"),
        (Code::NumberForText, "fields[0].value"),
        (Code::Alias, "address.city"),
        (Code::ValueForList, "groups"),
        (Code::EmptyValue, "timeZone"),
        (Code::UnknownMember, "shoeSize"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
    }
    assert_eq!(found.len(), 9);
}

#[test]
fn parameters_of_events_are_read_from_every_form() {
    let list = r#"[{"name":"email","value":"a@b.example"},{"name":"total","value":450.00}]"#;
    let written = format!(r#"{{"eventTypeKey":"a","params":{list}}}"#);
    for params in [list, r#"{"email":"a@b.example","total":450.00}"#] {
        let (_, body) =
            odd("POST /v3/event", &format!(r#"{{"eventTypeKey":"a","params":{params}}}"#));
        assert_eq!(body.to_json(), written);
    }
    let (_, body) = odd(
        "POST /v3/event",
        r#"{"eventKey":"a","eventData":{"email":"a@b.example","total":450.00}}"#,
    );
    assert_eq!(body.to_json(), written);
    let (_, body) = odd(
        "POST /v1/event",
        r#"{"eventTypeKey":"a","keyValue":"1","params":[{"name":"items","value":[{"id":1}]}]}"#,
    );
    assert_eq!(
        body.to_json(),
        r#"{"eventTypeKey":"a","keyValue":"1","params":[{"name":"items","value":"[{\"id\":1}]"}]}"#
    );
}

#[test]
fn a_wrong_name_for_a_recipient_and_values_that_are_no_text_yet_are_read() {
    let (_, body) = odd(
        "POST /v1/message/1/smartsend",
        r#"{"recipients": [{"email": "a@b.example", "jsonParam": {"code": "X"}}], "email": "true"}"#,
    );
    assert_eq!(
        body.to_json(),
        r#"{"recipients":[{"locator":"a@b.example","jsonParam":"{\"code\":\"X\"}"}],"email":true}"#
    );
}

#[test]
fn too_many_at_a_time_is_an_error_or_several_calls() {
    let one = r#"{"channels":[{"type":"email","value":"a@b.example"}]}"#;
    let many = |count: usize| {
        format!(r#"{{"contacts":[{}],"dedupeOn":"email"}}"#, vec![one; count].join(","))
    };
    assert!(super::prepare("POST /v1/contacts", &many(3000)).is_ok());
    assert_eq!(wrong("POST /v1/contacts", &many(3001)), [(Code::TooMany, "contacts".to_owned())]);

    let split = |call: &str, body: &str| {
        let (method, target) = call.split_once(' ').unwrap();
        let (entry, mut input) = table::find(method, target).unwrap();
        input.body = Some(json::parse(body).unwrap());
        entry.prepare(&input, true).unwrap().requests.len()
    };
    assert_eq!(split("POST /v1/contacts", &many(6001)), 3);
    let ids: Vec<String> = (0..1001).map(|id| id.to_string()).collect();
    let ids = format!(r#"{{"contactIds":[{}]}}"#, ids.join(","));
    assert_eq!(split("POST /v1/group/1/contacts/attach", &ids), 3);
    let events = vec![r#"{"eventTypeKey":"a","keyValue":"1"}"#; 501].join(",");
    assert_eq!(split("POST /v1/past_events", &format!(r#"{{"events":[{events}]}}"#)), 2);
}

#[test]
fn calls_that_are_built_in_code_pass_the_same_checks() {
    let contact = Contact {
        channels: Some(vec![Channel::new(ChannelKind::Email, "a@b.example")]),
        ..Contact::default()
    };
    let call = |count: usize| AddContacts {
        contacts: Contacts {
            contacts: Some(vec![contact.clone(); count]),
            dedupe_on: Some(DedupeOn::Email),
            ..Contacts::default()
        },
    };
    let request = call(1).request().unwrap();
    assert_eq!(request.target, "/v1/contacts");
    assert_eq!(
        request.body.unwrap(),
        r#"{"contacts":[{"channels":[{"type":"email","value":"a@b.example"}]}],"dedupeOn":"email"}"#
    );
    let errors = call(3001).request().unwrap_err();
    assert_eq!((errors[0].code, errors[0].field.as_str()), (Code::TooMany, "contacts"));
    assert_eq!(call(3001).split().unwrap().len(), 2);
}

#[test]
fn emptying_a_segment_is_said_aloud() {
    let (warnings, _) = odd("POST /v1/group/1/contacts/detach", "{}");
    assert_eq!(warnings, [(Code::EmptiesSegment, String::new())]);
}
