//! Listening, and the servers' life.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::cloud::Cloud;
use crate::options::{Loopback, Options};
use crate::platform::Platform;
use crate::shop::Shop;

/// A running stand-in; dropping it closes every connection.
#[derive(Debug)]
pub struct Sandbox {
    platform: SocketAddr,
    shop: Option<SocketAddr>,
    cloud: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

/// Why it did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken or not ours.
    Listen(SocketAddr, io::Error),
    /// The file is not a database of this program's version, or cannot be written.
    Database(rusqlite::Error),
    /// The shop's folder is not there.
    ShopFolder(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Database(_) => f.write_str("cannot use the database"),
            Self::ShopFolder(_) => f.write_str("cannot read the shop's folder"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, error) | Self::ShopFolder(error) => Some(error),
            Self::Database(error) => Some(error),
        }
    }
}

impl Sandbox {
    /// Opens the database and listens; answers from then on, as long as the runtime lives.
    ///
    /// # Errors
    ///
    /// See [`StartError`]. Nothing then listens.
    pub async fn start(options: &Options) -> Result<Self, StartError> {
        let platform = Arc::new(Platform::open(&options.db).map_err(StartError::Database)?);
        let (listener, address) = bind(options.listen).await?;
        let mut sandbox = Self { platform: address, shop: None, cloud: None, tasks: Vec::new() };

        if let Some(shop) = &options.shop {
            let (listener, address) = bind(shop.listen).await?;
            let shop = Arc::new(Shop::open(shop).map_err(StartError::ShopFolder)?);
            sandbox.shop = Some(address);
            sandbox.tasks.push(tokio::spawn(serve(listener, move |request, peer| {
                let shop = Arc::clone(&shop);
                async move { Ok::<_, std::convert::Infallible>(shop.answer(request, peer).await) }
            })));
        }
        if let Some(options) = &options.cloud {
            let (listener, address) = bind(options.listen).await?;
            let cloud = Cloud::open(options).map_err(StartError::Database)?;
            sandbox.cloud = Some(address);
            sandbox.tasks.push(tokio::spawn(Arc::clone(&cloud).deliver_for_ever()));
            sandbox.tasks.push(tokio::spawn(serve(listener, move |request, _| {
                let cloud = Arc::clone(&cloud);
                async move { Ok::<_, std::convert::Infallible>(cloud.answer(request).await) }
            })));
        }
        sandbox.tasks.push(tokio::spawn(serve(listener, move |request, _| {
            let platform = Arc::clone(&platform);
            async move { platform.answer(request).await }
        })));
        Ok(sandbox)
    }

    /// Where the tracker and the REST API listen.
    #[must_use]
    pub fn platform(&self) -> SocketAddr {
        self.platform
    }

    /// Where the shop's server listens.
    #[must_use]
    pub fn shop(&self) -> Option<SocketAddr> {
        self.shop
    }

    /// Where the queue and the bucket listen.
    #[must_use]
    pub fn cloud(&self) -> Option<SocketAddr> {
        self.cloud
    }

    /// The line that the program prints.
    #[must_use]
    pub fn addresses(&self) -> String {
        let url = |address: SocketAddr| format!("http://{address}");
        serde_json::json!({
            "platform": url(self.platform),
            "shop": self.shop.map(url),
            "cloud": self.cloud.map(url),
        })
        .to_string()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn bind(address: Loopback) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen(address.address(), error);
    let listener = TcpListener::bind(address.address()).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Answers every connection with `answer`. Where that fails, the connection is closed without an
/// answer.
async fn serve<A, F, B, E>(listener: TcpListener, answer: A)
where
    A: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    // Connections end with the set, and the set with this task.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, peer)) = accepted else {
            // Mostly too many open files, which only time cures.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Without it small answers wait for the caller's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request| answer(request, peer));
        connections.spawn(async move {
            // A failed connection is the caller's to notice.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
