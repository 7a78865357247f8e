//! What the key may do, tried with calls that only read: one for each group of rights that the
//! platform's page on OAuth names. How the rights of a key map to these groups is not documented, so
//! each is tried and none inferred.

use esputnik_kit::{
    api::{
        Chapter, Error, Kind,
        activity::ContactActivities,
        broadcast::ListBroadcasts,
        contact::{ReadImportStatus, SearchContacts},
        event::{AddEventV1, TextEvent},
        text::{EventKey, EventTypeKey},
        time::DateTime,
    },
    config::{Config, Scope},
};

use super::{
    Options,
    account::later,
    report::{Outcome, Report},
};
use crate::{platform::Platform, process};

/// The type of the event that `--event` makes.
const EVENT: &str = "kitCheck";

/// A group of rights.
#[derive(Debug)]
struct Right {
    /// As the platform's page on OAuth calls it.
    group: &'static str,
    /// What it allows.
    may: &'static str,
    /// What is tried, where that is something else that the group allows.
    tried: Option<&'static str>,
    /// The chapters of the REST API that need it.
    chapters: &'static [Chapter],
}

const GENERAL: Right = Right {
    group: "general",
    may: "read the account, stored messages and senders",
    tried: None,
    chapters: &[
        Chapter::Account,
        Chapter::Messages,
        Chapter::Interfaces,
        Chapter::Subscriptions,
        Chapter::Apps,
    ],
};
const CONTACT_READ: Right = Right {
    group: "contact-read",
    may: "read contacts and segments",
    tried: None,
    chapters: &[Chapter::Contacts, Chapter::Segments],
};
const CONTACT_UPDATE: Right = Right {
    group: "contact-update",
    may: "add and change contacts",
    tried: Some("ask for the state of an import"),
    chapters: &[Chapter::Contacts, Chapter::Segments, Chapter::Subscriptions],
};
const MESSAGES: Right = Right {
    group: "messages",
    may: "send messages and broadcasts",
    tried: Some("list broadcasts"),
    chapters: &[Chapter::Sends, Chapter::Broadcasts],
};
const ACTIVITY: Right = Right {
    group: "activity",
    may: "read what contacts did with messages",
    tried: None,
    chapters: &[Chapter::Activity],
};
const EVENTS: Right =
    Right { group: "events", may: "make events", tried: None, chapters: &[Chapter::Events] };

/// Tries each right. `general` is the error of the call that tested the connection, if it failed.
pub(super) fn check(
    config: &Config,
    options: &Options,
    general: Option<Error>,
    platform: &mut Platform,
    report: &mut Report,
) {
    let general = general.map_or(Ok(()), Err);
    report.add(platform, &judge(&GENERAL, general, config));

    let search = SearchContacts {
        external_customer_id: None,
        email: None,
        sms: None,
        first_name: None,
        last_name: None,
        start_index: None,
        max_rows: Some(1),
        sort_by: None,
    };
    let read = platform.ask(&search).map(drop);
    report.add(platform, &judge(&CONTACT_READ, read, config));

    // The one call of this group that only reads; there is no such import.
    let status = ReadImportStatus { session_id: "0".to_owned() };
    let update = let_in(platform.ask(&status).map(drop));
    report.add(platform, &judge(&CONTACT_UPDATE, update, config));

    let list = ListBroadcasts { start_index: None, max_rows: Some(1) };
    let messages = platform.ask(&list).map(drop);
    report.add(platform, &judge(&MESSAGES, messages, config));

    let activity = platform.ask(&last_hour()).map(drop);
    report.add(platform, &judge(&ACTIVITY, activity, config));

    let events = if options.event {
        judge(&EVENTS, platform.ask(&test_event()).map(drop), config)
    } else {
        Outcome::unknown(
            name(&EVENTS),
            "no call that only reads needs this right, so nothing was tried",
            format!("with `--event` one event of the type {EVENT} is made, which tells"),
        )
    };
    report.add(platform, &events);
}

fn name(right: &Right) -> String {
    format!("right {}", right.group)
}

/// Whoever hears that there is no such thing was let in to ask.
fn let_in(result: Result<(), Error>) -> Result<(), Error> {
    result.or_else(|error| match error.kind {
        Kind::NotFound | Kind::Refused => Ok(()),
        _ => Err(error),
    })
}

fn last_hour() -> ContactActivities {
    let now = i64::try_from(process::unix_millis()).unwrap_or(i64::MAX);
    ContactActivities {
        date_from: DateTime::from_millis(now.saturating_sub(60 * 60 * 1000)),
        date_to: DateTime::from_millis(now),
        email: None,
        sms: None,
        web_push_token: None,
        mob_push_token: None,
        message_tag: None,
        activity_status: None,
        offset: None,
        max_rows: Some(1),
    }
}

