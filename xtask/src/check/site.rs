//! The tracked domain, the platform's script, and the site's id.
//!
//! A site has two ids: the short one, which events carry and `site_id` holds, and a long one, which
//! names the script's file. No document says how they relate, and the script is only known to hold
//! the long one. So the script can confirm a short id, and contradict it where it names another as
//! the site's; where it names none, nothing is known.

mod script;

use esputnik_kit::{
    api::{
        Error, Kind,
        site::{AddDomain, Domain, ReadDomains, ReadScript},
    },
    config::{Config, Site, is_loopback},
};

use self::script::{Found, is_long, read};
use super::{
    Options,
    account::unreadable,
    report::{Outcome, Report, Verdict},
};
use crate::platform::Platform;

/// Checks each site of the settings against the account.
pub(super) fn check(
    config: &Config,
    options: &Options,
    platform: &mut Platform,
    report: &mut Report,
) {
    let domains = platform
        .ask(&ReadDomains {})
        .map(|answer| answer.value.into_iter().filter_map(|one| one.domain).collect::<Vec<_>>());
    match &domains {
        Ok(domains) => {
            for (name, site) in &config.sites {
                report.add(platform, &domain(name, site, domains));
            }
        }
        Err(error) => report.add(platform, &unreadable("tracked domain", error)),
    }

    let script = platform.ask(&ReadScript {}).map(|answer| answer.value.0);
    report.add(platform, &judge_script(&script));
    let mut found = read(script.as_deref().unwrap_or_default());
    if options.confirm_site_id
        && let Ok([domain]) = domains.as_deref()
    {
        // It is registered in these very letters, so this changes nothing.
        let domain = Domain { domain: Some(domain.clone()), other: Vec::new() };
        match platform.ask(&AddDomain { domain }) {
            Ok(answer) => {
                // Whatever the script seemed to say.
                if let Some(id) = answer.value.site_id {
                    found = Found { short: vec![id], words: Vec::new(), ..found };
                }
            }
            Err(error) => report.add(platform, &unreadable("registering once more", &error)),
        }
    }
    for (name, site) in &config.sites {
        let mut outcome = site_id(name, site, config.sites.len(), &found);
        if options.confirm_site_id && outcome.verdict == Verdict::Unknown {
            outcome.fix = Some("ask the platform's support for the id".to_owned());
        }
        report.add(platform, &outcome);
    }
}

