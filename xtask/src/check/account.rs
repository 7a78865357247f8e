//! The account behind the key: every check in turn, whatever the ones before came to.
//!
//! | file | what it judges |
//! |---|---|
//! | this one | whether the platform takes the key |
//! | `rights` | what the key may do |
//! | `site` | the tracked domain, the script, the site's id |
//! | `feed` | whether the ids of events are those of the feed |
//! | `forms`, `promo_codes` | what the sites' forms need, and give out |

use std::collections::BTreeSet;

use esputnik_kit::{
    api::{
        Answered, Error, Kind,
        account::{AccountInfo, ReadAccount},
    },
    config::Config,
};

use super::{
    Options, feed, forms,
    report::{Outcome, Report},
    rights, site,
};
use crate::platform::Platform;

/// Checks everything that can be checked; a key that is refused, and a platform that is not there,
/// end it at once, since all else would fail alike.
pub(super) fn check(
    config: &Config,
    options: &Options,
    ids: Option<&BTreeSet<String>>,
    platform: &mut Platform,
    report: &mut Report,
) {
    let info = platform.ask(&ReadAccount {});
    report.add(platform, &connection(platform.address(), &info));
    if let Err(Error { kind: Kind::Unauthorized | Kind::Unreachable, .. }) = info {
        return;
    }
    rights::check(config, options, info.err(), platform, report);
    site::check(config, options, platform, report);
    feed::check(config, ids, platform, report);
    forms::check(config, platform, report);
}

fn connection(address: &str, info: &Result<Answered<AccountInfo>, Error>) -> Outcome {
    let check = "connection";
    let error = match info {
        Ok(info) => {
            let info = &info.value;
            let name = info.organisation_name.as_deref().unwrap_or("one without a name");
            let id = info.org_id.map(|id| format!(" (id {id})")).unwrap_or_default();
            let text = format!("{address} takes the key; the organisation is {name}{id}");
            return Outcome::ok(check, text);
        }
        Err(error) => error,
    };
    let says = format!("{address} answers {error}");
    match error.kind {
        Kind::Forbidden => {
            let text = format!("{address} takes the key, which may not read whose it is");
            Outcome::ok(check, text)
        }
        Kind::Unauthorized => Outcome::wrong(
            check,
            format!(
                "{address} refuses the key; it is wrong, switched off, or was unused for 90 days, \
                 which switches it off"
            ),
            "make a key in the platform's settings, under API, and set KIT_API_KEY to it; if the \
             key is right, set `brand` to the name under which you have the account",
        ),
        Kind::Unreachable => Outcome::wrong(
            check,
            format!("{address} cannot be reached: {}", error.text),
            "try it from another network; a proxy is taken from HTTPS_PROXY; if `address` below \
             [api] is set, it must be the platform's",
        ),
        Kind::NotFound | Kind::Redirected | Kind::Unreadable | Kind::Refused => Outcome::wrong(
            check,
            format!("{says}, which the platform's REST API does not"),
            "set `brand` to the name under which you have the account, or `address` below [api] to \
             the address of its REST API, which ends in /api",
        ),
        _ => Outcome::unknown(check, says, later(error)),
    }
}

/// What to do about a call that failed for a reason of the moment.
pub(super) fn later(error: &Error) -> String {
    match error.repeat_after.map(|millis| millis.div_ceil(1000)) {
        Some(seconds) if error.kind == Kind::RateLimited => {
            format!("try again in {seconds} s, as the platform asks")
        }
        _ => "try again later".to_owned(),
    }
}

/// What could not be read of the account.
pub(super) fn unreadable(check: &str, error: &Error) -> Outcome {
    match error.kind {
        Kind::Forbidden | Kind::Unauthorized => Outcome::unknown(
            check,
            format!("the key may not read this ({error})"),
            "no group of rights names it, so set KIT_API_KEY to a key with full rights for the \
             check; the deployment can keep the lesser one",
        ),
        _ => Outcome::unknown(check, format!("the platform says {error}"), later(error)),
    }
}

#[cfg(test)]
mod tests {
    use esputnik_kit::api::{self, Reply};

    use super::*;
    use crate::check::report::Verdict;

    fn judged(status: u16, text: &str) -> Outcome {
        let reply = Reply { status, text: text.into(), ..Reply::default() };
        connection("https://yespo.io/api", &api::decode::<ReadAccount>(&reply, 0))
    }

    #[test]
    fn the_connection_is_told_from_a_refused_key_and_a_wrong_address() {
        let right = judged(200, r#"{"organisationName": "Sandbox", "orgId": 12345}"#);
        assert_eq!(right.verdict, Verdict::Ok);
        assert!(right.text.contains("Sandbox (id 12345)"), "{right:?}");
        let refused = judged(401, "");
        assert_eq!(refused.verdict, Verdict::Wrong);
        assert!(refused.text.contains("90 days"), "{refused:?}");
        for (status, text) in [(404, "no page"), (301, ""), (200, "<html>a page</html>")] {
            let elsewhere = judged(status, text);
            assert_eq!(elsewhere.verdict, Verdict::Wrong, "{elsewhere:?}");
            assert!(elsewhere.fix.unwrap().contains("[api]"));
        }
        assert_eq!(judged(403, "").verdict, Verdict::Ok);
        assert_eq!(judged(500, "").verdict, Verdict::Unknown);
        assert_eq!(judged(429, "").fix.unwrap(), "try again in 1 s, as the platform asks");
    }
}
