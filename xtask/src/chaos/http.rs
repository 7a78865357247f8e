//! As much HTTP/1.1 as stands between a Worker and a stand-in on loopback, from both sides.

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

/// How long an answer may take before the other side counts as gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request or an answer.
#[derive(Debug)]
pub(super) struct Message {
    /// The first line.
    pub(super) start: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Reads one; `None` where the connection ends instead.
    pub(super) fn read(stream: &mut impl BufRead) -> Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut message =
            Self { start: line.trim_end().to_owned(), headers: Vec::new(), body: Vec::new() };
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                bail!("the connection ends within a head");
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if message.header("transfer-encoding") == Some("chunked") {
            loop {
                line.clear();
                stream.read_line(&mut line)?;
                let size = u64::from_str_radix(line.trim_end(), 16)?;
                message.fill(stream, size)?;
                line.clear();
                stream.read_line(&mut line)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            let length = message.header("content-length").map_or(Ok(0), str::parse)?;
            message.fill(stream, length)?;
        }
        Ok(Some(message))
    }

    fn fill(&mut self, stream: &mut impl BufRead, size: u64) -> Result<()> {
        let read = stream.by_ref().take(size).read_to_end(&mut self.body)?;
        if u64::try_from(read)? < size {
            bail!("the connection ends within a body");
        }
        Ok(())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The status of an answer.
    pub(super) fn status(&self) -> Result<u16> {
        let status = self.start.split(' ').nth(1).and_then(|text| text.parse().ok());
        status.with_context(|| format!("{:?} is no status line", self.start))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection to a server, opened when it is needed.
#[derive(Debug)]
pub(super) struct Client {
    host: String,
    patience: Duration,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// `address` is, for instance, `http://127.0.0.1:8787`.
    pub(super) fn new(address: &str) -> Self {
        let host = address.trim_start_matches("http://").to_owned();
        Self { host, patience: PATIENCE, stream: None }
    }

    /// One that waits no longer than this for an answer.
    pub(super) fn within(address: &str, patience: Duration) -> Self {
        Self { patience, ..Self::new(address) }
    }

    /// Sends a request, calls `sent`, and reads the answer. After an error nobody knows whether the
    /// request arrived.
    pub(super) fn ask(
        &mut self,
        start: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        sent: impl FnOnce(),
    ) -> Result<Message> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            let stream = TcpStream::connect(&self.host)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(self.patience))?;
            BufReader::new(stream)
        };
        let mut head = format!(
            "{start} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            self.host,
            body.len()
        );
        for (name, value) in headers {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        }
        head.push_str("\r\n");
        stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        sent();
        let answer = Message::read(&mut stream)?.context("the connection ends instead")?;
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}
