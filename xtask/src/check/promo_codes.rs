//! Promo codes that forms give out: whether the account has any, and what nobody but a person can look at.

use std::collections::BTreeSet;

use esputnik_kit::{
    api::{Error, promo_code::ListPromoCodes},
    definition::{Definition, PromoCode},
    promo::{Code, Trouble, listing},
};

use super::{
    account::unreadable,
    report::{Outcome, Report},
};
use crate::{platform::Platform, process};

/// Checks the codes of the forms that sites show.
pub(super) fn check(shown: &[(&str, &Definition)], platform: &mut Platform, report: &mut Report) {
    let promos = || shown.iter().filter_map(|(id, form)| Some((*id, form.promo_code.as_ref()?)));
    let kinds: BTreeSet<&str> = promos().map(|(_, promo)| promo.kind.as_str()).collect();
    for kind in kinds {
        let list = ListPromoCodes {
            kind: Some(kind.to_owned()),
            in_use: Some(false),
            active_due_days: None,
            discount: None,
        };
        let listed = platform.ask(&list);
        let listed =
            listed.map(|answer| listing::read(&answer.value.0, kind, process::unix_millis()));
        report.add(platform, &codes(kind, &listed));
    }
    for (id, promo) in promos() {
        report.add(platform, &event(id, promo));
    }
}

fn codes(kind: &str, listed: &Result<Result<Vec<Code>, Trouble>, Error>) -> Outcome {
    let check = format!("promo codes {kind}");
    let codes = match listed {
        Ok(Ok(codes)) => codes,
        Ok(Err(trouble)) => {
            return Outcome::wrong(
                check,
                format!("{} ({})", trouble.text, trouble.why.as_str()),
                "tell the kit's authors this shape; until it is read, nobody gets a code",
            );
        }
        Err(error) => return unreadable(&check, error),
    };
    let count = codes.len();
    let unmarkable = codes.iter().filter(|code| !code.can_be_marked()).count();
    match (count, unmarkable) {
        (0, _) => Outcome::wrong(
            check,
            "the account has no code of this type that is unused and holds",
            "add some at the platform, with this type; whoever subscribes meanwhile waits for them \
             for a week",
        ),
        (_, 0) => Outcome::ok(check, format!("{count} are unused")),
        _ => Outcome::unknown(
            check,
            format!(
                "{count} are unused, and of {unmarkable} the list does not say until when they hold \
                 and what they take off, so that the platform cannot be told when they are used"
            ),
            "give codes of this type out by these forms alone",
        ),
    }
}

/// No call lists types of events, or what starts a workflow.
fn event(id: &str, promo: &PromoCode) -> Outcome {
    let PromoCode { event, .. } = promo;
    Outcome::unknown(
        format!("form {id}, promo code"),
        format!("the event {event} hands the code on; what it starts cannot be read"),
        format!(
            "see that the account has the type of event {event}, and that it starts a workflow whose \
             message shows $data.get('promoCode'); contacts who have not confirmed yet get it only if it \
             is a transactional one"
        ),
    )
}

#[cfg(test)]
mod tests {
    use esputnik_kit::json;

    use super::*;
    use crate::check::report::Verdict;

    fn judged(text: &str) -> Outcome {
        let listing = json::parse(text).expect("JSON");
        codes("WELCOME", &Ok(listing::read(&listing, "WELCOME", 0)))
    }

    #[test]
    fn codes_are_counted_that_can_be_given_out() {
        let full = r#"{"code": "A", "expirationDate": "2099-01-01", "discount": 5}"#;
        let outcome = judged(&format!(r#"[{full}, {{"code": "B", "inUse": true}}]"#));
        assert_eq!((outcome.verdict, outcome.text.as_str()), (Verdict::Ok, "1 are unused"));
        assert_eq!(judged("[]").verdict, Verdict::Wrong);
        let some = judged(&format!(r#"[{full}, "B"]"#));
        assert_eq!(some.verdict, Verdict::Unknown);
        assert!(some.text.starts_with("2 are unused, and of 1 "), "{some:?}");
        let odd = judged(r#"{"left": 3}"#);
        assert_eq!(odd.verdict, Verdict::Wrong);
        assert!(odd.text.ends_with("(listing_unreadable)"), "{odd:?}");
    }

    #[test]
    fn the_event_is_named_to_whoever_looks() {
        let form = r#"{"promo_code": {"kind": "WELCOME", "event": "welcomeCode"}}"#;
        let form: Definition = serde_json::from_str(form).expect("a definition");
        let outcome = event("news", &form.promo_code.expect("one"));
        assert!(outcome.fix.as_ref().unwrap().contains("welcomeCode"), "{outcome:?}");
    }
}
