//! How the tracker behaves when nothing is wrong.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Settings of the tracker; `PUT /settings` changes the members that it names and keeps the rest.
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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            duplicate_window_ms: 60_000,
            success_status: 200,
            check_datetime: true,
            rate_limit_per_s: None,
            site_ids: Vec::new(),
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
        Ok(settings)
    }
}
