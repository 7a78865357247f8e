//! What the account offers around contacts: their fields, workflows, recommendations.

use serde_json::{Value, json};

use super::matching::Person;
use crate::api::Failure;
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

/// The same three products for everybody; of a category only those in it, and none of `products`.
pub(super) fn recommendations(call: &Call<'_>) -> Answered {
    let contact = call.number("contactId");
    let person =
        Person::of(call.text("externalCustomerId"), call.text("email"), call.text("phone"));
    let by_web_id = call.text("webId").is_some();
    if contact.is_none() && person.external_id.is_none() && person.channels.is_empty() && !by_web_id
    {
        let message = "one of contactId, email, phone, externalCustomerId and webId is required";
        return Err(Failure::field("contactId", message).into());
    }
    let given = call.text("products").unwrap_or_default();
    let given: Vec<&str> = given.split(',').map(str::trim).collect();
    let product = |id: &str, name: &str, price: f64, category: &str| {
        json!({
            "id": id,
            "name": name,
            "url": format!("https://example.com/item/{id}"),
            "price": price,
            "descr": format!("{name}, from the stand-in's catalogue"),
            "brand": "Super",
            "category": [category],
            "isInStock": 1,
            "tags_oldprice": "1200",
        })
    };
    let mut list = vec![
        product("200600", "Super Device", 990.0, "devices"),
        product("200601", "New Device", 546.0, "devices"),
        product("200602", "Black Tea", 11.05, "tea"),
    ];
    list.retain(|product| {
        let id = product["id"].as_str().unwrap_or_default();
        let category = call.text("category");
        !given.contains(&id) && category.is_none_or(|category| product["category"][0] == category)
    });
    Ok(Answer::json(Value::Array(list)))
}
