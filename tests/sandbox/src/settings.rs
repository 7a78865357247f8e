//! How the platform behaves when nothing is wrong.

mod account;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::SPEC;

pub use self::account::{ApiKey, CustomField, Feature, FieldKind, Quirks};

/// Settings of the platform; `PUT /settings` changes the members that it names and keeps the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// For how long a body with the same bytes as an accepted one counts as its duplicate; 0 never.
    pub duplicate_window_ms: u64,
    /// 200, as the newer documents say, or 204, as the older ones do.
    pub success_status: u16,
    /// Whether an event's date must be recent. The documents' own examples are years old.
    pub check_datetime: bool,
    /// Requests a second above which the answer is 429; absent or null for no limit.
    #[serde(default)]
    pub rate_limit_per_s: Option<u32>,
    /// The only sites that are known; empty for any well-formed one.
    pub site_ids: Vec<String>,
    /// The keys of the REST API, as text or as an object with the groups that limit it.
    pub api_keys: Vec<ApiKey>,
    /// For how long a token for events, or of a contact, is good.
    pub token_ms: u64,
    /// For how long a repeated REST request is refused where the contract says so; 0 never.
    pub rest_duplicate_window_ms: u64,
    /// Whether the pools of the REST API have their limits.
    pub rest_limits: bool,
    /// Requests per window in place of the published ones, by the name of the pool.
    pub pool_limits: BTreeMap<String, u32>,
    /// How long an import of contacts takes.
    pub import_ms: u64,
    /// What imports fail with from now on; absent or null for none.
    #[serde(default)]
    pub import_error: Option<String>,
    /// How long a message is in the queue.
    pub send_ms: u64,
    /// The status of messages behind the queue, by channel; `DELIVERED` for the others.
    pub send_status: BTreeMap<String, String>,
    /// Addresses that no mail may go to.
    pub blacklist: Vec<String>,
    /// The custom fields of contacts.
    pub custom_fields: Vec<CustomField>,
    /// Keys of the categories that contacts can subscribe to.
    pub subscription_categories: Vec<String>,
    /// Senders by channel. For Viber no others are known, unless there are none.
    pub senders: BTreeMap<String, Vec<String>>,
    /// The only mobile applications that are registered; empty for any well-formed one.
    pub apps: Vec<String>,
    /// Parameters that an event of a type must have.
    pub required_event_params: BTreeMap<String, Vec<String>>,
    /// Types of events whose past is not taken.
    pub unsegmented_events: Vec<String>,
    /// How many days a past event may be old; absent or null for any number.
    #[serde(default)]
    pub past_events_days: Option<u32>,
    /// Where the shop is whose products are recommended.
    pub shop: String,
    /// The container types of data sources, by their numbers; others have one made of the number.
    pub data_sources: BTreeMap<String, String>,
    /// Web ids of browsers that are nobody's whom the platform knows.
    pub unknown_web_ids: Vec<String>,
    /// The key of the API that apps call.
    pub mobile_key: String,
    /// The variants that it knows, each with what has to be given: `products`, `category`.
    pub mobile_variants: BTreeMap<String, Vec<String>>,
    /// What the account does not have.
    pub switched_off: Vec<Feature>,
    /// Whether answers have the platform's irregular shapes.
    pub quirks: Quirks,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            duplicate_window_ms: 60_000,
            success_status: 200,
            check_datetime: true,
            rate_limit_per_s: None,
            site_ids: Vec::new(),
            api_keys: vec![ApiKey::Full("sandbox-key".to_owned())],
            token_ms: 60 * 60 * 1000,
            rest_duplicate_window_ms: 60_000,
            rest_limits: true,
            pool_limits: BTreeMap::new(),
            import_ms: 300,
            import_error: None,
            send_ms: 300,
            send_status: BTreeMap::new(),
            blacklist: Vec::new(),
            custom_fields: account::custom_fields(),
            subscription_categories: vec!["news".to_owned(), "sales".to_owned()],
            senders: account::senders(),
            apps: Vec::new(),
            required_event_params: BTreeMap::new(),
            unsegmented_events: Vec::new(),
            past_events_days: None,
            shop: "https://shop.example".to_owned(),
            data_sources: BTreeMap::from([("1244".to_owned(), "19534_r12v34".to_owned())]),
            unknown_web_ids: Vec::new(),
            mobile_key: "sandbox-mobile-key".to_owned(),
            mobile_variants: account::mobile_variants(),
            switched_off: Vec::new(),
            quirks: Quirks::Real,
        }
    }
}

impl Settings {
    /// These settings with the members of `patch` in place of their own.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the patch; nothing of it then applies.
    pub(crate) fn patched(&self, patch: &[u8]) -> Result<Self, String> {
        let patch: serde_json::Map<String, Value> =
            serde_json::from_slice(patch).map_err(|error| error.to_string())?;
        let mut whole = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(members) = whole.as_object_mut() {
            members.extend(patch);
        }
        let settings: Self = serde_json::from_value(whole).map_err(|error| error.to_string())?;
        if !matches!(settings.success_status, 200 | 204) {
            return Err("success_status is 200 or 204".to_owned());
        }
        if settings.rate_limit_per_s == Some(0) {
            return Err("rate_limit_per_s is at least 1; null switches it off".to_owned());
        }
        settings.check_pools()?;
        if let Some(ApiKey::Limited { groups, .. }) = settings
            .api_keys
            .iter()
            .find(|key| key.groups().iter().any(|group| !account::GROUPS.contains(&group.as_str())))
        {
            return Err(format!("the groups are {:?}, not {groups:?}", account::GROUPS));
        }
        Ok(settings)
    }

    fn check_pools(&self) -> Result<(), String> {
        for (name, limit) in &self.pool_limits {
            if !SPEC.pools().iter().any(|pool| pool.name == *name) {
                return Err(format!("no pool is called {name}"));
            }
            if *limit == 0 {
                return Err(
                    "a pool takes at least 1 request; rest_limits switches all off".to_owned()
                );
            }
        }
        Ok(())
    }

    /// Whether the account has this.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        !self.switched_off.contains(&feature)
    }
}
