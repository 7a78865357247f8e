//! Faults on demand: how the platform misbehaves, for which requests and how often.

use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde::{Deserialize, Serialize};

/// One way to misbehave, as `PUT /faults` takes it, alone or in a list.
///
/// The first fault of the list that fits a request applies to it, alone. A fault that answers
/// otherwise than with a success keeps the event from being stored; a delay comes after storing, so
/// a caller that gives up meanwhile cannot know the outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Wait before answering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Wait up to this much longer, evenly spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u64>,
    /// Answer with this status, 200 to 599. A 2xx replaces that of an accepted event only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many requests it applies to; absent until cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The header Retry-After as it stands: seconds or a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// The body of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Close the connection without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<Drop>,
    /// Answer with this Location, and status 307 unless `status` says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// In place of the setting of the same name or, in the REST API, of `rest_duplicate_window_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_window_ms: Option<u64>,
    /// In place of the setting of the same name; the REST API has none such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_status: Option<u16>,
    /// Refuse with 400, as the tracker refuses a wrong body.
    #[serde(skip_serializing_if = "is_false")]
    pub refuse: bool,
    /// Close the connection of every request at once, before its body is read.
    #[serde(skip_serializing_if = "is_false")]
    pub down: bool,
    /// Which requests; absent for all.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub only: Option<Match>,
}

/// When a dropped connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drop {
    /// The event is lost.
    Before,
    /// The event is stored, which the caller cannot know.
    After,
}

/// Requests that a fault is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The event's name or, in the REST API, the key of its type, as the body gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What the request's path begins with, as it was sent: `/api/v1/contacts?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The request's method, in capitals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// What a fault may look at in a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) event: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
}

impl Match {
    fn check(&self) -> Result<(), String> {
        if self.event.as_ref().or(self.path.as_ref()).or(self.method.as_ref()).is_none() {
            return Err("match names an event, a path or a method".to_owned());
        }
        let known = |path: &String| {
            ["/api/", "/contact-api/", "/mobile-api/"].iter().any(|start| path.starts_with(start))
        };
        if !self.path.as_ref().is_none_or(known) {
            return Err(
                "the path of a match begins with /api/, or as that of another API".to_owned()
            );
        }
        let is_capital = |method: &String| method.bytes().all(|byte| byte.is_ascii_uppercase());
        if self.method.as_ref().is_some_and(|method| !is_capital(method)) {
            return Err("the method of a match is in capitals".to_owned());
        }
        Ok(())
    }

    fn fits(&self, target: &Target<'_>) -> bool {
        self.event.as_deref().is_none_or(|event| Some(event) == target.event)
            && self.path.as_deref().is_none_or(|path| target.path.starts_with(path))
            && self.method.as_deref().is_none_or(|method| method == target.method)
    }
}

/// What a fault does to a request in place of its usual treatment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    DropBefore,
    Refuse,
    Answer(StatusCode),
    /// The request is judged as usual; the answer may still be late, changed or missing.
    Pass,
}

impl Fault {
    pub(crate) fn effect(&self) -> Effect {
        if self.drop == Some(Drop::Before) {
            return Effect::DropBefore;
        }
        if self.refuse {
            return Effect::Refuse;
        }
        let status = self.status.and_then(|status| StatusCode::from_u16(status).ok());
        match (status, &self.redirect) {
            (Some(status), _) if !status.is_success() => Effect::Answer(status),
            (None, Some(_)) => Effect::Answer(StatusCode::TEMPORARY_REDIRECT),
            _ => Effect::Pass,
        }
    }

    /// Its name in a record.
    pub(crate) fn name(&self) -> &'static str {
        match (self.effect(), self.drop) {
            (Effect::DropBefore, _) => "drop_before",
            (Effect::Refuse, _) => "refuse",
            (Effect::Answer(_), _) if self.redirect.is_some() => "redirect",
            (Effect::Answer(_), _) => "status",
            (Effect::Pass, Some(_)) => "drop_after",
            (Effect::Pass, None) if self.delay_ms.or(self.jitter_ms).is_some() => "delay",
            (Effect::Pass, None) => "answer",
        }
    }

    fn check(&self) -> Result<(), String> {
        let ways = [
            self.drop.is_some(),
            self.refuse,
            self.down,
            self.status.is_some() || self.redirect.is_some(),
        ];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err("drop, refuse, down and status are alternatives".to_owned());
        }
        if self.down && self.only.is_some() {
            return Err("down closes before it reads: it cannot match".to_owned());
        }
        if let Some(only) = &self.only {
            only.check()?;
        }
        if self.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("status is 200 to 599".to_owned());
        }
        if self.redirect.is_some()
            && self.status.is_some_and(|status| !(300..400).contains(&status))
        {
            return Err("a redirect has a status of 300 to 399".to_owned());
        }
        if self.success_status.is_some_and(|status| !matches!(status, 200 | 204)) {
            return Err("success_status is 200 or 204".to_owned());
        }
        for (name, text) in [("retry_after", &self.retry_after), ("redirect", &self.redirect)] {
            if text.as_ref().is_some_and(|text| HeaderValue::from_str(text).is_err()) {
                return Err(format!("{name} does not fit into a header"));
            }
        }
        Ok(())
    }

    fn fits(&self, target: &Target<'_>) -> bool {
        self.only.as_ref().is_none_or(|only| only.fits(target))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// The faults in force, in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Active>);

/// A fault and how often it has been used.
#[derive(Debug, Serialize)]
pub(crate) struct Active {
    #[serde(flatten)]
    fault: Fault,
    applied: u64,
}

impl Faults {
    /// Reads one fault or a list of them.
    ///
    /// # Errors
    ///
    /// Says what is wrong; the faults in force then stay.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let list = match value {
            serde_json::Value::Array(list) => list,
            one => vec![one],
        };
        let mut faults = Vec::new();
        for value in list {
            let fault: Fault = serde_json::from_value(value).map_err(|error| error.to_string())?;
            fault.check()?;
            faults.push(Active { fault, applied: 0 });
        }
        Ok(Self(faults))
    }

    pub(crate) fn list(&self) -> &[Active] {
        &self.0
    }

    /// Whether this request meets a platform that is down.
    pub(crate) fn take_down(&mut self) -> bool {
        self.take_first(|fault| fault.down).is_some()
    }

    /// The fault for a request, counted as used.
    pub(crate) fn take(&mut self, target: &Target<'_>) -> Option<Fault> {
        self.take_first(|fault| !fault.down && fault.fits(target))
    }

    fn take_first(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let active = self.0.iter_mut().find(|active| {
            wanted(&active.fault) && active.fault.count.is_none_or(|count| active.applied < count)
        })?;
        active.applied += 1;
        Some(active.fault.clone())
    }
}
