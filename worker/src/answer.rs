//! Errors of requests, and the one place where they become answers.

use esputnik_kit::{
    problem::{Code, Problem},
    value::Value,
    wire::problem_members,
};

use crate::host::Response;

/// Why a request got no normal answer.
#[derive(Debug)]
pub(crate) enum Error {
    /// No such address.
    NotFound,
    /// The address does not take this method.
    Method(&'static str),
    /// The page is not one of the deployment's.
    Origin,
    /// The call needs the server token.
    Unauthorised,
    /// A secret of the deployment is not set.
    NoSecret(&'static str),
    /// The call is refused with this status.
    Refused(u16, Problem),
    /// There is no such variant or test of this name.
    UnknownVariant(String),
    /// More calls than one visitor may make; fewer in so many seconds.
    TooMany(u64),
    /// The same again is taken in so many seconds.
    TryAgain(u64),
    /// The platform's key is not set.
    NoKey,
    /// The token does not open this.
    Scope(&'static str),
    /// The body is longer than so many bytes.
    TooLong(usize),
    /// The body is compressed, which is not taken.
    Encoded,
    /// The body is not what is asked for.
    Body(Problem),
    /// Cannot be stored now; the caller keeps it.
    Unavailable(&'static str),
    /// The deployment is set up wrongly; the text names the setting and no secret.
    Settings(String),
    /// A bug or the runtime's failure. Logged, never shown.
    Internal(worker::Error),
}

impl From<worker::Error> for Error {
    fn from(error: worker::Error) -> Self {
        Self::Internal(error)
    }
}

impl Error {
    pub(crate) fn into_response(self) -> Response {
        let plain = |status, code: &str, message: &str| {
            let members = [("code", code), ("message", message)];
            let members = members.map(|(name, text)| (name.to_owned(), Value::text(text)));
            json(status, &error_value(members.into()))
        };
        match self {
            Self::NotFound => plain(404, "not_found", "no such address"),
            Self::Method(allowed) => {
                plain(405, "method_not_allowed", "use another method").with("allow", allowed)
            }
            Self::Origin => {
                plain(403, "origin_not_allowed", "add the page's host to its site in kit.toml")
            }
            Self::Unauthorised => {
                let fix = "send Authorization: Bearer with KIT_SERVER_TOKEN or a token of kit.toml";
                plain(401, "unauthorised", fix)
            }
            Self::NoSecret(name) => {
                let fix = ["set it: cargo xtask wrangler secret put ", name].concat();
                plain(500, "no_secret", &fix)
            }
            Self::Refused(status, problem) => json(status, &error_value(problem_members(&problem))),
            Self::UnknownVariant(variant) => {
                // In the words of the vendor's own script.
                let message = ["variantId ", &variant, " was not found in config"].concat();
                let members = [
                    ("code", "unknown_variant"),
                    ("field", "variantId"),
                    ("message", message.as_str()),
                ];
                let members = members.map(|(name, text)| (name.to_owned(), Value::text(text)));
                json(404, &error_value(members.into()))
            }
            Self::TooMany(wait) => {
                plain(429, "too_many", "make fewer calls").with("retry-after", wait.to_string())
            }
            Self::TryAgain(wait) => {
                let fix = "send the same again, after what Retry-After says";
                let problem = Problem::new(Code::TryAgain, "", fix);
                json(429, &error_value(problem_members(&problem)))
                    .with("retry-after", wait.to_string())
            }
            Self::NoKey => {
                let fix = "set the platform's key: cargo xtask wrangler secret put KIT_API_KEY";
                plain(500, "no_api_key", fix)
            }
            Self::Scope(scope) => {
                let fix = ["add \"", scope, "\" to the scopes of this token in kit.toml"].concat();
                plain(403, "scope_missing", &fix)
            }
            Self::TooLong(most) => {
                plain(413, "too_long", &format!("send at most {} KB", most / 1024))
            }
            Self::Encoded => plain(415, "encoded", "send the body uncompressed"),
            Self::Body(problem) => {
                let status = if problem.code == Code::UnknownSite { 422 } else { 400 };
                json(status, &error_value(problem_members(&problem)))
            }
            Self::Unavailable(why) => plain(503, "unavailable", why).with("retry-after", "2"),
            Self::Settings(text) => {
                worker::console_error!("settings: {text}");
                plain(500, "settings", "the deployment is set up wrongly; see its log")
            }
            Self::Internal(error) => {
                worker::console_error!("internal: {error}");
                plain(500, "internal", "the request could not be served")
            }
        }
    }
}

fn error_value(members: Vec<(String, Value)>) -> Value {
    Value::Object(vec![("error".into(), Value::Object(members))])
}

/// An answer that holds JSON and is kept nowhere.
pub(crate) fn json(status: u16, value: &Value) -> Response {
    text_json(status, value.to_json())
}

/// An answer that holds JSON text and is kept nowhere.
pub(crate) fn text_json(status: u16, text: String) -> Response {
    Response::new(status, text.into_bytes())
        .with("content-type", "application/json")
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
}
