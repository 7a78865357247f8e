//! A stand-in on free ports, and a client for it.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use sandbox::{CloudOptions, Loopback, Options, Sandbox, ShopOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running stand-in; its files go when it goes.
pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    client: Client<HttpConnector, Full<Bytes>>,
    dir: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a JSON answer")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Rig {
    /// Without a check of dates, so that fixed bodies stay right.
    pub(crate) async fn start() -> Self {
        let rig = Self::open(tempfile::tempdir().unwrap(), None, None).await;
        rig.put("/settings", &json!({ "check_datetime": false })).await;
        rig
    }

    /// With a shop of these files and perhaps a Worker.
    pub(crate) async fn with_shop(files: &[(&str, &str)], worker: Option<Loopback>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let shop = ShopOptions { listen: free_port(), dir: dir.path().join("shop"), worker };
        Self::open(dir, Some(shop), None).await
    }

    /// Ends it and starts it again with the same file.
    pub(crate) async fn restart(self) -> Self {
        drop(self.sandbox);
        let rig = Self::open(self.dir, None, None).await;
        rig.put("/settings", &json!({ "check_datetime": false })).await;
        rig
    }

    /// With a queue and a bucket; the queue's messages go to `driver`.
    pub(crate) async fn with_cloud(driver: Option<Loopback>) -> Self {
        Self::open_cloud(tempfile::tempdir().unwrap(), driver).await
    }

    /// Ends it and starts it again, with what queue and bucket have.
    pub(crate) async fn restart_cloud(self, driver: Option<Loopback>) -> Self {
        drop(self.sandbox);
        Self::open_cloud(self.dir, driver).await
    }

    async fn open_cloud(dir: TempDir, driver: Option<Loopback>) -> Self {
        let db = dir.path().join("cloud.sqlite");
        let cloud = CloudOptions { listen: free_port(), db, driver };
        Self::open(dir, None, Some(cloud)).await
    }

    /// Sends something to the queue and the bucket.
    pub(crate) async fn cloud(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let url = format!("http://{}{path}", self.sandbox.cloud().unwrap());
        self.send_to(&url, method, headers, body).await.unwrap()
    }

    async fn open(dir: TempDir, shop: Option<ShopOptions>, cloud: Option<CloudOptions>) -> Self {
        let db = db_in(dir.path());
        let options = Options { listen: free_port(), db, shop, cloud, until_stdin_closes: false };
        let sandbox = Sandbox::start(&options).await.unwrap();
        Self { sandbox, client: Client::builder(TokioExecutor::new()).build_http(), dir }
    }

    /// Where it keeps what came.
    pub(crate) fn db(&self) -> PathBuf {
        db_in(self.dir.path())
    }

    /// Sends any request to the tracker's address.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Error> {
        let url = format!("http://{}{path}", self.sandbox.platform());
        self.send_to(&url, method, headers, body).await
    }

    pub(crate) async fn send_to(
        &self,
        url: &str,
        method: Method,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Error> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let (head, body) = self.client.request(request).await?.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, text })
    }

    /// Sends an event; an error is a connection closed without an answer.
    pub(crate) async fn try_post(&self, body: &Value) -> Result<Answer, Error> {
        let headers = [(CONTENT_TYPE.as_str(), "application/json")];
        self.send(Method::POST, "/api/v2", &headers, body.to_string()).await
    }

    pub(crate) async fn post(&self, body: &Value) -> Answer {
        self.try_post(body).await.expect("an answer")
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, &[], body.to_string()).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], "").await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await.unwrap()
    }

    pub(crate) async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The verdicts of all requests so far.
    pub(crate) async fn verdicts(&self) -> Vec<String> {
        let requests = self.read("/requests").await;
        let verdict = |request: &Value| request["verdict"].as_str().unwrap().to_owned();
        requests.as_array().unwrap().iter().map(verdict).collect()
    }

    /// Gets a path of the shop.
    pub(crate) async fn shop(&self, path: &str) -> Answer {
        self.shop_send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn shop_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Answer {
        let url = format!("http://{}{path}", self.sandbox.shop().unwrap());
        self.send_to(&url, method, headers, body).await.unwrap()
    }
}

pub(crate) fn free_port() -> Loopback {
    Loopback::parse("127.0.0.1:0").unwrap()
}

pub(crate) fn db_in(dir: &Path) -> PathBuf {
    dir.join("platform.sqlite")
}
