//! Finding contacts.

use serde_json::{Value, json};

use super::write;
use crate::api::{Failure, rules};
use crate::rest::{Answer, Answered, Call};
use crate::settings::Quirks;
use crate::store::{Contact, Wanted};

/// Newest change first, unless `sortBy` says otherwise.
pub(super) fn search(call: &Call<'_>) -> Answered {
    let (skip, limit) = call.page(500);
    let order = match call.text("sortBy") {
        None => "updated DESC, id DESC",
        Some("contactId") => "id",
        Some(other) => {
            return Err(Failure::field("sortBy", format!("{other} is not contactId")).into());
        }
    };
    let text = |name| call.text(name).map(str::to_owned);
    let mut wanted = Wanted {
        external_id: text("externalCustomerId"),
        first_name: text("firstname"),
        last_name: text("lastname"),
        order,
        skip,
        limit,
        ..Wanted::default()
    };
    // The platform finds parts of addresses too, so a caller has to compare what it gets.
    let in_part = call.settings.quirks == Quirks::Real;
    if let Some(email) = call.text("email") {
        wanted.locators.push(("email", rules::normal("email", email), in_part));
    }
    if let Some(phone) = call.text("sms") {
        wanted.locators.push(("sms", rules::normal("sms", phone), false));
    }
    let others = wanted.first_name.is_some() || wanted.last_name.is_some();
    if wanted.external_id.is_some() && (others || !wanted.locators.is_empty()) {
        let message = "externalCustomerId cannot be combined with other filters";
        return Err(Failure::field("externalCustomerId", message).into());
    }
    let (page, total) = call.state.contacts(&wanted)?;
    let rows = page.iter().map(row).collect();
    Ok(Answer { total: Some(total), ..Answer::json(Value::Array(rows)) })
}

/// Less than the whole contact, but with the id of the caller's own, which the schema leaves out.
fn row(contact: &Contact) -> Value {
    let mut shown = write::view(contact);
    for name in ["address", "languageCode", "timeZone", "contactKey"] {
        shown.remove(name);
    }
    Value::Object(shown)
}

/// Mail addresses for ids; ids that nobody has are passed over.
pub(super) fn emails(call: &Call<'_>) -> Answered {
    let ids = call.text("ids").unwrap_or_default();
    let mut results = Vec::new();
    for id in ids.split(',').map(str::trim) {
        let id: i64 =
            id.parse().map_err(|_| Failure::field("ids", "numbers with commas are expected"))?;
        let contact = call.state.contact(id)?.filter(|contact| !contact.deleted);
        if let Some(email) = contact.as_ref().and_then(|one| write::channel(&one.body, "email")) {
            results.push(json!({ "contactId": id, "email": email }));
        }
    }
    Ok(Answer::json(json!({ "results": call.one_or_many(results) })))
}

pub(super) fn id_by_token(call: &Call<'_>) -> Answered {
    let token = call.text("token_id").unwrap_or_default();
    let app = &call.parameters["app_uuid"];
    let found = call.state.contacts_at("mobilepush", token)?;
    let is_of_app = |contact: &Contact| {
        let mut channels = contact.body["channels"].as_array().into_iter().flatten();
        channels.any(|channel| {
            let of = &channel["device"]["appId"];
            channel["value"] == *token && (of.is_null() || of == app)
        })
    };
    let contact = found.into_iter().find(|contact| !contact.deleted && is_of_app(contact));
    let contact = contact.ok_or_else(|| Failure::not_found("Contact not found"))?;
    Ok(Answer::json(json!({ "id": contact.id })))
}
