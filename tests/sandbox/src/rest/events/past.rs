//! Events that happened before, taken in and taken out again.

use serde_json::{Value, json};

use super::params::Params;
use super::{find, rules};
use crate::api::{Failure, dates};
use crate::rest::{Answer, Answered, Call};
use crate::settings::Feature;
use crate::store::Happened;

/// Takes up to 500 events and tells for each what became of it, in their order.
pub(super) fn send(call: &Call<'_>) -> Answered {
    let mut results = Vec::new();
    let mut accepted = 0;
    for (index, event) in call.body["events"].as_array().into_iter().flatten().enumerate() {
        let kind = event["eventTypeKey"].as_str().unwrap_or_default();
        let key = event["keyValue"].as_str().unwrap_or_default();
        rules::key(&format!("events[{index}].eventTypeKey"), kind)?;
        rules::key(&format!("events[{index}].keyValue"), key)?;
        let params = Params::of_list(&event["params"]).map_err(|mut failure| {
            let field = failure.refusal.field.unwrap_or_default();
            failure.refusal.field = Some(format!("events[{index}].{field}"));
            failure
        })?;
        let status = match occurred(call, kind, &event["occurred"]) {
            Ok(occurred) => {
                accepted += 1;
                call.state.add_event(&Happened {
                    seq: 0,
                    received: call.now,
                    occurred,
                    kind: kind.to_owned(),
                    key: key.to_owned(),
                    contact: find(call, &params)?.map(|contact| contact.id),
                    source: "past".to_owned(),
                    params: params.into_value(),
                })?;
                "ACCEPTED"
            }
            Err(status) => status,
        };
        results.push(json!({ "status": status }));
    }
    let errors = results.len() - accepted;
    let answer = json!({ "results": results, "successCount": accepted, "errorCount": errors });
    Ok(Answer::json(answer))
}

/// When an event happened, or the name of what is wrong with that.
fn occurred(call: &Call<'_>, kind: &str, occurred: &Value) -> Result<i64, &'static str> {
    let text = occurred.as_str().filter(|text| !text.trim().is_empty());
    let text = text.ok_or("OCCURRED_DATE_IS_REQUIRED")?;
    let at = dates::parse(text).ok_or("INCORRECT_OCCURRED_DATE_FORMAT")?.at;
    if at > call.now {
        return Err("OCCURRED_TIME_IN_FUTURE");
    }
    let days = call.settings.past_events_days;
    if days.is_some_and(|days| at < call.now - i64::from(days) * dates::DAY) {
        return Err("OCCURRED_TIME_TOO_DEPTH");
    }
    if call.settings.unsegmented_events.iter().any(|known| known == kind) {
        return Err("EVENT_SEGMENTATION_DISABLED");
    }
    Ok(at)
}

/// Deletes the events of a period.
pub(super) fn remove(call: &Call<'_>) -> Answered {
    if !call.settings.has(Feature::PastEventsRemoval) {
        let status = hyper::StatusCode::FORBIDDEN;
        return Err(Failure::whole(status, "feature", "Contact support to enable it.").into());
    }
    let moment = |name: &str| {
        let text = call.body[name].as_str().unwrap_or_default();
        let wrong = || Failure::field(name, "a date as 2024-01-31T12:30 is expected");
        dates::parse(text).map(|moment| moment.at).ok_or_else(wrong)
    };
    let (from, to) = (moment("from")?, moment("to")?);
    if from > to {
        return Err(Failure::field("to", "the end comes before the beginning").into());
    }
    call.state.delete_events(from, to)?;
    Ok(Answer::nothing())
}
