//! What pages call beside tracking: contacts, orders, events of the shop's own types, and tokens.
//!
//! A page first gets a token of the kit's own (`POST t`), which is good for one call (`POST p/<call>`)
//! from the same origin within ten minutes. That keeps out whoever is no page of the shop, but proves
//! nothing about the visitor: for that there is the proof, signed by the shop's back end.

use std::net::IpAddr;

use esputnik_kit::{
    api::{Kind as ErrorKind, relay, table},
    config::{Calls, Config},
    form_call, json,
    page_call::{self, Proof, Todo},
    problem::{Code, Problem},
    value::Value,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use worker::Env;

use crate::{
    answer::{Error, text_json},
    api, assets, bulk, form, guard,
    host::{Request, Response},
    routes,
    token::{Token, check_proof},
    uses_object::{self, Count, Use},
};

/// What a page wants a token for.
#[derive(Debug, Deserialize)]
struct Wish {
    call: String,
}

/// How the data of a call is read.
type Reader = fn(&Calls, &Value, Option<&Proof>) -> Result<Todo, Problem>;

fn reader(call: &str) -> Option<Reader> {
    Some(match call {
        "addContact" => page_call::contact,
        "addOrder" => page_call::order,
        "generateEvent" => page_call::event,
        "getToken" => page_call::token,
        _ => return None,
    })
}

/// Gives a page a token.
pub(crate) async fn token(
    request: &Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Error> {
    let page = guard::page(request, config)?;
    let asked = guard::body(request)
        .await
        .map(|text| serde_json::from_str::<Wish>(&text).map(|wish| wish.call).unwrap_or_default());
    let answer = |call: String| -> Result<Response, Error> {
        if let Some(id) = form_call::called(&call) {
            form::shown(config, page.name, id)?;
            return give_token(env, &page, call);
        }
        if reader(&call).is_none() {
            let fix = "name the call: addContact, addOrder, generateEvent or getToken";
            return Err(Error::Body(Problem::new(Code::UnknownCommand, "call", fix)));
        }
        if !page.site.calls.is_open() {
            let fix = "open calls to pages in kit.toml, below the site's calls";
            return Err(Error::Refused(403, Problem::new(Code::NotOpen, "", fix)));
        }
        give_token(env, &page, call)
    };
    let response = asked.and_then(answer).unwrap_or_else(Error::into_response);
    Ok(guard::allow(response, &page))
}

fn give_token(env: &Env, page: &guard::Page<'_>, call: String) -> Result<Response, Error> {
    let token = Token::new((page.name, &page.origin), call);
    let members = vec![
        ("token".to_owned(), Value::text(token.signed(env)?)),
        ("expires_at".to_owned(), Value::whole(token.until)),
    ];
    Ok(text_json(200, Value::Object(members).to_json()))
}

/// Does what a page asks for.
pub(crate) async fn call(
    request: &Request,
    env: &Env,
    config: &Config,
    what: &str,
) -> Result<Response, Error> {
    let page = guard::page(request, config)?;
    let response = handle(request, env, config, &page, what).await;
    Ok(guard::allow(response.unwrap_or_else(Error::into_response), &page))
}

async fn handle(
    request: &Request,
    env: &Env,
    config: &Config,
    page: &guard::Page<'_>,
    what: &str,
) -> Result<Response, Error> {
    let read = reader(what).ok_or(Error::NotFound)?;
    let text = guard::body(request).await?;
    let body = json::parse(&text).map_err(Error::Body)?;
    let token = body.member("token").and_then(Value::as_text).unwrap_or_default();
    let token = Token::check(env, (page.name, &page.origin), what, token)?;
    let proof = match body.member("proof") {
        None | Some(Value::Null) => None,
        // What is no text is no proof, and not none at all.
        Some(proof) => Some(check_proof(env, proof.as_text().unwrap_or_default())?),
    };
    let none = Value::Object(Vec::new());
    let data = body.member("data").unwrap_or(&none);
    let todo = read(&page.site.calls, data, proof.as_ref()).map_err(refused)?;
    // Last, so that a page whose call was refused can mend it and try again with the same token.
    let callers = callers_of(&address(request));
    let used = Use { name: token.name, until: token.until, callers, ..Use::default() };
    uses_object::take(env, page.name, &used).await?;
    match todo {
        Todo::Store(kind, given) => {
            let id = routes::message_id();
            bulk::store(env, config, kind, &id, given, None).await?;
            // The same whoever it is about, and whatever the platform will say.
            let members = vec![("accepted".to_owned(), Value::Bool(true))];
            Ok(text_json(202, Value::Object(members).to_json()))
        }
        Todo::Call(call) => {
            let made = api::make(env, config, &call, false).await?;
            let entry = table::named(call.operation).ok_or(Error::NotFound)?;
            // What the platform says of the deployment's key is no page's affair.
            let answer = api::read_answer(made, entry, &call).map_err(|mut error| {
                if matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::Forbidden) {
                    error.kind = ErrorKind::Failed;
                }
                error.text.clear();
                error
            });
            Ok(api::respond(&relay::respond(answer, Vec::new())))
        }
        _ => Err(Error::NotFound),
    }
}

/// Under what calls of one visitor are counted, and how many may come in a minute: no address is
/// stored, and the count is lost with the object's memory.
fn callers_of(address: &[u8]) -> Vec<Count> {
    let counted = page_call::counted(address).into_iter();
    counted.map(|(part, most)| Count { name: hash(part), most, window: 60_000 }).collect()
}

/// The bytes of the visitor's address; none where nobody names it.
pub(crate) fn address(request: &Request) -> Vec<u8> {
    request.header("cf-connecting-ip").and_then(|text| read_address(&text)).unwrap_or_default()
}

/// The bytes of an address that is written down.
pub(crate) fn read_address(text: &str) -> Option<Vec<u8>> {
    Some(match text.trim().parse().ok()? {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    })
}

/// A part of an address as it is counted.
pub(crate) fn hash(part: &[u8]) -> String {
    assets::hex(Sha256::digest(part).get(..8).unwrap_or_default())
}

/// What a page is told that handed in what it may not, or what the platform would not take.
pub(crate) fn refused(problem: Problem) -> Error {
    let status = match problem.code {
        Code::NotOpen | Code::ProofMissing | Code::ProofInvalid => 403,
        _ => 400,
    };
    Error::Refused(status, problem)
}
