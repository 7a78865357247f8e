//! Stored messages of every channel, and their translations.
//!
//! Each channel has the same seven operations, in a module of its own.

use super::{
    answer::Text,
    contact::{Id, check_page},
    macros::{endpoint, shape},
    send::check_button,
    shape::Reader,
    text::JsonText,
};
use crate::problem::Code;

/// A stored message: what all channels have, and what one of them has.
macro_rules! message {
    (
        $(#[$meta:meta])*
        $message:ident $(check $check:path)? { $($members:tt)* }
    ) => {
        shape! {
            $(#[$meta])*
            $message $(check $check)? {
                /// Its id.
                opt id: i32 = "id",
                /// Its name in the account.
                need name: String = "name",
                /// Its language, `uk` or `es-AR`.
                opt language_code: String = "languageCode",
                /// Labels for search and reports.
                opt tags: Vec<String> = "tags",
                /// Keys of subscription categories.
                opt subscriptions_keys: Vec<String> = "subscriptionsKeys",
                /// The languages that it has; in answers only.
                opt languages: Vec<String> = "languages",
                /// Its other languages; in answers only.
                opt translations: Vec<$message> = "translations",
                $($members)*
            }
        }
    };
}

message! {
    /// A stored e-mail.
    EmailMessage {
        /// A confirmed sender, `"Shop" <shop@shop.example>`.
        need from: String = "from",
        /// The subject.
        need subject: String = "subject",
        /// The HTML.
        need html_text: String = "htmlText",
        /// The HTML without styles.
        opt raw_html: String = "rawHtml",
        /// The AMP.
        opt amp_html: String = "ampHtml",
        /// Styles that are kept apart from the HTML.
        opt css: String = "css",
        /// The text; seen in a live account.
        opt plain_text: String = "plainText",
    }
}

message! {
    /// A stored mobile push message.
    MobilePushMessage check check_push {
        /// The title.
        need title: String = "title",
        /// The subtitle; on iOS only.
        opt subtitle: String = "subtitle",
        /// The text.
        need text: String = "text",
        /// Where a tap leads.
        opt link: String = "link",
        /// The picture's address.
        opt image_source: String = "imageSource",
        /// Data for the application, as text that holds JSON.
        opt custom_data: JsonText = "customData",
        /// How many seconds it may take to arrive.
        opt ttl_seconds: i32 = "ttlSec",
        /// Buttons: up to 4 on iOS, up to 3 on Android.
        opt buttons: Vec<MobilePushButton> = "buttons",
        /// Whether it sounds.
        opt sound_enabled: bool = "soundEnabled",
        /// The number on the application's icon.
        opt badge_count: i64 = "badgeCount",
        /// Addresses of up to 10 pictures.
        opt images: Vec<String> = "images",
    }
}

fn check_push(message: &MobilePushMessage, reader: &mut Reader) {
    let images = message.images.as_ref().map_or(0, Vec::len);
    if images > 10 && !reader.is_answer() {
        reader.fail_at("images", Code::TooMany, "give at most 10 pictures");
    }
}

shape! {
    /// A button of a mobile push message.
    MobilePushButton {
        /// Its id in the application.
        need action_id: String = "actionId",
        /// Its text.
        need label: String = "label",
        /// Its icon, from iOS 15 on.
        opt ios_icon_path: String = "iosIconPath",
        /// Where it leads.
        opt link: String = "link",
        /// Data for the application.
        opt custom_data: JsonText = "customData",
    }
}

message! {
    /// A stored Viber message.
    ViberMessage check check_viber {
        /// The sender.
        need from: String = "from",
        /// Whether it is transactional: text alone, and cheaper.
        opt transactional: bool = "transactional",
        /// The text.
        need text: String = "text",
        /// The picture's address; together with caption and action, or none of them.
        opt img: String = "img",
        /// The button's text.
        opt caption: String = "caption",
        /// The button's link.
        opt action: String = "action",
        /// How many seconds it may take to arrive; a day if unset.
        opt ttl_seconds: i32 = "ttlSec",
        /// Whether an SMS goes out where there is no Viber.
        opt sms_fallback: bool = "smsFallback",
        /// The sender of that SMS.
        opt sms_sender: String = "smsSender",
        /// The text of that SMS.
        opt sms_content: String = "smsContent",
    }
}

fn check_viber(message: &ViberMessage, reader: &mut Reader) {
    if reader.is_answer() {
        return;
    }
    let parts = [&message.img, &message.caption, &message.action];
    if message.transactional == Some(true) && parts.iter().any(|part| part.is_some()) {
        reader.fail_at("transactional", Code::Conflict, "a transactional message is text alone");
    }
    check_button(parts, reader);
}

message! {
    /// A stored SMS.
    SmsMessage {
        /// The sender's name.
        need from: String = "from",
        /// The text.
        need text: String = "text",
        /// Whether links are counted; no if unset.
        opt track_urls: bool = "trackUrls",
    }
}

message! {
    /// A stored message of a Telegram bot.
    TelegramMessage {
        /// The text.
        opt text: String = "text",
        /// The picture's address.
        opt image_source: String = "imageSource",
        /// Buttons.
        opt buttons: Vec<TelegramButton> = "buttons",
    }
}

shape! {
    /// A button of a Telegram message.
    TelegramButton {
        /// Its text.
        need text: String = "text",
        /// Where it leads.
        need link: String = "link",
    }
}

message! {
    /// A stored message of an application's inbox.
    AppInboxMessage {
        /// The title.
        need title: String = "title",
        /// The text.
        need text: String = "text",
        /// Where a tap leads.
        opt link: String = "link",
        /// The picture's address.
        opt image_source: String = "imageSource",
        /// Data for the application, as text that holds JSON.
        opt custom_data: JsonText = "customData",
        /// How many seconds it is shown.
        opt ttl_seconds: i32 = "ttlSec",
    }
}

shape! {
    /// Where a browser shows a message.
    ViewLink {
        /// The address.
        opt link: String = "link",
    }
}

/// The seven operations of a channel.
macro_rules! channel {
    (
        $(#[$meta:meta])*
        $module:ident, $message:ident, $channel:literal, $read_pool:ident,
        $search:literal $add:literal $read:literal $replace:literal $delete:literal $put:literal $drop:literal
    ) => {
        $(#[$meta])*
        pub mod $module {
            use super::{$message, Id, Reader, Text, check_page};
            use crate::api::macros::endpoint;

            endpoint! {
                /// Searches stored messages by a part of the name, or by a tag.
                Search = $search, Messages, Get concat!("/v1/messages/", $channel), StoredMessages, Reads => Vec<$message> {
                    /// A part of the name, or a tag.
                    query search: String = "search",
                    /// The first row, from 1.
                    query start_index: i32 = "startindex",
                    /// How many rows, at most 500.
                    query max_rows: i32 = "maxrows",
                }
                ; check check_search
            }

            fn check_search(call: &Search, reader: &mut Reader) {
                check_page(call.start_index, call.max_rows, 500, reader);
            }

            endpoint! {
                /// Stores a message.
                Add = $add, Messages, Post concat!("/v1/messages/", $channel), Shared, Acts => Id {
                    /// The message.
                    body message: $message,
                }
            }

            endpoint! {
                /// Reads a stored message with its languages.
                Get = $read, Messages, Get concat!("/v1/messages/", $channel, "/{id}"), $read_pool, Reads => $message {
                    /// The message's id.
                    path id: i32 = "id",
                }
            }

            endpoint! {
                /// Replaces a stored message in its first language.
                Replace = $replace, Messages, Put concat!("/v1/messages/", $channel, "/{id}"), Shared, Same => Text {
                    /// The message's id.
                    path id: i32 = "id",
                    /// The message.
                    body message: $message,
                }
            }

            endpoint! {
                /// Deletes a stored message.
                Delete = $delete, Messages, Delete concat!("/v1/messages/", $channel, "/{id}"), Shared, Same => Text {
                    /// The message's id.
                    path id: i32 = "id",
                }
            }

            endpoint! {
                /// Adds or replaces one language of a stored message.
                Translate = $put, Messages, Put concat!("/v1/messages/", $channel, "/{id}/{language}"), Shared, Same => Text {
                    /// The message's id.
                    path id: i32 = "id",
                    /// The language, `uk` or `es-AR`.
                    path language: String = "language",
                    /// The message in that language.
                    body message: $message,
                }
            }

            endpoint! {
                /// Deletes one language of a stored message.
                DeleteTranslation = $drop, Messages, Delete concat!("/v1/messages/", $channel, "/{id}/{language}"),
                Shared, Same => Text {
                    /// The message's id.
                    path id: i32 = "id",
                    /// The language, `uk` or `es-AR`.
                    path language: String = "language",
                }
            }
        }
    };
}

channel! {
    /// E-mails.
    email, EmailMessage, "email", StoredEmail,
    "searchEmails" "addEmail" "getEmail" "updateMessage" "deleteEmail" "updateMessage_1" "deleteEmail_1"
}

channel! {
    /// Mobile push messages.
    mobile_push, MobilePushMessage, "mobilepush", StoredMessages,
    "searchMobPushMessages" "addMobilePushMessage" "getMobilePushMessage" "updateBaseMobPushMessage"
    "deleteMobilePushMessage" "updateTranslatedMobilePushMessage" "deleteTranslatedMobilePushMessage"
}

channel! {
    /// Viber messages.
    viber, ViberMessage, "viber", StoredMessages,
    "searchViberMessages" "addViberMessage" "getViberMessage" "updateBaseViberMessage"
    "deleteViberMessage" "updateTranslateViberMessage" "deleteTranslatedViberMessage"
}

channel! {
    /// Messages of an application's inbox.
    app_inbox, AppInboxMessage, "appinbox", StoredMessages,
    "searchAppInboxMessages" "addAppInboxMessage" "getAppInboxMessage" "updateBaseAppInboxMessage"
    "deleteAppInboxMessage" "updateTranslatedAppInboxMessage" "deleteTranslatedAppInboxMessage"
}

channel! {
    /// Messages of Telegram bots.
    telegram, TelegramMessage, "telegram", StoredMessages,
    "searchTelegramBotMessages" "addTelegramBotMessage" "getTelegramBotMessage" "updateBaseTelegramBotMessage"
    "deleteTelegramBotMessage" "updateTranslatedTelegramBotMessage" "deleteTranslatedTelegramBotMessage"
}

channel! {
    /// SMS.
    sms, SmsMessage, "sms", StoredMessages,
    "searchSms" "addSmsMessage" "getSms" "updateBaseSmsMessage"
    "deleteSmsMessage" "updateTranslateSmsMessage" "deleteTranslatedSmsMessage"
}

endpoint! {
    /// Reads where a browser shows a stored e-mail.
    EmailViewLink = "getEmailMessageViewLink", Messages, Get "/v1/messages/email/{id}/viewLink", StoredMessages, Reads => ViewLink {
        /// The message's id.
        path id: String = "id",
    }
}
