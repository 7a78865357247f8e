//! JavaScript values as the core's.

use js_sys::{Array, JSON, Object};
use wasm_bindgen::{JsCast, JsValue};

use crate::value::Value;

/// The value that JSON text holds; null if it is not JSON.
pub(super) fn parse(json: &str) -> Value {
    JSON::parse(json).map_or(Value::Null, |value| from_js(&value))
}

/// A value that came out of `JSON.parse`.
fn from_js(value: &JsValue) -> Value {
    if let Some(text) = value.as_string() {
        Value::Text(text)
    } else if let Some(flag) = value.as_bool() {
        Value::Bool(flag)
    } else if value.as_f64().is_some() {
        // JavaScript's own text of a number, which is JSON's too.
        Value::Number(JSON::stringify(value).map(String::from).unwrap_or_default())
    } else if Array::is_array(value) {
        Value::List(Array::from(value).iter().map(|item| from_js(&item)).collect())
    } else if let Some(object) = value.dyn_ref::<Object>() {
        let entries = Object::entries(object);
        let member = |entry: JsValue| {
            let entry = Array::from(&entry);
            (entry.get(0).as_string().unwrap_or_default(), from_js(&entry.get(1)))
        };
        Value::Object(entries.iter().map(member).collect())
    } else {
        Value::Null
    }
}
