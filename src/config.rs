//! `kit.toml`, typed and validated: what a deployment serves, and what of it a page may see.
//!
//! What the types leave out because it is missing, [`Config::validate`] asks for, with an example.

mod address;
mod api;
mod calls;
mod error;
mod feed;
mod forms;
mod outbox;
pub mod recommendations;
mod token;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::address::{is_host, is_upstream};
pub use self::{
    address::is_loopback,
    api::ApiConfig,
    calls::{CONTACT_FIELDS, Calls, PageToken},
    error::Error,
    feed::FeedConfig,
    outbox::{AlarmConfig, OutboxConfig},
    recommendations::Recommendations,
    token::{Scope, Token},
};
use crate::{
    definition::{Definition, Interval},
    value::{Members, Value},
};

/// The version of the configuration that this build reads.
pub const VERSION: u32 = 1;

/// What the Worker serves itself, and no site can be named: `<site>/kit.js` must not be mistaken for it.
const RESERVED: [&str; 23] = [
    "a",
    "api",
    "b",
    "blocks",
    "contacts",
    "dead",
    "erase",
    "events",
    "f",
    "feed",
    "forms",
    "health",
    "ledger",
    "orders",
    "p",
    "products",
    "q",
    "recommendations",
    "replay",
    "status",
    "subscriptions",
    "t",
    "v2",
];

/// A deployment: one organisation and key at the platform, any number of sites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The version of this file; 1.
    #[serde(default)]
    pub version: u32,
    /// The path below which everything is served, on each shop's own host.
    #[serde(default = "default_path")]
    pub path: String,
    /// How events are stored and sent on.
    #[serde(default)]
    pub outbox: OutboxConfig,
    /// The platform's REST API.
    #[serde(default)]
    pub api: ApiConfig,
    /// Tokens of the shop's servers, each under a name of your own.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// The sites, each under a name of your own.
    #[serde(default)]
    pub sites: BTreeMap<String, Site>,
    /// The forms, each under a name of your own: the files beside these settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forms: BTreeMap<String, Definition>,
}

/// A shop's site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a settings file")]
#[non_exhaustive]
pub struct Site {
    /// The shop's hosts, with the port where it is not the usual one.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The site's id at the platform, for instance `8A412DC`.
    #[serde(default)]
    pub site_id: String,
    /// Under which of its names the platform serves the account.
    #[serde(default)]
    pub brand: Brand,
    /// The tracker's address, where it is not the brand's own.
    #[serde(default)]
    pub tracker: Option<String>,
    /// The shop's own server, where the Worker stands in front of all of its pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front: Option<String>,
    /// The domain of the cookie `sc`; the shop's own host if unset.
    #[serde(default)]
    pub cookie_domain: Option<String>,
    /// What holds before a visitor has chosen.
    #[serde(default)]
    pub consent: ConsentDefault,
    /// Global Privacy Control counts as a denial.
    #[serde(default = "default_true")]
    pub gpc: bool,
    /// Do Not Track counts as a denial.
    #[serde(default)]
    pub dnt: bool,
    /// A visitor who blocks the platform's own script is not tracked either.
    #[serde(default)]
    pub respect_blockers: bool,
    /// Whether the platform's own script stays on the page for what the kit does not serve.
    #[serde(default)]
    pub mode: Mode,
    /// A page view is sent by itself when a page is shown.
    #[serde(default = "default_true")]
    pub page_view: bool,
    /// A page view is sent for each route of a single-page site.
    #[serde(default)]
    pub routes: bool,
    /// Links of messages carry the contact in `etm_term`.
    #[serde(default)]
    pub etm_term: bool,
    /// Where the platform's objects of this site live, fixed at the first deploy: `eu` or `us`.
    #[serde(default)]
    pub jurisdiction: Option<Jurisdiction>,
    /// The currency of prices that name none.
    #[serde(default)]
    pub currency: Option<String>,
    /// The language of the shop, for instance `uk`.
    #[serde(default)]
    pub locale: Option<String>,
    /// The shop's time zone, for instance `Europe/Kyiv`.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Which of a product's ids is its `g:id` in the feed, told to readers of the configuration.
    #[serde(default)]
    pub product_key: Option<String>,
    /// What pages may call beside tracking.
    #[serde(default)]
    pub calls: Calls,
    /// The forms that its pages may show.
    #[serde(default)]
    pub forms: Vec<String>,
    /// What passes at least between two of them that show by themselves.
    #[serde(default)]
    pub forms_interval: Interval,
    /// The shop's product feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<FeedConfig>,
    /// What its pages recommend.
    #[serde(default)]
    pub recommendations: Recommendations,
    /// What pages may use.
    #[serde(default = "default_features")]
    pub features: Vec<Feature>,
}

