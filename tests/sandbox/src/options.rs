//! The command line.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use hyper::Uri;
use hyper::http::uri::Authority;
use lexopt::{Arg, Parser, ValueExt as _};

use crate::cloud::CloudOptions;

/// What `--help` prints.
pub const USAGE: &str = "\
A strict local stand-in of the platform's tracker and REST API, and the demo shop's server.

sandbox --listen IP:PORT --db FILE [--shop-listen IP:PORT --shop-dir DIR [--worker URL]]
        [--cloud-listen IP:PORT --cloud-db FILE [--driver URL]]
sandbox --db FILE --list

  --listen IP:PORT        where the platform listens; loopback only, port 0 for a free one
  --db FILE               SQLite file for everything that arrives; made if missing
  --shop-listen IP:PORT   where the shop's server listens; loopback only
  --shop-dir DIR          the folder that it serves
  --worker URL            http://IP:PORT on loopback; /k/ and /p/ of the shop go there
  --cloud-listen IP:PORT  where Cloudflare's queue and bucket listen; loopback only
  --cloud-db FILE         SQLite file for what they hold; made if missing
  --driver URL            http://IP:PORT on loopback; messages of the queue go there
  --until-stdin-closes    end when standard input ends
  --list                  print every request that came to the tracker, a line of JSON each, and end
  --help                  this text

Prints one line of JSON with the addresses, then runs until SIGTERM or SIGINT.
";

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Print what a file holds.
    List(PathBuf),
    /// Serve.
    Run(Box<Options>),
}

/// Where to listen and what to serve.
#[derive(Debug)]
pub struct Options {
    /// Where the platform listens.
    pub listen: Loopback,
    /// The SQLite file.
    pub db: PathBuf,
    /// The shop's server, if there is to be one.
    pub shop: Option<ShopOptions>,
    /// Cloudflare's queue and bucket, if there are to be any.
    pub cloud: Option<CloudOptions>,
    /// Whether the end of standard input ends the program.
    pub until_stdin_closes: bool,
}

/// The shop's server.
#[derive(Debug)]
pub struct ShopOptions {
    /// Where it listens.
    pub listen: Loopback,
    /// The folder that it serves.
    pub dir: PathBuf,
    /// The Worker behind `/k/` and `/p/`.
    pub worker: Option<Loopback>,
}

/// An address that only this machine can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loopback(SocketAddr);

impl Loopback {
    /// Reads `IP:PORT`.
    ///
    /// # Errors
    ///
    /// [`UsageError`] for a name in place of the address, whose meaning could change, and for an
    /// address that other machines can reach.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        let address: SocketAddr = text
            .parse()
            .map_err(|_| UsageError(format!("{text:?} is not an address such as 127.0.0.1:0")))?;
        if !address.ip().is_loopback() {
            return Err(UsageError(format!("{address} is not a loopback address")));
        }
        Ok(Self(address))
    }

    /// Reads `http://IP:PORT`.
    ///
    /// # Errors
    ///
    /// As [`Loopback::parse`], and for anything else in the URL.
    pub fn parse_url(text: &str) -> Result<Self, UsageError> {
        let wrong = || UsageError(format!("{text:?} is not a URL such as http://127.0.0.1:8787"));
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") || uri.path() != "/" || uri.query().is_some() {
            return Err(wrong());
        }
        Self::parse(uri.authority().map(Authority::as_str).ok_or_else(wrong)?)
    }

    /// The address.
    #[must_use]
    pub fn address(self) -> SocketAddr {
        self.0
    }
}

/// What is wrong with the command line, in words for its author.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    ///
    /// [`UsageError`] names the argument that is unknown, missing or wrong.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
        let (mut listen, mut db, mut until_stdin_closes) = (None, None, false);
        let (mut shop_listen, mut shop_dir, mut worker, mut list) = (None, None, None, false);
        let (mut cloud_listen, mut cloud_db, mut driver) = (None, None, None);
        let mut parser = Parser::from_args(args);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("listen") => listen = Some(Loopback::parse(&parser.value()?.string()?)?),
                Arg::Long("db") => db = Some(PathBuf::from(parser.value()?)),
                Arg::Long("shop-listen") => {
                    shop_listen = Some(Loopback::parse(&parser.value()?.string()?)?);
                }
                Arg::Long("shop-dir") => shop_dir = Some(PathBuf::from(parser.value()?)),
                Arg::Long("worker") => {
                    worker = Some(Loopback::parse_url(&parser.value()?.string()?)?);
                }
                Arg::Long("cloud-listen") => {
                    cloud_listen = Some(Loopback::parse(&parser.value()?.string()?)?);
                }
                Arg::Long("cloud-db") => cloud_db = Some(PathBuf::from(parser.value()?)),
                Arg::Long("driver") => {
                    driver = Some(Loopback::parse_url(&parser.value()?.string()?)?);
                }
                Arg::Long("until-stdin-closes") => until_stdin_closes = true,
                Arg::Long("list") => list = true,
                Arg::Long("help") => return Ok(Command::Help),
                other => return Err(other.unexpected().into()),
            }
        }
        let missing = |name: &str| UsageError(format!("{name} is missing"));
        let db = db.ok_or_else(|| missing("--db"));
        if list {
            return db.map(Command::List);
        }
        let shop = match (shop_listen, shop_dir) {
            (Some(listen), Some(dir)) => Some(ShopOptions { listen, dir, worker }),
            (None, None) if worker.is_some() => return Err(missing("--shop-listen")),
            (None, None) => None,
            (None, Some(_)) => return Err(missing("--shop-listen")),
            (Some(_), None) => return Err(missing("--shop-dir")),
        };
        let cloud = match (cloud_listen, cloud_db) {
            (Some(listen), Some(db)) => Some(CloudOptions { listen, db, driver }),
            (None, None) if driver.is_none() => None,
            (Some(_), None) => return Err(missing("--cloud-db")),
            (None, _) => return Err(missing("--cloud-listen")),
        };
        Ok(Command::Run(Box::new(Self {
            listen: listen.ok_or_else(|| missing("--listen"))?,
            db: db?,
            shop,
            cloud,
            until_stdin_closes,
        })))
    }
}
