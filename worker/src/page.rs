//! What pages call beside tracking: contacts, orders, events of the shop's own types, and tokens.
//!
//! A page first gets a token of the kit's own (`POST t`), which is good for one call (`POST p/<call>`)
//! from the same origin within ten minutes. That keeps out whoever is no page of the shop, but proves
//! nothing about the visitor: for that there is the proof, signed by the shop's back end.

use std::net::IpAddr;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use esputnik_kit::{
    api::{Kind as ErrorKind, relay, table},
    config::{Calls, Config},
    json,
    page_call::{self, Proof, Todo},
    problem::{Code, Problem},
    value::Value,
};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use worker::{Date, Env, Request, Response};

use crate::{
    answer::{Error, text_json},
    api, assets, bulk, guard, routes,
    settings::Secret,
    uses_object::{self, Use},
};

/// Signs the kit's own tokens.
const SIGNING_KEY: &str = "KIT_SIGNING_KEY";

/// Signs proofs; the shop's back end has it too.
const IDENTITY_KEY: &str = "KIT_IDENTITY_KEY";

/// How long a token is good, in milliseconds: longer than a form takes, shorter than a copied token
/// is of use.
const TOKEN_FOR: u64 = 10 * 60 * 1000;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    /// The site.
    s: String,
    /// The call.
    c: String,
    /// The page's origin.
    o: String,
    /// Until when it is good, in milliseconds of Unix time.
    x: u64,
    /// Its own name, which is used once.
    n: String,
}

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

/// What a page sends.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    token: String,
    #[serde(default)]
    proof: Option<String>,
}

/// Gives a page a token.
pub(crate) async fn token(
    mut request: Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Error> {
    let page = guard::page(&request, config)?;
    let asked = guard::body(&mut request)
        .await
        .map(|text| serde_json::from_str::<Wish>(&text).map(|wish| wish.call).unwrap_or_default());
    let answer = |call: String| -> Result<Response, Error> {
        if reader(&call).is_none() {
            let fix = "name the call: addContact, addOrder, generateEvent or getToken";
            return Err(Error::Body(Problem::new(Code::UnknownCommand, "call", fix)));
        }
        if !page.site.calls.is_open() {
            let fix = "open calls to pages in kit.toml, below the site's calls";
            return Err(Error::Refused(403, Problem::new(Code::NotOpen, "", fix)));
        }
        let token = Token {
            s: page.name.to_owned(),
            c: call,
            o: page.origin.clone(),
            x: Date::now().as_millis() + TOKEN_FOR,
            n: routes::message_id(),
        };
        let text = serde_json::to_string(&token).map_err(worker::Error::from)?;
        let signed = sign(&key(env, SIGNING_KEY)?, &text)?;
        let members = vec![
            ("token".to_owned(), Value::text(signed)),
            ("expires_at".to_owned(), Value::whole(token.x)),
        ];
        Ok(text_json(200, Value::Object(members).to_json())?)
    };
    let response = asked.and_then(answer).or_else(Error::into_response)?;
    guard::allow(&response, &page)?;
    Ok(response)
}

/// Does what a page asks for.
pub(crate) async fn call(
    mut request: Request,
    env: &Env,
    config: &Config,
    what: &str,
) -> Result<Response, Error> {
    let page = guard::page(&request, config)?;
    let response = match handle(&mut request, env, config, &page, what).await {
        Ok(response) => response,
        Err(error) => error.into_response()?,
    };
    guard::allow(&response, &page)?;
    Ok(response)
}

async fn handle(
    request: &mut Request,
    env: &Env,
    config: &Config,
    page: &guard::Page<'_>,
    what: &str,
) -> Result<Response, Error> {
    let read = reader(what).ok_or(Error::NotFound)?;
    let text = guard::body(request).await?;
    let body = json::parse(&text).map_err(Error::Body)?;
    let asked: Asked = serde_json::from_str(&text).unwrap_or_default();
    let token = check_token(env, page, what, &asked.token)?;
    let proof = match &asked.proof {
        Some(proof) => Some(check_proof(env, proof)?),
        None => None,
    };
    let none = Value::Object(Vec::new());
    let data = body.member("data").unwrap_or(&none);
    let todo = read(&page.site.calls, data, proof.as_ref())
        .map_err(|problem| Error::Refused(status_of(problem.code), problem))?;
    // Last, so that a page whose call was refused can mend it and try again with the same token.
    let address = request.headers().get("cf-connecting-ip")?.unwrap_or_default();
    let used = Use { name: token.n, until: token.x, callers: callers_of(&address) };
    match uses_object::take(env, page.name, &used).await? {
        uses_object::Answer::Taken => {}
        uses_object::Answer::Known => {
            let fix = "get a token for each call";
            return Err(Error::Refused(403, Problem::new(Code::TokenUsed, "token", fix)));
        }
        uses_object::Answer::TooMany => return Err(Error::TooMany),
    }
    match todo {
        Todo::Store(kind, given) => {
            let id = routes::message_id();
            bulk::store(env, config, kind, &id, given).await?;
            // The same whoever it is about, and whatever the platform will say.
            let members = vec![("accepted".to_owned(), Value::Bool(true))];
            Ok(text_json(202, Value::Object(members).to_json())?)
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
            api::respond(&relay::respond(answer, Vec::new()))
        }
        _ => Err(Error::NotFound),
    }
}

/// Under what calls of one visitor are counted, and how many may come in a minute: no address is
/// stored, and the count is lost with the object's memory.
fn callers_of(address: &str) -> Vec<(String, u32)> {
    let bytes = match address.parse() {
        Ok(IpAddr::V4(address)) => address.octets().to_vec(),
        Ok(IpAddr::V6(address)) => address.octets().to_vec(),
        Err(_) => Vec::new(),
    };
    let hash = |part: &[u8]| assets::hex(Sha256::digest(part).get(..8).unwrap_or_default());
    page_call::counted(&bytes).into_iter().map(|(part, most)| (hash(part), most)).collect()
}

fn status_of(code: Code) -> u16 {
    match code {
        Code::NotOpen | Code::ProofMissing | Code::ProofInvalid => 403,
        _ => 400,
    }
}

fn key(env: &Env, name: &'static str) -> Result<Secret, Error> {
    Secret::load(env, name).ok_or(Error::NoSecret(name))
}

fn mac(key: &Secret, text: &str) -> Result<Hmac<Sha256>, Error> {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes());
    let mut mac = mac.map_err(|_| Error::Internal("a key of no length".into()))?;
    mac.update(text.as_bytes());
    Ok(mac)
}

