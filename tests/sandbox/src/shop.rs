//! The demo shop's own server: a folder of pages, its product feed, and the kit's Worker behind two of its paths.

mod feed;
mod proxy;

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    LAST_MODIFIED, RANGE,
};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use self::proxy::Worker;
use crate::options::ShopOptions;

/// The second one is for tests of another base path.
const WORKER_PATHS: [&str; 2] = ["/k/", "/p/"];

const POLICY_PATH: &str = "/__csp/";

/// Below it every path is a page of one application.
const APPLICATION: &str = "/spa/";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body of any of the shop's sources.
type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The shop's server.
#[derive(Debug)]
pub(crate) struct Shop {
    folder: PathBuf,
    files: ServeDir,
    worker: Option<Worker>,
}

impl Shop {
    /// Opens the folder.
    ///
    /// # Errors
    ///
    /// When it is not there, which would otherwise show as a shop without pages.
    pub(crate) fn open(options: &ShopOptions) -> io::Result<Self> {
        let files = files(&options.dir)?;
        let folder = options.dir.clone();
        Ok(Self { folder, files, worker: options.worker.map(Worker::at) })
    }

    /// Answers a request of `peer`.
    pub(crate) async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let policy = match take_policy(request.uri()) {
            Ok(None) => None,
            Ok(Some((policy, uri))) => {
                *request.uri_mut() = uri;
                Some(policy)
            }
            Err(BadPolicy) => {
                return text(StatusCode::BAD_REQUEST, "not a percent-encoded policy\n");
            }
        };

        let path = request.uri().path();
        let mut response = match &self.worker {
            Some(worker) if WORKER_PATHS.iter().any(|prefix| path.starts_with(prefix)) => {
                worker.pass(request, peer).await
            }
            _ if path == feed::PATH => match feed::answer(&self.folder, request.headers()) {
                Ok(feed) => feed.map(whole),
                Err(_) => self.file(&request, policy.as_ref()).await,
            },
            _ => self.file(&request, policy.as_ref()).await,
        };
        if let Some(Policy { value, .. }) = policy {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, value);
        }
        response
    }

    async fn file<B>(&self, request: &Request<B>, policy: Option<&Policy>) -> Response<Body> {
        let prefix = policy.map_or_else(String::new, |policy| policy.prefix.clone());
        let (method, uri) = (request.method(), request.uri());
        let found = self.look_up(method, uri, request.headers(), prefix).await;
        if found.status() != StatusCode::NOT_FOUND {
            return found;
        }
        if uri.path().starts_with(APPLICATION) {
            let page = self.page(method, "/spa/index.html").await;
            if page.status().is_success() {
                return page;
            }
        }
        let mut page = self.page(method, "/404.html").await;
        if page.status().is_success() {
            *page.status_mut() = StatusCode::NOT_FOUND;
            return page;
        }
        text(StatusCode::NOT_FOUND, "not found\n")
    }

    async fn page(&self, method: &Method, path: &'static str) -> Response<Body> {
        self.look_up(method, &Uri::from_static(path), &HeaderMap::new(), String::new()).await
    }

    async fn look_up(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        prefix: String,
    ) -> Response<Body> {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri.clone();
        // Conditions stay behind: an edited page must show at once.
        if let Some(range) = headers.get(RANGE) {
            request.headers_mut().insert(RANGE, range.clone());
        }
        match self.files.clone().redirect_path_prefix(prefix).try_call(request).await {
            Ok(found) => dressed(found.map(|body| body.map_err(BoxError::from).boxed_unsync())),
            Err(error) if is_absence(&error) => text(StatusCode::NOT_FOUND, "not found\n"),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

fn files(dir: &Path) -> io::Result<ServeDir> {
    if !dir.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(ServeDir::new(dir))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename
    )
}

/// A file with the headers that this server promises, and no other way to be cached.
fn dressed(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.remove(ETAG);
    headers.remove(LAST_MODIFIED);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(kind) = headers.get(CONTENT_TYPE).and_then(with_charset) {
        headers.insert(CONTENT_TYPE, kind);
    }
    response
}

/// Pages and scripts are UTF-8; a browser that is not told so guesses.
fn with_charset(kind: &HeaderValue) -> Option<HeaderValue> {
    let kind = kind.to_str().ok()?;
    let is_text = kind.starts_with("text/") || kind == "application/javascript";
    if !is_text || kind.contains("charset") {
        return None;
    }
    HeaderValue::from_str(&format!("{kind}; charset=utf-8")).ok()
}

/// A Content-Security-Policy that a path asks for.
struct Policy {
    value: HeaderValue,
    /// What stood before the path that is served.
    prefix: String,
}

struct BadPolicy;

/// Splits `/__csp/POLICY/REST?QUERY` into the policy and `/REST?QUERY`.
fn take_policy(uri: &Uri) -> Result<Option<(Policy, Uri)>, BadPolicy> {
    let Some(rest) = uri.path().strip_prefix(POLICY_PATH) else { return Ok(None) };
    let (policy, rest) = rest.split_once('/').ok_or(BadPolicy)?;
    let decoded: Cow<'_, str> = percent_decode_str(policy).decode_utf8().map_err(|_| BadPolicy)?;
    let value = HeaderValue::from_str(&decoded).map_err(|_| BadPolicy)?;
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let target = PathAndQuery::try_from(format!("/{rest}{query}")).map_err(|_| BadPolicy)?;
    Ok(Some((Policy { value, prefix: format!("{POLICY_PATH}{policy}") }, Uri::from(target))))
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(whole(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
