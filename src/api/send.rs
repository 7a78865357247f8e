//! Sending messages: stored ones with parameters for each recipient, and one-off ones.

mod legacy;
mod one_off;

pub(super) use self::one_off::check_button;

pub use self::{
    legacy::{
        EmailStatuses, PreparedMessage, SendPrepared, SmsCallouts, SmsStatuses, ViberStatuses,
    },
    one_off::{OutgoingEmail, OutgoingSms, OutgoingViber, SendEmail, SendSms, SendViber},
};
use super::{
    answer::Undocumented,
    macros::{choice, endpoint, shape},
    shape::{Commas, Reader, Shape},
    text::JsonText,
    time::DateTime,
};
use crate::{
    problem::Code,
    value::{Value, is_blank},
};

/// Most recipients of one call.
pub const MAX_RECIPIENTS: usize = 1000;

shape! {
    /// A recipient of a stored message.
    Recipient check check_recipient {
        /// The contact's id.
        opt contact_id: i64 = "contactId",
        /// The shop's own id.
        opt external_customer_id: String = "externalCustomerId",
        /// The address, the phone number, the token, the chat's id or the device's id, after the
        /// message's channel.
        opt locator: String = "locator" | "email",
        /// Values for the message's variables, as text that holds JSON.
        opt json_param: JsonText = "jsonParam",
        /// An id of your own, which comes back in what contacts did.
        opt external_request_id: String = "externalRequestId",
        /// The language.
        opt language_code: String = "languageCode",
    }
}

fn check_recipient(recipient: &Recipient, reader: &mut Reader) {
    let text = [&recipient.locator, &recipient.external_customer_id];
    let named = text.into_iter().flatten().any(|text| !is_blank(text));
    if !named && recipient.contact_id.is_none() {
        let fix = "give one of locator, contactId, externalCustomerId";
        reader.fail_at("locator", Code::MissingField, fix);
    }
}

shape! {
    /// Recipients of a stored message.
    Recipients check check_recipients {
        /// The recipients, 1 to 1000.
        req recipients: Vec<Recipient> = "recipients",
        /// Whether the message is an e-mail.
        opt email: bool = "email",
        /// The sender's name, in place of the message's.
        opt from_name: String = "fromName",
    }
}

fn check_recipients(recipients: &Recipients, reader: &mut Reader) {
    if recipients.recipients.is_empty() {
        reader.fail_at("recipients", Code::MissingField, "give at least one recipient");
    }
    let fix = "send to at most 1000 recipients at a time";
    reader.most("recipients", recipients.recipients.len(), MAX_RECIPIENTS, fix);
}

choice! {
    /// Whether a message was taken for a recipient.
    SendStatus {
        /// It waits to be sent.
        Ok = "OK",
        /// It was refused.
        Error = "ERROR",
    }
}

shape! {
    /// What became of a message for each recipient.
    SendResults {
        /// Of each.
        opt results: Vec<SendResult> = "results",
        /// Always 0.
        opt id: i64 = "id",
    }
}

shape! {
    /// What became of a message for a recipient.
    SendResult {
        /// The recipient.
        opt locator: String = "locator",
        /// Whether it was taken.
        opt status: SendStatus = "status",
        /// What [`ReadStatus`] asks for.
        opt request_id: String = "requestId",
        /// Why it was not.
        opt message: String = "message",
        /// Always 0.
        opt id: i64 = "id",
    }
}

