//! Sending to named recipients, and what became of it.
//!
//! Nothing leaves the stand-in. A message is in the queue for a while and then has the status that the
//! settings give its channel.

mod delivery;

use serde_json::{Value, json};

pub(super) use self::delivery::{Letter, Post, is_waiting, locator_of, media};

use self::delivery::is_delivered;
use super::call::{text_of, texts};
use super::contacts::{self, Person, segments_exist};
use super::{Answer, Answered, Call, Handler, Trouble, messages};
use crate::api::Failure;
use crate::store::{Contact, Doc, Wanted};

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "sendExtendedPreparedMessage" => smart,
        "sendPreparedMessage" => prepared,
        "sendEmail" => email,
        "sendSMS" => sms,
        "sendViber" => viber,
        "getInstantMessagesStatus" => |call| status(call, None),
        "getStatusEmail" => |call| status(call, Some("email")),
        "getStatusSms" => |call| status(call, Some("sms")),
        "getStatusViber" => |call| status(call, Some("viber")),
        _ => return None,
    })
}

fn post<'a>(call: &'a Call<'_>) -> Post<'a> {
    Post { state: call.state, settings: call.settings, now: call.now }
}

/// The answer of every way to send.
fn answer(call: &Call<'_>, results: Vec<Value>) -> Answer {
    let zero = call.as_text(0);
    let with_id = |mut result: Value| {
        result["id"] = zero.clone();
        result
    };
    let results = results.into_iter().map(with_id).collect();
    Answer::json(json!({ "id": zero, "results": call.one_or_many(results) }))
}

fn error(locator: Option<&str>, message: impl Into<String>) -> Value {
    let mut result = json!({ "status": "ERROR", "message": message.into() });
    if let Some(locator) = locator {
        result["locator"] = json!(locator);
    }
    result
}

/// A stored message, to each recipient with parameters of its own.
fn smart(call: &Call<'_>) -> Answered {
    let message = messages::stored(call.state, call.id())?;
    let channel = channel_of(&message);
    check_flag(call, &channel)?;
    let recipients = call.body["recipients"].as_array().into_iter().flatten();
    let results: Result<Vec<Value>, Trouble> =
        recipients.map(|recipient| smart_one(call, &message, &channel, recipient)).collect();
    Ok(answer(call, results?))
}

/// `email` is true for mail and false for everything else.
fn check_flag(call: &Call<'_>, channel: &str) -> Result<(), Failure> {
    match call.body["email"].as_bool() {
        Some(flag) if flag != (channel == "email") => {
            let message = format!("the message is of the channel {channel}");
            Err(Failure::field("email", message))
        }
        _ => Ok(()),
    }
}

fn channel_of(message: &Doc) -> String {
    message.body["channel"].as_str().unwrap_or_default().to_owned()
}

fn smart_one(
    call: &Call<'_>,
    message: &Doc,
    channel: &str,
    recipient: &Value,
) -> Result<Value, Trouble> {
    let locator = text_of(&recipient["locator"]);
    let json_param = recipient["jsonParam"].as_str();
    if json_param.is_some_and(|text| serde_json::from_str::<Value>(text).is_err()) {
        return Ok(error(locator.as_deref(), "jsonParam is not valid JSON"));
    }
    let contact = match (recipient["contactId"].as_i64(), text_of(&recipient["externalCustomerId"]))
    {
        (Some(id), _) => Some(call.state.contact(id)?),
        (None, Some(external_id)) => Some(call.state.contact_of(&external_id)?),
        (None, None) => None,
    };
    let (contact, locator) = match (contact, locator) {
        (Some(contact), _) => {
            let Some(contact) = contact.filter(|contact| !contact.deleted) else {
                return Ok(error(None, "contact not found"));
            };
            match locator_of(&contact, channel) {
                Some(locator) => (contact, locator),
                None => return Ok(error(None, format!("the contact has no channel {channel}"))),
            }
        }
        (None, Some(locator)) => match to_locator(call, channel, &locator)? {
            Ok(contact) => (contact, locator),
            Err(message) => return Ok(error(Some(&locator), message)),
        },
        (None, None) => {
            return Ok(error(None, "locator, contactId or externalCustomerId is required"));
        }
    };
    let mut letter = Letter::stored(message, channel);
    for name in ["externalRequestId", "languageCode"] {
        letter.body[name] = recipient[name].clone();
    }
    if let Some(name) = call.body["fromName"].as_str() {
        letter.body["from"] = json!(name);
    }
    let request_id = post(call).send(&contact, &locator, &letter)?;
    Ok(json!({ "locator": locator, "status": "OK", "requestId": request_id }))
}

