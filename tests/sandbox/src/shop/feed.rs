//! The shop's product feed: a file, with the shop's own address in it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::{fs, io, path::Path};

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderValue, IF_NONE_MATCH};
use hyper::{Response, StatusCode};

/// Where it is served.
pub(super) const PATH: &str = "/feed.xml";

/// The shop's address in the file.
const PLACEHOLDER: &str = "https://shop.example";

/// The feed for a request with these headers; unlike pages it says which version it is, as servers of
/// files do, so that who has it need not get it again.
pub(super) fn answer(folder: &Path, headers: &HeaderMap) -> io::Result<Response<Bytes>> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let text = fs::read_to_string(folder.join("feed.xml"))?;
    let text = text.replace(PLACEHOLDER, &format!("http://{host}"));
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let version = format!("\"{:x}\"", hasher.finish());
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| known == version.as_str());
    let mut response = Response::new(if is_known { Bytes::new() } else { Bytes::from(text) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    if let Ok(version) = HeaderValue::from_str(&version) {
        response.headers_mut().insert(ETAG, version);
    }
    let kind = HeaderValue::from_static("application/xml; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
