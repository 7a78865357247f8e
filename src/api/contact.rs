//! Contacts: one at a time, many at a time, and their lists.
//!
//! | | [`AddContact`] | [`AddContacts`] | [`Subscribe`] | [`UpdateContact`] |
//! |---|---|---|---|---|
//! | contacts a call | 1 | 3000 | 1 | 1 |
//! | done | at once | within minutes, see [`ImportStatus`] | at once | at once |
//! | makes new ones | confirmed | confirmed | not confirmed (double opt-in) | no |
//! | found by | external id, else e-mail, phone, token | external id, then `dedupeOn` | external id, e-mail, phone | id |

mod bulk;
mod field;
mod lists;

pub use self::{
    bulk::{
        AddContacts, AddContactsFromFile, Contacts, ContactsAdded, ContactsFile, DedupeOn,
        FailedContact, FieldName, FileAccepted, FileDedupeOn, ImportState, ImportStatus, Imported,
        MAX_CONTACTS, ReadImportStatus,
    },
    field::{
        AllowedValues, Catalogue, Catalogues, FieldDescription, FieldGroup, FieldInfo, FieldKind,
        ReadCatalogues,
    },
    lists::{
        AddToUnsubscribed, ContactEmail, ContactEmails, ContactIdByToken, Emails,
        ReadContactEmails, ReadSubscriptions, RemoveFromUnsubscribed, ReplaceSubscriptions,
        SubscriptionKeys, SubscriptionOfContact,
    },
};
use super::{
    answer::{Text, Undocumented},
    macros::{choice, endpoint, shape},
    segment::Segment,
    shape::{Reader, Shape},
    text::{FieldValue, FirstName, FormType, LastName},
};
use crate::{problem::Code, value::Value};

choice! {
    /// A way to reach a contact.
    ChannelKind {
        /// An e-mail address.
        Email = "email",
        /// A phone number in the international form.
        Sms = "sms",
        /// A phone number that Viber knows.
        Viber = "viber",
        /// A token of a mobile application.
        MobilePush = "mobilepush",
        /// A token of a browser.
        WebPush = "webpush",
        /// A device with an inbox inside an application.
        AppInbox = "appinbox",
        /// A web id, for widgets.
        Widget = "widget",
        /// A device, for messages inside an application.
        InApp = "inapp",
    }
}

shape! {
    /// One way to reach a contact.
    Channel {
        /// Which way.
        opt kind: ChannelKind = "type",
        /// The address, the phone number or the token.
        opt value: String = "value",
        /// For mobile push: the device.
        opt device: Device = "device",
        /// For web push: the browser.
        opt web_push_subscription: WebPushSubscription = "webPushSubscription",
    }
}

impl Channel {
    /// A channel of this kind and value.
    #[must_use]
    pub fn new(kind: ChannelKind, value: impl Into<String>) -> Self {
        Self {
            kind: Some(kind),
            value: Some(value.into()),
            device: None,
            web_push_subscription: None,
            other: Vec::new(),
        }
    }
}

shape! {
    /// The device behind a mobile push token.
    Device {
        /// The application's id, a UUID.
        opt app_id: String = "appId",
        /// The model's name.
        opt device_model: String = "deviceModel",
        /// The operating system.
        opt os: String = "os",
        /// The locale, `uk_UA`.
        opt locale: String = "locale",
        /// The version of the SDK; free text, whatever the reference lists.
        opt client_version: String = "clientVersion",
        /// The application's version.
        opt app_version: String = "appVersion",
        /// Whether the token takes messages.
        opt active: bool = "active",
    }
}

shape! {
    /// The browser behind a web push token.
    WebPushSubscription {
        /// The application's id.
        opt app_id: i32 = "appId",
        /// The browser.
        opt user_agent: String = "userAgent",
        /// The browser's version.
        opt user_agent_version: String = "userAgentVersion",
        /// The browser's language.
        opt user_agent_language: String = "userAgentLanguage",
        /// The operating system.
        opt os: String = "os",
        /// The address that subscribed.
        opt ip: String = "ip",
        /// The page that subscribed.
        opt subscription_page: String = "subscriptionPage",
        /// The service worker's version.
        opt sw_active_version: String = "swActiveVersion",
    }
}

shape! {
    /// Where a contact lives. A sample of the vendor calls these members otherwise; the schema wins.
    Address {
        /// The region, state or oblast.
        opt region: String = "region" | "state",
        /// The town.
        opt town: String = "town" | "city",
        /// The street and house.
        opt address: String = "address" | "addressLine",
        /// The postal code.
        opt postcode: String = "postcode" | "postalCode",
        /// The country's code; seen in one client, and what it does is not known.
        opt country_code: String = "countryCode",
    }
}