/// The platform's names; they differ in addresses and in the prefix of links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Brand {
    /// eSputnik
    Esputnik,
    /// Yespo
    #[default]
    Yespo,
    /// Reteno
    Reteno,
}

/// What holds before a visitor has chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ConsentDefault {
    /// Events wait in memory until the visitor allows them.
    #[default]
    Denied,
    /// Events are sent until the visitor denies them.
    Granted,
    /// The shop's consent tool says on each page; the kit stores no choice.
    Cmp,
}

/// How the kit shares the page with the platform's own script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Mode {
    /// The kit is the only script.
    #[default]
    Replace,
    /// The platform's script stays for what the kit does not serve.
    Beside,
}

/// Where data is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Jurisdiction {
    /// The European Union.
    Eu,
    /// The United States, as authorised for government use.
    Us,
}

/// What a page may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Feature {
    /// Recording behaviour.
    Tracking,
}

fn default_path() -> String {
    "/k".into()
}

fn default_true() -> bool {
    true
}

fn default_features() -> Vec<Feature> {
    vec![Feature::Tracking]
}

impl Config {
    /// Reads settings from JSON, the form in which a Worker gets them, and validates them.
    ///
    /// # Errors
    ///
    /// The settings that cannot be used; never empty.
    pub fn from_json(text: &str) -> Result<Self, Vec<Error>> {
        #[derive(Deserialize)]
        struct Versioned {
            #[serde(default)]
            version: u64,
        }
        let unreadable = |error: serde_json::Error| {
            vec![Error { setting: "settings".into(), fix: error.to_string() }]
        };
        let versioned: Versioned = serde_json::from_str(text).map_err(unreadable)?;
        check_version(versioned.version).map_err(|error| vec![error])?;
        let config: Self = serde_json::from_str(text).map_err(unreadable)?;
        config.validate()?;
        Ok(config)
    }

