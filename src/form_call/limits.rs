//! How much of forms is taken: of a network, of a mail domain, about one contact, in all.

use crate::{
    caller,
    definition::{Definition, Limits, submission::Submission},
    form::{check::Kind, email::Email},
};

const MINUTE: u64 = 60_000;

/// The time over which submissions about one contact are counted, in milliseconds.
pub const DAY: u64 = 24 * 60 * MINUTE;

/// Something that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the Worker counts by it")]
pub struct Counted<T> {
    /// What: an address, a network, a domain.
    pub what: T,
    /// How many may come.
    pub most: u32,
    /// In how many milliseconds.
    pub window: u64,
}

/// So much less is taken with addresses that are thrown away after use. No reason to refuse anybody,
/// since people who have been sold once use them too; but where many come they are mostly programs.
const DISPOSABLE_SHARE: u32 = 4;

/// So much more is taken with addresses of providers that everybody has.
const PROVIDER_SHARE: u32 = 10;

/// Mail domains whose addresses are thrown away after use: the ones that are seen most. A list that
/// means to be complete has a hundred thousand and is old tomorrow.
const DISPOSABLE: &str = include_str!("limits/disposable.txt");

/// Mail domains that everybody has: one of them being busy says nothing.
const PROVIDERS: &str = include_str!("limits/providers.txt");

/// Whether addresses of a domain, in small letters, are thrown away after use; those of a domain below
/// such a one are too.
#[must_use]
pub fn is_disposable(domain: &str) -> bool {
    DISPOSABLE.lines().any(|known| {
        let above = domain.strip_suffix(known);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    })
}

fn share(most: u32, disposable: bool) -> u32 {
    if disposable { (most / DISPOSABLE_SHARE).max(1) } else { most }
}

/// Under what the submissions of a visitor's address, given as its bytes, are counted.
#[must_use]
pub fn callers<'a>(limits: &Limits, address: &'a [u8], disposable: bool) -> Vec<Counted<&'a [u8]>> {
    let (own, network) = (limits.address_per_ten_minutes, limits.network_per_ten_minutes);
    let counted = caller::counted(address, own, network).into_iter();
    let counted = counted.map(|(what, most)| Counted {
        what,
        most: share(most, disposable),
        window: 10 * MINUTE,
    });
    counted.collect()
}

/// Under what submissions are counted that no visitor's address tells apart: the mail domain, and all.
#[must_use]
pub fn at_large(limits: &Limits, domain: Option<&str>) -> Vec<Counted<String>> {
    let domain = domain.map(|domain| {
        let is_large = PROVIDERS.lines().any(|known| known == domain);
        let most = if is_large {
            limits.domain_per_minute.saturating_mul(PROVIDER_SHARE)
        } else {
            share(limits.domain_per_minute, is_disposable(domain))
        };
        Counted { what: ["@", domain].concat(), most, window: MINUTE }
    });
    let all = Counted { what: "all".to_owned(), most: limits.all_per_minute, window: MINUTE };
    domain.into_iter().chain([all]).collect()
}

/// The mailbox of a submission, as mailboxes are compared; never one to send to. `to_ascii` is asked for
/// domains with other letters than ASCII's.
#[must_use]
pub fn mailbox(
    submission: &Submission,
    to_ascii: impl FnOnce(&str) -> Option<String>,
) -> Option<String> {
    let typed = submission.email.as_ref()?;
    Some(match Email::parse(typed) {
        Ok(email) => email.key(to_ascii),
        Err(_) => typed.to_lowercase(),
    })
}

/// The name of whoever has an e-mail address, as [`contacts`] gives it.
#[must_use]
pub fn name_of(email: &str, to_ascii: impl FnOnce(&str) -> Option<String>) -> String {
    let mailbox = Email::parse(email).map(|email| email.key(to_ascii));
    ["email:", &mailbox.unwrap_or_else(|_| email.to_lowercase())].concat()
}

/// The mail domain of a mailbox.
#[must_use]
pub fn domain(mailbox: &str) -> Option<&str> {
    mailbox.rsplit_once('@').map(|(_, domain)| domain)
}

/// Whom a submission is about, by the addresses that a step of its form asks for; each name such that
/// one person has one.
#[must_use]
pub fn contacts(
    definition: &Definition,
    step: u32,
    submission: &Submission,
    mailbox: Option<&str>,
) -> Vec<String> {
    let asks =
        |kind: Kind| definition.fields().any(|(own, field)| own == step && field.kind == kind);
    let email = mailbox.filter(|_| asks(Kind::Email));
    let phone = submission.phone.as_ref().filter(|_| asks(Kind::Phone));
    let email = email.map(|mailbox| ["email:", mailbox].concat());
    let phone = phone.map(|phone| ["phone:", phone].concat());
    email.into_iter().chain(phone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: &str = r#"{"pages": [{"fields": [{"kind": "email"}, {"kind": "phone"}]}]}"#;
    const LATER: &str = r#"{"pages": [{"fields": [{"kind": "email"}]}],
        "second_step": [{"fields": [{"kind": "phone"}]}]}"#;

    fn about(form: &str, step: u32, email: &str, phone: Option<&str>) -> Vec<String> {
        let form = serde_json::from_str(form).expect("a definition");
        let (email, phone) = (Some(email.to_owned()), phone.map(str::to_owned));
        let submission = Submission { email, phone, ..Submission::default() };
        let mailbox = mailbox(&submission, |_| Some("xn--e1afmkfd.ua".to_owned()));
        contacts(&form, step, &submission, mailbox.as_deref())
    }

    #[test]
    fn a_step_is_about_the_addresses_that_it_asks_for() {
        let [email, phone] = ["email:a@b.c", "phone:+380501234567"];
        let steps = |form: &str| {
            [1, 2].map(|step| about(form, step, "a@b.c", phone.strip_prefix("phone:")))
        };
        assert_eq!(steps(AT_ONCE), [vec![email, phone], vec![]]);
        assert_eq!(steps(LATER), [[email], [phone]]);
    }

    #[test]
    fn one_mailbox_is_one_contact_however_it_is_written() {
        for same in ["A.n.n+x@Gmail.com", "ann@googlemail.com", "\"ann\"@gmail.com"] {
            assert_eq!(about(AT_ONCE, 1, same, None), ["email:ann@gmail.com"], "{same}");
        }
        let both = about(AT_ONCE, 1, "a@ПРИКЛАД.ua", Some("+380501234567"));
        assert_eq!(both, ["email:a@xn--e1afmkfd.ua", "phone:+380501234567"]);
        assert_eq!(domain("a@b.c"), Some("b.c"));
    }

    #[test]
    fn addresses_that_are_thrown_away_get_a_quarter() {
        let limits = Limits::default();
        let most = |domain: &str| at_large(&limits, Some(domain))[0].most;
        assert_eq!(most("shop.example"), 60);
        assert_eq!(most("mailinator.com"), 15);
        assert_eq!(most("a.mailinator.com"), 15);
        assert_eq!(most("notmailinator.com"), 60);
        assert_eq!(most("gmail.com"), 600);
        let mosts = |disposable: bool| -> Vec<u32> {
            let counted = callers(&limits, &[10, 0, 0, 1], disposable);
            counted.iter().map(|one| one.most).collect()
        };
        assert_eq!((mosts(false), mosts(true)), (vec![10, 60], vec![2, 15]));
    }
}