/// What is signed, and the signature, both so that they can stand anywhere.
fn sign(key: &Secret, text: &str) -> Result<String, Error> {
    let payload = Base64UrlUnpadded::encode_string(text.as_bytes());
    let signature = mac(key, &payload)?.finalize().into_bytes();
    Ok([payload.as_str(), ".", &Base64UrlUnpadded::encode_string(&signature)].concat())
}

/// What was signed; nothing if it was not signed with this key, or changed since.
fn verify(key: &Secret, signed: &str) -> Result<Option<String>, Error> {
    let Some((payload, signature)) = signed.trim().split_once('.') else { return Ok(None) };
    let Ok(signature) = Base64UrlUnpadded::decode_vec(signature.trim_end_matches('=')) else {
        return Ok(None);
    };
    if mac(key, payload)?.verify_slice(&signature).is_err() {
        return Ok(None);
    }
    let bytes = Base64UrlUnpadded::decode_vec(payload.trim_end_matches('=')).unwrap_or_default();
    Ok(String::from_utf8(bytes).ok())
}

fn check_token(env: &Env, page: &guard::Page<'_>, call: &str, token: &str) -> Result<Token, Error> {
    let wrong =
        |code: Code, fix: &'static str| Err(Error::Refused(403, Problem::new(code, "token", fix)));
    if token.is_empty() {
        return wrong(Code::TokenMissing, "get a token for each call");
    }
    let text = verify(&key(env, SIGNING_KEY)?, token)?;
    let read = text.and_then(|text| serde_json::from_str::<Token>(&text).ok());
    let Some(token) = read else {
        return wrong(Code::TokenInvalid, "get a token for each call, and leave it as it is");
    };
    if token.x <= Date::now().as_millis() {
        return wrong(Code::TokenExpired, "get a token for each call");
    }
    if token.c != call {
        return wrong(Code::TokenInvalid, "use a token of this call");
    }
    if token.s != page.name {
        return wrong(Code::TokenInvalid, "use a token of this site");
    }
    if token.o != page.origin {
        return wrong(Code::TokenInvalid, "use a token of this page's origin");
    }
    Ok(token)
}

fn check_proof(env: &Env, proof: &str) -> Result<Proof, Error> {
    let text = verify(&key(env, IDENTITY_KEY)?, proof)?;
    let signed = text.and_then(|text| json::parse(&text).ok());
    let Some(signed) = signed else {
        let fix = "sign proofs as the README shows, with the key KIT_IDENTITY_KEY";
        return Err(Error::Refused(403, Problem::new(Code::ProofInvalid, "proof", fix)));
    };
    Proof::read(&signed, Date::now().as_millis()).map_err(|problem| Error::Refused(403, problem))
}
