//! The ledger of all outboxes: as JSON, as a page, and by a message to the owner when something is wrong.

use base64ct::{Base64, Encoding as _};
use esputnik_kit::{
    api::Pool,
    config::{Config, Scope},
    governor::Break,
    ledger::{Held, Limits, Page, Sheet, Site, State, judge, render},
    value::Value,
};
use sha2::{Digest, Sha256};
use worker::{Env, Method};

use crate::{
    answer::{Error, text_json},
    catalogue, guard,
    host::{Call, Request, Response},
    objects::now,
    pace, routes,
};

/// How long a message may take, in milliseconds, and how long an answer to it may be, in bytes.
const PATIENCE: u32 = 10_000;
const MOST_ANSWERED: u32 = 64 * 1024;

/// Serves `GET ledger`.
pub(crate) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Error> {
    guard::reader(request, env, config, Scope::Queue)?;
    let mut all = Sheet::default();
    let mut sites = Vec::new();
    for name in config.sites.keys() {
        let sheet = sheet(env, config, name).await?;
        all.add(&sheet);
        sites.push((name.clone(), sheet.to_value()));
    }
    let Value::Object(mut members) = all.to_value() else { return Err(Error::NotFound) };
    members.push(("sites".to_owned(), Value::Object(sites)));
    Ok(text_json(200, Value::Object(members).to_json()))
}

/// Serves `GET status`: a browser asks its user for a name, which may be anything, and a password, which
/// is the token.
pub(crate) async fn serve_page(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Error> {
    if let Err(error) = guard::reader(request, env, config, Scope::Queue) {
        let ask = "Basic realm=\"esputnik-kit: a token as the password\", charset=\"UTF-8\"";
        return Ok(error.into_response().with("www-authenticate", ask));
    }
    let mut sites = Vec::new();
    for name in config.sites.keys() {
        let sheet = sheet(env, config, name).await?;
        sites.push(Site { name: name.clone(), sheet, feed: catalogue::state(env, name).await? });
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let held = pace::held(env).await?.into_iter().filter_map(|held| {
        let pool = Pool::named(&held.pool).filter(|pool| *pool != Pool::Tracker)?;
        Some(Held { pool, why: Break::named(&held.why)?, until: held.until })
    });
    let (html, style) = render(&Page { now: now(), version, held: held.collect(), sites });
    let hash = Base64::encode_string(&Sha256::digest(style.as_bytes()));
    let policy = [
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         style-src 'sha256-",
        &hash,
        "'",
    ];
    Ok(Response::new(200, html.into_bytes())
        .with("content-type", "text/html; charset=utf-8")
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
        .with("referrer-policy", "no-referrer")
        .with("content-security-policy", policy.concat()))
}

/// What the outboxes of a site tell together, those of the generation before as well.
async fn sheet(env: &Env, config: &Config, site: &str) -> Result<Sheet, Error> {
    let mut sum = Sheet::default();
    for object in config.outbox.objects(site) {
        let text = routes::ask(env, &object, Method::Get, "/ledger", None).await?;
        sum.add(&serde_json::from_str(&text).map_err(worker::Error::from)?);
    }
    Ok(sum)
}

/// Tells the owner what is wrong, and what is not any more; what cannot be told is told the next time.
pub(crate) async fn watch(env: &Env, config: &Config) {
    for site in config.sites.keys() {
        if let Err(error) = watch_site(env, config, site).await {
            worker::console_error!("alarm: {error:?}");
        }
    }
}

async fn watch_site(env: &Env, config: &Config, site: &str) -> Result<(), Error> {
    let Some(alarm) = &config.outbox.alarm else { return Ok(()) };
    // One object of the site remembers what was told.
    let Some(object) = config.outbox.objects(site).next() else { return Ok(()) };
    let told = routes::ask(env, &object, Method::Post, "/alarm", None).await?;
    let told: State = serde_json::from_str(&told).map_err(worker::Error::from)?;
    let limits = Limits { oldest: alarm.oldest.into() };
    for news in judge(site, &sheet(env, config, site).await?, limits, told, now()) {
        let body = news.message.to_json();
        let call =
            Call { address: &alarm.address, method: "POST", header: None, body: Some(&body) };
        let status = call.make(PATIENCE, MOST_ANSWERED).await?.status;
        if !(200..300).contains(&status) {
            // Not the address: it may be a secret.
            worker::console_error!("alarm: the address answers {status}");
            return Ok(());
        }
        let after = serde_json::to_string(&news.after).map_err(worker::Error::from)?;
        routes::ask(env, &object, Method::Post, "/alarm", Some(after)).await?;
    }
    Ok(())
}
