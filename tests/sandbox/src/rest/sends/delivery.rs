//! One message on its way to one contact.

use serde_json::{Value, json};

use crate::api::rules;
use crate::rest::call::{texts, uuid};
use crate::settings::Settings;
use crate::store::{Activity, Contact, Doc, Sent, State};

/// What is sent.
#[derive(Clone, Debug)]
pub(in crate::rest) struct Letter {
    channel: String,
    /// 0 for content that is stored nowhere.
    message: i64,
    pub(in crate::rest) body: Value,
}

impl Letter {
    /// A stored message.
    pub(in crate::rest) fn stored(message: &Doc, channel: &str) -> Self {
        let mut letter = Self::once(&message.body["base"], channel);
        letter.message = message.id;
        letter
    }

    /// Content that comes with the request.
    pub(super) fn once(content: &Value, channel: &str) -> Self {
        let mut body = json!({ "tags": texts(&content["tags"]) });
        for name in ["name", "subject", "text", "from", "externalRequestId", "languageCode"] {
            body[name] = content[name].clone();
        }
        Self { channel: channel.to_owned(), message: 0, body }
    }
}

/// Where letters are put in.
#[derive(Clone, Copy, Debug)]
pub(in crate::rest) struct Post<'a> {
    pub(in crate::rest) state: &'a State<'a>,
    pub(in crate::rest) settings: &'a Settings,
    pub(in crate::rest) now: i64,
}

impl Post<'_> {
    /// Sends a letter and gives the id to ask for it with.
    pub(in crate::rest) fn send(
        &self,
        contact: &Contact,
        locator: &str,
        letter: &Letter,
    ) -> rusqlite::Result<String> {
        let request_id = uuid();
        let ready = self.now.saturating_add_unsigned(self.settings.send_ms);
        let status = self.status(&letter.channel, locator);
        self.state.add_sent(&Sent {
            request_id: request_id.clone(),
            at: self.now,
            ready,
            contact: contact.id,
            channel: letter.channel.clone(),
            locator: locator.to_owned(),
            message: letter.message,
            status: status.to_owned(),
            body: letter.body.clone(),
        })?;
        for step in steps(status) {
            let mut body = json!({
                "iid": request_id,
                "mediaType": media(&letter.channel),
                "messageId": letter.message,
                "messageInstanceId": letter.message,
                "messageName": letter.body["name"],
                "messageTag": texts(&letter.body["tags"]).join(","),
                "externalRequestId": letter.body["externalRequestId"],
                "messageLanguageCode": letter.body["languageCode"],
                "broadcastId": letter.body["broadcastId"],
                "from": letter.body["from"],
            });
            body[locator_member(&letter.channel)] = json!(locator);
            if *step == "UNDELIVERED" {
                body["statusDescription"] = json!(status);
                body["hardBounce"] = json!(false);
            }
            if letter.channel == "email" && letter.message > 0 {
                body["viewMessageLink"] = json!(crate::rest::messages::link(letter.message));
            }
            let status = (*step).to_owned();
            self.state.add_activity(&Activity {
                seq: 0,
                at: ready,
                contact: contact.id,
                status,
                body,
            })?;
        }
        Ok(request_id)
    }

    fn status(&self, channel: &str, locator: &str) -> &str {
        let normal = rules::normal("email", locator);
        let is_black = |known: &String| rules::normal("email", known) == normal;
        if channel == "email" && self.settings.blacklist.iter().any(is_black) {
            return "BLACKLISTED";
        }
        self.settings.send_status.get(channel).map_or("DELIVERED", String::as_str)
    }
}

/// The rows of activity that lead to a status.
fn steps(status: &str) -> &'static [&'static str] {
    match status {
        "IN_QUEUE" | "PENDING" => &[],
        "DELIVERED" => &["DELIVERED"],
        "READ" => &["DELIVERED", "READ"],
        "CLICKED" => &["DELIVERED", "READ", "CLICKED"],
        "SPAM" => &["DELIVERED", "SPAM"],
        "UNSUBSCRIBED" => &["DELIVERED", "UNSUBSCRIBED"],
        _ => &["UNDELIVERED"],
    }
}

/// Whether a status means that the message arrived.
pub(in crate::rest) fn is_delivered(status: &str) -> bool {
    matches!(status, "DELIVERED" | "READ" | "CLICKED" | "SPAM" | "UNSUBSCRIBED")
}

/// Whether a status is not the last one.
pub(in crate::rest) fn is_waiting(status: &str) -> bool {
    matches!(status, "IN_QUEUE" | "PENDING")
}

/// The name of a channel in activity.
pub(in crate::rest) fn media(channel: &str) -> &str {
    if channel == "telegram" { "telegrambot" } else { channel }
}

fn locator_member(channel: &str) -> &'static str {
    match channel {
        "email" => "email",
        "sms" | "viber" => "sms",
        _ => "mobPushToken",
    }
}

/// The kind of a contact's channel that a message's channel goes to.
pub(super) fn kind(channel: &str) -> &'static str {
    match channel {
        "email" => "email",
        "sms" | "viber" => "sms",
        "appinbox" => "appinbox",
        _ => "mobilepush",
    }
}

/// Whether a locator can be one of the channel.
pub(super) fn is_right(channel: &str, locator: &str) -> bool {
    match channel {
        "email" => rules::is_email(locator),
        "sms" | "viber" => rules::is_phone(locator),
        _ => !locator.trim().is_empty(),
    }
}

/// Where a contact gets messages of a channel.
pub(in crate::rest) fn locator_of(contact: &Contact, channel: &str) -> Option<String> {
    let kind = kind(channel);
    let mut channels = contact.body["channels"].as_array()?.iter();
    let channel = channels.find(|channel| channel["type"] == kind)?;
    Some(channel["value"].as_str()?.to_owned())
}
