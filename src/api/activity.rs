//! What contacts did with messages, and what they were sent.

use super::{
    contact::SubscriptionKeys,
    macros::{choice, endpoint, shape},
    shape::Reader,
    time::DateTime,
};
use crate::{problem::Code, value::is_blank};

choice! {
    /// The channel of a message.
    MediaType {
        /// E-mail.
        Email = "email",
        /// SMS.
        Sms = "sms",
        /// Viber.
        Viber = "viber",
        /// Mobile push.
        MobilePush = "mobilepush",
        /// Web push.
        WebPush = "webpush",
        /// An application's inbox.
        AppInbox = "appinbox",
        /// A widget.
        Widget = "widget",
        /// Inside an application.
        InApp = "inapp",
        /// A Telegram bot.
        TelegramBot = "telegrambot",
    }
}

choice! {
    /// What became of a message, or what the contact did with it.
    ActivityStatus {
        /// It arrived.
        Delivered = "DELIVERED",
        /// It did not.
        Undelivered = "UNDELIVERED",
        /// It was read.
        Read = "READ",
        /// The contact unsubscribed.
        Unsubscribed = "UNSUBSCRIBED",
        /// The contact changed subscriptions. Rows have it, the filter does not know it.
        SubscriptionChanged = "SUBSCRIPTION_CHANGED",
        /// A link was followed.
        Clicked = "CLICKED",
        /// The contact called it spam.
        Spam = "SPAM",
    }
}

shape! {
    /// More about a status.
    StatusData {
        /// The categories that the contact is subscribed to now.
        opt subscription: SubscriptionKeys = "subscription",
    }
}

shape! {
    /// Something that a contact did with a message.
    ContactActivity {
        /// The sent message's id.
        opt iid: String = "iid",
        /// The id that the sender gave.
        opt external_request_id: String = "externalRequestId",
        /// The contact's id.
        opt contact_id: i64 = "contactId",
        /// The shop's own id.
        opt external_customer_id: String = "externalCustomerId",
        /// The e-mail address.
        opt email: String = "email",
        /// The web push token.
        opt web_push_token: String = "webPushToken",
        /// The mobile push token.
        opt mob_push_token: String = "mobPushToken",
        /// The phone number.
        opt sms: String = "sms",
        /// The channel.
        opt media_type: MediaType = "mediaType",
        /// What happened.
        opt activity_status: ActivityStatus = "activityStatus",
        /// The message's id.
        opt message_id: i32 = "messageId",
        /// The id of the message's version.
        opt message_instance_id: i32 = "messageInstanceId",
        /// The message's name.
        opt message_name: String = "messageName",
        /// The message's tags, between commas.
        opt message_tag: String = "messageTag",
        /// When it happened.
        opt activity_date_time: DateTime = "activityDateTime",
        /// Why it was not delivered.
        opt status_description: String = "statusDescription",
        /// Where a browser shows the e-mail.
        opt view_message_link: String = "viewMessageLink",
        /// The link that was followed.
        opt click_event_link: String = "clickEventLink",
        /// More about the status.
        opt status_data: StatusData = "statusData",
        /// Where this row is; the next rows follow it.
        opt offset: String = "offset",
        /// The message's language.
        opt message_language_code: String = "messageLanguageCode",
        /// The key of the event that caused it.
        opt source_event_key: String = "sourceEventKey",
        /// The type of the event that caused it.
        opt source_event_type_key: String = "sourceEventTypeKey",
        /// The workflow's block.
        opt workflow_block_id: String = "workflowBlockId",
        /// The workflow.
        opt workflow_id: i32 = "workflowId",
        /// The workflow's run.
        opt workflow_instance_id: String = "workflowInstanceId",
        /// The broadcast.
        opt broadcast_id: i32 = "broadcastId",
        /// The sender.
        opt from: String = "from",
        /// Whether the address will never work.
        opt hard_bounce: bool = "hardBounce",
    }
}