    /// Everything about the settings that the types do not say.
    ///
    /// # Errors
    ///
    /// The settings that cannot be used; never empty.
    pub fn validate(&self) -> Result<(), Vec<Error>> {
        let mut errors = Vec::new();
        let mut wrong = |setting: String, fix: String| errors.push(Error { setting, fix });
        if let Err(Error { setting, fix }) = check_version(self.version.into()) {
            wrong(setting, fix);
        }
        let segment = |text: &str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            !text.is_empty() && text.bytes().all(allowed)
        };
        if !self.path.strip_prefix('/').is_some_and(|path| path.split('/').all(segment)) {
            wrong("path".into(), "start with a slash and use letters, digits and hyphens".into());
        }
        for Error { setting, fix } in self.outbox.errors() {
            wrong(setting, fix);
        }
        for Error { setting, fix } in self.api.errors() {
            wrong(setting, fix);
        }
        for (name, token) in &self.tokens {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            if name.is_empty() || !name.bytes().all(plain) {
                let fix = "name tokens in small letters, digits and underscores".into();
                wrong(format!("tokens.{name}"), fix);
            }
            if token.scopes.is_empty() {
                let fix = "say what the token opens: [\"contacts\", \"orders\"]".into();
                wrong(format!("tokens.{name}.scopes"), fix);
            }
        }
        for Error { setting, fix } in forms::errors(self) {
            wrong(setting, fix);
        }
        if self.sites.is_empty() {
            wrong("sites".into(), "add a table [sites.main] with hosts and site_id".into());
        }
        let mut hosts = BTreeMap::new();
        let mut ids = BTreeMap::new();
        for (name, site) in &self.sites {
            let at = |setting: &str| format!("sites.{name}.{setting}");
            if !segment(name) {
                wrong(format!("sites.{name}"), "name sites in letters, digits, hyphens".into());
            } else if RESERVED.contains(&name.as_str()) {
                let fix = format!("choose another name; the kit itself serves `{name}`");
                wrong(format!("sites.{name}"), fix);
            }
            let calls = site.calls.errors(name).into_iter();
            for Error { setting, fix } in calls.chain(site.recommendations.errors(name)) {
                wrong(setting, fix);
            }
            for Error { setting, fix } in site.feed.iter().flat_map(|feed| feed.errors(name)) {
                wrong(setting, fix);
            }
            if site.hosts.is_empty() {
                wrong(at("hosts"), "name the shop's hosts: [\"shop.example\"]".into());
            }
            for (index, host) in site.hosts.iter().enumerate() {
                let at = || at(&format!("hosts[{index}]"));
                if !is_host(host) {
                    let fix = format!("{host:?} is no host; write it bare: \"shop.example\"");
                    wrong(at(), fix);
                } else if let Some(other) = hosts.insert(host.clone(), name.clone()) {
                    wrong(at(), format!("{host} belongs to the site {other} already"));
                }
            }
            let id = &site.site_id;
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
                wrong(at("site_id"), "give the site's id at the platform: \"8A412DC\"".into());
            } else if let Some(other) = ids.insert(id.clone(), name.clone()) {
                wrong(at("site_id"), format!("{id} belongs to the site {other} already"));
            }
            if site.front.as_deref().is_some_and(|front| !is_upstream(front)) {
                let fix = "name the shop's own server, under a name that does not lead to the Worker: \"https://origin.shop.example\"";
                wrong(at("front"), fix.into());
            }
            if let Some(tracker) = &site.tracker
                && !is_upstream(tracker)
            {
                let fix = "give an https address without query; http only on loopback".into();
                wrong(at("tracker"), fix);
            }
            if let Some(domain) = &site.cookie_domain {
                let bare = |host: &str| host.split(':').next().unwrap_or_default().to_owned();
                let covers = |host: &String| {
                    let host = bare(host);
                    host == *domain || host.ends_with(&format!(".{domain}"))
                };
                let mut hosts = site.hosts.iter().filter(|host| is_host(host));
                if !is_host(domain) || domain.contains(':') || !hosts.all(covers) {
                    let fix = "give a domain that all hosts of the site belong to".into();
                    wrong(at("cookie_domain"), fix);
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The site whose page sends `origin`, as browsers write it: `https://shop.example`.
    ///
    /// Plain http counts on loopback alone. The whole text is compared, so that look-alikes in
    /// front, behind or before an `@` do not match.
    #[must_use]
    pub fn site_of_origin(&self, origin: &str) -> Option<(&str, &Site)> {
        let (secure, host) = match origin.split_once("://") {
            Some(("https", host)) => (true, host),
            Some(("http", host)) => (false, host),
            _ => return None,
        };
        self.site_of_host(host).filter(|_| secure || is_loopback(host))
    }

    /// The site that `host` belongs to.
    #[must_use]
    pub fn site_of_host(&self, host: &str) -> Option<(&str, &Site)> {
        let found = self.sites.iter().find(|(_, site)| site.hosts.iter().any(|own| own == host));
        found.map(|(name, site)| (name.as_str(), site))
    }

    /// The address of the platform's REST API.
    #[must_use]
    pub fn api(&self) -> &str {
        let brand = self.sites.values().next().map(|site| site.brand).unwrap_or_default();
        self.api.address.as_deref().unwrap_or(match brand {
            Brand::Yespo => "https://yespo.io/api",
            Brand::Esputnik => "https://esputnik.com/api",
            Brand::Reteno => "https://api.reteno.com/api",
        })
    }

    /// The site with this id at the platform.
    #[must_use]
    pub fn site_of_id(&self, site_id: &str) -> Option<(&str, &Site)> {
        let found = self.sites.iter().find(|(_, site)| site.site_id == site_id);
        found.map(|(name, site)| (name.as_str(), site))
    }
}

/// Whether this build reads settings of `version`.
///
/// Ask before anything else: what a newer version added would come up as unknown settings, which
/// hides the reason.
///
/// # Errors
///
/// What to do about it.
pub fn check_version(version: u64) -> Result<(), Error> {
    let fix = match version {
        0 => format!("write `version = {VERSION}`"),
        version if version == u64::from(VERSION) => return Ok(()),
        version => format!(
            "version {version} is newer than this build, which reads {VERSION}: update the kit"
        ),
    };
    Err(Error { setting: "version".into(), fix })
}

impl Jurisdiction {
    /// The name that Durable Objects give it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::Us => "us",
        }
    }
}

impl Brand {
    /// Where the platform's own script comes from, which blockers know.
    fn script_host(self) -> &'static str {
        match self {
            Self::Yespo | Self::Esputnik | Self::Reteno => "https://statics.esputnik.com/",
        }
    }
}

