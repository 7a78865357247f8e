//! `cargo xtask dead`: what the platform refused for good, of a deployment that runs.

use std::{env, fs::File, io::Write, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use ureq::{Agent, http};

use crate::{platform::limits, progress};

/// The environment variable with a token that opens `queue`. Not an argument: those stand in histories
/// of shells and in lists of processes.
const TOKEN: &str = "KIT_SERVER_TOKEN";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Longest answer that is read, in bytes: a page of the longest events.
const MOST_ANSWERED: u64 = 64 * 1024 * 1024;

const USAGE: &str = "`dead` takes --address URL, the deployment's with its path \
    (https://shop.example/k), and one of: list; show ID; export [FILE]; replay [ID …]; \
    erase ID … or erase --all";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    List,
    Show(String),
    Export(Option<PathBuf>),
    Replay(Vec<String>),
    /// Without ids, all.
    Erase(Vec<String>),
}

/// Runs it.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let (address, action) = parse(arguments)?;
    let deployment = Deployment::new(&address)?;
    match action {
        Action::List => deployment.list(),
        Action::Show(id) => {
            let text = deployment.ask("GET", &["/dead/", &id].concat(), None)?.1;
            let event: Value = serde_json::from_str(&text).context("the answer is no JSON")?;
            progress::result(serde_json::to_string_pretty(&event)?);
            Ok(())
        }
        Action::Export(Some(file)) => {
            let mut out =
                File::create(&file).with_context(|| format!("cannot write {}", file.display()))?;
            let count = deployment.export(&mut out)?;
            progress::note(format_args!("{count} events in {}", file.display()));
            Ok(())
        }
        Action::Export(None) => deployment.export(&mut std::io::stdout().lock()).map(|_| ()),
        Action::Replay(ids) => deployment.change("/replay", "replayed", &ids, false),
        Action::Erase(ids) => deployment.change("/dead/erase", "erased", &ids, ids.is_empty()),
    }
}

fn parse(arguments: &[String]) -> Result<(String, Action)> {
    let (mut address, mut all, mut words) = (None, false, Vec::new());
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--address" => address = Some(rest.next().context(USAGE)?.clone()),
            "--all" => all = true,
            flag if flag.starts_with('-') => bail!("{USAGE}; it does not know {flag}"),
            _ => words.push(word.clone()),
        }
    }
    let (verb, ids) = words.split_first().context(USAGE)?;
    let action = match (verb.as_str(), ids, all) {
        ("list", [], false) => Action::List,
        ("show", [id], false) => Action::Show(id.clone()),
        ("export", [], false) => Action::Export(None),
        ("export", [file], false) => Action::Export(Some(file.into())),
        ("replay", ids, false) => Action::Replay(ids.to_vec()),
        ("erase", [], true) => Action::Erase(Vec::new()),
        ("erase", [], false) => bail!("name the ids to erase, or say --all"),
        ("erase", ids, false) => Action::Erase(ids.to_vec()),
        _ => bail!(USAGE),
    };
    let address =
        address.context("say where the deployment is: --address https://shop.example/k")?;
    Ok((address.trim_end_matches('/').to_owned(), action))
}

/// A deployment, as the holder of a token sees it.
struct Deployment {
    address: String,
    token: String,
    agent: Agent,
}