shape! {
    /// A message that a contact was sent.
    ContactMessage {
        /// The contact's id.
        opt contact_id: i64 = "contactId",
        /// The e-mail address.
        opt email: String = "email",
        /// The phone number.
        opt phone: String = "phone",
        /// The message's id; 0 for tests and one-off messages.
        opt message_id: i64 = "messageId",
        /// The id of the message's version; 0 likewise.
        opt message_instance_id: i64 = "messageInstanceId",
        /// The message's tags.
        opt message_tags: Vec<String> = "messageTags",
        /// The channel.
        opt channel_type: MediaType = "channelType",
        /// When it was sent.
        opt sent_date_time: DateTime = "sentDateTime",
        /// What became of it.
        opt activity_status: ActivityStatus = "activityStatus",
        /// The sender.
        opt from: String = "from",
        /// The subject of an e-mail.
        opt subject: String = "subject",
        /// The text of a Viber message or an SMS.
        opt text: String = "text",
        /// Where a browser shows it.
        opt view_message_link: String = "viewMessageLink",
    }
}

endpoint! {
    /// Lists what contacts did in a period of up to 3 months; the platform's support has to switch it on.
    ///
    /// The next rows are asked for with the last row's `offset`, until there are none.
    ContactActivities = "contactActivity", Activity, Get "/v2/contacts/activity", Shared, Reads => Vec<ContactActivity> {
        /// From when.
        must date_from: DateTime = "dateFrom",
        /// Until when.
        must date_to: DateTime = "dateTo",
        /// The e-mail address.
        query email: String = "email",
        /// The phone number.
        query sms: String = "sms",
        /// The web push token.
        query web_push_token: String = "webPushToken",
        /// The mobile push token.
        query mob_push_token: String = "mobPushToken",
        /// A tag of the message.
        query message_tag: String = "messageTag",
        /// What happened.
        query activity_status: ActivityStatus = "activityStatus",
        /// After which row.
        query offset: String = "offset",
        /// How many rows; 25,000 if unset. Clients found more than 1000 unreliable.
        query max_rows: i32 = "maxrows",
    }
    ; check check_activities
}

fn check_activities(call: &ContactActivities, reader: &mut Reader) {
    let fix = "give a period of at most 3 months";
    call.date_from.check_period(&call.date_to, 92, "dateTo", fix, reader);
    if call.max_rows.is_some_and(|rows| rows < 1) {
        reader.fail_at("maxrows", Code::OutOfRange, "ask for at least one row");
    }
}

endpoint! {
    /// Lists the messages that one contact was sent.
    ContactMessages = "contactMessages", Activity, Get "/v2/contacts/messages", ContactMessages, Reads => Vec<ContactMessage> {
        /// From when.
        must date_from: DateTime = "dateFrom",
        /// Until when.
        must date_to: DateTime = "dateTo",
        /// The e-mail address.
        query email: String = "email",
        /// The phone number.
        query phone: String = "phone",
        /// The contact's id.
        query contact_id: i64 = "contactId",
        /// The shop's own id.
        query external_customer_id: String = "externalCustomerId",
        /// Channels, between commas.
        query channel_types: String = "channelTypes",
        /// How many rows to leave out.
        query offset: i32 = "offset",
        /// How many rows, at most 100; 10 if unset.
        query max_rows: i32 = "maxrows",
    }
    ; check check_messages
}

fn check_messages(call: &ContactMessages, reader: &mut Reader) {
    let who = [&call.email, &call.phone, &call.external_customer_id];
    if call.contact_id.is_none() && !who.into_iter().flatten().any(|text| !is_blank(text)) {
        let fix = "give one of contactId, externalCustomerId, email, phone";
        reader.fail_at("contactId", Code::MissingField, fix);
    }
    if call.max_rows.is_some_and(|rows| !(1..=100).contains(&rows)) {
        reader.fail_at("maxrows", Code::OutOfRange, "ask for 1 to 100 rows");
    }
}
