//! Events that are about orders, and what they do to these.

use serde_json::{Value, json};

use super::params::Params;
use crate::api::dates;
use crate::rest::call::text_of;
use crate::rest::{Call, Trouble, orders};
use crate::store::{Contact, Order};

/// What an order event must tell.
const REQUIRED: [&str; 4] = ["externalOrderId", "totalCost", "status", "date"];

/// Makes or changes the order of an event. What is incomplete, or about nobody, is passed over
/// without a word, as the guide says.
pub(super) fn apply(
    call: &Call<'_>,
    kind: &str,
    params: &Params,
    contact: Option<&Contact>,
) -> Result<(), Trouble> {
    let Some(id) = text_of(params.get("externalOrderId")) else { return Ok(()) };
    let known = call.state.order(&id)?;
    match kind {
        "orderCreated" | "orderUpdated" => {
            let Some(contact) = contact else { return Ok(()) };
            let complete = REQUIRED.iter().all(|name| text_of(params.get(name)).is_some());
            let status = text_of(params.get("status")).filter(|status| orders::is_status(status));
            let date = params.get("date").as_str().and_then(dates::parse);
            let (true, Some(status), Some(date)) = (complete, status, date) else { return Ok(()) };
            call.state.put_order(&Order {
                external_id: id,
                contact: contact.id,
                status,
                at: date.at,
                created: known.map_or(call.now, |known| known.created),
                updated: call.now,
                body: body(params),
            })?;
        }
        "orderDelivered" | "orderCancelled" => {
            let Some(mut order) = known else { return Ok(()) };
            let status = if kind == "orderDelivered" { "DELIVERED" } else { "CANCELLED" };
            order.body["status"] = json!(status);
            (order.status, order.updated) = (status.to_owned(), call.now);
            call.state.put_order(&order)?;
        }
        _ => {}
    }
    Ok(())
}

/// The order as the parameters give it.
fn body(params: &Params) -> Value {
    let names = [
        "externalOrderId",
        "externalCustomerId",
        "totalCost",
        "status",
        "date",
        "currency",
        "email",
        "phone",
        "shipping",
        "discount",
        "taxes",
        "deliveryMethod",
        "paymentMethod",
        "deliveryAddress",
        "items",
    ];
    let members = names.iter().filter(|name| !params.get(name).is_null());
    members.map(|name| ((*name).to_owned(), params.get(name).clone())).collect()
}
