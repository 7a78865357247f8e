//! Single contacts and orders of the shop's servers: taken at once, sent in bulk, each with a verdict
//! of its own.
//!
//! `POST contacts` takes the body of the platform's own bulk operation, or the same with one `contact` in
//! place of the list; `POST orders` likewise. `GET` with `ids` says what has become of them. With `wait`,
//! both wait so many seconds for it.

use esputnik_kit::{
    api::relay,
    bulk::{self, Given, Kind},
    config::Config,
    json,
    problem::Problem,
    value::Value,
    wire::{is_message_id, problem_members},
};
use worker::{Date, Env, Method, Request, RequestInit, Response};

use crate::{
    answer::{Error, text_json},
    api,
    bulk_object::{Handed, Question},
    guard, routes,
};

/// Longest time that a caller may wait, in seconds: below what clients and networks end by themselves.
const MAX_WAIT: u64 = 55;

/// Most ids of one question.
const MAX_IDS: usize = 500;

/// Takes contacts or orders, or says what has become of them.
pub(crate) async fn serve(
    mut request: Request,
    env: &Env,
    config: &Config,
    kind: Kind,
) -> Result<Response, Error> {
    guard::server(&request, env, config, api::scope(kind))?;
    let url = request.inner().url();
    let wait = routes::query(&url, "wait").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let wait = wait.min(MAX_WAIT) * 1000;
    if request.method() == Method::Get {
        let ids = routes::query(&url, "ids").unwrap_or_default();
        let ids = ids.split(',').filter(|id| is_message_id(id)).map(str::to_owned);
        let results = ask(env, kind, ids.take(MAX_IDS).collect(), wait).await?;
        return Ok(text_json(200, results)?);
    }
    let text = guard::body_of(&mut request, api::MAX_BODY).await?;
    let given = json::parse(&text).map_err(|problem| vec![problem]);
    let given = match given.and_then(|body| bulk::read(kind, &body)) {
        Ok(given) => given,
        Err(problems) => return api::respond(&relay::refused(problems)),
    };
    let key = request.headers().get("idempotency-key")?;
    let id = key.filter(|key| is_message_id(key)).unwrap_or_else(routes::message_id);
    let warnings = store(env, kind, &id, given).await?;
    let mut results = ask(env, kind, vec![id], wait).await?;
    if !warnings.is_empty() {
        let warnings = warnings.iter().map(|problem| Value::Object(problem_members(problem)));
        let warnings = Value::List(warnings.collect()).to_json();
        results = [results.trim_end_matches('}'), ",\"warnings\":", &warnings, "}"].concat();
    }
    Ok(text_json(202, results)?)
}

/// Stores what was read, durably; returns what was odd about it.
pub(crate) async fn store(
    env: &Env,
    kind: Kind,
    id: &str,
    given: Given,
) -> Result<Vec<Problem>, Error> {
    let item = |item: &bulk::Item| {
        let keys = item.keys.iter().map(|key| Value::text(key.as_str())).collect();
        (item.body.to_json(), Value::List(keys).to_json())
    };
    let handed = Handed {
        id: id.to_owned(),
        options: given.options.to_json(),
        items: given.items.iter().map(item).collect(),
        received: Date::now().as_millis(),
    };
    let body = serde_json::to_string(&handed).map_err(worker::Error::from)?;
    tell(env, kind, "/add", body).await?;
    Ok(given.warnings)
}

async fn ask(env: &Env, kind: Kind, ids: Vec<String>, wait: u64) -> Result<String, Error> {
    let question = serde_json::to_string(&Question { ids, wait }).map_err(worker::Error::from)?;
    tell(env, kind, "/verdicts", question).await
}

/// Asks the object that holds what is on its way.
pub(crate) async fn tell(env: &Env, kind: Kind, path: &str, body: String) -> Result<String, Error> {
    let stub = env.durable_object("BULK")?.get_by_name(kind.as_str())?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let request = Request::new_with_init(&["https://bulk", path].concat(), &init)?;
    let mut response = stub.fetch_with_request(request).await?;
    if response.status_code() != 200 {
        return Err(Error::Unavailable("this cannot be stored right now"));
    }
    Ok(response.text().await?)
}