shape! {
    /// The value of an additional field.
    ContactField {
        /// The field's id, as [`ReadCatalogues`] lists it.
        opt id: i32 = "id",
        /// The value, always as text.
        opt value: FieldValue = "value",
    }
}

shape! {
    /// A contact: a person the platform knows.
    #[derive(Default)]
    Contact check check_contact {
        /// The first name.
        opt first_name: FirstName = "firstName",
        /// The last name.
        opt last_name: LastName = "lastName",
        /// How to reach them, in at least one way.
        need channels: Vec<Channel> = "channels",
        /// Where they live.
        opt address: Address = "address",
        /// Values of additional fields.
        opt fields: Vec<ContactField> = "fields",
        /// The catalogue of additional fields.
        opt address_book_id: i32 = "addressBookId",
        /// The platform's id.
        opt id: i64 = "id",
        /// The shop's own id.
        opt external_customer_id: String = "externalCustomerId",
        /// The older form of the shop's own id.
        opt contact_key: String = "contactKey",
        /// Static segments. The reference calls them read-only; clients send their names.
        opt groups: Vec<Segment> = "groups",
        /// The language, `uk` or `es-AR`.
        opt language_code: String = "languageCode",
        /// The time zone, `Europe/Kyiv`.
        opt time_zone: String = "timeZone",
    }
}

fn check_contact(contact: &Contact, reader: &mut Reader) {
    check_channels(contact.channels.as_deref(), reader);
}

/// A contact without a channel cannot be reached, and is not taken.
fn check_channels(channels: Option<&[Channel]>, reader: &mut Reader) {
    if channels.is_some_and(<[_]>::is_empty) && !reader.is_answer() {
        reader.fail_at("channels", Code::MissingField, "give at least one channel");
    }
}

shape! {
    /// What a search tells of a contact.
    ContactFound {
        /// The first name.
        opt first_name: FirstName = "firstName",
        /// The last name.
        opt last_name: LastName = "lastName",
        /// How to reach them.
        opt channels: Vec<Channel> = "channels",
        /// Values of additional fields.
        opt fields: Vec<ContactField> = "fields",
        /// The catalogue of additional fields.
        opt address_book_id: i32 = "addressBookId",
        /// The platform's id.
        opt id: i64 = "id",
        /// The shop's own id; not in the reference, but in answers.
        opt external_customer_id: String = "externalCustomerId",
    }
}

shape! {
    /// What an update changes.
    #[derive(Default)]
    ContactUpdate check check_update {
        /// The first name.
        opt first_name: FirstName = "firstName",
        /// The last name.
        opt last_name: LastName = "lastName",
        /// How to reach them.
        opt channels: Vec<Channel> = "channels",
        /// Where they live.
        opt address: Address = "address",
        /// Values of additional fields.
        opt fields: Vec<ContactField> = "fields",
        /// The catalogue of additional fields.
        opt address_book_id: i32 = "addressBookId",
        /// The platform's id; the one in the address counts.
        opt id: i64 = "id",
        /// The older form of the shop's own id.
        opt contact_key: String = "contactKey",
        /// The shop's own id; an error if it is another contact's.
        opt external_customer_id: String = "externalCustomerId",
        /// The language, `uk` or `es-AR`.
        opt language_code: String = "languageCode",
        /// The time zone, `Europe/Kyiv`.
        opt time_zone: String = "timeZone",
    }
}

fn check_update(contact: &ContactUpdate, reader: &mut Reader) {
    check_channels(contact.channels.as_deref(), reader);
}

shape! {
    /// The id of what was made, changed or found.
    Id {
        /// The id.
        opt id: i64 = "id",
    }
}

/// A segment's name, as a subscription takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "text and nothing else")]
pub struct SegmentName(pub String);

