//! Single contacts and orders of the shop's servers: taken at once, sent in bulk, each with a verdict
//! of its own.
//!
//! `POST contacts` takes the body of the platform's own bulk operation, or the same with one `contact` in
//! place of the list; `POST orders` likewise. `GET` with `ids` says what has become of them. With `wait`,
//! both wait so many seconds for it.

use esputnik_kit::{
    api::relay,
    bulk::{self, Given, Kind},
    config::{Config, Jurisdiction},
    json,
    problem::{Code, Problem},
    promo::Wish,
    value::Value,
    wire::{is_message_id, problem_members},
};
use sha2::{Digest, Sha256};
use worker::{Date, Env, Method};

use crate::{
    answer::{Error, text_json},
    api, assets,
    bulk_object::{Handed, Question},
    guard,
    host::{Request, Response},
    objects, routes,
};

/// Longest time that a caller may wait, in seconds: below what clients and networks end by themselves.
const MAX_WAIT: u64 = 55;

/// Most ids of one question.
const MAX_IDS: usize = 500;

/// Takes contacts or orders, or says what has become of them.
pub(crate) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
    kind: Kind,
) -> Result<Response, Error> {
    guard::server(request, env, config, api::scope(kind))?;
    let url = request.url();
    let wait = routes::query(url, "wait").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let wait = wait.min(MAX_WAIT) * 1000;
    if *request.method() == Method::Get {
        let ids = routes::query(url, "ids").unwrap_or_default().replace("%2C", ",");
        let ids: Vec<String> =
            ids.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        if ids.is_empty() || ids.len() > MAX_IDS || !ids.iter().all(|id| is_message_id(id)) {
            let fix = "ask for 1 to 500 ids, with commas between";
            return Err(Error::Body(Problem::new(Code::InvalidBody, "ids", fix)));
        }
        return Ok(text_json(200, ask(env, config, kind, ids, wait).await?));
    }
    let text = guard::body_of(request, api::MAX_BODY).await?;
    let given = json::parse(&text).map_err(|problem| vec![problem]);
    let given = match given.and_then(|body| bulk::read(kind, body)) {
        Ok(given) => given,
        Err(problems) => return Ok(api::respond(&relay::refused(problems))),
    };
    let id = match request.header("idempotency-key") {
        Some(key) if is_message_id(&key) => key,
        Some(_) => {
            let fix = "give a UUID in small letters";
            return Err(Error::Body(Problem::new(Code::InvalidBody, "idempotency-key", fix)));
        }
        None => routes::message_id(),
    };
    let count = given.items.len();
    let warnings = store(env, config, kind, &id, given, None).await?;
    // It is stored: whatever comes now, it must not look as if it were not.
    let mut results = match ask(env, config, kind, vec![id.clone()], wait).await {
        Ok(results) => results,
        Err(error) => {
            worker::console_error!("bulk: {error:?}");
            let waiting = ["{\"id\":\"", &id, "\",\"state\":\"waiting\"}"].concat();
            ["{\"results\":[", &vec![waiting; count].join(","), "]}"].concat()
        }
    };
    if !warnings.is_empty() {
        let warnings = warnings.iter().map(|problem| Value::Object(problem_members(problem)));
        let warnings = Value::List(warnings.collect()).to_json();
        results = [results.trim_end_matches('}'), ",\"warnings\":", &warnings, "}"].concat();
    }
    Ok(text_json(202, results))
}

/// Stores what was read, durably, and with it what is to be wished for whom the platform then
/// subscribes; returns what was odd about it.
pub(crate) async fn store(
    env: &Env,
    config: &Config,
    kind: Kind,
    id: &str,
    given: Given,
    wish: Option<&Wish>,
) -> Result<Vec<Problem>, Error> {
    let item = |item: bulk::Item| {
        let keys = item.keys.into_iter().map(Value::Text).collect();
        (item.body, Value::List(keys).to_json())
    };
    let handed = Handed {
        id: id.to_owned(),
        options: given.options.to_json(),
        items: given.items.into_iter().map(item).collect(),
        hash: String::new(),
        received: Date::now().as_millis(),
        wish: wish.map(serde_json::to_string).transpose().map_err(worker::Error::from)?,
    };
    let what = serde_json::to_string(&(&handed.options, &handed.items));
    let hash = assets::hex(&Sha256::digest(what.map_err(worker::Error::from)?));
    let handed = Handed { hash, ..handed };
    let body = serde_json::to_string(&handed).map_err(worker::Error::from)?;
    tell(env, config, kind, "/add", body).await?;
    Ok(given.warnings)
}

/// What has become of some, as JSON, after at most so many milliseconds.
pub(crate) async fn ask(
    env: &Env,
    config: &Config,
    kind: Kind,
    ids: Vec<String>,
    wait: u64,
) -> Result<String, Error> {
    let question = serde_json::to_string(&Question { ids, wait }).map_err(worker::Error::from)?;
    tell(env, config, kind, "/verdicts", question).await
}

/// Where the sites want data kept that belongs to none of them alone.
pub(crate) fn jurisdiction(config: &Config) -> Option<Jurisdiction> {
    config.sites.values().find_map(|site| site.jurisdiction)
}

/// Asks the object that holds what is on its way.
pub(crate) async fn tell(
    env: &Env,
    config: &Config,
    kind: Kind,
    path: &str,
    body: String,
) -> Result<String, Error> {
    let objects = routes::namespace(env, "BULK", jurisdiction(config))?;
    let answer = objects::ask(&objects, kind.as_str(), Method::Post, path, Some(&body)).await?;
    match answer.0 {
        409 => {
            let fix = "this key came with something else before; give each its own";
            Err(Error::Refused(422, Problem::new(Code::Conflict, "idempotency-key", fix)))
        }
        _ => objects::text(answer, "this cannot be stored right now"),
    }
}
