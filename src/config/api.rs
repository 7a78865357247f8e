//! The platform's REST API, and what else the Worker calls.

use serde::{Deserialize, Serialize};

use super::{Error, address::is_upstream};

/// The platform's REST API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ApiConfig {
    /// Its address, where it is not the brand's own.
    pub address: Option<String>,
    /// Where Cloudflare's tests of persons are verified, where it is not Cloudflare itself.
    pub turnstile: Option<String>,
}

impl ApiConfig {
    /// Where Cloudflare's tests of persons are verified.
    #[must_use]
    pub fn turnstile(&self) -> &str {
        const OWN: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
        self.turnstile.as_deref().unwrap_or(OWN)
    }
    /// What cannot be used of it.
    pub(super) fn errors(&self) -> Vec<Error> {
        let addresses = [("address", &self.address), ("turnstile", &self.turnstile)];
        let wrong = addresses
            .into_iter()
            .filter(|(_, address)| address.as_ref().is_some_and(|address| !is_upstream(address)));
        let fix = "give an https address without query; http only on loopback";
        wrong
            .map(|(name, _)| Error { setting: format!("api.{name}"), fix: fix.to_owned() })
            .collect()
    }
}
