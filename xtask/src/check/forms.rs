//! What the sites' forms need of the account: additional fields, categories, segments, and the double
//! opt-in, which the account has to make out of a message and two workflows of its own.
//! [`promo_codes`] looks after what they give out.

use std::collections::BTreeSet;

use esputnik_kit::{
    api::{
        Error,
        contact::ReadCatalogues,
        segment::{SearchSegments, SearchWorkflows, WorkflowStatus},
        subscription::ListSubscriptions,
    },
    config::Config,
    definition::{Definition, Kind},
};

use super::{
    account::unreadable,
    promo_codes,
    report::{Outcome, Report},
};
use crate::platform::Platform;

/// The most rows that the platform gives at a time.
const PAGE: i32 = 500;

/// Checks the forms that sites show.
pub(super) fn check(config: &Config, platform: &mut Platform, report: &mut Report) {
    let shown: Vec<(&str, &Definition)> = config
        .forms
        .iter()
        .filter(|(id, _)| config.sites.values().any(|site| site.forms.contains(id)))
        .map(|(id, form)| (id.as_str(), form))
        .collect();
    if shown.iter().any(|(_, form)| !field_ids(form).is_empty()) {
        let fields = platform.ask(&ReadCatalogues {}).map(|answer| {
            let books = answer.value.address_books.unwrap_or_default().into_iter();
            let groups = books.flat_map(|book| book.field_groups.unwrap_or_default());
            let fields = groups.flat_map(|group| group.fields.unwrap_or_default());
            fields.filter_map(|field| u32::try_from(field.id?).ok()).collect::<BTreeSet<u32>>()
        });
        each(&shown, "fields", &fields, platform, report, |form, known| {
            let asked = field_ids(form);
            let missing = asked.iter().filter(|id| !known.contains(id)).map(ToString::to_string);
            (asked.iter().map(ToString::to_string).collect(), missing.collect())
        });
    }
    if shown.iter().any(|(_, form)| !categories(form).is_empty()) {
        let keys = platform.ask(&ListSubscriptions {}).map(|answer| {
            answer.value.into_iter().filter_map(|one| one.key).collect::<BTreeSet<String>>()
        });
        each(&shown, "categories", &keys, platform, report, |form, known| {
            let asked = categories(form);
            let missing = asked.iter().filter(|key| !known.contains(*key)).cloned().collect();
            (asked, missing)
        });
    }
    segments(&shown, platform, report);
    if shown.iter().any(|(_, form)| form.kind == Kind::Subscribe) {
        let list = SearchWorkflows { name: None, start_index: None, max_rows: Some(PAGE) };
        let active = platform.ask(&list).map(|answer| {
            let active = |status: &Option<WorkflowStatus>| {
                status.as_ref().is_some_and(|status| *status == WorkflowStatus::Active)
            };
            answer.value.iter().filter(|workflow| active(&workflow.status)).count()
        });
        report.add(platform, &workflows(&active));
        for (id, form) in shown.iter().filter(|(_, form)| form.kind == Kind::Subscribe) {
            for outcome in double_opt_in(id, form) {
                report.add(platform, &outcome);
            }
        }
    }
    promo_codes::check(&shown, platform, report);
    for (id, _) in shown.iter().filter(|(_, form)| form.turnstile.is_some()) {
        report.add(platform, &turnstile(id));
    }
}

/// Judges what each form asks for that the account must have, and what of it is not there.
fn each<T>(
    shown: &[(&str, &Definition)],
    what: &str,
    known: &Result<T, Error>,
    platform: &Platform,
    report: &mut Report,
    compare: impl Fn(&Definition, &T) -> (Vec<String>, Vec<String>),
) {
    let known = match known {
        Ok(known) => known,
        Err(error) => return report.add(platform, &unreadable(&format!("forms' {what}"), error)),
    };
    for (id, form) in shown {
        let (asked, missing) = compare(form, known);
        if !asked.is_empty() {
            report.add(platform, &judge(id, what, &asked, &missing));
        }
    }
}

fn judge(id: &str, what: &str, asked: &[String], missing: &[String]) -> Outcome {
    let check = format!("form {id}, {what}");
    if missing.is_empty() {
        return Outcome::ok(check, format!("the account has {}", asked.join(", ")));
    }
    Outcome::wrong(
        check,
        format!("the account has no {}", missing.join(", ")),
        format!("make it at the platform, or put forms/{id}.json right"),
    )
}

fn field_ids(form: &Definition) -> Vec<u32> {
    form.fields().filter_map(|(_, field)| field.field).collect()
}

fn categories(form: &Definition) -> Vec<String> {
    let options = form.fields().filter(|(_, field)| field.name() == "subscriptions");
    let options = options.flat_map(|(_, field)| &field.options).map(|option| &option.value);
    let mut keys: Vec<String> = form.subscriptions.iter().chain(options).cloned().collect();
    keys.dedup();
    keys
}

