//! What is the same for all calls of an operation.

/// What is the same for all calls of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Its id in the platform's reference.
    pub id: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Where the reference has it.
    pub chapter: Chapter,
    /// The method.
    pub method: Method,
    /// Its address below `/api`, with names in braces.
    pub path: &'static str,
    /// Whose calls count against the same limit.
    pub pool: Pool,
    /// Whether a second call does harm.
    pub repeat: Repeat,
}

/// A chapter of the platform's reference; also what a token of the Worker may be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Chapter {
    /// Contacts, their fields and their lists.
    Contacts,
    /// Segments, and the workflows they start.
    Segments,
    /// Orders.
    Orders,
    /// Events and past events.
    Events,
    /// Stored messages of every channel, and their translations.
    Messages,
    /// Sending stored and one-off messages, and what became of it.
    Sends,
    /// Broadcasts to segments.
    Broadcasts,
    /// Senders.
    Interfaces,
    /// Promo codes.
    PromoCodes,
    /// Subscription categories.
    Subscriptions,
    /// Files for the preprocessor.
    Preprocessor,
    /// What contacts did with messages.
    Activity,
    /// Tokens of events and contacts.
    Tokens,
    /// The account.
    Account,
    /// The tracked site.
    Site,
    /// Web push.
    WebPush,
    /// Mobile and Telegram applications.
    Apps,
    /// Product feeds.
    Feeds,
    /// Product recommendations.
    Recommendations,
    /// Versions of the API.
    Version,
}

impl Chapter {
    /// Every chapter.
    pub const ALL: [Self; 20] = [
        Self::Contacts,
        Self::Segments,
        Self::Orders,
        Self::Events,
        Self::Messages,
        Self::Sends,
        Self::Broadcasts,
        Self::Interfaces,
        Self::PromoCodes,
        Self::Subscriptions,
        Self::Preprocessor,
        Self::Activity,
        Self::Tokens,
        Self::Account,
        Self::Site,
        Self::WebPush,
        Self::Apps,
        Self::Feeds,
        Self::Recommendations,
        Self::Version,
    ];

    /// Its name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Segments => "segments",
            Self::Orders => "orders",
            Self::Events => "events",
            Self::Messages => "messages",
            Self::Sends => "sends",
            Self::Broadcasts => "broadcasts",
            Self::Interfaces => "interfaces",
            Self::PromoCodes => "promo_codes",
            Self::Subscriptions => "subscriptions",
            Self::Preprocessor => "preprocessor",
            Self::Activity => "activity",
            Self::Tokens => "tokens",
            Self::Account => "account",
            Self::Site => "site",
            Self::WebPush => "web_push",
            Self::Apps => "apps",
            Self::Feeds => "feeds",
            Self::Recommendations => "recommendations",
            Self::Version => "version",
        }
    }
}

/// A method of HTTP that the platform uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "these are all that the platform uses")]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
}

impl Method {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Put, Self::Delete]
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

/// Calls that count against one limit of the platform (its page on rate limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Pool {
    /// Everything that has no limit of its own: 200 a second.
    Shared,
    /// The search for contacts: 50 a second.
    SearchContacts,
    /// A contact's id by its push token: 150 a second.
    ContactByToken,
    /// Events, version 1: 350 a second.
    EventsV1,
    /// Events, version 2: 350 a second.
    EventsV2,
    /// Events, version 3: 350 a second.
    EventsV3,
    /// Past events, version 1: 100 a second.
    PastEventsV1,
    /// Past events, version 2: 100 a second.
    PastEventsV2,
    /// Past events, version 3: 100 a second.
    PastEventsV3,
    /// Deleting past events: 5 a second.
    DeletePastEvents,
    /// Reports on push messages: 300 a second.
    Interactions,
    /// The messages of a contact: 10 a second.
    ContactMessages,
    /// Reading and searching stored messages: 500 an hour. Whether for each operation or for all of
    /// them is not documented; one pool holds under both.
    StoredMessages,
    /// Reading one stored e-mail: 500 an hour in one document, 10 a second in another; both hold.
    StoredEmail,
    /// Events to the tracker, which is no part of the REST API. No limit is documented: there is one
    /// where the settings say so.
    Tracker,
    /// Recommendations by a contact's token, which are no part of the REST API. No limit is documented;
    /// that of the REST API is kept: 200 a second.
    ContactApi,
    /// Recommendations as apps ask for them, likewise.
    MobileApi,
}