choice! {
    /// What became of a message on its way, after its channel.
    DeliveryStatus {
        /// It waits.
        InQueue = "IN_QUEUE",
        /// It is on its way.
        Pending = "PENDING",
        /// It arrived.
        Delivered = "DELIVERED",
        /// It did not.
        Undelivered = "UNDELIVERED",
        /// The SMS did not arrive.
        SmsUndelivered = "SMS_UNDELIVERED_STATE",
        /// The Viber message did not arrive.
        ViberUndelivered = "VIBER_UNDELIVERED_STATE",
        /// The Viber message came too late.
        ViberExpired = "VIBER_EXPIRED_STATE",
        /// Viber knows no such user.
        ViberUnknownUser = "VIBER_UNKNOWN_USER",
        /// The bot could not send it.
        BotSendError = "BOT_SEND_ERROR",
        /// It came too late.
        Expired = "EXPIRED",
        /// The address must not be written to.
        Blacklisted = "BLACKLISTED",
        /// The contact has not confirmed the subscription.
        NotConfirmed = "NOT_CONFIRMED",
        /// The contact has unsubscribed.
        Unsubscribed = "UNSUBSCRIBED",
        /// The contact called it spam.
        Spam = "SPAM",
        /// It was read.
        Read = "READ",
        /// A link was followed.
        Clicked = "CLICKED",
        /// The account had no money for it.
        NoMoney = "NO_MONEY",
        /// It failed.
        Error = "ERROR",
    }
}

shape! {
    /// What became of a message on its way.
    MessageStatus {
        /// What.
        opt status: DeliveryStatus = "status",
        /// Which message.
        opt request_id: String = "requestId",
        /// Whether it will not arrive.
        opt failed: bool = "failed",
        /// Whether it has.
        opt delivered: bool = "delivered",
    }
}

/// What became of messages on their way. The platform sends an object with `results`, or a list of
/// such objects.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a list and nothing else")]
pub struct MessageStatuses(pub Vec<MessageStatus>);

impl Shape for MessageStatuses {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::List(list) => {
                let lists = list.iter().filter_map(|value| Self::read(value, reader));
                Some(Self(lists.flat_map(|list| list.0).collect()))
            }
            Value::Object(_) if value.member("status").is_some() => {
                MessageStatus::read(value, reader).map(|one| Self(vec![one]))
            }
            other => match other.member("results") {
                Some(results) => {
                    reader.within("results", |reader| Vec::read(results, reader)).map(Self)
                }
                None => Some(Self::default()),
            },
        }
    }

    fn write(&self) -> Value {
        Value::Object(vec![("results".to_owned(), self.0.write())])
    }
}

choice! {
    /// What a push message's device reports.
    InteractionStatus {
        /// It was delivered.
        Delivered = "DELIVERED",
        /// It was opened.
        Opened = "OPENED",
        /// It was clicked.
        Clicked = "CLICKED",
    }
}

shape! {
    /// A report on a push message.
    Interaction {
        /// The device's token.
        opt token: String = "token",
        /// What happened.
        opt status: InteractionStatus = "status",
        /// When.
        opt time: DateTime = "time",
    }
}

endpoint! {
    /// Sends a stored message to up to 1000 recipients, each with parameters of their own.
    ///
    /// A success says that they wait to be sent. Unknown contacts are made, confirmed and in no segment.
    SendStored = "sendExtendedPreparedMessage", Sends, Post "/v1/message/{id}/smartsend", Shared, Acts => SendResults {
        /// The message's id.
        path id: i32 = "id",
        /// The recipients.
        body recipients: Recipients,
    }
    ; split split_recipients
}

fn split_recipients(call: &SendStored) -> Option<Vec<SendStored>> {
    let Recipients { recipients, email, from_name, other } = &call.recipients;
    let parts = recipients.chunks(MAX_RECIPIENTS);
    if parts.len() < 2 {
        return None;
    }
    let part = |part: &[Recipient]| SendStored {
        id: call.id,
        recipients: Recipients {
            recipients: part.to_vec(),
            email: *email,
            from_name: from_name.clone(),
            other: other.clone(),
        },
    };
    Some(parts.map(part).collect())
}

endpoint! {
    /// Reads what became of messages on their way.
    ReadStatus = "getInstantMessagesStatus", Sends, Get "/v1/message/status", Shared, Reads => MessageStatuses {
        /// The messages, by their request ids.
        query ids: Commas<String> = "ids",
    }
}

endpoint! {
    /// Reports what happened to a push message on its device.
    ReportInteraction = "registerInteractionStatus", Sends, Put "/v1/interactions/{interaction_id}/status",
    Interactions, Same => Undocumented {
        /// `es_interaction_id` of what the device got.
        path interaction_id: String = "interaction_id",
        /// The report.
        body interaction: Interaction,
    }
}