impl Site {
    /// The tracker's address.
    #[must_use]
    pub fn tracker(&self) -> &str {
        // Reteno's pages name eSputnik's tracker (R-REST).
        self.tracker.as_deref().unwrap_or(match self.brand {
            Brand::Yespo => "https://tracker.yespo.io/api/v2",
            Brand::Esputnik | Brand::Reteno => "https://tracker.esputnik.com/api/v2",
        })
    }

    /// What a page may know of the site, in the short names that the loader reads.
    ///
    /// Nothing of the account: neither site id nor addresses of the platform.
    #[must_use]
    pub fn page_part(&self, name: &str) -> Members {
        let flag = |name: &str, on: bool| on.then(|| (name.to_owned(), Value::whole(1)));
        let consent = match self.consent {
            ConsentDefault::Denied => 0,
            ConsentDefault::Granted => 1,
            ConsentDefault::Cmp => 2,
        };
        let mut members =
            vec![("s".into(), Value::text(name)), ("c".into(), Value::whole(consent))];
        let signals = [(self.gpc, "globalPrivacyControl"), (self.dnt, "doNotTrack")];
        let signals = signals.iter().filter(|(on, _)| *on).map(|(_, name)| Value::text(*name));
        members.push(("g".into(), Value::List(signals.collect())));
        if self.respect_blockers {
            members.push(("k".into(), Value::text(self.brand.script_host())));
        }
        members.extend(flag("v", self.page_view && self.mode == Mode::Replace));
        members.extend(flag("r", self.routes));
        let domain = self.cookie_domain.iter().map(|domain| [";domain=", domain].concat());
        // Browsers drop secure cookies on plain loopback, where the demo runs.
        let secure = (!self.hosts.iter().any(|host| is_loopback(host))).then(|| ";secure".into());
        let end: String = domain.chain(secure).collect();
        members.push(("d".into(), Value::Text(end)));
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Chapter;

    fn config(change: impl FnOnce(&mut serde_json::Value)) -> Result<Config, String> {
        let mut value = serde_json::json!({
            "version": 1,
            "sites": {"main": {"hosts": ["shop.example", "127.0.0.1:8080"], "site_id": "8A412DC"}},
        });
        change(&mut value);
        let config: Config = serde_json::from_value(value).map_err(|error| error.to_string())?;
        match config.validate() {
            Ok(()) => Ok(config),
            Err(errors) => {
                Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            }
        }
    }

    #[test]
    fn a_site_with_hosts_and_id_is_enough() {
        let config = config(|_| {}).unwrap();
        assert_eq!(config.path, "/k");
        assert_eq!(config.sites["main"].tracker(), "https://tracker.yespo.io/api/v2");
    }

    #[test]
    fn wrong_settings_name_themselves() {
        let wrong = |path: &str, value: serde_json::Value| {
            let path = path.to_owned();
            config(move |config| *config.pointer_mut(&path).unwrap() = value).unwrap_err()
        };
        assert!(wrong("/sites/main/hosts", serde_json::json!(["https://a.b"])).contains("hosts"));
        assert!(wrong("/sites/main/site_id", "".into()).contains("sites.main.site_id"));
        let newer = wrong("/version", 2.into());
        assert!(newer.contains("version: version 2 is newer than this build"), "{newer}");
        let extra = config(|c| c["sites"]["main"]["key"] = "x".into()).unwrap_err();
        assert!(extra.contains("unknown field `key`"), "{extra}");
        let second = config(|c| c["sites"]["main"]["hosts"][1] = "a b".into()).unwrap_err();
        assert!(second.starts_with("sites.main.hosts[1]: \"a b\" is no host"), "{second}");
        let name =
            config(|c| c["sites"] = serde_json::json!({"a": c["sites"]["main"]})).unwrap_err();
        assert!(name.contains("sites.a: choose another name"), "{name}");
        for address in ["http://a.b/", "https://a.b/?x", "ftp://a.b", "https://u@a.b/"] {
            let error = config(|c| c["sites"]["main"]["tracker"] = address.into()).unwrap_err();
            assert!(error.contains("sites.main.tracker"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_asked_for_all_at_once() {
        let errors = Config::from_json(r#"{"sites":{"main":{}}}"#).unwrap_err();
        assert_eq!(errors.len(), 1, "without a version nothing else can be judged: {errors:?}");
        let errors = Config::from_json(r#"{"version":1,"sites":{"main":{}}}"#).unwrap_err();
        let settings: Vec<_> = errors.iter().map(|error| error.setting.as_str()).collect();
        assert_eq!(settings, ["sites.main.hosts", "sites.main.site_id"]);
        let errors = Config::from_json(r#"{"version":1}"#).unwrap_err();
        assert_eq!(errors[0].setting, "sites");
    }

    #[test]
    fn a_newer_version_is_named_before_what_it_added() {
        let errors = Config::from_json(r#"{"version":7,"added":true}"#).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].setting, "version");
        assert!(errors[0].fix.ends_with("update the kit"), "{errors:?}");
    }

    #[test]
    fn another_number_of_shards_needs_another_generation() {
        let outbox = |text: &str| {
            let outbox: serde_json::Value = serde_json::from_str(text).unwrap();
            config(|config| config["outbox"] = outbox)
        };
        for (text, setting) in [
            (r#"{"generation":2}"#, "outbox.previous_shards"),
            (r#"{"generation":2,"previous_shards":0}"#, "outbox.previous_shards"),
            (r#"{"previous_shards":1}"#, "outbox.previous_shards"),
            (r#"{"generation":0}"#, "outbox.generation"),
            (r#"{"shards":0}"#, "outbox.shards"),
            (r#"{"tracker_per_second":0}"#, "outbox.tracker_per_second"),
            (r#"{"patience":99}"#, "outbox.patience"),
            (r#"{"patience":10001}"#, "outbox.patience"),
        ] {
            let error = outbox(text).unwrap_err();
            assert!(error.starts_with(setting), "{text}: {error}");
        }
        assert!(outbox(r#"{"shards":4,"generation":2,"previous_shards":1}"#).is_ok());
    }

    #[test]
    fn settings_survive_the_way_through_json() {
        let config = config(|c| c["sites"]["main"]["consent"] = "cmp".into()).unwrap();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(Config::from_json(&text).unwrap(), config);
    }

    #[test]
    fn tokens_open_what_they_name_and_nothing_else() {
        let token = |text: &str| {
            let tokens: serde_json::Value = serde_json::from_str(text).unwrap();
            config(|config| config["tokens"] = tokens)
        };
        let config = token(r#"{"backend": {"scopes": ["contacts", "queue"]}}"#).unwrap();
        let scopes = &config.tokens["backend"].scopes;
        assert_eq!(scopes[..], [Scope::Chapter(Chapter::Contacts), Scope::Queue]);
        assert_eq!(Token::secret("backend"), "KIT_TOKEN_BACKEND");
        for (text, setting) in [
            (r#"{"backend": {"scopes": []}}"#, "tokens.backend.scopes"),
            (r#"{"Backend": {"scopes": ["orders"]}}"#, "tokens.Backend"),
            (r#"{"backend": {"scopes": ["everything"]}}"#, "give one of tracker, queue, contacts"),
        ] {
            let error = token(text).unwrap_err();
            assert!(error.contains(setting), "{error}");
        }
    }

    #[test]
    fn the_api_is_the_brands_unless_the_settings_say_otherwise() {
        assert_eq!(config(|_| {}).unwrap().api(), "https://yespo.io/api");
        let set = |address: &str| {
            config(|config| config["api"] = serde_json::json!({ "address": address }))
        };
        assert_eq!(set("http://127.0.0.1:1/api").unwrap().api(), "http://127.0.0.1:1/api");
        assert!(set("http://a.example/api").unwrap_err().starts_with("api.address"));
    }

    #[test]
    fn origins_match_exactly_or_not_at_all() {
        let config = config(|_| {}).unwrap();
        assert!(config.site_of_origin("https://shop.example").is_some());
        assert!(config.site_of_origin("http://127.0.0.1:8080").is_some());
        for origin in [
            "null",
            "",
            "http://shop.example",
            "https://shop.example.evil",
            "https://evilshop.example",
            "https://shop.example@evil.example",
            "https://shop.example:444",
            "https://SHOP.example",
        ] {
            assert!(config.site_of_origin(origin).is_none(), "{origin}");
        }
    }

    #[test]
    fn pages_learn_nothing_of_the_account() {
        let config = config(|_| {}).unwrap();
        let part = Value::Object(config.sites["main"].page_part("main")).to_json();
        assert_eq!(part, r#"{"s":"main","c":0,"g":["globalPrivacyControl"],"v":1,"d":""}"#);
    }
}
