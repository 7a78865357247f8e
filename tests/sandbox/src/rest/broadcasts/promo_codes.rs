//! Promo codes, each with a discount and a last day.

use serde_json::{Value, json};

use crate::api::{Failure, dates};
use crate::rest::call::texts;
use crate::rest::{Answer, Answered, Call, Trouble};
use crate::store::Doc;

const KIND: &str = "promo-code";

/// Adds codes or changes known ones. Where body and query both say something, the body counts.
pub(super) fn put(call: &Call<'_>) -> Answered {
    let body = &call.body;
    let codes = texts(&body["promocodes"]);
    if codes.is_empty() {
        return Err(Failure::field("promocodes", "at least one code is expected").into());
    }
    let date = body["expirationDate"].as_str().unwrap_or_default();
    let until = dates::parse(date);
    let until = until.ok_or_else(|| Failure::field("expirationDate", "a date is expected"))?;
    let kind = body["type"].as_str().or(call.text("type"));
    let in_use = body["inUse"].as_bool().unwrap_or(call.flag("inUse"));
    for code in &codes {
        let mut stored = json!({
            "code": code,
            "expirationDate": date,
            "discount": body["discount"],
            "inUse": in_use,
        });
        if let Some(kind) = kind {
            stored["type"] = json!(kind);
        }
        match call.state.doc_named(KIND, code)? {
            Some(known) => {
                call.state.put_doc(KIND, &Doc { at: until.at, body: stored, ..known })?;
            }
            None => {
                call.state.add_doc(KIND, Some(code), until.at, &stored)?;
            }
        }
    }
    Ok(Answer::json(body.clone()))
}

/// JSON inside of a text, as published.
pub(super) fn list(call: &Call<'_>) -> Answered {
    let codes = wanted(call)?;
    let in_use = call.parameters["inUse"].as_bool();
    let codes: Vec<Value> =
        codes.into_iter().filter(|code| in_use.is_none_or(|flag| code["inUse"] == flag)).collect();
    Ok(Answer::json(json!(Value::Array(codes).to_string())))
}

/// How many could still be given out.
pub(super) fn count(call: &Call<'_>) -> Answered {
    let free = wanted(call)?.into_iter().filter(|code| code["inUse"] == false).count();
    Ok(Answer::json(json!(free)))
}

fn wanted(call: &Call<'_>) -> Result<Vec<Value>, Trouble> {
    let until = call.number("activeDueDays").map(|days| call.now + days * dates::DAY);
    let discount = call.number("discount");
    let fits = |doc: &Doc| {
        call.text("type").is_none_or(|kind| doc.body["type"] == kind)
            && until.is_none_or(|until| doc.at >= until)
            && discount.is_none_or(|discount| doc.body["discount"] == discount)
    };
    Ok(call.state.docs(KIND)?.into_iter().filter(fits).map(|doc| doc.body).collect())
}