impl Pool {
    /// Every pool.
    pub const ALL: [Self; 17] = [
        Self::Shared,
        Self::SearchContacts,
        Self::ContactByToken,
        Self::EventsV1,
        Self::EventsV2,
        Self::EventsV3,
        Self::PastEventsV1,
        Self::PastEventsV2,
        Self::PastEventsV3,
        Self::DeletePastEvents,
        Self::Interactions,
        Self::ContactMessages,
        Self::StoredMessages,
        Self::StoredEmail,
        Self::Tracker,
        Self::ContactApi,
        Self::MobileApi,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::SearchContacts => "search_contacts",
            Self::ContactByToken => "contact_by_token",
            Self::EventsV1 => "events_v1",
            Self::EventsV2 => "events_v2",
            Self::EventsV3 => "events_v3",
            Self::PastEventsV1 => "past_events_v1",
            Self::PastEventsV2 => "past_events_v2",
            Self::PastEventsV3 => "past_events_v3",
            Self::DeletePastEvents => "delete_past_events",
            Self::Interactions => "interactions",
            Self::ContactMessages => "contact_messages",
            Self::StoredMessages => "stored_messages",
            Self::StoredEmail => "stored_email",
            Self::Tracker => "tracker",
            Self::ContactApi => "contact_api",
            Self::MobileApi => "mobile_api",
        }
    }

    /// The pool of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pool| pool.as_str() == name)
    }

    /// Whether its calls are the REST API's, and need the account's key.
    #[must_use]
    pub fn is_rest(self) -> bool {
        !matches!(self, Self::Tracker | Self::ContactApi | Self::MobileApi)
    }

    /// How many calls the platform takes, and in how many milliseconds; all of them hold. What is
    /// documented, that is.
    #[must_use]
    pub fn limits(self) -> &'static [(u32, u64)] {
        const SECOND: u64 = 1000;
        const HOUR: u64 = 3600 * SECOND;
        match self {
            Self::Shared | Self::ContactApi | Self::MobileApi => &[(200, SECOND)],
            Self::SearchContacts => &[(50, SECOND)],
            Self::ContactByToken => &[(150, SECOND)],
            Self::EventsV1 | Self::EventsV2 | Self::EventsV3 => &[(350, SECOND)],
            Self::PastEventsV1 | Self::PastEventsV2 | Self::PastEventsV3 => &[(100, SECOND)],
            Self::DeletePastEvents => &[(5, SECOND)],
            Self::Interactions => &[(300, SECOND)],
            Self::ContactMessages => &[(10, SECOND)],
            Self::StoredMessages => &[(500, HOUR)],
            Self::StoredEmail => &[(500, HOUR), (10, SECOND)],
            Self::Tracker => &[],
        }
    }
}

/// Whether a second call does harm: what decides when nobody knows what became of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// It only reads.
    Reads,
    /// The second call leaves everything as the first one did.
    Same,
    /// The platform answers 409 to the same call within a minute, and later does the same once more.
    Window,
    /// It acts twice: a message is sent, a code is made, an event is counted once more.
    Acts,
}

impl Repeat {
    /// Whether a call whose outcome nobody knows may be made again without asking.
    #[must_use]
    pub fn is_safe(self) -> bool {
        !matches!(self, Self::Acts)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Same => "same",
            Self::Window => "window",
            Self::Acts => "acts",
        }
    }
}
