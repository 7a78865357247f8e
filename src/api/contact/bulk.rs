//! Many contacts at a time, and what becomes of them.

use super::{Address, Channel, Contact, ContactField, Segment};
use crate::{
    api::{
        macros::{choice, endpoint, shape},
        shape::Reader,
        text::{EventTypeKey, FirstName, LastName},
        time::DateTime,
    },
    problem::Code,
};

/// Most contacts of one call.
pub const MAX_CONTACTS: usize = 3000;

choice! {
    /// By what a contact without a known external id is found.
    DedupeOn {
        /// The e-mail address.
        Email = "email",
        /// The phone number.
        Sms = "sms",
        /// The mobile push token.
        Push = "push" | "mobilepush",
        /// The e-mail address or the phone number.
        EmailOrSms = "email_or_sms",
        /// The platform's id.
        Id = "id",
        /// The shop's own id.
        ExternalCustomerId = "externalCustomerId",
        /// An additional field, whose id is `fieldId`.
        FieldId = "fieldId",
        /// The web push token; left out of the reference in June 2025, still sent by clients.
        WebPush = "webpush",
    }
}

choice! {
    /// A standard field of a contact.
    FieldName {
        /// The first name.
        FirstName = "firstName",
        /// The last name.
        LastName = "lastName",
        /// The older form of the shop's own id.
        ContactKey = "contactKey",
        /// The shop's own id.
        ExternalCustomerId = "externalCustomerId",
        /// Totals of the orders.
        OrdersInfo = "ordersInfo",
        /// The language.
        LanguageCode = "languageCode",
        /// The time zone.
        TimeZone = "timeZone",
        /// The e-mail address.
        Email = "email",
        /// The phone number.
        Sms = "sms",
        /// The mobile push token.
        MobilePush = "mobilepush",
        /// The web push token.
        WebPush = "webpush",
        /// The street and house.
        Address = "address",
        /// The town.
        Town = "town",
        /// The region.
        Region = "region",
        /// The postal code.
        Postcode = "postcode",
    }
}

shape! {
    /// Contacts to create or update, and what of them.
    #[derive(Default)]
    Contacts check check_contacts {
        /// The contacts, 1 to 3000.
        need contacts: Vec<Contact> = "contacts",
        /// By what they are found. The reference requires it, a sample leaves it out.
        opt dedupe_on: DedupeOn = "dedupeOn",
        /// The additional field, where they are found by one.
        opt field_id: i64 = "fieldId",
        /// The standard fields to write; all if there is no list. One that is listed and has no value
        /// is emptied.
        opt contact_fields: Vec<FieldName> = "contactFields",
        /// The additional fields to write; needed for known contacts.
        opt custom_field_ids: Vec<i32> = "customFieldsIDs",
        /// Names of static segments to put them into; new ones are made.
        opt group_names: Vec<String> = "groupNames",
        /// Names of static segments to take them out of.
        opt group_names_exclude: Vec<String> = "groupNamesExclude",
        /// Whether deleted ones are brought back; else they are left out.
        opt restore_deleted: bool = "restoreDeleted",
        /// The type of an event that is made once for each new contact.
        opt event_key_for_new_contacts: EventTypeKey = "eventKeyForNewContacts",
    }
}

fn check_contacts(contacts: &Contacts, reader: &mut Reader) {
    let list = contacts.contacts.as_deref().unwrap_or_default();
    if list.is_empty() && contacts.contacts.is_some() {
        reader.fail_at("contacts", Code::MissingField, "give at least one contact");
    }
    reader.most("contacts", list.len(), MAX_CONTACTS, "send at most 3000 contacts at a time");
    if contacts.dedupe_on == Some(DedupeOn::FieldId) && contacts.field_id.is_none() {
        let fix = "name the additional field by which contacts are found";
        reader.fail_at("fieldId", Code::MissingField, fix);
    }
}

shape! {
    /// What became of the call; the contacts themselves follow, see [`ReadImportStatus`].
    ContactsAdded {
        /// The contacts that the platform refused, with its reasons.
        opt failed_contacts: Vec<FailedContact> = "failedContacts",
        /// The import's id.
        opt async_session_id: String = "asyncSessionId",
        /// What is wrong with the whole call.
        opt error_message: String = "errorMessage",
        /// Always 0.
        opt id: i64 = "id",
    }
}

shape! {
    /// A contact that was refused.
    FailedContact {
        /// The platform's reason.
        opt error: String = "error",
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
        /// The platform's id.
        opt id: i64 = "id",
        /// The shop's own id.
        opt external_customer_id: String = "externalCustomerId",
        /// The older form of the shop's own id.
        opt contact_key: String = "contactKey",
        /// Static segments.
        opt groups: Vec<Segment> = "groups",
        /// The language.
        opt language_code: String = "languageCode",
        /// The time zone.
        opt time_zone: String = "timeZone",
    }
}

