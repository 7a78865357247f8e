//! `cargo xtask check`: whether the settings can be used, and what they mean; with the platform's key
//! in the environment also whether the account fits them.

mod account;
mod feed;
mod forms;
mod ids;
mod options;
mod promo_codes;
mod report;
mod rights;
mod site;

use anyhow::{Result, bail};
use esputnik_kit::config::{Brand, Config, ConsentDefault, Feature, Mode, Site, is_loopback};

use serde_json::json;

use self::{options::Options, report::Report};
use crate::{
    bindings::{self, Bindings},
    platform::{ApiKey, KEY, Platform},
    progress, project,
    settings::{self, Finding, Settings},
};

/// Settings that the file may hold for what comes later.
const UNREAD: [&str; 4] = ["currency", "locale", "time_zone", "product_key"];

/// Checks the deployment's file, or another one, and with a key the account.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let path = options.settings.clone().unwrap_or_else(|| project::root().join(settings::FILE));
    let settings = settings::load(&path)?;
    let ids = options.ids.as_deref().map(ids::load).transpose()?;
    let bindings = Bindings::load()?;
    if options.json {
        for warning in warnings(&settings) {
            progress::result(warning_line(&warning));
        }
        for text in bindings.warnings(&settings.config) {
            let check = json!({"check": "wrangler.toml", "verdict": "warning", "text": text});
            progress::result(check);
        }
    } else {
        report(&settings, &bindings);
    }
    bindings.refuse_wrong()?;
    let Some(key) = ApiKey::load()? else {
        progress::note(format_args!(
            "set {KEY} in the environment to have the account checked as well"
        ));
        return Ok(());
    };
    if !options.json {
        progress::result("account:");
    }
    let mut platform = Platform::new(settings.config.api(), key);
    let mut report = Report::new(options.json);
    account::check(&settings.config, &options, ids.as_ref(), &mut platform, &mut report);
    match report.wrong() {
        0 => Ok(()),
        1 => bail!("one thing is to be put right"),
        count => bail!("{count} things are to be put right"),
    }
}

/// A warning about a setting, for machines.
fn warning_line(finding: &Finding) -> serde_json::Value {
    json!({
        "check": "settings",
        "verdict": "warning",
        "line": finding.line,
        "setting": finding.setting,
        "text": finding.text,
    })
}

/// Prints what the settings mean and what is odd about them.
pub(crate) fn report(settings: &Settings, bindings: &Bindings) {
    for line in summary(&settings.config) {
        progress::result(line);
    }
    progress::result(bindings.summary());
    for warning in warnings(settings) {
        progress::line(format_args!("warning: line {warning}"));
    }
    for warning in bindings.warnings(&settings.config) {
        progress::line(format_args!("warning: {}: {warning}", bindings::FILE));
    }
}

/// Hosts that no browser can reach a shop under.
pub(crate) fn placeholders(config: &Config) -> Vec<&str> {
    let hosts = config.sites.values().flat_map(|site| &site.hosts).map(String::as_str);
    hosts.filter(|host| host.ends_with(".example") || is_loopback(host)).collect()
}

fn summary(config: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, site) in &config.sites {
        let brand = match site.brand {
            Brand::Esputnik => "eSputnik",
            Brand::Reteno => "Reteno",
            _ => "Yespo",
        };
        lines.push(format!("site {name}: {} at {brand}", site.site_id));
        let mut row = |name: &str, text: String| lines.push(format!("  {name:<9} {text}"));
        for (index, host) in site.hosts.iter().enumerate() {
            let scheme = if is_loopback(host) { "http" } else { "https" };
            let label = if index == 0 { "loader" } else { "" };
            row(label, format!("{scheme}://{host}{}/kit.js", config.path));
        }
        row("", format!("{}/{name}/kit.js, where the kit has a host of its own", config.path));
        row("events to", site.tracker().to_owned());
        row("consent", consent(site));
        row("pages may", features(site));
        if let Some(feed) = &site.feed {
            row("feed", format!("{}, every {}", feed.address, count(feed.hours, "hour")));
        }
    }
    let outbox = &config.outbox;
    let before = outbox.previous_shards.map(|shards| format!(", before it {shards}"));
    lines.push(format!(
        "outbox: {} a site in generation {}{}",
        count(outbox.shards, "object"),
        outbox.generation,
        before.unwrap_or_default()
    ));
    lines
}

fn consent(site: &Site) -> String {
    let default = match site.consent {
        ConsentDefault::Granted => "granted until the visitor denies it",
        ConsentDefault::Cmp => "as the shop's consent tool says on each page",
        _ => "denied until the visitor grants it",
    };
    let signals = [(site.gpc, "Global Privacy Control"), (site.dnt, "Do Not Track")];
    let signals: Vec<&str> =
        signals.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    match signals.as_slice() {
        [] => default.to_owned(),
        signals => format!("{default}; {} counts as a denial", signals.join(" or ")),
    }
}

