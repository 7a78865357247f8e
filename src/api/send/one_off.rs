//! One-off messages: their content comes with the call.

use super::SendResults;
use crate::{
    api::{
        macros::{endpoint, shape},
        shape::Reader,
    },
    problem::Code,
};

shape! {
    /// A one-off e-mail.
    OutgoingEmail check check_email {
        /// A confirmed sender, `"Shop" <shop@shop.example>`.
        req from: String = "from",
        /// The subject.
        req subject: String = "subject",
        /// The HTML.
        req html_text: String = "htmlText",
        /// The text.
        opt plain_text: String = "plainText",
        /// The AMP.
        opt amp_html_text: String = "ampHtmlText",
        /// The recipients.
        req emails: Vec<String> = "emails",
        /// Labels for reports.
        opt tags: Vec<String> = "tags",
        /// An id of your own, which comes back in what contacts did.
        opt external_request_id: String = "externalRequestId",
        /// Whether variables stay as they are.
        opt skip_personalisation: bool = "skipPersonalisation",
        /// Keys of subscription categories.
        opt subscriptions_keys: Vec<String> = "subscriptionsKeys",
        /// Whether links are counted; yes if unset.
        opt track_urls: bool = "trackUrls",
    }
}

fn check_email(email: &OutgoingEmail, reader: &mut Reader) {
    if email.emails.is_empty() {
        reader.fail_at("emails", Code::MissingField, "give at least one recipient");
    }
}

shape! {
    /// A one-off SMS.
    OutgoingSms check check_sms {
        /// The sender's name.
        req from: String = "from",
        /// The text.
        req text: String = "text",
        /// The recipients; these or a segment are needed.
        opt phone_numbers: Vec<String> = "phoneNumbers",
        /// Labels for reports.
        opt tags: Vec<String> = "tags",
        /// The segment's id.
        opt group_id: i32 = "groupId",
        /// An id of your own, which comes back in what contacts did.
        opt external_request_id: String = "externalRequestId",
        /// Keys of subscription categories.
        opt subscriptions_keys: Vec<String> = "subscriptionsKeys",
        /// Whether links are counted; no if unset.
        opt track_urls: bool = "trackUrls",
    }
}

fn check_sms(sms: &OutgoingSms, reader: &mut Reader) {
    check_numbers(sms.phone_numbers.as_deref(), sms.group_id, reader);
}

/// Somebody has to get it.
fn check_numbers(numbers: Option<&[String]>, group: Option<i32>, reader: &mut Reader) {
    if numbers.unwrap_or_default().is_empty() && group.is_none() {
        reader.fail_at("phoneNumbers", Code::MissingField, "give phoneNumbers or groupId");
    }
}

shape! {
    /// A one-off Viber message.
    OutgoingViber check check_viber {
        /// The text.
        req text: String = "text",
        /// How many seconds it may take to arrive; a day if unset.
        opt ttl_seconds: i32 = "ttlSeconds",
        /// The picture's address; together with caption and action, or none of them.
        opt img: String = "img",
        /// The button's text.
        opt caption: String = "caption",
        /// The button's link.
        opt action: String = "action",
        /// What iOS shows in place of a message that came too late; the platform spells it so.
        req ios_expirity_text: String = "iosExpirityText",
        /// The recipients; these or a segment are needed.
        opt phone_numbers: Vec<String> = "phoneNumbers",
        /// Labels for reports.
        opt tags: Vec<String> = "tags",
        /// The segment's id.
        opt group_id: i32 = "groupId",
        /// An id of your own, which comes back in what contacts did.
        opt external_request_id: String = "externalRequestId",
        /// The sender; needed where the account has several.
        opt from: String = "from",
        /// Whether links are counted; yes if unset.
        opt track_urls: bool = "trackUrls",
        /// Keys of subscription categories.
        opt subscriptions_keys: Vec<String> = "subscriptionsKeys",
    }
}

fn check_viber(viber: &OutgoingViber, reader: &mut Reader) {
    check_numbers(viber.phone_numbers.as_deref(), viber.group_id, reader);
    check_button([&viber.img, &viber.caption, &viber.action], reader);
}

/// Viber shows a picture, a button's text and its link together or not at all.
pub(in crate::api) fn check_button(parts: [&Option<String>; 3], reader: &mut Reader) {
    let given = parts.into_iter().flatten().count();
    if given == 1 || given == 2 {
        reader.fail_at(
            "img",
            Code::Conflict,
            "give img, caption and action together, or none of them",
        );
    }
}

endpoint! {
    /// Sends a one-off e-mail. Unknown contacts are made, confirmed and in no segment.
    SendEmail = "sendEmail", Sends, Post "/v1/message/email", Shared, Acts => SendResults {
        /// The e-mail.
        body email: OutgoingEmail,
    }
}

endpoint! {
    /// Sends a one-off SMS to numbers or to a segment. Unknown contacts are made.
    SendSms = "sendSMS", Sends, Post "/v1/message/sms", Shared, Acts => SendResults {
        /// The SMS.
        body sms: OutgoingSms,
    }
}

endpoint! {
    /// Sends a one-off Viber message to numbers or to a segment. Unknown contacts are made.
    SendViber = "sendViber", Sends, Post "/v1/message/viber", Shared, Acts => SendResults {
        /// The message.
        body viber: OutgoingViber,
    }
}
