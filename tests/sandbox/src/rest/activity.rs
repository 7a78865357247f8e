//! What became of messages, row by row, and what a device reports about them.

use serde_json::{Value, json};

use super::contacts::Person;
use super::sends::{is_waiting, media};
use super::{Answer, Answered, Call, Handler, Trouble};
use crate::api::{Failure, dates};
use crate::settings::Feature;
use crate::store::{Activity, Contact, Sent};

/// "Up to 3 months", of which the longest have 92 days.
const LONGEST: i64 = 92 * dates::DAY;

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "contactActivity" => rows,
        "contactMessages" => messages,
        "registerInteractionStatus" => report,
        _ => return None,
    })
}

/// The period of a request, its ends included; a day without a time ends with the day.
fn period(call: &Call<'_>) -> Result<(i64, i64), Failure> {
    let required = |name| {
        let moment = call.moment(name)?;
        moment.ok_or_else(|| Failure::field(name, format!("{name} is required")))
    };
    let (from, to) = (required("dateFrom")?, required("dateTo")?);
    let end = if to.day_only { to.at + dates::DAY - 1 } else { to.at };
    if from.at > end {
        return Err(Failure::field("dateTo", "the end comes before the beginning"));
    }
    if end - from.at > LONGEST {
        return Err(Failure::field("dateTo", "a period has at most 3 months"));
    }
    Ok((from.at, end))
}

fn rows(call: &Call<'_>) -> Answered {
    if !call.settings.has(Feature::ContactActivity) {
        let status = hyper::StatusCode::BAD_REQUEST;
        let message = "Contact support to enable ContactActivity.";
        return Err(Failure::whole(status, "feature", message).into());
    }
    let (from, to) = period(call)?;
    let since = match call.text("offset") {
        None => 0,
        Some(text) => {
            let wrong = || Failure::field("offset", "the offset of a row is expected");
            text.parse().map_err(|_| wrong())?
        }
    };
    let limit = usize::try_from(call.number("maxrows").unwrap_or(25_000)).unwrap_or(usize::MAX);
    let mut rows = Vec::new();
    for activity in call.state.activity(from, to.min(call.now), since)? {
        if rows.len() == limit {
            break;
        }
        let Some(contact) = call.state.contact(activity.contact)? else { continue };
        let row = row(&activity, &contact);
        if fits(call, &row) {
            rows.push(row);
        }
    }
    Ok(Answer::json(Value::Array(rows)))
}

fn row(activity: &Activity, contact: &Contact) -> Value {
    let mut row = activity.body.clone();
    if let Some(members) = row.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    row["contactId"] = json!(contact.id);
    if let Some(external_id) = &contact.external_id {
        row["externalCustomerId"] = json!(external_id);
    }
    row["activityStatus"] = json!(activity.status);
    row["activityDateTime"] = json!(dates::format(activity.at));
    row["offset"] = json!(activity.seq.to_string());
    if row["statusData"].is_null() {
        row["statusData"] = json!({});
    }
    row
}

fn fits(call: &Call<'_>, row: &Value) -> bool {
    let filters = [
        ("email", "email"),
        ("sms", "sms"),
        ("webPushToken", "webPushToken"),
        ("mobPushToken", "mobPushToken"),
        ("activityStatus", "activityStatus"),
    ];
    let has_tag = |tag: &str| {
        let tags = row["messageTag"].as_str().unwrap_or_default();
        tags.split(',').any(|own| own == tag)
    };
    filters
        .iter()
        .all(|(parameter, member)| call.text(parameter).is_none_or(|wanted| row[*member] == wanted))
        && call.text("messageTag").is_none_or(has_tag)
}

/// What was sent to one contact, newest first.
fn messages(call: &Call<'_>) -> Answered {
    let (from, to) = period(call)?;
    let offset = call.number("offset").unwrap_or_default();
    let offset = usize::try_from(offset).map_err(|_| Failure::field("offset", "at least 0"))?;
    let limit = usize::try_from(call.number("maxrows").unwrap_or(10)).unwrap_or(usize::MAX);
    let Some(contact) = addressee(call)? else { return Ok(Answer::json(json!([]))) };
    let channels: Option<Vec<&str>> =
        call.text("channelTypes").map(|list| list.split(',').map(str::trim).collect());
    let mut sent = call.state.sent_between(from, to, Some(contact.id))?;
    sent.retain(|sent| channels.as_ref().is_none_or(|list| list.contains(&media(&sent.channel))));
    let page = sent.iter().skip(offset).take(limit).map(|sent| message(call, sent));
    Ok(Answer::json(page.collect()))
}

fn addressee(call: &Call<'_>) -> Result<Option<Contact>, Trouble> {
    if let Some(id) = call.number("contactId") {
        return Ok(call.state.contact(id)?);
    }
    let person =
        Person::of(call.text("externalCustomerId"), call.text("email"), call.text("phone"));
    if person.external_id.is_none() && person.channels.is_empty() {
        let message = "one of contactId, externalCustomerId, email and phone is required";
        return Err(Failure::field("contactId", message).into());
    }
    Ok(person.find(call.state)?)
}

fn message(call: &Call<'_>, sent: &Sent) -> Value {
    let mut shown = json!({
        "contactId": sent.contact,
        "messageId": sent.message,
        "messageInstanceId": sent.message,
        "messageTags": sent.body["tags"],
        "channelType": media(&sent.channel),
        "sentDateTime": dates::format(sent.at),
    });
    let member = match sent.channel.as_str() {
        "email" => "email",
        _ => "phone",
    };
    shown[member] = json!(sent.locator);
    let content = if sent.channel == "email" { "subject" } else { "text" };
    for name in ["from", content] {
        if !sent.body[name].is_null() {
            shown[name] = sent.body[name].clone();
        }
    }
    if sent.channel == "email" && sent.message > 0 {
        shown["viewMessageLink"] = json!(super::messages::link(sent.message));
    }
    if sent.ready <= call.now && !is_waiting(&sent.status) {
        shown["activityStatus"] = json!(match sent.status.as_str() {
            known @ ("DELIVERED" | "READ" | "CLICKED" | "SPAM" | "UNSUBSCRIBED") => known,
            _ => "UNDELIVERED",
        });
    }
    shown
}

/// A device reports about a push. The platform takes reports about pushes that it does not know.
fn report(call: &Call<'_>) -> Answered {
    if let Some(time) = call.body["time"].as_str()
        && dates::parse(time).is_none()
    {
        return Err(Failure::field("time", "a date is expected").into());
    }
    let id = call.text("interaction_id").unwrap_or_default();
    let Some(sent) = call.state.sent(id)? else { return Ok(Answer::nothing()) };
    let status = match call.body["status"].as_str() {
        Some("OPENED") => "READ",
        Some("CLICKED") => "CLICKED",
        _ => "DELIVERED",
    };
    call.state.set_sent_status(id, status)?;
    let body = json!({
        "iid": id,
        "mediaType": media(&sent.channel),
        "messageId": sent.message,
        "mobPushToken": sent.locator,
    });
    let (at, contact, status) = (call.now, sent.contact, status.to_owned());
    call.state.add_activity(&Activity { seq: 0, at, contact, status, body })?;
    Ok(Answer::nothing())
}
