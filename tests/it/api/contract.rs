//! All operations against the contract in machine form: nothing of it is missing here, nothing here is
//! more than it says, and a sample of everything goes out and comes back as it was.

use std::collections::BTreeMap;

use esputnik_kit::{
    api::{
        Pool, Reply,
        table::{self, Missing},
    },
    json,
    value::Value,
};

fn contract() -> Value {
    json::parse(include_str!("../../data/openapi.json")).unwrap()
}

fn members(value: &Value) -> &[(String, Value)] {
    match value {
        Value::Object(members) => members,
        _ => &[],
    }
}

/// One operation of the contract.
struct Documented<'a> {
    method: String,
    path: &'a str,
    id: &'a str,
    operation: &'a Value,
}

fn documented(contract: &Value) -> Vec<Documented<'_>> {
    let paths = members(contract.member("paths").unwrap());
    paths
        .iter()
        .flat_map(|(path, methods)| {
            members(methods).iter().map(move |(method, operation)| Documented {
                method: method.to_uppercase(),
                path,
                id: operation.member("operationId").and_then(Value::as_text).unwrap(),
                operation,
            })
        })
        .collect()
}

/// The contract's schema that `schema` names.
fn resolve<'a>(contract: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(Value::Text(name)) = schema.member("$ref") else { return schema };
    name.trim_start_matches("#/")
        .split('/')
        .fold(contract, |value, part| value.member(part).unwrap_or_else(|| panic!("{name}")))
}

/// A value of a schema with every member that it lists.
fn sample(contract: &Value, schema: &Value, name: &str) -> Value {
    let schema = resolve(contract, schema);
    if let Some(Value::List(choices)) = schema.member("enum") {
        return choices[0].clone();
    }
    if let Some([schema]) = schema.member("allOf").and_then(Value::as_list) {
        return sample(contract, schema, name);
    }
    if let Some(one_of) = schema.member("oneOf").and_then(Value::as_list) {
        // The list, where a single entry may stand in its place.
        let is_list =
            |schema: &&Value| schema.member("type").and_then(Value::as_text) == Some("array");
        return sample(contract, one_of.iter().find(is_list).unwrap_or(&one_of[0]), name);
    }
    let kind = match schema.member("type") {
        Some(Value::List(kinds)) => kinds[0].as_text(),
        Some(kind) => kind.as_text(),
        None => None,
    };
    match kind {
        Some("object") if schema.member("properties").is_some() => {
            let properties = members(schema.member("properties").unwrap()).iter();
            let member =
                |(name, schema): &(String, Value)| (name.clone(), sample(contract, schema, name));
            Value::Object(
                properties.filter(|(name, _)| name != "translations").map(member).collect(),
            )
        }
        Some("object") => Value::Object(vec![("a".into(), Value::whole(1))]),
        Some("array") => {
            let items = schema.member("items").unwrap();
            Value::List(vec![sample(contract, items, name)])
        }
        Some("boolean") => Value::Bool(true),
        Some("integer") => Value::whole(7),
        Some("number") => Value::Number("1.50".into()),
        Some("string") => Value::text(match name {
            "currency" => "UAH",
            "from" | "occurred" | "time" | "startDate" | "date" | "expirationDate"
            | "timestamp" | "createdDate" | "updatedDate" | "activityDateTime" | "sentDateTime"
            | "dateFrom" => "2026-05-31T10:00:00+03:00",
            "to" | "dateTo" => "2026-06-01T09:00:00+03:00",
            _ => "Text",
        }),
        _ => Value::text("Text"),
    }
}

/// Lists that exclude each other, and members that only one of several documents has.
fn adapt(id: &str, mut body: Value) -> Value {
    let left_out: &[&str] = match id {
        "attachContactsToGroup" | "detachContactsFromGroup" => &["externalCustomerIds"],
        "getContactAuthToken" => &["extid"],
        "registerEventV3" => &[
            "eventKey",
            "eventData",
            "email",
            "phone",
            "contactId",
            "externalCustomerId",
            "eventDate",
        ],
        _ => &[],
    };
    if let Value::Object(members) = &mut body {
        members.retain(|(name, _)| !left_out.contains(&name.as_str()));
        for (name, value) in members.iter_mut() {
            // Transactional Viber messages are text alone.
            if id.contains("Viber") && name == "transactional" {
                *value = Value::Bool(false);
            }
        }
    }
    body
}

