//! What the Worker signs, and what it finds signed: the kit's own tokens, and proofs of the shop's back
//! end.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use esputnik_kit::{
    json,
    page_call::Proof,
    problem::{Code, Problem},
};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use worker::{Date, Env};

use crate::{answer::Error, routes, settings::Secret};

/// Signs the kit's own tokens.
const SIGNING_KEY: &str = "KIT_SIGNING_KEY";

/// Signs proofs; the shop's back end has it too.
const IDENTITY_KEY: &str = "KIT_IDENTITY_KEY";

/// How long a token is good, in milliseconds: longer than a form takes, shorter than a copied token
/// is of use.
const TOKEN_FOR: u64 = 10 * 60 * 1000;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    /// The site.
    #[serde(rename = "s")]
    pub(crate) site: String,
    /// The call.
    #[serde(rename = "c")]
    pub(crate) call: String,
    /// The page's origin.
    #[serde(rename = "o")]
    pub(crate) origin: String,
    /// Until when it is good, in milliseconds of Unix time.
    #[serde(rename = "x")]
    pub(crate) until: u64,
    /// Its own name, which is used once.
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// When it was made, likewise.
    #[serde(rename = "b", default)]
    pub(crate) born: u64,
    /// What else it is bound to.
    #[serde(rename = "k", default, skip_serializing_if = "String::is_empty")]
    pub(crate) bound: String,
}

impl Token {
    /// A new one for a call of a site's page.
    pub(crate) fn new((site, origin): (&str, &str), call: String) -> Self {
        let born = Date::now().as_millis();
        Self {
            site: site.to_owned(),
            call,
            origin: origin.to_owned(),
            until: born + TOKEN_FOR,
            name: routes::message_id(),
            born,
            bound: String::new(),
        }
    }

    /// The token as pages hand it in.
    pub(crate) fn signed(&self, env: &Env) -> Result<String, Error> {
        let text = serde_json::to_string(self).map_err(worker::Error::from)?;
        sign(&key(env, SIGNING_KEY)?, &text)
    }

    /// The token that was handed in for a call of a site's page.
    pub(crate) fn check(
        env: &Env,
        (site, origin): (&str, &str),
        call: &str,
        signed: &str,
    ) -> Result<Self, Error> {
        let wrong = |code: Code, fix: &'static str| {
            Err(Error::Refused(403, Problem::new(code, "token", fix)))
        };
        if signed.is_empty() {
            return wrong(Code::TokenMissing, "get a token for each call");
        }
        let text = verify(&key(env, SIGNING_KEY)?, signed)?;
        let read = text.and_then(|text| serde_json::from_str::<Self>(&text).ok());
        let Some(token) = read else {
            return wrong(Code::TokenInvalid, "get a token for each call, and leave it as it is");
        };
        if token.until <= Date::now().as_millis() {
            return wrong(Code::TokenExpired, "get a token for each call");
        }
        if token.call != call {
            return wrong(Code::TokenInvalid, "use a token of this call");
        }
        if token.site != site {
            return wrong(Code::TokenInvalid, "use a token of this site");
        }
        if token.origin != origin {
            return wrong(Code::TokenInvalid, "use a token of this page's origin");
        }
        Ok(token)
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

/// A hash that only the holder of the signing key can make, for what is remembered of a person.
///
/// No text that is signed begins like this: those are JSON in Base64.
pub(crate) fn seal(env: &Env, what: &str) -> Result<String, Error> {
    let sealed = mac(&key(env, SIGNING_KEY)?, &["kit:", what].concat())?.finalize().into_bytes();
    Ok(Base64UrlUnpadded::encode_string(sealed.get(..18).unwrap_or_default()))
}

/// A hash that only the holder of the key of proofs can make, for what is kept of whom they name.
///
/// No text that is signed begins like this: those are JSON in Base64.
pub(crate) fn seal_proven(env: &Env, who: &str) -> Result<String, Error> {
    let sealed = mac(&key(env, IDENTITY_KEY)?, &["kit:", who].concat())?.finalize().into_bytes();
    Ok(Base64UrlUnpadded::encode_string(sealed.get(..18).unwrap_or_default()))
}

/// Whom a proof names.
pub(crate) fn check_proof(env: &Env, proof: &str) -> Result<Proof, Error> {
    let text = verify(&key(env, IDENTITY_KEY)?, proof)?;
    let signed = text.and_then(|text| json::parse(&text).ok());
    let Some(signed) = signed else {
        let fix = "sign proofs as the README shows, with the key KIT_IDENTITY_KEY";
        return Err(Error::Refused(403, Problem::new(Code::ProofInvalid, "proof", fix)));
    };
    Proof::read(&signed, Date::now().as_millis()).map_err(|problem| Error::Refused(403, problem))
}