choice! {
    /// By what a contact of a file is found.
    FileDedupeOn {
        /// The e-mail address.
        Email = "email",
        /// The phone number.
        Sms = "sms",
        /// The e-mail address or the phone number.
        EmailOrSms = "email_or_sms",
        /// The platform's id.
        Id = "id",
    }
}

shape! {
    /// A file of contacts.
    ContactsFile {
        /// By what they are found.
        req dedupe_on: FileDedupeOn = "dedupeOn",
        /// The address of a CSV file in UTF-8 with commas, of at most 100 MB.
        req link: String = "link",
        /// Names of static segments to put them into.
        opt group_names: Vec<String> = "groupNames",
        /// Names of static segments to take them out of.
        opt group_names_exclude: Vec<String> = "groupNamesExclude",
        /// Whether deleted ones are brought back.
        opt restore_deleted: bool = "restoreDeleted",
        /// The type of an event that is made once for each new contact.
        opt event_key_for_new_contacts: EventTypeKey = "eventKeyForNewContacts",
    }
}

shape! {
    /// What became of a file.
    FileAccepted {
        /// What is wrong with it.
        opt message: String = "message",
        /// The import's id.
        opt import_id: String = "importId",
        /// The file's id.
        opt file_id: String = "fileId",
        /// Whether it passed the first check.
        opt valid: bool = "valid",
    }
}

choice! {
    /// How far an import is.
    ImportState {
        /// It waits.
        Started = "STARTED",
        /// It is under way.
        Importing = "IMPORTING",
        /// It is done.
        Finished = "FINISHED",
        /// It failed.
        Failed = "ERROR",
    }
}

shape! {
    /// How far an import is, and which contacts it made or changed.
    ImportStatus {
        /// How far.
        opt status: ImportState = "status",
        /// Since when.
        opt timestamp: DateTime = "timestamp",
        /// More about it.
        opt description: String = "description",
        /// The contacts.
        opt mapping: Vec<Imported> = "mapping",
    }
}

shape! {
    /// A contact that an import made or changed.
    Imported {
        /// The value by which it was found.
        opt dedupe_value: String = "dedupeValue",
        /// The platform's id.
        opt contact_id: i64 = "contactId",
    }
}

endpoint! {
    /// Creates or updates up to 3000 contacts, within minutes; they end up confirmed.
    ///
    /// A success says which contacts were refused; the others follow, in no particular order among calls.
    AddContacts = "contactsBulkUpdate", Contacts, Post "/v1/contacts", Shared, Same => ContactsAdded {
        /// The contacts.
        body contacts: Contacts,
    }
    ; split split_contacts
}

fn split_contacts(call: &AddContacts) -> Option<Vec<AddContacts>> {
    let Contacts { contacts, .. } = &call.contacts;
    let parts = contacts.as_deref().unwrap_or_default().chunks(MAX_CONTACTS);
    if parts.len() < 2 {
        return None;
    }
    let part = |part: &[Contact]| AddContacts {
        contacts: Contacts { contacts: Some(part.to_vec()), ..without_contacts(&call.contacts) },
    };
    Some(parts.map(part).collect())
}

/// Everything but the list, which would be copied once for each part.
fn without_contacts(contacts: &Contacts) -> Contacts {
    Contacts {
        contacts: None,
        dedupe_on: contacts.dedupe_on.clone(),
        field_id: contacts.field_id,
        contact_fields: contacts.contact_fields.clone(),
        custom_field_ids: contacts.custom_field_ids.clone(),
        group_names: contacts.group_names.clone(),
        group_names_exclude: contacts.group_names_exclude.clone(),
        restore_deleted: contacts.restore_deleted,
        event_key_for_new_contacts: contacts.event_key_for_new_contacts.clone(),
        other: contacts.other.clone(),
    }
}

endpoint! {
    /// Imports contacts from a CSV file by its address, within minutes; they end up confirmed.
    AddContactsFromFile = "fileContactsBulkUpdate", Contacts, Post "/v1/contacts/upload", Shared, Same => FileAccepted {
        /// The file.
        body file: ContactsFile,
    }
}

endpoint! {
    /// Reads how far an import of contacts is.
    ReadImportStatus = "getImportSessionStatus", Contacts, Get "/v1/importstatus/{sessionId}", Shared, Reads => ImportStatus {
        /// The import's id: `asyncSessionId` or `importId`.
        path session_id: String = "sessionId",
    }
}
