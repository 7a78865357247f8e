//! The page's files: the loader, made for each site, and the rest under names that hold a hash.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use base64ct::{Base64, Encoding as _};
use esputnik_kit::{
    config::{Config, Mode, Site},
    definition::view,
    value::Value,
};
use sha2::{Digest, Sha256, Sha384};

use crate::{
    answer::Error,
    host::{Request, Response},
};

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
/// The type of scripts.
const SCRIPT: &str = "text/javascript; charset=utf-8";

const FOREVER: &str = "public, max-age=31536000, immutable";

fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The name of an asset's file, which stands below `a`.
pub(crate) fn file(name: &str) -> &'static str {
    asset(name).map_or("", |asset| asset.file)
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
    // Their own addresses say of which site they are.
    let starters = [
        ("/forms.js", !site.forms.is_empty()),
        ("/blocks.js", !site.recommendations.blocks.is_empty()),
    ];
    let starters = starters.into_iter().filter(|(_, is_wanted)| *is_wanted);
    let starters = starters.map(|(file, _)| Value::text([name, file].concat())).collect();
    page.push(("f".into(), Value::List(starters)));
    // Inside a script element, `</script` would end it where a shop writes the loader inline.
    let page = Value::Object(page).to_json().replace('<', "\\u003c");
    let mut text = template.replace("__KIT__", &page);
    let forms = site.forms.iter().filter_map(|id| config.forms.get_key_value(id));
    let style = view::reserved(forms.map(|(id, form)| (id.as_str(), form)));
    if !style.is_empty() {
        text.push_str(&reserving(&style));
    }
    let hex = hex(&Sha256::digest(text.as_bytes()));
    let file = [hex.get(..16)?, ".js"].concat();
    let integrity = ["sha384-", &Base64::encode_string(&Sha384::digest(text.as_bytes()))].concat();
    let loader = Rc::new(Loader { file, integrity, text });
    LOADERS.with_borrow_mut(|loaders| loaders.insert(name.to_owned(), Rc::clone(&loader)));
    Some(loader)
}

/// A script that gives a page this style before anything of it is drawn. No word of the page's policy is
/// needed for it.
fn reserving(style: &str) -> String {
    let style = Value::text(style).to_json().replace('<', "\\u003c");
    [
        "\ntry{const s=new CSSStyleSheet;s.replaceSync(",
        &style,
        ");document.adoptedStyleSheets=[...document.adoptedStyleSheets,s]}catch{}\n",
    ]
    .concat()
}

/// Answers with a loader; `pinned` if its address holds its hash.
pub(crate) fn serve_loader(loader: &Loader, pinned: bool) -> Response {
    let text = loader.text.clone().into_bytes();
    with_headers(Response::new(200, text), SCRIPT, pinned)
}

/// Answers with a script under an address of its own, which stays the same from release to release.
pub(crate) fn serve_short(name: &str, request: &Request) -> Result<Response, Error> {
    let asset = asset(name).ok_or(Error::NotFound)?;
    Ok(respond(asset, SCRIPT, false, request))
}

/// Answers with a file under its hashed name.
pub(crate) fn serve(file: &str, request: &Request) -> Result<Response, Error> {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.file == file && !matches!(asset.name, "loader" | "beside"));
    let asset = asset.ok_or(Error::NotFound)?;
    let extension = file.rsplit('.').next().unwrap_or_default();
    let script = extension == "js";
    let kind = match extension {
        "js" => SCRIPT,
        "css" => "text/css; charset=utf-8",
        _ => "application/wasm",
    };
    let mut response = respond(asset, kind, true, request);
    if script {
        // The dedicated worker follows the policy of its own script: it may run wasm where the
        // page may not.
        let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
        response.set("content-security-policy", policy);
        response.set("cross-origin-embedder-policy", "require-corp");
    }
    Ok(response)
}

/// A file as the one who asks can read it.
fn respond(asset: &Asset, kind: &'static str, pinned: bool, request: &Request) -> Response {
    let accepts = request.header("accept-encoding").unwrap_or_default();
    let brotli = accepts.split([',', ';']).any(|coding| coding.trim() == "br");
    let body = if brotli { asset.brotli } else { asset.raw };
    let mut response = with_headers(Response::new(200, body), kind, pinned);
    if brotli {
        response.set("content-encoding", "br");
    }
    response
}

fn with_headers(response: Response, kind: &'static str, pinned: bool) -> Response {
    response
        .with("content-type", kind)
        .with("cache-control", if pinned { FOREVER } else { SHORT })
        .with("x-content-type-options", "nosniff")
        .with("vary", "accept-encoding")
        // They hold nothing of a visitor; a shop may serve the kit from another host of its own.
        .with("access-control-allow-origin", "*")
        .with("cross-origin-resource-policy", "cross-origin")
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| DIGITS[usize::from(n)]).collect()
}