impl Shape for SegmentName {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        // As contacts carry it.
        if let Some(name) = value.member("name") {
            reader.warn(Code::OtherNesting, "read, and written as the name alone");
            return String::read(name, reader).map(Self);
        }
        String::read(value, reader).map(Self)
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

shape! {
    /// A subscription.
    Subscription {
        /// Whom to subscribe.
        req contact: Contact = "contact",
        /// Names of static segments; new ones are made.
        opt groups: Vec<SegmentName> = "groups",
        /// Keys of subscription categories.
        opt subscriptions: Vec<String> = "subscriptions",
        /// The form's name. The platform puts it, behind a hyphen, into the key of the event it makes.
        opt form_type: FormType = "formType",
    }
}

choice! {
    /// What a subscription came to for the e-mail address.
    EmailStatus {
        /// The person has to confirm it.
        NeedConfirmation = "NEED_CONFIRMATION",
        /// Subscribed.
        Subscribed = "SUBSCRIBED",
        /// Was subscribed before.
        AlreadySubscribed = "ALREADY_SUBSCRIBED",
        /// On the list of those who must not be written to.
        Blacklisted = "BLACKLISTED",
    }
}

shape! {
    /// What a subscription came to.
    Subscribed {
        /// The contact's id.
        opt id: i64 = "id",
        /// What it came to for the e-mail address.
        opt email_status: EmailStatus = "emailStatus",
        /// Whether the contact is new.
        opt new: bool = "new",
    }
}

endpoint! {
    /// Creates or updates one contact at once; it ends up confirmed.
    ///
    /// Found by the external id, which also brings back a deleted one, else by e-mail, phone or mobile
    /// token. No event is made, so that no workflow starts.
    AddContact = "addContact", Contacts, Post "/v1/contact", Shared, Window => Id {
        /// The contact.
        body contact: Contact,
    }
}

endpoint! {
    /// Deletes a contact by the shop's own id.
    DeleteContactByExternalId = "deleteContact", Contacts, Delete "/v1/contact", Shared, Same => Undocumented {
        /// The shop's own id.
        must external_customer_id: String = "externalCustomerId",
        /// Whether activity and tracking data go too, for good.
        query erase: bool = "erase",
    }
}

endpoint! {
    /// Subscribes a contact (double opt-in); a new one is not confirmed.
    ///
    /// Makes the event `subscribeFromApi` for a new contact or `subscribeUpdateFromApi` for a known one,
    /// with the form's name behind a hyphen.
    Subscribe = "subscribeContact", Contacts, Post "/v1/contact/subscribe", Shared, Window => Subscribed {
        /// The subscription.
        body subscription: Subscription,
    }
}

endpoint! {
    /// Searches contacts, the latest update first.
    SearchContacts = "searchContacts", Contacts, Get "/v1/contacts", SearchContacts, Reads => Vec<ContactFound> {
        /// The shop's own id; not together with other filters.
        query external_customer_id: String = "externalCustomerId",
        /// The e-mail address, or a part of it.
        query email: String = "email",
        /// The phone number.
        query sms: String = "sms",
        /// The first name.
        query first_name: String = "firstname",
        /// The last name.
        query last_name: String = "lastname",
        /// The first row, from 1.
        query start_index: i32 = "startindex",
        /// How many rows, at most 500.
        query max_rows: i32 = "maxrows",
        /// `contactId`, without filters, is faster for all contacts.
        query sort_by: String = "sortBy",
    }
    ; check check_search
}

fn check_search(search: &SearchContacts, reader: &mut Reader) {
    check_page(search.start_index, search.max_rows, 500, reader);
    let filters = [&search.email, &search.sms, &search.first_name, &search.last_name];
    if search.external_customer_id.is_some() && filters.into_iter().any(Option::is_some) {
        let fix = "search by the external id alone, or by the other fields";
        reader.fail_at("externalCustomerId", Code::Conflict, fix);
    }
}

/// Checks which rows of a list are asked for.
pub(super) fn check_page(start: Option<i32>, rows: Option<i32>, most: i32, reader: &mut Reader) {
    if start.is_some_and(|start| start < 1) {
        reader.fail_at("startindex", Code::OutOfRange, "rows count from 1");
    }
    if rows.is_some_and(|rows| !(1..=most).contains(&rows)) {
        let fix = if most == 100 { "ask for 1 to 100 rows" } else { "ask for 1 to 500 rows" };
        reader.fail_at("maxrows", Code::OutOfRange, fix);
    }
}

endpoint! {
    /// Reads one contact.
    GetContact = "getContact", Contacts, Get "/v1/contact/{id}", Shared, Reads => Contact {
        /// The platform's id.
        path id: i64 = "id",
    }
}

endpoint! {
    /// Updates one contact by the platform's id, and brings it back if it was deleted.
    UpdateContact = "updateContact", Contacts, Put "/v1/contact/{id}", Shared, Window => Text {
        /// The platform's id.
        path id: i64 = "id",
        /// What changes.
        body contact: ContactUpdate,
    }
}

endpoint! {
    /// Deletes one contact by the platform's id.
    DeleteContact = "deleteContact_1", Contacts, Delete "/v1/contact/{id}", Shared, Same => Text {
        /// The platform's id.
        path id: i64 = "id",
        /// Whether activity and tracking data go too, for good.
        query erase: bool = "erase",
    }
}
