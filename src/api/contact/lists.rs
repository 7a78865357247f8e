//! Addresses, tokens and subscriptions of contacts, and the list of the unsubscribed.

use crate::{
    api::{
        answer::{Text, Undocumented},
        contact::Id,
        macros::{endpoint, shape},
        shape::{Commas, Reader},
    },
    problem::Code,
};

shape! {
    /// E-mail addresses of contacts.
    ContactEmails {
        /// The addresses.
        opt results: Vec<ContactEmail> = "results",
    }
}

shape! {
    /// The e-mail address of a contact.
    ContactEmail {
        /// The contact's id.
        opt contact_id: i64 = "contactId",
        /// The address.
        opt email: String = "email",
    }
}

shape! {
    /// E-mail addresses.
    Emails check check_emails {
        /// The addresses. They are meant, not the contacts who have them.
        req emails: Vec<String> = "emails",
    }
}

fn check_emails(emails: &Emails, reader: &mut Reader) {
    if emails.emails.is_empty() {
        reader.fail_at("emails", Code::MissingField, "give at least one address");
    }
}

shape! {
    /// A subscription category of a contact.
    SubscriptionOfContact {
        /// Its id.
        opt id: i32 = "id",
        /// Its key.
        opt key: String = "key",
        /// The id of its segment.
        opt group_id: i64 = "groupId",
        /// Its name.
        opt name: String = "name",
    }
}

shape! {
    /// Keys of subscription categories.
    SubscriptionKeys {
        /// The keys.
        req subscriptions: Vec<String> = "subscriptions",
    }
}

endpoint! {
    /// Reads the e-mail addresses of contacts.
    ReadContactEmails = "getContactEmails", Contacts, Get "/v1/contacts/email", Shared, Reads => ContactEmails {
        /// The contacts' ids.
        must ids: Commas<i64> = "ids",
    }
}

endpoint! {
    /// Puts e-mail addresses on the list of the unsubscribed; other channels stay as they are.
    AddToUnsubscribed = "addToUnsubscribed", Contacts, Post "/v1/emails/unsubscribed/add", Shared, Same => Undocumented {
        /// The addresses.
        body emails: Emails,
    }
}

endpoint! {
    /// Takes e-mail addresses off the list of the unsubscribed.
    RemoveFromUnsubscribed = "deleteFromUnsubscribed", Contacts, Post "/v1/emails/unsubscribed/delete", Shared, Same => Undocumented {
        /// The addresses.
        body emails: Emails,
    }
}

endpoint! {
    /// Finds the contact who has a mobile push token.
    ContactIdByToken = "getContactIdByToken", Contacts,
    Get "/v1/contact/token/{app_uuid}/{token_id}/contactId", ContactByToken, Reads => Id {
        /// The application's id.
        path app_uuid: String = "app_uuid",
        /// The token.
        path token_id: String = "token_id",
    }
}

endpoint! {
    /// Lists the subscription categories of a contact.
    ReadSubscriptions = "getContactSubscriptionCategories", Contacts, Get "/v1/contact/{id}/subscriptions",
    Shared, Reads => Vec<SubscriptionOfContact> {
        /// The contact's id.
        path id: i64 = "id",
    }
}

endpoint! {
    /// Replaces the subscription categories of a contact.
    ReplaceSubscriptions = "changeContactSubscriptionCategories", Contacts, Put "/v1/contact/{id}/subscriptions",
    Shared, Same => Text {
        /// The contact's id.
        path id: i64 = "id",
        /// The categories.
        body keys: SubscriptionKeys,
    }
}
