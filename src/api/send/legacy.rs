//! What the platform's guides call old, and clients still use.

use super::{MessageStatuses, SendResults};
use crate::{
    api::{
        answer::Undocumented,
        macros::{endpoint, shape},
        shape::Commas,
    },
    value::Value,
};

shape! {
    /// A stored message's recipients in the old form.
    PreparedMessage {
        /// Names and values for the message's variables.
        opt params: Vec<Value> = "params",
        /// Addresses or phone numbers.
        opt recipients: Vec<String> = "recipients",
        /// The segment's id.
        opt group_id: i32 = "groupId",
        /// The contact's id.
        opt contact_id: i64 = "contactId",
        /// The sender's name.
        opt from_name: String = "fromName",
        /// Whether the message is an e-mail.
        opt email: bool = "email",
    }
}

endpoint! {
    /// Sends a stored message in the old form; [`super::SendStored`] is its successor.
    SendPrepared = "sendPreparedMessage", Sends, Post "/v1/message/{id}/send", Shared, Acts => SendResults {
        /// The message's id.
        path id: i32 = "id",
        /// The recipients.
        body message: PreparedMessage,
    }
}

endpoint! {
    /// Reads what became of e-mails; [`super::ReadStatus`] is its successor.
    EmailStatuses = "getStatusEmail", Sends, Get "/v1/message/email/status", Shared, Reads => MessageStatuses {
        /// The messages, by their request ids.
        must ids: Commas<String> = "ids",
    }
}

endpoint! {
    /// Reads what became of SMS; [`super::ReadStatus`] is its successor.
    SmsStatuses = "getStatusSms", Sends, Get "/v1/message/sms/status", Shared, Reads => MessageStatuses {
        /// The messages, by their request ids.
        must ids: Commas<String> = "ids",
    }
}

endpoint! {
    /// Reads what became of Viber messages; [`super::ReadStatus`] is its successor.
    ViberStatuses = "getStatusViber", Sends, Get "/v1/message/viber/status", Shared, Reads => MessageStatuses {
        /// The messages, by their request ids.
        must ids: Commas<String> = "ids",
    }
}

endpoint! {
    /// Reads statistics of SMS; known from old clients alone.
    SmsCallouts = "getSmsCallouts", Sends, Get "/v1/callouts/sms", Shared, Reads => Undocumented
}