/// Version 1, since that is the one that the group of rights names.
fn test_event() -> AddEventV1 {
    AddEventV1 {
        event: TextEvent {
            event_type_key: EventTypeKey::parse(EVENT).expect("a short name of letters"),
            key_value: Some(EventKey::parse("kit-check").expect("a short name of letters")),
            params: None,
            other: Vec::new(),
        },
    }
}

fn judge(right: &Right, result: Result<(), Error>, config: &Config) -> Outcome {
    let Right { group, may, .. } = right;
    let error = match result {
        Ok(()) => {
            let text = match right.tried {
                Some(tried) => format!("the key may {tried}, and the same right is to {may}"),
                None => format!("the key may {may}"),
            };
            return Outcome::ok(name(right), text);
        }
        Err(error) => error,
    };
    match error.kind {
        // The key itself was taken a moment before.
        Kind::Forbidden | Kind::Unauthorized => match needed(right, config) {
            None => Outcome::ok(
                name(right),
                format!("the key may not {may}, and no token in kit.toml opens that"),
            ),
            Some(by) => Outcome::wrong(
                name(right),
                format!("the key may not {may}, which {by} can ask for ({error})"),
                format!(
                    "at the platform make a key whose rights include this ({group}), or take it \
                     from the `scopes` in kit.toml"
                ),
            ),
        },
        Kind::Refused if group == &ACTIVITY.group => Outcome::unknown(
            name(right),
            format!("the platform says {error}"),
            "its support has to switch contact activity on for an account; ask it if you need that",
        ),
        Kind::Refused => Outcome::unknown(
            name(right),
            format!("the platform says {error}, which may come before it looks at rights"),
            "ask its support whether the key may do this",
        ),
        _ => Outcome::unknown(name(right), format!("the platform says {error}"), later(&error)),
    }
}

/// Who may ask for what needs a right; `None` if nobody. Without tokens in the settings there is still
/// the server's own, which opens everything.
fn needed(right: &Right, config: &Config) -> Option<String> {
    if config.tokens.is_empty() {
        return Some("your server".to_owned());
    }
    let opens =
        |scope: &Scope| matches!(scope, Scope::Chapter(one) if right.chapters.contains(one));
    let tokens = config.tokens.iter().filter(|(_, token)| token.scopes.iter().any(opens));
    let tokens: Vec<&str> = tokens.map(|(name, _)| name.as_str()).collect();
    match tokens.as_slice() {
        [] => None,
        [name] => Some(format!("the token {name}")),
        names => Some(format!("the tokens {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use esputnik_kit::api::{self, Endpoint as _, Reply};

    use super::*;
    use crate::{check::report::Verdict, settings};

    fn config(tokens: &str) -> Config {
        let site = "[sites.main]\nsite_id = \"8A412DC\"\nhosts = [\"shop.ua\"]\n";
        settings::read(&format!("version = 1\n{tokens}{site}")).expect("the file is right").config
    }

    fn judged(right: &Right, status: u16, tokens: &str) -> Outcome {
        let reply = Reply { status, text: "its words".into(), ..Reply::default() };
        let result = api::decode::<ReadImportStatus>(&reply, 0).map(drop);
        judge(right, result, &config(tokens))
    }

    #[test]
    fn a_missing_right_is_wrong_where_somebody_may_need_it() {
        let outcome = judged(&CONTACT_READ, 403, "");
        assert_eq!(outcome.verdict, Verdict::Wrong);
        assert!(outcome.text.contains("read contacts"), "{outcome:?}");
        assert!(outcome.fix.unwrap().contains("contact-read"));
        let orders = "[tokens.shop]\nscopes = [\"orders\"]\n";
        assert_eq!(judged(&CONTACT_READ, 403, orders).verdict, Verdict::Ok);
        let contacts = "[tokens.crm]\nscopes = [\"contacts\"]\n";
        let outcome = judged(&CONTACT_READ, 403, contacts);
        assert!(outcome.text.contains("the token crm"), "{outcome:?}");
    }

    #[test]
    fn what_the_platform_does_not_do_for_another_reason_says_nothing_of_rights() {
        for (status, fix) in [(500, "later"), (400, "support"), (429, "try again in 1 s")] {
            let outcome = judged(&MESSAGES, status, "");
            assert_eq!(outcome.verdict, Verdict::Unknown);
            assert!(outcome.fix.as_ref().unwrap().contains(fix), "{outcome:?}");
        }
        assert!(judged(&ACTIVITY, 400, "").fix.unwrap().contains("switch contact activity on"));
    }

    #[test]
    fn the_calls_are_within_the_platforms_limits() {
        assert!(test_event().request().is_ok());
        assert!(last_hour().request().is_ok());
    }
}
