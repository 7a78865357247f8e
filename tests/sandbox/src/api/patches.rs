//! Where the document is stricter, or looser, than the contract's own prose.

use serde_json::{Value, json};

/// Changes the document, before anything is compiled from it.
pub(super) fn apply(document: &mut Value) {
    limit_integers(document);
    let schemas = &mut document["components"]["schemas"];
    // A name against the rules is dropped and the contact kept, so it must not fail the request.
    for name in ["Contact", "ContactUpdate"] {
        for member in ["firstName", "lastName"] {
            remove(&mut schemas[name]["properties"][member], "maxLength");
        }
    }
    // The document's own sample has 1.6.8, which the list next to it does not have.
    remove(&mut schemas["Device"]["properties"]["clientVersion"], "enum");
    // An official sample goes without; and the kind that June 2025 dropped is still sent.
    let bulk = &mut schemas["ContactsBulkUpdate"];
    bulk["required"] = json!(["contacts"]);
    if let Some(kinds) = bulk["properties"]["dedupeOn"]["enum"].as_array_mut() {
        kinds.push(json!("webpush"));
    }
    // Both lists may be missing in the document, and a request without them would do nothing.
    schemas["Orders"]["required"] = json!(["orders"]);
    schemas["BatchPastEvents"]["required"] = json!(["events"]);
    schemas["BatchPastEventsV2"]["required"] = json!(["events"]);
    schemas["AppTokens"]["required"] = json!(["tokens"]);
    schemas["AppToken"]["required"] = json!(["token"]);
    schemas["WebPushDomains"]["required"] = json!(["domains"]);
    schemas["ProductFeeds"]["required"] = json!(["feeds"]);
    schemas["TokenPushActive"]["required"] = json!(["active"]);
    schemas["Period"]["required"] = json!(["from", "to"]);
    schemas["InteractionStatusChange"]["required"] = json!(["status"]);
    for name in ["Parameter", "EventParameter"] {
        schemas[name]["required"] = json!(["name"]);
    }
}

fn remove(schema: &mut Value, keyword: &str) {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove(keyword);
    }
}

/// `int32` and `int64` are formats, which a validator of JSON does not know as limits.
fn limit_integers(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(limit_integers),
        Value::Object(members) => {
            let range = match members.get("format").and_then(Value::as_str) {
                Some("int32") => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
                Some("int64") => Some((i64::MIN, i64::MAX)),
                _ => None,
            };
            if let Some((least, most)) = range {
                members.entry("minimum").or_insert_with(|| json!(least));
                members.entry("maximum").or_insert_with(|| json!(most));
            }
            members.values_mut().for_each(limit_integers);
        }
        _ => {}
    }
}