/// A segment that is not there is made by the first subscription, so this is nothing wrong.
fn segments(shown: &[(&str, &Definition)], platform: &mut Platform, report: &mut Report) {
    let names: BTreeSet<&String> = shown.iter().flat_map(|(_, form)| &form.segments).collect();
    for name in names {
        let search =
            SearchSegments { name: Some(name.clone()), start_index: None, max_rows: Some(PAGE) };
        let check = format!("segment {name}");
        let outcome = match platform.ask(&search) {
            Ok(answer) if answer.value.iter().any(|one| one.name.as_ref() == Some(name)) => {
                Outcome::ok(check, "the account has it")
            }
            Ok(_) => Outcome::unknown(
                check,
                "the account has none of this name; the first subscription makes it",
                "make it beforehand where messages or workflows are to name it",
            ),
            Err(error) => unreadable(&check, &error),
        };
        report.add(platform, &outcome);
    }
}

fn workflows(active: &Result<usize, Error>) -> Outcome {
    let check = "double opt-in, workflows";
    match active {
        Ok(0 | 1) => Outcome::wrong(
            check,
            "fewer than two workflows are active, so whoever subscribes is asked by nobody to \
             confirm it, and stays unconfirmed",
            "make two: one that sends the message about the confirmation, and one that its button \
             starts, with the block \"Confirm contact\"",
        ),
        Ok(active) => Outcome::ok(
            check,
            format!("{active} workflows are active; what they do cannot be read"),
        ),
        Err(error) => unreadable(check, error),
    }
}

/// What nobody but a person can look at, one line each.
fn double_opt_in(id: &str, form: &Definition) -> [Outcome; 3] {
    let end = form.form_type.as_ref().map(|own| ["-", own].concat()).unwrap_or_default();
    let look = |what: &str, text: String, fix: &str| {
        Outcome::unknown(format!("form {id}, {what}"), text, fix)
    };
    [
        look(
            "event",
            format!(
                "subscriptions make the event subscribeFromApi{end} for new contacts and \
                 subscribeUpdateFromApi{end} for known ones"
            ),
            "see that both start the workflow that sends the message about the confirmation; the \
             documents also write subscribeFromAPI, so copy the key from the account's list of events",
        ),
        look(
            "message",
            "the message about the confirmation cannot be read".to_owned(),
            "see that its button has the link type \"Subscription confirmation\" with \
             $data.get('redirectUrl'), or makes an event of yours",
        ),
        look(
            "confirmation",
            "the workflow behind the button cannot be read".to_owned(),
            "see that the button's event (SysContactConfirmed with the built-in link type) starts a \
             workflow with the block \"Confirm contact\"; the built-in message goes out at most once \
             in 72 hours",
        ),
    ]
}

fn turnstile(id: &str) -> Outcome {
    Outcome::unknown(
        format!("form {id}, Turnstile"),
        "the deployment needs the secret KIT_TURNSTILE_SECRET, which only Cloudflare knows to be set",
        "look with `cargo xtask wrangler secret list`; without it the form takes nothing",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::report::Verdict;

    fn form(text: &str) -> Definition {
        serde_json::from_str(text).expect("a definition")
    }

    #[test]
    fn what_a_form_needs_is_read_out_of_all_of_its_steps() {
        let form = form(
            r#"{"subscriptions": ["weekly"], "pages": [{"fields": [
                {"kind": "text", "field": 7, "label": "A"},
                {"kind": "subscriptions", "options": [{"value": "sale"}]}]}],
                "second_step": [{"fields": [{"kind": "birthday", "field": 8}]}]}"#,
        );
        assert_eq!(field_ids(&form), [7, 8]);
        assert_eq!(categories(&form), ["weekly", "sale"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let asked = ["7".to_owned(), "8".to_owned()];
        assert_eq!(judge("news", "fields", &asked, &[]).verdict, Verdict::Ok);
        let outcome = judge("news", "fields", &asked, &asked[1..]);
        assert_eq!(outcome.verdict, Verdict::Wrong);
        assert!(outcome.text.ends_with("no 8"), "{outcome:?}");
        assert_eq!(workflows(&Ok(1)).verdict, Verdict::Wrong);
        assert_eq!(workflows(&Ok(2)).verdict, Verdict::Ok);
    }

    #[test]
    fn the_events_of_a_form_have_its_name_behind_them() {
        let [event, ..] = double_opt_in("news", &form(r#"{"form_type": "footer"}"#));
        assert!(event.text.contains("subscribeFromApi-footer"), "{event:?}");
        let [event, ..] = double_opt_in("news", &form("{}"));
        assert!(event.text.contains("subscribeFromApi for"), "{event:?}");
    }
}
