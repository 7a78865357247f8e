//! Forms as the shop describes them: what is refused, what pages get, what the platform gets.

mod mistakes;
mod submission;
mod view;

use esputnik_kit::definition::Definition;
use serde_json::{Value, json};

/// A definition out of JSON.
fn definition(json: Value) -> Definition {
    serde_json::from_value(json).expect("a definition")
}

/// A form that asks for an address and a name.
fn news() -> Value {
    json!({
        "form_type": "footer",
        "segments": ["News"],
        "pages": [{
            "title": {"en": "News", "uk": "Новини"},
            "fields": [
                {"kind": "email", "required": true},
                {"kind": "first_name"},
                {"kind": "text", "field": 12345, "label": "Shoe size", "max_length": 5},
                {"kind": "subscriptions", "options": [{"value": "weekly"}, {"value": "sale"}]},
            ],
        }],
    })
}
