//! Judging values by the contract's schemas.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use hyper::StatusCode;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::{Failure, dates};
use crate::contract::Refusal;

/// Members whose content is the caller's own, nulls inside of it included.
const OPAQUE: [&str; 3] = ["value", "additionalInfo", "eventData"];

/// Lists that callers may send as the one thing in them.
const LISTS: [&str; 2] = ["channels", "groups"];

/// Makes a check of `schema`, whose references point into `components`.
pub(super) fn compile(components: &Value, schema: &Value) -> Validator {
    let mut whole = components.clone();
    whole["allOf"] = json!([schema]);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("date-time", |text: &str| {
            dates::parse(text).is_some_and(|moment| moment.has_offset)
        })
        .build(&whole)
        .expect("the schemas of the document are schemas")
}

/// The first thing that is wrong with a value.
///
/// # Errors
///
/// Names its place, as `contacts[0].channels[1].type`.
pub(super) fn judge(check: &Validator, value: &Value) -> Result<(), Failure> {
    let Err(error) = check.validate(value) else { return Ok(()) };
    let mut field = place(error.instance_path().as_str());
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            field = if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") };
            format!("{name} is required")
        }
        // The whole value in an answer would be the whole body.
        _ => error.masked_with("this").to_string(),
    };
    let code = match error.kind().keyword() {
        "required" => "required",
        "type" => "type",
        _ => "value",
    };
    let field = (!field.is_empty()).then_some(field);
    Err(Failure { status: StatusCode::BAD_REQUEST, refusal: Refusal { code, field, message } })
}

/// Writes a JSON pointer as the package writes places.
fn place(pointer: &str) -> String {
    let mut place = String::new();
    for part in pointer.split('/').skip(1) {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            let _ = write!(place, "[{part}]");
        } else {
            if !place.is_empty() {
                place.push('.');
            }
            place.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    place
}

/// The parameters of an operation, by name.
pub(super) fn parameters(operation: &Value) -> Map<String, Value> {
    let list = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pair = |one: &Value| (one["name"].as_str().unwrap_or_default().to_owned(), one.clone());
    list.iter().map(pair).collect()
}

/// One schema for all parameters of an operation, as if they were members of an object.
pub(super) fn of_parameters(parameters: &Map<String, Value>) -> Value {
    let required = parameters.iter().filter(|(_, one)| one["required"] == true);
    let required: Vec<&String> = required.map(|(name, _)| name).collect();
    let properties: Map<String, Value> =
        parameters.iter().map(|(name, one)| (name.clone(), one["schema"].clone())).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// Reads a parameter's text as what its schema wants, and leaves it as text where that fails.
pub(super) fn read_text(parameter: &Value, value: &mut Value) {
    let Some(text) = value.as_str() else { return };
    let read = match parameter["schema"]["type"].as_str() {
        Some("integer") => text.parse::<i64>().ok().map(Value::from),
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    if let Some(read) = read {
        *value = read;
    }
}

/// Takes out the nulls, which the platform tolerates everywhere, and makes lists of what callers send
/// as one object.
pub(super) fn tidy(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(tidy),
        Value::Object(members) => {
            let names_only = members.contains_key("contact");
            members.retain(|_, value| !value.is_null());
            for (name, value) in members {
                if LISTS.contains(&name.as_str()) && value.is_object() {
                    // Beside a contact the segments are names and not objects.
                    let name = value.get("name").filter(|_| names_only).cloned();
                    *value = Value::Array(vec![name.unwrap_or_else(|| value.take())]);
                }
                if !OPAQUE.contains(&name.as_str()) {
                    tidy(value);
                }
            }
        }
        _ => {}
    }
}

/// Lists the places of the members that `schema` does not name.
pub(super) fn extras(components: &Value, schema: &Value, value: &Value, extras: &mut Vec<String>) {
    Extras { components, shapes: HashMap::new(), found: extras }.look(schema, value, "");
}

/// A walk through a value and its schema side by side.
struct Extras<'a> {
    components: &'a Value,
    /// By the address of the schema: a body has thousands of contacts and they have one schema.
    shapes: HashMap<*const Value, Rc<Shape<'a>>>,
    found: &'a mut Vec<String>,
}

impl<'a> Extras<'a> {
    fn look(&mut self, schema: &'a Value, value: &Value, place: &str) {
        let components = self.components;
        let shape = self.shapes.entry(std::ptr::from_ref(schema)).or_insert_with(|| {
            let mut shape = Shape::default();
            shape.collect(components, schema);
            Rc::new(shape)
        });
        let shape = Rc::clone(shape);
        match value {
            Value::Object(members) if !shape.members.is_empty() => {
                for (name, value) in members {
                    let known = shape.members.get(name.as_str());
                    let is_leaf = !value.is_object() && !value.is_array();
                    if known.is_some() && is_leaf {
                        continue;
                    }
                    let dot = if place.is_empty() { "" } else { "." };
                    let place = format!("{place}{dot}{name}");
                    match known {
                        Some(schema) => self.look(schema, value, &place),
                        None => self.found.push(place),
                    }
                }
            }
            Value::Array(list) => {
                let Some(items) = shape.items else { return };
                for (index, value) in list.iter().enumerate() {
                    self.look(items, value, &format!("{place}[{index}]"));
                }
            }
            _ => {}
        }
    }
}

/// The members and items that a schema names itself, by reference or in one of its alternatives.
#[derive(Default)]
struct Shape<'a> {
    members: HashMap<&'a str, &'a Value>,
    items: Option<&'a Value>,
}

impl<'a> Shape<'a> {
    fn collect(&mut self, components: &'a Value, schema: &'a Value) {
        if let Some(target) = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#'))
            && let Some(target) = components.pointer(target)
        {
            self.collect(components, target);
        }
        for keyword in ["allOf", "oneOf", "anyOf"] {
            for part in schema[keyword].as_array().into_iter().flatten() {
                self.collect(components, part);
            }
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            self.members.insert(name, schema);
        }
        self.items = schema.get("items").or(self.items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_tolerates_is_brought_into_form() {
        let mut body = json!({
            "contact": { "channels": { "type": "email" }, "firstName": null },
            "groups": { "name": "Customers" },
            "params": [{ "name": "a", "value": null }, { "name": "b", "value": [null, 1] }],
        });
        tidy(&mut body);
        let tidied = json!({
            "contact": { "channels": [{ "type": "email" }] },
            "groups": ["Customers"],
            "params": [{ "name": "a" }, { "name": "b", "value": [null, 1] }],
        });
        assert_eq!(body, tidied);
    }

    #[test]
    fn places_are_written_as_elsewhere() {
        assert_eq!(place("/contacts/0/channels/1/type"), "contacts[0].channels[1].type");
        assert_eq!(place(""), "");
    }
}
