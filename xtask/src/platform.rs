//! Calls of the platform's REST API with the account's key, in the Worker's own types: only what
//! carries them differs.

use std::{env, fmt, thread, time::Duration};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use esputnik_kit::api::{self, Answered, Endpoint, Error, Kind, Method, Reply, Request};
use ureq::{Agent, Body, config::ConfigBuilder, http, typestate::AgentScope};

use crate::{process, progress};

/// The environment variable with the key. Not an argument: those stand in histories of shells and in
/// lists of processes.
pub(crate) const KEY: &str = "KIT_API_KEY";

/// How long an answer may take, from the name's look-up to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes; as much as the Worker reads.
const MOST_ANSWERED: u64 = 8 * 1024 * 1024;

/// How often a call is made that the platform has no room for, or that fails.
const ATTEMPTS: [(Kind, u32); 3] =
    [(Kind::RateLimited, 5), (Kind::Failed, 2), (Kind::Unreachable, 2)];

/// How long all pauses of a run may be together, in milliseconds.
const MOST_PAUSED: u64 = 2 * 60 * 1000;

/// The account's key.
pub(crate) struct ApiKey(String);

/// The platform, as the holder of a key sees it.
#[derive(Debug)]
pub(crate) struct Platform {
    api: String,
    key: ApiKey,
    agent: Agent,
    /// Milliseconds.
    paused: u64,
}

impl ApiKey {
    /// The key in the environment; `None` if there is none.
    pub(crate) fn load() -> Result<Option<Self>> {
        let text = match env::var(KEY) {
            Ok(text) => text,
            Err(env::VarError::NotPresent) => return Ok(None),
            // The error would show what it found.
            Err(env::VarError::NotUnicode(_)) => {
                return Err(anyhow::anyhow!("{KEY} holds something that is no text"));
            }
        };
        // As a file brings it, with the end of its line.
        let text = text.trim();
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    /// What goes into the header `Authorization`. Any user name will do; one client found an empty one
    /// refused.
    fn credentials(&self) -> String {
        STANDARD.encode(["kit:", &self.0].concat())
    }

    /// `text` without the key, plain or encoded, should the other side have echoed it.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let encoded = self.credentials();
        let unpadded = encoded.trim_end_matches('=');
        text.replace(unpadded, "…").replace(&self.0, "…")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

impl Platform {
    /// The platform at the address that the settings name.
    pub(crate) fn new(api: &str, key: ApiKey) -> Self {
        let config = limits(api).timeout_global(Some(PATIENCE)).build();
        Self { api: api.to_owned(), key, agent: config.new_agent(), paused: 0 }
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        &self.api
    }

    /// `text` without the key.
    pub(crate) fn scrub(&self, text: &str) -> String {
        self.key.scrub(text)
    }

    /// Makes a call, and makes it again after a pause where that does no harm and may help.
    pub(crate) fn ask<E: Endpoint>(&mut self, call: &E) -> Result<Answered<E::Answer>, Error> {
        let request = call.request().expect("the calls of a check are within the limits");
        let mut attempt = 1;
        loop {
            let error = match self.send(&request) {
                Ok(reply) => match api::decode::<E>(&reply, process::unix_millis()) {
                    Ok(answered) => return Ok(answered),
                    Err(error) => error,
                },
                Err(reason) => {
                    let mut error = Error::unreachable(request.repeat);
                    error.text = self.key.scrub(&format!("{reason:#}"));
                    error
                }
            };
            match error.repeat_after.filter(|_| attempt < attempts(error.kind)) {
                Some(pause) if self.paused + pause <= MOST_PAUSED => self.pause(&error, pause),
                _ => return Err(error),
            }
            attempt += 1;
        }
    }

    fn pause(&mut self, error: &Error, millis: u64) {
        self.paused += millis;
        let seconds = millis.div_ceil(1000);
        progress::note(format_args!("{}: once more in {seconds} s", error.kind.as_str()));
        thread::sleep(Duration::from_millis(millis));
    }

    /// The only place where the key leaves this program.
    fn send(&self, call: &Request) -> Result<Reply> {
        let method = match call.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Delete => http::Method::DELETE,
        };
        let request = http::Request::builder()
            .method(method)
            .uri([&self.api, &*call.target].concat())
            .header("accept", "application/json")
            .header("authorization", ["Basic ", &self.key.credentials()].concat());
        let mut response = match &call.body {
            None => self.agent.run(request.body(())?)?,
            Some(body) => {
                let json = "application/json; charset=UTF-8";
                self.agent.run(request.header("content-type", json).body(body.as_str())?)?
            }
        };
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (retry_after, total_count) = (header("retry-after"), header("totalcount"));
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MOST_ANSWERED).lossy_utf8(true);
        let text = body.read_to_string().context("the answer cannot be read")?;
        Ok(Reply { status, retry_after, total_count, text: self.key.scrub(&text) })
    }
}

fn attempts(kind: Kind) -> u32 {
    ATTEMPTS.iter().find(|(known, _)| *known == kind).map_or(1, |(_, attempts)| *attempts)
}

/// Gets a file of the shop's, to be read as it comes: without the key, and with time for a long one.
pub(crate) fn open(address: &str, most: Duration) -> Result<http::Response<Body>, ureq::Error> {
    let config = limits(address)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_recv_body(Some(most))
        .build();
    config.new_agent().get(address).call()
}

/// What holds for every request: statuses are answers, and no answer leads elsewhere.
pub(crate) fn limits(address: &str) -> ConfigBuilder<AgentScope> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("esputnik-kit/", env!("CARGO_PKG_VERSION")));
    if address.starts_with("https://") {
        return config.https_only(true);
    }
    // This machine itself, which no proxy has to hear of.
    config.proxy(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_in_nothing_that_is_printed() {
        let key = ApiKey("5f1d7c".to_owned());
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
        let encoded = key.credentials();
        assert_eq!(encoded, "a2l0OjVmMWQ3Yw==");
        let echoed = format!("no 5f1d7c, no Basic {encoded}, no {}", encoded.trim_end_matches('='));
        assert_eq!(key.scrub(&echoed), "no …, no Basic …==, no …");
        let platform = Platform::new("https://yespo.io/api", key);
        assert!(!format!("{platform:?}").contains("5f1d7c"));
    }

    #[test]
    fn what_is_final_is_not_tried_again() {
        assert_eq!(attempts(Kind::Unauthorized), 1);
        assert_eq!(attempts(Kind::Forbidden), 1);
        assert_eq!(attempts(Kind::RateLimited), 5);
    }
}
