//! `GeneralInfo`: which event, of which site, when and whose.

use super::reader::Field;
use super::{Event, Refusal, Rules};

/// The members that can tie a visitor to a contact.
const IDENTIFIERS: [&str; 4] =
    ["externalCustomerId", "user_email", "user_phone", "user_es_contact_id"];

/// `s_location` stands in the browser's table of the same object only; the tracker has no other
/// place for it.
const OTHER_TEXTS: [&str; 2] = ["user_name", "s_location"];

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The platform documents no age; the kit keeps events for 7 days, and a day more is for clocks.
const OLDEST_MS: u64 = 8 * DAY_MS;
const NEWEST_MS: u64 = 60 * 1000;

pub(super) fn check(
    field: &Field<'_>,
    rules: &Rules<'_>,
    extras: &mut Vec<String>,
) -> Result<Event, Refusal> {
    let mut info = field.object()?;

    let name = info.required("eventName")?;
    let text = name.text()?;
    let event = Event::named(text)
        .ok_or_else(|| name.refuse("unknown_event", format!("no event is called {text}")))?;

    site(&info.required("siteId")?, rules)?;

    // A change of the catalogue has no visitor and no moment; the documents' example has neither.
    let of_visitor = event != Event::ProductUpdate;
    let moment =
        if of_visitor { Some(info.required("datetime")?) } else { info.optional("datetime") };
    if let Some(moment) = moment {
        datetime(&moment, rules)?;
    }

    for name in IDENTIFIERS.iter().chain(&OTHER_TEXTS) {
        if let Some(field) = info.optional(name) {
            field.text()?;
        }
    }
    if event == Event::CustomerData && !info.has_any(&IDENTIFIERS) {
        return Err(field.refuse("identity", "CustomerData needs at least one identifier"));
    }

    let cookies =
        if of_visitor { Some(info.required("cookies")?) } else { info.optional("cookies") };
    if let Some(cookies) = cookies {
        let mut cookies = cookies.object()?;
        let sc = if of_visitor { Some(cookies.required("sc")?) } else { cookies.optional("sc") };
        if let Some(sc) = sc {
            sc.text()?;
        }
        cookies.finish(extras);
    }

    info.finish(extras);
    Ok(event)
}

/// Seven hexadecimal characters in what the platform gives out, `site_id` in its examples.
fn site(field: &Field<'_>, rules: &Rules<'_>) -> Result<(), Refusal> {
    let text = field.text()?;
    if text.len() > 32 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(field.refuse("value", "1 to 32 letters, digits and underscores are expected"));
    }
    if !rules.site_ids.is_empty() && !rules.site_ids.iter().any(|known| known == text) {
        return Err(field.refuse("unknown_site", format!("no site is called {text}")));
    }
    Ok(())
}

fn datetime(field: &Field<'_>, rules: &Rules<'_>) -> Result<(), Refusal> {
    let moment = field.whole()?;
    if !rules.check_datetime {
        return Ok(());
    }
    if moment < rules.now.saturating_sub(OLDEST_MS) {
        return Err(field.refuse("datetime", "older than 8 days; Unix milliseconds are expected"));
    }
    if moment > rules.now.saturating_add(NEWEST_MS) {
        return Err(field.refuse("datetime", "more than a minute ahead"));
    }
    Ok(())
}
