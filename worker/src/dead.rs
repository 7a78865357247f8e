//! What the platform refused for good, across all outboxes: one shown, all exported, some sent again or
//! erased.

use esputnik_kit::{
    config::{Config, Scope},
    json,
    problem::{Code, Problem},
    value::Value,
    wire::is_message_id,
};
use worker::{Env, Method};

use crate::{
    answer::{self, Error, text_json},
    guard,
    host::{Request, Response},
    objects::{numbers, told},
    outbox_object::Chosen,
    routes,
};

/// Most ids of one request.
const MOST_IDS: usize = 500;

/// The outboxes of all sites.
fn objects(config: &Config) -> impl Iterator<Item = String> {
    config.sites.keys().flat_map(|site| config.outbox.objects(site).collect::<Vec<_>>())
}

/// Serves `GET dead/<id>`.
pub(crate) async fn show(
    request: &Request,
    env: &Env,
    config: &Config,
    id: &str,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Queue)?;
    if !is_message_id(id) {
        return Err(Error::NotFound);
    }
    for object in objects(config) {
        let path = ["/dead?id=", id].concat();
        let answer = routes::ask(env, &object, Method::Get, &path, None).await?;
        if let Some(Value::Object(mut members)) = listed(&answer).into_iter().next() {
            members.insert(0, ("object".to_owned(), Value::Text(object)));
            return Ok(text_json(200, Value::Object(members).to_json()));
        }
    }
    Err(Error::NotFound)
}

/// Serves `GET dead.ndjson`: a page of one object at a time, from where `after` says.
pub(crate) async fn export(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Queue)?;
    let wrong = || {
        let fix = "give what kit-next of the page before says, or nothing";
        Error::Body(Problem::new(Code::InvalidBody, "after", fix))
    };
    let after = routes::asked(request, "after").unwrap_or_default();
    let (from, row) = match after.rsplit_once(':') {
        Some((object, row)) => (Some(object.to_owned()), row.parse::<u32>().map_err(|_| wrong())?),
        None if after.is_empty() => (None, 0),
        None => return Err(wrong()),
    };
    let mut objects =
        objects(config).skip_while(|object| from.as_ref().is_some_and(|from| from != object));
    let Some(object) = objects.next() else { return Err(wrong()) };
    let path = format!("/dead?after={row}");
    let answer = routes::ask(env, &object, Method::Get, &path, None).await?;
    let mut text = String::new();
    for row in listed(&answer) {
        let Value::Object(mut members) = row else { continue };
        members.insert(0, ("object".to_owned(), Value::text(object.as_str())));
        Value::Object(members).write_json(&mut text);
        text.push('\n');
    }
    let next = match told(&answer, "after") {
        0 => objects.next().map(|object| format!("{object}:0")),
        row => Some(format!("{object}:{row}")),
    };
    let mut response = Response::new(200, text.into_bytes())
        .with("content-type", "application/x-ndjson")
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff");
    if let Some(next) = next {
        response.set("kit-next", next);
    }
    Ok(response)
}

/// Serves `POST replay` with ids.
pub(crate) async fn replay(
    request: &Request,
    env: &Env,
    config: &Config,
    body: &str,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Queue)?;
    let (chosen, _) = chosen(body)?;
    change(env, config, "/replay", "replayed", &chosen).await
}

/// Serves `POST dead/erase`.
pub(crate) async fn erase(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Queue)?;
    let (chosen, all) = chosen(&guard::body(request).await?)?;
    if chosen.ids.is_none() && !all {
        let fix = "give ids, or {\"all\": true}";
        return Err(Error::Body(Problem::new(Code::MissingField, "ids", fix)));
    }
    change(env, config, "/erase-dead", "erased", &chosen).await
}

fn chosen(body: &str) -> Result<(Chosen, bool), Error> {
    let wrong = |field: &str| {
        let fix = "give up to 500 ids: {\"ids\": [\"…\"]}";
        Error::Body(Problem::new(Code::InvalidBody, field, fix))
    };
    let Value::Object(members) = json::parse(body).map_err(Error::Body)? else {
        return Err(wrong(""));
    };
    let (mut ids, mut all) = (None, false);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("ids", Value::List(list)) => {
                let list: Option<Vec<String>> =
                    list.iter().map(|id| id.as_text().map(str::to_owned)).collect();
                let list = list.filter(|list| list.iter().all(|id| is_message_id(id)));
                ids = Some(list.filter(|list| list.len() <= MOST_IDS).ok_or_else(|| wrong("ids"))?);
            }
            ("all", Value::Bool(said)) => all = said,
            _ => return Err(wrong(&name)),
        }
    }
    Ok((Chosen { ids }, all))
}

/// Tells all outboxes what to do with theirs; how many there were, and how many are left.
async fn change(
    env: &Env,
    config: &Config,
    path: &str,
    what: &str,
    chosen: &Chosen,
) -> Result<Response, Error> {
    let body = serde_json::to_string(chosen).map_err(worker::Error::from)?;
    let (mut count, mut left) = (0, 0);
    for object in objects(config) {
        let answer = routes::ask(env, &object, Method::Post, path, Some(body.clone())).await?;
        count += told(&answer, what);
        left += told(&answer, "left");
    }
    Ok(answer::json(200, &numbers([(what, count), ("left", left)])))
}

fn listed(answer: &str) -> Vec<Value> {
    let told = json::parse(answer).unwrap_or_default();
    told.member("dead").and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default()
}
