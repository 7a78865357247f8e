//! The platform's REST API for the shop's servers: the same addresses, below `api/`, with a token of
//! the deployment in place of the platform's key.

use esputnik_kit::{
    api::{
        Chapter, Endpoint, Error as ApiError, Kind, Reply, Request as Call, decode,
        relay::{self, Response as Answer},
        table::{Clean, Entry},
    },
    bulk::Kind as Bulk,
    config::{Config, Scope},
};
use worker::Env;

use crate::{
    answer::{Error, json},
    guard,
    host::{Request, Response},
    objects::now,
    pace::{self, Denied},
    settings::{API_KEY, Secret},
    upstream,
};

/// Longest body of a call, in bytes: room for the contacts of one request and more, within what a
/// Worker may hold in memory.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// The header that asks for lists to be sent in as many requests as they take.
const SPLIT: &str = "kit-split";

/// Makes the call that a shop's server would make to the platform itself.
pub(crate) async fn relay(
    request: &Request,
    env: &Env,
    config: &Config,
    route: &str,
) -> Result<Response, Error> {
    let url = request.url();
    let query = url.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
    let target = match query {
        Some(query) => ["/", route, "?", query].concat(),
        None => ["/", route].concat(),
    };
    let found = match relay::find(request.method().as_ref(), &target) {
        Ok(found) => found,
        Err(answer) => {
            // Whoever has no token at all learns nothing of what there is.
            guard::any_server(request, env, config)?;
            return Ok(respond(&answer));
        }
    };
    guard::server(request, env, config, Scope::Chapter(found.0.operation.chapter))?;
    let body = guard::body_of(request, MAX_BODY).await?;
    let split = request.header(SPLIT).is_some_and(|text| text == "true");
    let call = match relay::read(found, &body, split) {
        Ok(call) => call,
        Err(answer) => return Ok(respond(&answer)),
    };
    drop(body);
    let answer = match &call.requests[..] {
        [request] => relay::respond(send(env, config, call.entry, request).await?, call.warnings),
        requests => {
            let mut answers = Vec::new();
            for request in requests {
                // What was done before must be told, whatever fails here.
                let answer = send(env, config, call.entry, request).await.unwrap_or_else(|error| {
                    worker::console_error!("{}: {error:?}", request.operation);
                    Err(ApiError::held(Kind::Failed, 1000))
                });
                let failed = answer.as_ref().is_err_and(|error| !error.is_done());
                answers.push(answer);
                if failed {
                    break;
                }
            }
            relay::respond_to_parts(answers, requests.len(), call.warnings)
        }
    };
    Ok(respond(&answer))
}

/// The pause after an error of the Worker's own, in milliseconds.
const RETRY: u64 = 10_000;

/// How often a call is made that the platform had no room for.
const ATTEMPTS: u32 = 3;

/// Makes a call that somebody waits for, and reads the answer.
async fn send(
    env: &Env,
    config: &Config,
    entry: &Entry,
    request: &Call,
) -> Result<Result<Clean, ApiError>, Error> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let made = make(env, config, request, false).await?;
        let was_held = matches!(made, Made::Held(_));
        let answer = read_answer(made, entry, request);
        let full = !was_held && answer.as_ref().is_err_and(|error| error.kind == Kind::RateLimited);
        if !full || attempt == ATTEMPTS {
            return Ok(answer);
        }
    }
}

/// The answer to a call, or why there is none.
pub(crate) fn read_answer(made: Made, entry: &Entry, request: &Call) -> Result<Clean, ApiError> {
    match made {
        Made::Answered(reply) => entry.decode(&reply, now()),
        Made::Silent => Err(ApiError::unreachable(request.repeat)),
        Made::Held(denied) => Err(denied.into_error()),
    }
}

/// Makes a call that nobody waits for, and reads the answer as that of its operation.
pub(crate) async fn ask<E: Endpoint>(
    env: &Env,
    config: &Config,
    request: &Call,
) -> Result<E::Answer, ApiError> {
    match make(env, config, request, true).await {
        Ok(Made::Answered(reply)) => decode::<E>(&reply, now()).map(|answered| answered.value),
        Ok(Made::Silent) => Err(ApiError::unreachable(request.repeat)),
        Ok(Made::Held(denied)) => Err(denied.into_error()),
        Err(error) => {
            worker::console_error!("{}: {error:?}", request.operation);
            Err(ApiError::held(Kind::Failed, RETRY))
        }
    }
}

/// What became of a call.
pub(crate) enum Made {
    /// The platform answered.
    Answered(Reply),
    /// It did not, in time.
    Silent,
    /// It was not made.
    Held(Denied),
}

/// Makes a call when the governor lets it.
pub(crate) async fn make(
    env: &Env,
    config: &Config,
    request: &Call,
    bulk: bool,
) -> Result<Made, Error> {
    let key = Secret::load(env, API_KEY).ok_or(Error::NoKey)?;
    let slot = match pace::wait(env, request.pool, bulk).await? {
        Ok(slot) => slot,
        Err(denied) => return Ok(Made::Held(denied)),
    };
    let reply = upstream::call(config.api(), &key, request, bulk).await;
    slot.report(env, reply.as_ref()).await;
    Ok(match reply {
        Some(reply) => {
            report(request, &reply);
            Made::Answered(reply)
        }
        None => Made::Silent,
    })
}

/// The chapter whose tokens may hand in contacts or orders.
pub(crate) fn scope(kind: Bulk) -> Scope {
    Scope::Chapter(match kind {
        Bulk::Orders => Chapter::Orders,
        Bulk::Events => Chapter::Events,
        _ => Chapter::Contacts,
    })
}

/// What the owner of the deployment must see, and no caller can cure.
fn report(request: &Call, reply: &Reply) {
    if matches!(reply.status, 401 | 403) {
        let Call { operation, .. } = request;
        worker::console_error!(
            "KIT_API_KEY is refused for {operation} ({}): set it anew, or give it the right",
            reply.status
        );
    }
}

pub(crate) fn respond(answer: &Answer) -> Response {
    let mut response = json(answer.status, &answer.body);
    if let Some(wait) = answer.repeat_after {
        response.set("retry-after", wait.div_ceil(1000).to_string());
    }
    response
}