impl Deployment {
    fn new(address: &str) -> Result<Self> {
        let is_local = ["http://127.0.0.1", "http://localhost"].iter().any(|start| {
            address
                .strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        if !address.starts_with("https://") && !is_local {
            bail!("{address}: give an address with https; the token goes there");
        }
        let token = match env::var(TOKEN) {
            Ok(token) if !token.trim().is_empty() => token.trim().to_owned(),
            // The error would show what it found.
            Err(env::VarError::NotUnicode(_)) => bail!("{TOKEN} holds something that is no text"),
            _ => bail!("set {TOKEN} in the environment to a token that opens `queue`"),
        };
        let agent = limits(address).timeout_global(Some(PATIENCE)).build().new_agent();
        Ok(Self { address: address.to_owned(), token, agent })
    }

    /// The next page's place, where there is one, and the body of an answer.
    fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Option<String>, String)> {
        let request = http::Request::builder()
            .method(method)
            .uri([&self.address, path].concat())
            .header("authorization", ["Bearer ", &self.token].concat());
        let reached = match body {
            None => self.agent.run(request.body(()).context("that is no address")?),
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).context("that is no address")?)
            }
        };
        let mut response =
            reached.with_context(|| format!("{} cannot be reached", self.address))?;
        let next = response.headers().get("kit-next").and_then(|next| next.to_str().ok());
        let next = next.map(str::to_owned);
        let status = response.status().as_u16();
        let read = response.body_mut().with_config().limit(MOST_ANSWERED).lossy_utf8(true);
        let text = read.read_to_string().context("the answer cannot be read")?;
        match status {
            200 => Ok((next, text)),
            401 => bail!("{} does not know the token in {TOKEN}", self.address),
            403 => bail!("the token in {TOKEN} does not open this: add \"queue\" to its scopes"),
            404 if path.starts_with("/dead/") => bail!("no event of this id is dead there"),
            404 | 405 => bail!(
                "{} is no deployment of the kit, or an older one: give its address with its path, \
                 https://shop.example/k",
                self.address
            ),
            301..=308 => bail!("{} leads elsewhere: give the address where it ends", self.address),
            _ => {
                let told: Value = serde_json::from_str(&text).unwrap_or_default();
                let message = told["error"]["message"].as_str().unwrap_or("no reason given");
                bail!("{} answers {status}: {message}", self.address)
            }
        }
    }

    /// Goes through all of them, a page at a time.
    fn each_page(&self, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let mut path = "/dead.ndjson".to_owned();
        loop {
            let (next, text) = self.ask("GET", &path, None)?;
            take(&text)?;
            let Some(next) = next else { return Ok(()) };
            path = ["/dead.ndjson?after=", &next].concat();
        }
    }

    fn list(&self) -> Result<()> {
        let mut count = 0_u64;
        self.each_page(|text| {
            for line in text.lines() {
                let event: Value = serde_json::from_str(line).context("a line is no JSON")?;
                let word = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
                let name = event["body"]["GeneralInfo"]["eventName"].as_str().unwrap_or("-");
                let reason: String = word("reason").chars().take(60).collect();
                progress::result(format!(
                    "{}  {:<10} {name:<16} {}",
                    word("id"),
                    word("code"),
                    reason.replace(['\n', '\r'], " ")
                ));
                count += 1;
            }
            Ok(())
        })?;
        progress::note(format_args!("{count} events that the platform refused"));
        Ok(())
    }

    fn export(&self, out: &mut impl Write) -> Result<u64> {
        let mut count = 0;
        self.each_page(|text| {
            count += text.lines().count() as u64;
            Ok(out.write_all(text.as_bytes())?)
        })?;
        out.flush()?;
        Ok(count)
    }

    /// Sends some again or erases them; without ids, all, a part at a time until nothing is left to do.
    fn change(&self, path: &str, what: &str, ids: &[String], all: bool) -> Result<()> {
        let body = match (ids, all) {
            ([], true) => json!({ "all": true }),
            ([], false) => json!({}),
            (ids, _) => json!({ "ids": ids }),
        };
        let mut count = 0;
        loop {
            let (_, text) = self.ask("POST", path, Some(&body))?;
            let told: Value = serde_json::from_str(&text).context("the answer is no JSON")?;
            let done = told[what].as_u64().context("the answer does not say how many")?;
            count += done;
            if !ids.is_empty() || done == 0 || told["left"] == 0 {
                break;
            }
        }
        progress::result(format!("{count} {what}"));
        let unknown = (ids.len() as u64).saturating_sub(count);
        if unknown > 0 {
            bail!("{unknown} of the ids are not dead there");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(String, Action)> {
        parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_changes_something_says_what() {
        let erase = |line: &str| parsed(&format!("--address https://a.example/k/ {line}"));
        assert_eq!(
            erase("erase 1 2").unwrap(),
            ("https://a.example/k".to_owned(), Action::Erase(vec!["1".into(), "2".into()]))
        );
        assert_eq!(erase("erase --all").unwrap().1, Action::Erase(Vec::new()));
        for wrong in ["erase", "erase 1 --all", "show", "list 1", "drop", "list --token x"] {
            assert!(erase(wrong).is_err(), "{wrong}");
        }
        assert!(parsed("list").unwrap_err().to_string().contains("--address"));
    }

    #[test]
    fn the_token_goes_over_https_alone() {
        for address in ["http://shop.example/k", "http://127.0.0.1.evil.example/k", "shop.example"]
        {
            assert!(
                Deployment::new(address).is_err_and(|error| error.to_string().contains("https"))
            );
        }
    }
}
