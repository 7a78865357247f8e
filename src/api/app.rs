//! Mobile applications and Telegram bots, and their tokens.

use super::{
    answer::Text,
    macros::{endpoint, shape},
    shape::Reader,
};
use crate::problem::Code;

shape! {
    /// A token and whose it is. The contact is found by id, external id, phone and e-mail in this order,
    /// and made if there is none.
    AppToken {
        /// The token.
        opt token: String = "token",
        /// The contact's id.
        opt contact_id: i64 = "contactId",
        /// The shop's own id.
        opt external_customer_id: String = "externalCustomerId",
        /// The phone number.
        opt phone: String = "phone",
        /// The e-mail address.
        opt email: String = "email",
    }
}

shape! {
    /// Tokens to add.
    AppTokens {
        /// The tokens.
        opt tokens: Vec<AppToken> = "tokens",
    }
}

shape! {
    /// A token to mute.
    Mute check check_mute {
        /// The token.
        req token: String = "token",
        /// For how many seconds, 5 to 31,536,000; for ever if unset.
        opt duration: i64 = "duration",
    }
}

fn check_mute(mute: &Mute, reader: &mut Reader) {
    if mute.duration.is_some_and(|seconds| !(5..=31_536_000).contains(&seconds)) {
        reader.fail_at("duration", Code::OutOfRange, "give 5 to 31536000 seconds");
    }
}

shape! {
    /// A token to unmute.
    Unmute {
        /// The token.
        req token: String = "token",
    }
}

shape! {
    /// Whether a token takes messages.
    TokenActive {
        /// Whether it does.
        opt active: bool = "active",
    }
}

endpoint! {
    /// Adds tokens to contacts; those they have stay.
    AddAppTokens = "addAppTokens", Apps, Post "/v1/apps/{app_uuid}/tokens", Shared, Acts => Text {
        /// The application's id.
        path app_uuid: String = "app_uuid",
        /// The tokens.
        body tokens: AppTokens,
    }
}

endpoint! {
    /// Keeps broadcasts from a Telegram token; what is sent to it alone still arrives.
    MuteToken = "muteAppToken", Apps, Post "/v1/apps/{app_uuid}/token/mute", Shared, Same => Text {
        /// The application's id.
        path app_uuid: String = "app_uuid",
        /// The token.
        body mute: Mute,
    }
}

endpoint! {
    /// Lets broadcasts reach a token again.
    UnmuteToken = "unmuteAppToken", Apps, Post "/v1/apps/{app_uuid}/token/unmute", Shared, Same => Text {
        /// The application's id.
        path app_uuid: String = "app_uuid",
        /// The token.
        body unmute: Unmute,
    }
}

endpoint! {
    /// Reads whether a mobile token takes messages.
    ReadTokenActive = "getTokenActivated", Apps, Get "/v1/contact/token/activated/{app_uuid}/{token_id}", Shared, Reads => TokenActive {
        /// The application's id.
        path app_uuid: String = "app_uuid",
        /// The token.
        path token_id: String = "token_id",
    }
}

endpoint! {
    /// Says whether a mobile token takes messages.
    SetTokenActive = "changeTokenActivated", Apps, Put "/v1/contact/token/activated/{app_uuid}/{token_id}", Shared, Same => TokenActive {
        /// The application's id.
        path app_uuid: String = "app_uuid",
        /// The token.
        path token_id: String = "token_id",
        /// Whether it does.
        body active: TokenActive,
    }
}