/// Members of objects may change their order, and numbers that came as text be numbers.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> =
                members.iter().map(|(name, value)| (name.clone(), normal(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::List(list) => Value::List(list.iter().map(normal).collect()),
        other => other.clone(),
    }
}

#[test]
fn every_operation_of_the_contract_is_there_and_no_other() {
    let contract = contract();
    let documented = documented(&contract);
    assert_eq!(documented.len(), 123);
    for Documented { method, path, id, .. } in &documented {
        let entry = table::named(id).unwrap_or_else(|| panic!("{id} is missing"));
        let operation = entry.operation;
        assert_eq!((operation.method.as_str(), operation.path), (method.as_str(), *path), "{id}");
        assert!(operation.summary.ends_with(['.', ';', ':', ',']) || !operation.summary.is_empty());
    }
    assert_eq!(table::OPERATIONS.len(), documented.len());
}

#[test]
fn pools_are_those_of_the_contract() {
    let contract = contract();
    for Documented { id, operation, .. } in documented(&contract) {
        let text = operation.member("x-rate-limit").and_then(Value::as_text).unwrap();
        let pool = table::named(id).unwrap().operation.pool;
        let said: Vec<String> = pool
            .limits()
            .iter()
            .map(|(calls, window)| format!("{calls}/{}", if *window == 1000 { "s" } else { "h" }))
            .collect();
        for limit in &said {
            assert!(text.contains(limit.as_str()), "{id}: {text} is not {said:?}");
        }
        assert_eq!(text.contains("one pool"), pool == Pool::Shared, "{id}");
    }
}

#[test]
fn addresses_lead_to_their_operation_and_no_other() {
    let contract = contract();
    for Documented { method, path, id, .. } in documented(&contract) {
        let target = path.replace(['{', '}'], "");
        let (entry, _) = table::find(&method, &target).unwrap();
        assert_eq!(entry.operation.id, id);
        let (entry, _) = table::find(&method, &format!("{target}/?x=1")).unwrap();
        assert_eq!(entry.operation.id, id);
    }
    assert_eq!(table::find("GET", "/v1/nothing").unwrap_err(), Missing::Address);
    assert_eq!(table::find("GET", "/v1/contact/1/../2").unwrap_err(), Missing::Address);
    assert_eq!(table::find("PATCH", "/v1/contacts").unwrap_err(), Missing::Method);
    assert_eq!(table::find("GET", "/v1/contact/%ff").unwrap_err(), Missing::Address);
    assert_eq!(table::find("GET", "/v1/contacts?a=%zz").unwrap_err(), Missing::Encoding);
}

#[test]
fn a_sample_of_everything_that_is_sent_goes_out_as_it_is() {
    let contract = contract();
    for Documented { method, path, id, operation } in documented(&contract) {
        let mut target = path.to_owned();
        let mut query = Vec::new();
        let parameters =
            operation.member("parameters").and_then(Value::as_list).unwrap_or_default();
        for parameter in parameters {
            let name = parameter.member("name").and_then(Value::as_text).unwrap();
            let value = match sample(&contract, parameter.member("schema").unwrap(), name) {
                _ if name == "ids" => "7,8".to_owned(),
                _ if matches!(name, "expirationDate") => "2026-05-31".to_owned(),
                Value::Text(text) | Value::Number(text) => text,
                other => other.to_json(),
            };
            let value = value.replace('+', "%2B").replace(',', "%2C").replace(':', "%3A");
            match parameter.member("in").and_then(Value::as_text).unwrap() {
                "path" => target = target.replace(&format!("{{{name}}}"), &value),
                _ => query.push(format!("{name}={value}")),
            }
        }
        // These exclude each other.
        match id {
            "searchContacts" => query.retain(|pair| !pair.starts_with("externalCustomerId")),
            "removeOrders" => query.retain(|pair| !pair.starts_with("externalOrderId")),
            _ => {}
        }
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        let schema = ["requestBody", "content", "application/json", "schema"]
            .iter()
            .try_fold(operation, |value, name| value.member(name));
        let body = schema.map(|schema| adapt(id, sample(&contract, schema, "")));

        let (entry, mut input) = table::find(&method, &target).unwrap();
        input.body.clone_from(&body);
        let prepared =
            entry.prepare(&input, false).unwrap_or_else(|errors| panic!("{id}: {errors:?}"));
        assert_eq!(prepared.warnings, [], "{id}");
        let [request] = &prepared.requests[..] else { panic!("{id}: {prepared:?}") };
        let sent = request.body.as_ref().map(|text| normal(&json::parse(text).unwrap()));
        assert_eq!(sent, body.as_ref().map(normal), "{id}");
        let mut parts: Vec<_> = request.target.split(['?', '&']).collect();
        let mut asked: Vec<_> = target.split(['?', '&']).collect();
        parts.sort_unstable();
        asked.sort_unstable();
        assert_eq!(parts, asked, "{id}");
    }
}

#[test]
fn a_sample_of_everything_that_is_answered_is_read_whole() {
    let contract = contract();
    let mut read = 0;
    for Documented { id, operation, .. } in documented(&contract) {
        let responses = operation.member("responses").unwrap();
        let Some(content) = responses.member("200").and_then(|ok| ok.member("content")) else {
            continue;
        };
        let Some(schema) =
            content.member("application/json").and_then(|json| json.member("schema"))
        else {
            continue;
        };
        let mut answer = sample(&contract, schema, "");
        if let Value::Object(members) = &mut answer {
            // These would say that nothing was done.
            members.retain(|(name, _)| !matches!(name.as_str(), "errorMessage" | "errors"));
        }
        let reply = Reply { status: 200, text: answer.to_json(), ..Reply::default() };
        let clean = table::named(id).unwrap().decode(&reply, 0).unwrap();
        assert_eq!(clean.warnings, [], "{id}");
        // The list of statuses is one object with all of them.
        let answer = match (id, &answer) {
            ("getInstantMessagesStatus", Value::List(list)) => list[0].clone(),
            _ => answer,
        };
        assert_eq!(normal(&clean.value), normal(&answer), "{id}");
        read += 1;
    }
    assert!(read > 90, "{read}");
}
