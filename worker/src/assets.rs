//! The page's files: the loader, made for each site, and the rest under names that hold a hash.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use base64ct::{Base64, Encoding as _};
use esputnik_kit::{
    config::{Config, Mode, Site},
    value::Value,
};
use sha2::{Digest, Sha256, Sha384};
use worker::{EncodeBody, Headers, Request, Response, ResponseBuilder};

use crate::answer::Error;

/// A file that `cargo xtask build` made.
pub(crate) struct Asset {
    name: &'static str,
    file: &'static str,
    raw: &'static [u8],
    brotli: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A site's loader.
pub(crate) struct Loader {
    /// Its name for pages that pin it.
    pub(crate) file: String,
    /// The value of the script tag's `integrity`.
    pub(crate) integrity: String,
    text: String,
}

thread_local! {
    static LOADERS: RefCell<HashMap<String, Rc<Loader>>> = RefCell::default();
}

/// How long browsers keep what its name does not tell apart, in seconds: a new release reaches
/// pages within this time.
const SHORT: &str = "public, max-age=300";
const FOREVER: &str = "public, max-age=31536000, immutable";

fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The loader with the site's part of the settings in it.
pub(crate) fn loader(config: &Config, name: &str, site: &Site) -> Option<Rc<Loader>> {
    if let Some(known) = LOADERS.with_borrow(|loaders| loaders.get(name).cloned()) {
        return Some(known);
    }
    let template = if site.mode == Mode::Beside { "beside" } else { "loader" };
    let template = std::str::from_utf8(asset(template)?.raw).ok()?;
    let mut page = site.page_part(name);
    page.push(("p".into(), Value::text(&config.path)));
    for (key, asset_name) in [("t", "tracker"), ("x", "extras")] {
        let file = asset(asset_name).map_or("", |asset| asset.file);
        page.push((key.into(), Value::text(["a/", file].concat())));
    }
    if !site.forms.is_empty() {
        // Its own address says of which site it is.
        page.push(("f".into(), Value::text([name, "/forms.js"].concat())));
    }
    // Inside a script element, `</script` would end it where a shop writes the loader inline.
    let page = Value::Object(page).to_json().replace('<', "\\u003c");
    let text = template.replace("__KIT__", &page);
    let hex = hex(&Sha256::digest(text.as_bytes()));
    let file = [hex.get(..16)?, ".js"].concat();
    let integrity = ["sha384-", &Base64::encode_string(&Sha384::digest(text.as_bytes()))].concat();
    let loader = Rc::new(Loader { file, integrity, text });
    LOADERS.with_borrow_mut(|loaders| loaders.insert(name.to_owned(), Rc::clone(&loader)));
    Some(loader)
}

/// Answers with a loader; `pinned` if its address holds its hash.
pub(crate) fn serve_loader(loader: &Loader, pinned: bool) -> Result<Response, Error> {
    let headers = headers("text/javascript; charset=utf-8", pinned)?;
    Ok(ResponseBuilder::new().with_headers(headers).fixed(loader.text.clone().into_bytes()))
}

/// Answers with a script under an address of its own, which stays the same from release to release.
pub(crate) fn serve_short(name: &str, request: &Request) -> Result<Response, Error> {
    let asset = asset(name).ok_or(Error::NotFound)?;
    respond(asset, headers("text/javascript; charset=utf-8", false)?, request)
}

/// Answers with a file under its hashed name.
pub(crate) fn serve(file: &str, request: &Request) -> Result<Response, Error> {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.file == file && !matches!(asset.name, "loader" | "beside"));
    let asset = asset.ok_or(Error::NotFound)?;
    let kind = match file.rsplit('.').next() {
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        _ => "text/javascript; charset=utf-8",
    };
    let headers = headers(kind, true)?;
    if file.ends_with(".js") {
        // The dedicated worker follows the policy of its own script: it may run wasm where the
        // page may not.
        let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
        headers.set("content-security-policy", policy)?;
        headers.set("cross-origin-embedder-policy", "require-corp")?;
    }
    respond(asset, headers, request)
}

fn respond(asset: &Asset, headers: Headers, request: &Request) -> Result<Response, Error> {
    let accepts = request.headers().get("accept-encoding")?.unwrap_or_default();
    let builder = ResponseBuilder::new();
    if accepts.split([',', ';']).any(|coding| coding.trim() == "br") {
        headers.set("content-encoding", "br")?;
        let builder = builder.with_headers(headers).with_encode_body(EncodeBody::Manual);
        return Ok(builder.fixed(asset.brotli.to_vec()));
    }
    Ok(builder.with_headers(headers).fixed(asset.raw.to_vec()))
}

fn headers(kind: &str, pinned: bool) -> Result<Headers, Error> {
    let headers = Headers::new();
    headers.set("content-type", kind)?;
    headers.set("cache-control", if pinned { FOREVER } else { SHORT })?;
    headers.set("x-content-type-options", "nosniff")?;
    headers.set("vary", "accept-encoding")?;
    // They hold nothing of a visitor; a shop may serve the kit from another host of its own.
    headers.set("access-control-allow-origin", "*")?;
    headers.set("cross-origin-resource-policy", "cross-origin")?;
    Ok(headers)
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| DIGITS[usize::from(n)]).collect()
}
