//! All operations, found by their id or by method and address: what a host needs to pass calls on
//! without knowing them one by one.

use super::{
    Endpoint, Error, Input, Method, Operation, Reply, Request, account, activity, address,
    answer::Answer as _,
    app, broadcast, contact, decode, event, feed, interface, message, order, preprocessor,
    promo_code, recommendation, segment, send,
    shape::{Reader, UNKNOWN},
    site, subscription, token, version, web_push,
};
use crate::{
    problem::{Code, Problem},
    value::Value,
};

/// An operation, and how calls of it are read and answers decoded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// What is the same for all of its calls.
    pub operation: Operation,
    read: fn(&Input, &mut Reader) -> Option<Vec<Input>>,
    decode: fn(&Reply, u64) -> Result<Clean, Error>,
}

/// An answer in its clean form: lists are lists, numbers numbers, and switches switches.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Clean {
    /// The answer.
    pub value: Value,
    /// How many there are in all, where the answer is a part.
    pub total_count: Option<u64>,
    /// What could not be read, and was left out.
    pub warnings: Vec<Problem>,
}

/// A call as it goes to the platform, and what was odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prepared {
    /// The requests: one, unless a list was to be split.
    pub requests: Vec<Request>,
    /// What was odd.
    pub warnings: Vec<Problem>,
}

impl Entry {
    const fn of<E: Endpoint>() -> Self {
        Self {
            operation: E::OPERATION,
            read: |input, reader| {
                let call = E::read(input, reader)?;
                Some(match call.split() {
                    None => vec![call.input()],
                    Some(parts) => parts.iter().map(Endpoint::input).collect(),
                })
            },
            decode: |reply, now| {
                let answered = decode::<E>(reply, now)?;
                Ok(Clean {
                    value: answered.value.write(),
                    total_count: answered.total_count,
                    warnings: answered.warnings,
                })
            },
        }
    }

    /// Reads a call, checks it, and writes it as the platform wants it. With `split`, lists that are
    /// longer than one request may carry become several requests.
    ///
    /// # Errors
    ///
    /// Everything that the platform would not take; never empty.
    pub fn prepare(&self, input: &Input, split: bool) -> Result<Prepared, Vec<Problem>> {
        let mut reader = if split { Reader::requests() } else { Reader::request() };
        let read = (self.read)(input, &mut reader);
        let (mut warnings, mut errors) = reader.finish();
        let Some(parts) = read.filter(|_| errors.is_empty()) else {
            if errors.is_empty() {
                errors.push(Problem::new(
                    Code::InvalidBody,
                    "",
                    "send what the operation asks for",
                ));
            }
            return Err(errors);
        };
        let known =
            |name: &str| parts.iter().any(|part| part.query.iter().any(|(known, _)| known == name));
        let mut beside: Vec<(String, String)> = input.query.clone();
        beside.retain(|(name, _)| !known(name));
        for (name, _) in &beside {
            warnings.push(Problem::new(Code::UnknownMember, name.as_str(), UNKNOWN));
        }
        let request = |mut part: Input| {
            part.query.extend(beside.iter().cloned());
            Request::new(&self.operation, &part)
        };
        let requests = parts.into_iter().map(request).collect();
        Ok(Prepared { requests, warnings })
    }

    /// Reads what the platform answered; `now` is Unix time in milliseconds.
    ///
    /// # Errors
    ///
    /// As [`decode`].
    pub fn decode(&self, reply: &Reply, now: u64) -> Result<Clean, Error> {
        (self.decode)(reply, now)
    }
}

/// Why there is no operation at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// No operation has this address.
    Address,
    /// Some operation has this address, with another method.
    Method,
    /// The address or its query is not encoded as one.
    Encoding,
}

