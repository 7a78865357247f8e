//! Cloudflare's test of whether a person is at work, verified where Cloudflare says.

use esputnik_kit::{
    api::Reply,
    config::{Config, Site},
    definition::page::action,
    form_call::MAX_TURNSTILE,
    json,
    problem::{Code, Problem},
    value::Value,
};
use worker::Env;

use crate::{answer::Error, host::Call, routes, settings::Secret};

/// The secret of the widget.
pub(crate) const SECRET: &str = "KIT_TURNSTILE_SECRET";

/// How long the verification may take, in milliseconds: people wait for it.
const PATIENCE: u32 = 5_000;

/// Longest answer that is read, in bytes.
const MOST_ANSWERED: u32 = 16 * 1024;

/// Whether the test was passed, on a page of this site and for this form. Where nobody can say so, it was
/// not.
pub(crate) async fn check(
    env: &Env,
    config: &Config,
    site: &Site,
    id: &str,
    response: &str,
) -> Result<(), Error> {
    let secret = Secret::load(env, SECRET).ok_or(Error::NoSecret(SECRET))?;
    let refused = |code: Code| {
        let fix = "get another answer of Cloudflare's test, and another token";
        Err(Error::Refused(403, Problem::new(code, "turnstile", fix)))
    };
    if response.len() > MAX_TURNSTILE {
        return refused(Code::TurnstileFailed);
    }
    let text = match ask(config.api.turnstile(), &secret, response).await {
        Ok(text) => text,
        Err(error) => {
            // The runtime's words name hosts at most.
            worker::console_warn!("turnstile: {error}");
            return Err(Error::Unavailable("Cloudflare's test cannot be verified right now"));
        }
    };
    let answer = json::parse(&text).unwrap_or_default();
    let is_passed = matches!(answer.member("success"), Some(Value::Bool(true)));
    if !is_passed {
        let codes = answer.member("error-codes").and_then(Value::as_list).unwrap_or_default();
        let ours = ["missing-input-secret", "invalid-input-secret"];
        if codes.iter().filter_map(Value::as_text).any(|code| ours.contains(&code)) {
            worker::console_error!("turnstile: Cloudflare does not know {SECRET}");
        }
    }
    let text = |name: &str| answer.member(name).and_then(Value::as_text).unwrap_or_default();
    // Cloudflare names hosts without ports.
    let host = text("hostname");
    let is_here = site.hosts.iter().any(|own| own.split(':').next() == Some(host));
    if is_passed && is_here && text("action") == action(id) {
        return Ok(());
    }
    refused(Code::TurnstileFailed)
}

async fn ask(address: &str, secret: &Secret, response: &str) -> worker::Result<String> {
    let members = [
        ("secret", secret.expose()),
        ("response", response),
        // Of this question alone, so that asking it again would be the same question.
        ("idempotency_key", &routes::message_id()),
    ];
    let members = members.map(|(name, text)| (name.to_owned(), Value::text(text)));
    let body = Value::Object(members.into()).to_json();
    let call = Call { address, method: "POST", header: None, body: Some(&body) };
    let Reply { status, text, .. } = call.make(PATIENCE, MOST_ANSWERED).await?;
    // What it refuses for its shape it says in an answer of the same form.
    if matches!(status, 200 | 400) { Ok(text) } else { Err(format!("answered {status}").into()) }
}
