//! Tokens that the platform gives out.

use super::{
    answer::Text,
    macros::{endpoint, shape},
    shape::Reader,
};
use crate::{problem::Code, value::is_blank};

shape! {
    /// Whose token is asked for.
    #[derive(Default)]
    ContactTokenRequest check check_request {
        /// The e-mail address.
        opt email: String = "email",
        /// The phone number.
        opt phone: String = "phone",
        /// The shop's own id. A plug-in of the vendor calls it otherwise.
        opt external_customer_id: String = "externalCustomerId" | "extid",
        /// The id that the shop's analytics give the visitor.
        opt user_pseudo_id: String = "userPseudoId",
        /// The web id.
        opt cookie: String = "cookie",
    }
}

fn check_request(request: &ContactTokenRequest, reader: &mut Reader) {
    let who = [
        &request.email,
        &request.phone,
        &request.external_customer_id,
        &request.user_pseudo_id,
        &request.cookie,
    ];
    if !who.into_iter().flatten().any(|text| !is_blank(text)) {
        let fix = "give one of externalCustomerId, email, phone, userPseudoId, cookie";
        reader.fail_at("externalCustomerId", Code::MissingField, fix);
    }
}

shape! {
    /// A contact's token; empty where nobody was found.
    ContactToken {
        /// The token.
        opt token: String = "token",
    }
}

endpoint! {
    /// Makes a token for the three operations on events that take one: adding events and past events
    /// in version 1, and deleting past events.
    AddEventToken = "generateApiKey", Tokens, Post "/v1/auth/token", Shared, Same => Text
}

endpoint! {
    /// Makes a contact's token for the inbox and for recommendations.
    AddContactToken = "getContactAuthToken", Tokens, Post "/v1/auth/contact/token", Shared, Same => ContactToken {
        /// Whose.
        body request: ContactTokenRequest,
    }
}