/// The operation of a method and an address below `/api`, and what the address says.
///
/// # Errors
///
/// Why there is none.
pub fn find(method: &str, target: &str) -> Result<(&'static Entry, Input), Missing> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = address::query(query).ok_or(Missing::Encoding)?;
    let method = Method::named(method);
    let mut missing = Missing::Address;
    let mut found: Option<(&Entry, Vec<(String, String)>)> = None;
    for entry in &OPERATIONS {
        let Some(values) = address::matched(entry.operation.path, path) else { continue };
        if Some(entry.operation.method) != method {
            missing = Missing::Method;
        // An address with a word of its own is meant before one with a name in its place.
        } else if found.as_ref().is_none_or(|(_, other)| values.len() < other.len()) {
            found = Some((entry, values));
        }
    }
    let (entry, path) = found.ok_or(missing)?;
    Ok((entry, Input { path, query, body: None }))
}

/// The operation of an id of the platform's reference.
#[must_use]
pub fn named(id: &str) -> Option<&'static Entry> {
    OPERATIONS.iter().find(|entry| entry.operation.id == id)
}

/// Every operation.
pub static OPERATIONS: [Entry; 123] = [
    Entry::of::<contact::AddContact>(),
    Entry::of::<contact::DeleteContactByExternalId>(),
    Entry::of::<contact::Subscribe>(),
    Entry::of::<contact::SearchContacts>(),
    Entry::of::<contact::AddContacts>(),
    Entry::of::<contact::AddContactsFromFile>(),
    Entry::of::<contact::ReadImportStatus>(),
    Entry::of::<contact::ReadContactEmails>(),
    Entry::of::<contact::AddToUnsubscribed>(),
    Entry::of::<contact::RemoveFromUnsubscribed>(),
    Entry::of::<segment::SegmentContacts>(),
    Entry::of::<segment::DetachContacts>(),
    Entry::of::<segment::AttachContacts>(),
    Entry::of::<segment::SearchSegments>(),
    Entry::of::<segment::SearchWorkflows>(),
    Entry::of::<contact::ContactIdByToken>(),
    Entry::of::<contact::ReadSubscriptions>(),
    Entry::of::<contact::ReplaceSubscriptions>(),
    Entry::of::<contact::GetContact>(),
    Entry::of::<contact::UpdateContact>(),
    Entry::of::<contact::DeleteContact>(),
    Entry::of::<recommendation::Recommend>(),
    Entry::of::<contact::ReadCatalogues>(),
    Entry::of::<message::email::Search>(),
    Entry::of::<message::email::Add>(),
    Entry::of::<message::EmailViewLink>(),
    Entry::of::<send::SendStored>(),
    Entry::of::<send::ReadStatus>(),
    Entry::of::<send::SendEmail>(),
    Entry::of::<message::email::Get>(),
    Entry::of::<message::email::Replace>(),
    Entry::of::<message::email::Delete>(),
    Entry::of::<message::email::Translate>(),
    Entry::of::<message::email::DeleteTranslation>(),
    Entry::of::<message::mobile_push::Search>(),
    Entry::of::<message::mobile_push::Add>(),
    Entry::of::<message::mobile_push::Get>(),
    Entry::of::<message::mobile_push::Replace>(),
    Entry::of::<message::mobile_push::Delete>(),
    Entry::of::<message::mobile_push::Translate>(),
    Entry::of::<message::mobile_push::DeleteTranslation>(),
    Entry::of::<message::viber::Search>(),
    Entry::of::<message::viber::Add>(),
    Entry::of::<message::viber::Get>(),
    Entry::of::<message::viber::Replace>(),
    Entry::of::<message::viber::Delete>(),
    Entry::of::<message::viber::Translate>(),
    Entry::of::<message::viber::DeleteTranslation>(),
    Entry::of::<message::app_inbox::Search>(),
    Entry::of::<message::app_inbox::Add>(),
    Entry::of::<message::app_inbox::Get>(),
    Entry::of::<message::app_inbox::Replace>(),
    Entry::of::<message::app_inbox::Delete>(),
    Entry::of::<message::app_inbox::Translate>(),
    Entry::of::<message::app_inbox::DeleteTranslation>(),
    Entry::of::<message::telegram::Search>(),
    Entry::of::<message::telegram::Add>(),
    Entry::of::<message::telegram::Get>(),
    Entry::of::<message::telegram::Replace>(),
    Entry::of::<message::telegram::Delete>(),
    Entry::of::<message::telegram::Translate>(),
    Entry::of::<message::telegram::DeleteTranslation>(),
    Entry::of::<send::ReportInteraction>(),
    Entry::of::<message::sms::Get>(),
    Entry::of::<message::sms::Replace>(),
    Entry::of::<message::sms::Delete>(),
    Entry::of::<message::sms::Translate>(),
    Entry::of::<message::sms::DeleteTranslation>(),
    Entry::of::<send::SendSms>(),
    Entry::of::<message::sms::Search>(),
    Entry::of::<message::sms::Add>(),
    Entry::of::<send::SendViber>(),
    Entry::of::<broadcast::ListBroadcasts>(),
    Entry::of::<broadcast::AddBroadcast>(),
    Entry::of::<broadcast::GetBroadcast>(),
    Entry::of::<broadcast::CancelBroadcast>(),
    Entry::of::<interface::SmsInterfaces>(),
    Entry::of::<interface::EmailInterfaces>(),
    Entry::of::<promo_code::ListPromoCodes>(),
    Entry::of::<promo_code::AddPromoCodes>(),
    Entry::of::<promo_code::CountPromoCodes>(),
    Entry::of::<subscription::ListSubscriptions>(),
    Entry::of::<preprocessor::PreprocessorStatus>(),
    Entry::of::<preprocessor::AddPreprocessorFile>(),
    Entry::of::<preprocessor::UpdatePreprocessorFile>(),
    Entry::of::<event::AddEventV1>(),
    Entry::of::<event::AddPastEventsV1>(),
    Entry::of::<event::DeletePastEvents>(),
    Entry::of::<event::AddEventV2>(),
    Entry::of::<event::AddPastEventsV2>(),
    Entry::of::<token::AddEventToken>(),
    Entry::of::<account::ReadAccount>(),
    Entry::of::<account::ReadBalance>(),
    Entry::of::<account::ReadBillingHistory>(),
    Entry::of::<order::AddOrders>(),
    Entry::of::<order::DeleteOrders>(),
    Entry::of::<activity::ContactActivities>(),
    Entry::of::<activity::ContactMessages>(),
    Entry::of::<app::ReadTokenActive>(),
    Entry::of::<app::SetTokenActive>(),
    Entry::of::<app::AddAppTokens>(),
    Entry::of::<app::MuteToken>(),
    Entry::of::<app::UnmuteToken>(),
    Entry::of::<site::ReadDomains>(),
    Entry::of::<site::AddDomain>(),
    Entry::of::<site::ReadScript>(),
    Entry::of::<web_push::ReadWebPushDomains>(),
    Entry::of::<web_push::AddWebPushDomains>(),
    Entry::of::<web_push::DeleteWebPushDomain>(),
    Entry::of::<feed::ReadFeeds>(),
    Entry::of::<feed::SetFeeds>(),
    Entry::of::<web_push::ReadWebPushScript>(),
    Entry::of::<event::AddEventV3>(),
    Entry::of::<event::AddPastEventsV3>(),
    Entry::of::<token::AddContactToken>(),
    Entry::of::<version::ReadVersionV1>(),
    Entry::of::<version::ReadVersionV2>(),
    Entry::of::<web_push::AddWebPushDomain>(),
    Entry::of::<send::SendPrepared>(),
    Entry::of::<send::EmailStatuses>(),
    Entry::of::<send::SmsStatuses>(),
    Entry::of::<send::ViberStatuses>(),
    Entry::of::<send::SmsCallouts>(),
];
