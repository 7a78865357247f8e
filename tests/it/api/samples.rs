//! The vendor's published samples, both ways.

use esputnik_kit::{api::table, json, value::Value};

use super::{odd, prepare, reply};
use esputnik_kit::problem::Code;

struct Sample {
    id: String,
    call: String,
    request: Option<Value>,
    answer: Option<Value>,
    status: u16,
}

fn samples() -> Vec<Sample> {
    let list = json::parse(include_str!("../../data/rest.json")).unwrap();
    let text =
        |value: &Value, name: &str| value.member(name).and_then(Value::as_text).unwrap().to_owned();
    let of = |value: &Value| Sample {
        id: text(value, "id"),
        call: format!("{} {}", text(value, "method"), text(value, "path")),
        request: value.member("request").cloned(),
        answer: value.member("answer").cloned(),
        status: value
            .member("status")
            .and_then(Value::as_whole)
            .map_or(200, |status| u16::try_from(status).unwrap()),
    };
    list.as_list().unwrap().iter().map(of).collect()
}

#[test]
fn requests_go_out_as_they_are_printed() {
    let mut sent = 0;
    for sample in samples() {
        let Some(request) = &sample.request else { continue };
        // What is printed as text is no JSON, and is refused where JSON is read.
        if let Value::Text(text) = request {
            assert!(json::parse(text).is_err(), "{}", sample.id);
            continue;
        }
        let (warnings, body) = odd(&sample.call, &request.to_json());
        if sample.id == "C02" {
            // A page that was later hidden: other names for the address, fields by name, `webPush`.
            let codes: Vec<Code> = warnings.iter().map(|(code, _)| *code).collect();
            assert!(codes.contains(&Code::Alias) && codes.contains(&Code::UnknownMember));
            let address = body.member("address").unwrap();
            assert!(address.member("town").is_some() && address.member("city").is_none());
            let kinds = body.member("channels").unwrap().to_json();
            assert!(kinds.contains("\"webpush\""), "{kinds}");
        } else {
            let harmless = |(code, _): &(Code, String)| {
                matches!(
                    code,
                    Code::EmptyValue | Code::NumberForText | Code::TextForNumber | Code::NotStored
                )
            };
            assert!(warnings.iter().all(harmless), "{}: {warnings:?}", sample.id);
            assert_eq!(same(&body), same(request), "{}", sample.id);
        }
        sent += 1;
    }
    assert!(sent >= 26, "{sent}");
}

/// A value without nulls, numbers as text, members in order.
fn same(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut out: Vec<_> = members
                .iter()
                .filter(|(_, value)| *value != Value::Null)
                .map(|(name, value)| (name.clone(), same(value)))
                .collect();
            out.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(out)
        }
        Value::List(list) => Value::List(list.iter().map(same).collect()),
        Value::Number(text) => Value::text(text.as_str()),
        other => other.clone(),
    }
}

#[test]
fn answers_are_read_whole_and_come_out_clean() {
    let mut read = 0;
    for sample in samples() {
        let Some(answer) = &sample.answer else { continue };
        let text = match answer {
            Value::Text(text) => text.clone(),
            other => other.to_json(),
        };
        let (method, target) = sample.call.split_once(' ').unwrap();
        let (entry, _) = table::find(method, target).unwrap();
        let decoded = entry.decode(&reply(sample.status, &text), 0);
        read += 1;
        if sample.status != 200 {
            let error = decoded.unwrap_err();
            assert_eq!(error.text, text, "{}", sample.id);
            continue;
        }
        let clean = decoded.unwrap();
        assert_eq!(clean.warnings, [], "{}", sample.id);
        let json = clean.value.to_json();
        match sample.id.as_str() {
            "L02" => assert_eq!(
                json,
                r#"{"addressBook":[{"addressBookId":7200,"name":"Main","fieldGroups":[{"name":"Personal","fields":[{"id":15867,"name":"Birthday","description":{"type":"DATE","required":false,"readonly":false}},{"id":15868,"name":"Gender","description":{"type":"COMBOBOX","allowedValues":{"possibleValues":["M","F"]},"required":false,"readonly":false}}]}]}]}"#
            ),
            "M05" => assert_eq!(
                json,
                r#"{"results":[{"locator":"test@mail.com","status":"OK","requestId":"3ff28330-f8ef-4636-92ac-86345c16995e","id":0}],"id":0}"#
            ),
            "M08" => assert_eq!(
                json,
                r#"{"results":[{"status":"DELIVERED","requestId":"3ff28330-f8ef-4636-92ac-86345c16995e","failed":false,"delivered":true}]}"#
            ),
            _ => assert_eq!(same(&clean.value), same(answer), "{}", sample.id),
        }
    }
    assert!(read >= 10, "{read}");
}

#[test]
fn bodies_that_are_no_json_are_told_apart() {
    let errors = prepare("POST /v2/event", "").unwrap_err();
    assert_eq!(errors[0].code, Code::MissingField);
}
