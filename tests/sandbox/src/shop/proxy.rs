//! Passing a path of the shop on to the kit's Worker, as a shop's own server would.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::{Body, BoxError, text};
use crate::options::Loopback;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Headers of one connection, which a proxy may not pass on (RFC 9110, 7.6.1).
const OF_CONNECTION: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The Worker's server and the connections to it.
#[derive(Debug)]
pub(super) struct Worker {
    address: SocketAddr,
    client: Client<HttpConnector, Incoming>,
}

impl Worker {
    pub(super) fn at(address: Loopback) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { address: address.address(), client }
    }

    /// Passes the request on and the answer back, unchanged but for what a proxy must add and leave
    /// out. The Host stays the shop's: to the Worker the kit lives there.
    pub(super) async fn pass(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let Ok(uri) = self.uri(request.uri()) else {
            return text(StatusCode::BAD_REQUEST, "not an address that can be passed on\n");
        };
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        strip(headers);
        if let Some(host) = headers.get(HOST).cloned() {
            headers.insert(X_FORWARDED_HOST, host);
        }
        let client = peer.ip().to_string();
        let before = headers.get(&X_FORWARDED_FOR).and_then(|value| value.to_str().ok());
        let chain = before.map_or_else(|| client.clone(), |before| format!("{before}, {client}"));
        if let Ok(chain) = HeaderValue::from_str(&chain) {
            headers.insert(X_FORWARDED_FOR, chain);
        }
        match self.client.request(request).await {
            Ok(mut response) => {
                strip(response.headers_mut());
                response.map(|body| body.map_err(BoxError::from).boxed_unsync())
            }
            Err(error) => {
                let message = format!("the Worker at {} did not answer: {error}\n", self.address);
                text(StatusCode::BAD_GATEWAY, message)
            }
        }
    }

    fn uri(&self, uri: &Uri) -> Result<Uri, BoxError> {
        let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let authority: Authority = self.address.to_string().parse()?;
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query(target);
        Ok(uri.build()?)
    }
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for name in OF_CONNECTION.iter().copied().chain(named.iter().map(String::as_str)) {
        headers.remove(name);
    }
}