fn features(site: &Site) -> String {
    let names = site.features.iter().map(|feature| match feature {
        Feature::Tracking => "track behaviour",
        _ => "use a newer feature",
    });
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "do nothing".to_owned() } else { names.join(", ") }
}

fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn warnings(settings: &Settings) -> Vec<Finding> {
    let Settings { config, .. } = settings;
    let mut warnings = Vec::new();
    let mut warn = |setting: &str, text: &str| warnings.push(settings.finding(setting, text));
    if config.outbox.shards == 1 {
        warn(
            "outbox.shards",
            "one object takes some hundred requests a second; a busy shop starts with more, since \
             a later change needs a new generation",
        );
    }
    if config.outbox.generation > 2 {
        warn(
            "outbox.generation",
            "only the generation before this one is asked; visitors who have not been back since \
             an older one start anew, and erasing them does not reach it",
        );
    }
    let objects = config.senders();
    if objects > config.outbox.subrequests {
        let text = format!(
            "{objects} objects are more than one run may ask: the watchdog, /health, /dead and \
             /replay need a higher `subrequests`"
        );
        warn("outbox.subrequests", &text);
    }
    for name in config.forms.keys() {
        if !config.sites.values().any(|site| site.forms.contains(name)) {
            warn(&format!("forms.{name}"), "no site shows it: name it in `forms` of a site");
        }
    }
    for (name, site) in &config.sites {
        let mut warn = |setting: &str, text: &str| warn(&format!("sites.{name}.{setting}"), text);
        for (index, host) in site.hosts.iter().enumerate() {
            let setting = format!("hosts[{index}]");
            if host.ends_with(".example") {
                warn(&setting, "this is the example's host; put your shop's in its place");
            } else if is_loopback(host) {
                warn(&setting, "only this machine reaches that host, and its cookies lose Secure");
            }
        }
        if site.consent == ConsentDefault::Granted {
            warn(
                "consent",
                "visitors are tracked before they choose; in the EU that needs another legal basis",
            );
        }
        if !site.gpc {
            warn("gpc", "a visitor whose browser says not to track is tracked");
        }
        if site.features.is_empty() {
            warn("features", "pages may do nothing");
        }
        if site.mode == Mode::Beside && site.page_view && settings.names(&page_view(name)) {
            warn("page_view", "beside the platform's own script that one's PageView is the only");
        }
        for unread in UNREAD {
            if settings.names(&format!("sites.{name}.{unread}")) {
                warn(unread, "no effect: nothing in this version reads it");
            }
        }
    }
    warnings.sort_by_key(|finding| finding.line);
    warnings
}

fn page_view(site: &str) -> String {
    format!("sites.{site}.page_view")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        settings::read(&format!(
            "version = 1\n[sites.main]\nsite_id = \"8A412DC\"\nhosts = [\"shop.ua\", \
             \"localhost:3000\"]\n{text}"
        ))
        .expect("the file is right")
    }

    fn warned(text: &str) -> Vec<String> {
        warnings(&settings(text)).iter().map(|finding| finding.setting.clone()).collect()
    }

    #[test]
    fn the_summary_names_loaders_tracker_consent_and_rights() {
        let text = summary(&settings(
            "brand = \"reteno\"\ndnt = true\n[sites.main.feed]\naddress = \"https://shop.ua/f?a=b\"\n",
        )
        .config).join("\n");
        for part in [
            "site main: 8A412DC at Reteno",
            "https://shop.ua/k/kit.js",
            "http://localhost:3000/k/kit.js",
            "/k/main/kit.js",
            "https://tracker.esputnik.com/api/v2",
            "denied until the visitor grants it; Global Privacy Control or Do Not Track counts",
            "track behaviour",
            "feed      https://shop.ua/f?a=b, every 24 hours",
            "outbox: 1 object a site in generation 1",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn more_objects_than_a_run_may_ask_are_warned_about() {
        let outbox = "[outbox]\nshards = 40\ngeneration = 2\nprevious_shards = 10\n";
        assert_eq!(warned(&format!("{outbox}subrequests = 50\n")), ["sites.main.hosts[1]"]);
        let warned = warned(&format!("{outbox}subrequests = 49\n"));
        assert_eq!(warned, ["sites.main.hosts[1]", "outbox.subrequests"]);
    }

    #[test]
    fn what_a_shop_may_not_have_meant_is_warned_about_at_its_line() {
        assert_eq!(warned(""), ["outbox.shards", "sites.main.hosts[1]"]);
        let odd = "consent = \"granted\"\ngpc = false\ncurrency = \"UAH\"\nfeatures = []\n\
                   [outbox]\nshards = 4\ngeneration = 3\nprevious_shards = 2\n";
        let findings = warnings(&settings(odd));
        let found: Vec<(usize, &str)> =
            findings.iter().map(|finding| (finding.line, finding.setting.as_str())).collect();
        assert_eq!(
            found,
            [
                (4, "sites.main.hosts[1]"),
                (5, "sites.main.consent"),
                (6, "sites.main.gpc"),
                (7, "sites.main.currency"),
                (8, "sites.main.features"),
                (11, "outbox.generation"),
            ]
        );
    }
}
