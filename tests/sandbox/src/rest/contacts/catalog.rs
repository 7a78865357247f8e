//! What the account offers around contacts: their fields, workflows, recommendations.

use serde_json::{Value, json};

use crate::api::Failure;
use crate::rest::catalogue::{About, container, listed};
use crate::rest::{Answer, Answered, Call};
use crate::settings::{CustomField, Quirks};

pub(super) fn address_books(call: &Call<'_>) -> Answer {
    let fields = call.settings.custom_fields.iter().map(|field| shown(call, field)).collect();
    let group = json!({
        "name": "Personal",
        "profileKey": "PERSONAL",
        "fields": call.one_or_many(fields),
    });
    let book = json!({
        "addressBookId": call.as_text(7200),
        "name": "Main",
        "fieldGroups": call.one_or_many(vec![group]),
    });
    Answer::json(json!({ "addressBook": call.one_or_many(vec![book]) }))
}

fn shown(call: &Call<'_>, field: &CustomField) -> Value {
    let mut description = json!({
        "type": field.kind,
        "required": call.as_text(false),
        "readonly": call.as_text(false),
    });
    if !field.values.is_empty() {
        description["allowedValues"] = json!({ "possibleValues": field.values });
    }
    json!({
        "id": call.as_text(field.id),
        "name": field.name,
        "fieldKey": field.key,
        "description": description,
    })
}

/// Two that never run, one with one tag and one with several.
pub(super) fn workflows(call: &Call<'_>) -> Answer {
    let one = match call.settings.quirks {
        Quirks::Real => json!("welcome"),
        Quirks::Clean => json!(["welcome"]),
    };
    let mut list = vec![
        json!({ "id": 1, "name": "Welcome", "status": "active", "tags": one }),
        json!({ "id": 2, "name": "Abandoned cart", "status": "inactive", "tags": ["cart", "sales"] }),
    ];
    if let Some(name) = call.text("name") {
        let name = name.to_lowercase();
        list.retain(|one| one["name"].as_str().unwrap_or_default().to_lowercase().contains(&name));
    }
    call.paged(list, 500)
}

/// What the account recommends to somebody, whoever that is.
pub(super) fn recommendations(call: &Call<'_>) -> Answered {
    let names = ["externalCustomerId", "email", "phone", "webId"];
    let contact = call.number("contactId").map(|id| id.to_string());
    let whose = names.into_iter().find_map(|name| call.text(name)).or(contact.as_deref());
    if whose.is_none() {
        let message = "one of contactId, email, phone, externalCustomerId and webId is required";
        return Err(Failure::field("contactId", message).into());
    }
    let products = call.text("products").unwrap_or_default();
    let products = products.split(',').map(|id| id.trim().to_owned()).collect();
    let about = About { whose, products, category: call.text("category") };
    let container = container(call.settings, call.number("dataSourceId").unwrap_or_default());
    Ok(Answer::json(listed(call.settings, &about, &container)))
}
