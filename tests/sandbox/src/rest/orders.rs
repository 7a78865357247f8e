//! Orders, up to a thousand at once.

use serde_json::{Value, json};

use super::call::text_of;
use super::contacts::{self, Person};
use super::{Answer, Answered, Call, Handler, Trouble, events};
use crate::api::{Failure, dates, rules};
use crate::store::Order;

/// The longest period whose orders one request deletes.
const DELETED: i64 = dates::DAY;

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "ordersBulkInsert" => put,
        "removeOrders" => delete,
        _ => return None,
    })
}

/// Whether this is a state of an order.
pub(super) fn is_status(text: &str) -> bool {
    let known = ["INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART"];
    known.contains(&text)
}

/// Adds or updates orders. One that is wrong keeps none of the others back.
fn put(call: &Call<'_>) -> Answered {
    let mut failed = Vec::new();
    for order in call.body["orders"].as_array().into_iter().flatten() {
        match refused(order) {
            Some(error) => failed.push(json!({ "order": order, "error": error })),
            None => put_one(call, order)?,
        }
    }
    Ok(Answer::json(json!({ "failedOrders": failed })))
}

/// What is wrong with an order beyond its schema.
fn refused(order: &Value) -> Option<String> {
    let text = |name: &str| text_of(&order[name]);
    if text("externalOrderId").is_none() {
        return Some("externalOrderId: the text is empty".to_owned());
    }
    if ["externalCustomerId", "email", "phone"].iter().all(|name| text(name).is_none()) {
        return Some("one of externalCustomerId, email and phone is required".to_owned());
    }
    if let Some(email) = text("email").filter(|email| !rules::is_email(email)) {
        return Some(format!("email: {email:?} is not valid email"));
    }
    if let Some(phone) = text("phone").filter(|phone| !rules::is_phone(phone)) {
        return Some(format!("phone: {phone:?} is not valid sms"));
    }
    let currency = order["currency"].as_str().unwrap_or_default();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(format!("currency: {currency:?} is no code of ISO 4217"));
    }
    for name in ["totalCost", "shipping", "discount", "taxes"] {
        if !order[name].is_null() && !is_amount(&order[name]) {
            return Some(format!("{name}: {} is no amount", order[name]));
        }
    }
    let mut items = order["items"].as_array().into_iter().flatten().enumerate();
    let wrong = items.find(|(_, item)| !item["cost"].is_null() && !is_amount(&item["cost"]));
    wrong.map(|(index, item)| format!("items[{index}].cost: {} is no amount", item["cost"]))
}

/// Amounts also come as text.
fn is_amount(value: &Value) -> bool {
    let read = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    read.is_some_and(f64::is_finite)
}

fn put_one(call: &Call<'_>, order: &Value) -> Result<(), Trouble> {
    let text = |name: &str| text_of(&order[name]);
    let (external_id, email, phone) = (text("externalCustomerId"), text("email"), text("phone"));
    let person = Person::of(external_id.as_deref(), email.as_deref(), phone.as_deref());
    let contact = contacts::ensure(call.state, call.now, &person, order)?;
    let id = text("externalOrderId").unwrap_or_default();
    let status = order["status"].as_str().unwrap_or_default();
    let known = call.state.order(&id)?;
    let date = order["date"].as_str().and_then(dates::parse);
    call.state.put_order(&Order {
        external_id: id.clone(),
        contact: contact.id,
        status: status.to_owned(),
        at: date.map_or(call.now, |date| date.at),
        created: known.map_or(call.now, |known| known.created),
        updated: call.now,
        body: order.clone(),
    })?;
    let params = vec![json!({ "name": "orderId", "value": id })];
    let (state, now) = (call.state, call.now);
    Ok(events::generate(state, now, &format!("order{status}"), &id, contact.id, params)?)
}

/// Deletes one order, or those of at most a day. The platform does it later and says nothing now.
fn delete(call: &Call<'_>) -> Answered {
    let (id, from, to) = (call.text("externalOrderId"), call.text("from"), call.text("to"));
    match (id, from, to) {
        (Some(id), None, None) => call.state.delete_order(id)?,
        (None, Some(from), Some(to)) => {
            let (from, to) = (moment("from", from)?, moment("to", to)?);
            if from > to {
                return Err(Failure::field("to", "the end comes before the beginning").into());
            }
            if to - from > DELETED {
                return Err(Failure::field("to", "a period has at most 24 hours").into());
            }
            call.state.delete_orders(from, to)?;
        }
        (None, Some(_), None) => return Err(Failure::field("to", "to is required").into()),
        _ => {
            let message = "either externalOrderId, or from and to";
            return Err(Failure::field("externalOrderId", message).into());
        }
    }
    Ok(Answer::nothing())
}

/// `yyyy-MM-dd'T'HH:mm:ss` in UTC, and nothing else.
fn moment(name: &str, text: &str) -> Result<i64, Failure> {
    let moment = dates::parse(text).filter(|moment| !moment.has_offset && text.len() == 19);
    let wrong = || Failure::field(name, "yyyy-MM-dd'T'HH:mm:ss in UTC is expected");
    moment.map(|moment| moment.at).ok_or_else(wrong)
}