/// The contact at a locator, made if there is none, or what is wrong with the locator.
fn to_locator(
    call: &Call<'_>,
    channel: &str,
    locator: &str,
) -> Result<Result<Contact, String>, Trouble> {
    if !delivery::is_right(channel, locator) {
        return Ok(Err(format!("'{locator}' is not valid {channel}")));
    }
    let kind = delivery::kind(channel);
    let person = Person { external_id: None, channels: vec![(kind, locator)] };
    Ok(Ok(contacts::ensure(call.state, call.now, &person, &Value::Null)?))
}

/// The older way: a stored message to addresses, a segment or one contact.
fn prepared(call: &Call<'_>) -> Answered {
    let message = messages::stored(call.state, call.id())?;
    let channel = channel_of(&message);
    check_flag(call, &channel)?;
    let mut letter = Letter::stored(&message, &channel);
    if let Some(name) = call.body["fromName"].as_str() {
        letter.body["from"] = json!(name);
    }
    if let Some(id) = call.body["contactId"].as_i64() {
        let recipient = json!({ "contactId": id });
        return Ok(answer(call, vec![smart_one(call, &message, &channel, &recipient)?]));
    }
    to_all(call, &channel, "recipients", &letter)
}

fn email(call: &Call<'_>) -> Answered {
    to_all(call, "email", "emails", &Letter::once(&call.body, "email"))
}

fn sms(call: &Call<'_>) -> Answered {
    to_all(call, "sms", "phoneNumbers", &Letter::once(&call.body, "sms"))
}

fn viber(call: &Call<'_>) -> Answered {
    messages::check_picture(&call.body)?;
    let senders = call.settings.senders.get("viber").map_or(0, Vec::len);
    if senders > 1 && call.body["from"].is_null() {
        return Err(Failure::field("from", "the account has several senders").into());
    }
    to_all(call, "viber", "phoneNumbers", &Letter::once(&call.body, "viber"))
}

/// To every address in a member of the body, or to a segment where that is possible.
fn to_all(call: &Call<'_>, channel: &str, member: &str, letter: &Letter) -> Answered {
    let locators = texts(&call.body[member]);
    let group = call.body["groupId"].as_i64();
    let mut results = Vec::new();
    match group {
        _ if !locators.is_empty() => {
            for locator in locators {
                results.push(match to_locator(call, channel, &locator)? {
                    Ok(contact) => {
                        let request_id = post(call).send(&contact, &locator, letter)?;
                        json!({ "locator": locator, "status": "OK", "requestId": request_id })
                    }
                    Err(message) => error(Some(&locator), message),
                });
            }
        }
        Some(group) => {
            if !segments_exist(call.state, &[group])? {
                return Err(
                    Failure::field("groupId", format!("no segment has the id {group}")).into()
                );
            }
            let wanted =
                Wanted { segment: Some(group), order: "id", limit: -1, ..Wanted::default() };
            for contact in call.state.contacts(&wanted)?.0 {
                let Some(locator) = locator_of(&contact, channel) else { continue };
                let request_id = post(call).send(&contact, &locator, letter)?;
                results
                    .push(json!({ "locator": locator, "status": "OK", "requestId": request_id }));
            }
        }
        None => return Err(Failure::field(member, format!("{member} is required")).into()),
    }
    Ok(answer(call, results))
}

/// What became of messages; of ids that nothing was sent under nothing is said.
fn status(call: &Call<'_>, channel: Option<&str>) -> Answered {
    let mut results = Vec::new();
    for id in call.text("ids").unwrap_or_default().split(',').map(str::trim) {
        let Some(sent) = call.state.sent(id)? else { continue };
        if channel.is_some_and(|channel| sent.channel != channel) {
            continue;
        }
        let status = if sent.ready > call.now { "IN_QUEUE" } else { sent.status.as_str() };
        let delivered = is_delivered(status);
        let failed = !delivered && !is_waiting(status);
        results.push(json!({
            "status": status,
            "requestId": sent.request_id,
            "failed": call.as_text(failed),
            "delivered": call.as_text(delivered),
        }));
    }
    Ok(Answer::json(json!({ "results": call.one_or_many(results) })))
}