/// A domain as hosts are compared: some write it as an address.
fn bare(domain: &str) -> String {
    let rest = domain.trim().split_once("://").map_or(domain.trim(), |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default().to_lowercase()
}

fn domain(name: &str, site: &Site, domains: &[String]) -> Outcome {
    let check = format!("tracked domain, site {name}");
    let domains: Vec<String> = domains.iter().map(|domain| bare(domain)).collect();
    let host = |host: &String| host.split(':').next().unwrap_or_default().to_owned();
    let hosts: Vec<String> =
        site.hosts.iter().filter(|host| !is_loopback(host)).map(host).collect();
    let Some(first) = hosts.first() else {
        let text = "all hosts of the site are this machine's own";
        return Outcome::unknown(check, text, "name the shop's hosts in `hosts`");
    };
    // The script serves a domain with all below it, whichever of them was registered.
    let plain = |text: &str| text.strip_prefix("www.").unwrap_or(text).to_owned();
    let (first, known) = (plain(first), domains.join(", "));
    if domains.is_empty() {
        return Outcome::wrong(
            check,
            "the account has no domain for web tracking",
            format!(
                "register {first} in the platform's settings of web tracking, or with a POST of \
                 {{\"domain\": \"{first}\"}} to /v1/site/domains"
            ),
        );
    }
    let covered = |host: &String| {
        domains.iter().map(|domain| plain(domain)).any(|domain| {
            let above = host.strip_suffix(&domain);
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        })
    };
    let others: Vec<&str> =
        hosts.iter().filter(|host| !covered(host)).map(String::as_str).collect();
    if others.is_empty() {
        return Outcome::ok(check, format!("{known} covers its hosts"));
    }
    if domains.iter().any(|domain| !domain.is_ascii()) {
        let text = format!("the account tracks {known}, whose letters cannot be compared here");
        return Outcome::unknown(check, text, "compare it with `hosts` yourself");
    }
    Outcome::wrong(
        check,
        format!("the account tracks {known}, and {} is not below it", others.join(", ")),
        "put right `hosts`, or use the key of the organisation that tracks this shop: the platform \
         tracks one domain an organisation, which its support can change",
    )
}

fn judge_script(script: &Result<String, Error>) -> Outcome {
    let check = "script";
    match script {
        Ok(text) if text.trim().is_empty() => Outcome::unknown(
            check,
            "the platform gives none",
            "register the domain first; pages with `mode = \"beside\"` need the script",
        ),
        Ok(text) => {
            let long = read(text).long;
            let from = long.first().map(|id| format!("; its long id is {id}")).unwrap_or_default();
            Outcome::ok(check, format!("the platform gives the account's script{from}"))
        }
        Err(error) if error.kind == Kind::NotFound => Outcome::unknown(
            check,
            format!("the platform gives none: {error}"),
            "register the domain first; pages with `mode = \"beside\"` need the script",
        ),
        Err(error) => unreadable(check, error),
    }
}

fn site_id(name: &str, site: &Site, sites: usize, found: &Found) -> Outcome {
    let check = format!("site id, site {name}");
    let (id, same) = (&site.site_id, |other: &String| other.eq_ignore_ascii_case(&site.site_id));
    if found.words.iter().chain(&found.short).any(same) && !is_long(id) {
        return Outcome::ok(check, format!("the account knows {id}"));
    }
    if is_long(id) {
        return Outcome::wrong(
            check,
            format!("{id} is the long id of a script's file, not the one that events carry"),
            "set `site_id` to the short one, as 8A412DC; the platform's support tells it, and so \
             does `--confirm-site-id`",
        );
    }
    if !found.short.is_empty() {
        let other = found.short.join(", ");
        let text = format!("the account's site has the id {other}, and kit.toml has {id}");
        if sites > 1 {
            let fix = format!(
                "an account's answer names one site; ask the platform's support whether {id} is \
                 another one of this organisation"
            );
            return Outcome::unknown(check, text, fix);
        }
        let fix = format!(
            "set `site_id` to \"{other}\", or use the key of the organisation that {id} belongs to"
        );
        return Outcome::wrong(check, text, fix);
    }
    let text = if found.long.is_empty() {
        "the account's script names no id".to_owned()
    } else {
        format!("the account's script names only its long id, which tells nothing of {id}")
    };
    Outcome::unknown(
        check,
        text,
        "`--confirm-site-id` registers the tracked domain once more, which changes nothing and is \
         answered with the id; or ask the platform's support",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    fn site(hosts: &str, id: &str) -> Site {
        let text = format!("version = 1\n[sites.main]\nsite_id = \"{id}\"\nhosts = [{hosts}]\n");
        let config = settings::read(&text).expect("the file is right").config;
        config.sites.into_values().next().unwrap()
    }

    fn tracked(hosts: &str, domains: &[&str]) -> Outcome {
        let domains: Vec<String> = domains.iter().map(ToString::to_string).collect();
        domain("main", &site(hosts, "8A412DC"), &domains)
    }

    #[test]
    fn a_host_belongs_to_the_domain_it_is_or_is_below() {
        let hosts = "\"shop.ua\", \"m.shop.ua:8443\", \"localhost:3000\"";
        for domain in ["shop.ua", "www.shop.ua", "https://SHOP.ua/", "https://www.shop.ua:443/"] {
            assert_eq!(tracked(hosts, &[domain]).verdict, Verdict::Ok, "{domain}");
        }
        let other = tracked(hosts, &["op.ua"]);
        assert_eq!(other.verdict, Verdict::Wrong);
        assert!(other.text.contains("shop.ua, m.shop.ua is not"), "{other:?}");
        assert_eq!(tracked(hosts, &["магазин.ua"]).verdict, Verdict::Unknown);
    }

    #[test]
    fn without_a_domain_the_fix_names_the_one_to_register() {
        let none = tracked("\"www.shop.ua\"", &[]);
        assert_eq!(none.verdict, Verdict::Wrong);
        assert!(none.fix.unwrap().contains("{\"domain\": \"shop.ua\"}"));
        assert_eq!(tracked("\"localhost\"", &[]).verdict, Verdict::Unknown);
    }

    fn id(id: &str, script: &str, sites: usize) -> Outcome {
        site_id("main", &site("\"shop.ua\"", id), sites, &read(script))
    }

    #[test]
    fn a_script_that_names_only_the_long_id_says_nothing_of_the_short_one() {
        let script = "https://statics.esputnik.com/scripts/0123456789ABCDEF0123456789ABCDEF.js";
        let unknown = id("8A412DC", script, 1);
        assert_eq!(unknown.verdict, Verdict::Unknown);
        assert!(unknown.fix.unwrap().contains("--confirm-site-id"));
        let long = id("0123456789abcdef0123456789abcdef", script, 1);
        assert_eq!(long.verdict, Verdict::Wrong);
        assert!(long.text.contains("long id"), "{long:?}");
    }

    #[test]
    fn a_script_that_names_another_id_as_the_sites_contradicts() {
        assert_eq!(id("8A412DC", "site 8a412dc", 1).verdict, Verdict::Ok);
        let other = id("8A412DC", "site 0a1b2c3", 1);
        assert_eq!(other.verdict, Verdict::Wrong);
        assert!(other.fix.unwrap().contains("\"0a1b2c3\""));
        // It may be the id of the other site.
        assert_eq!(id("8A412DC", "site 0a1b2c3", 2).verdict, Verdict::Unknown);
        // A number that happens to have the form.
        assert_eq!(id("8A412DC", "version 1234567", 1).verdict, Verdict::Unknown);
    }
}
