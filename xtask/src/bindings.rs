//! What `worker/wrangler.toml` binds the Worker to beside its objects: the queue and the bucket, where events
//! go that their object does not take.

use std::fs;

use anyhow::{Context as _, Result, bail};
use esputnik_kit::config::{Config, Jurisdiction};
use serde::Deserialize;

use crate::project;

/// The Worker's configuration, from the root of the source tree.
pub(crate) const FILE: &str = "worker/wrangler.toml";

/// How the name of a queue ends that takes what came out of another one too often; the Worker tells by it.
const DEAD: &str = "-dead";

/// The part of the file that counts here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Bindings {
    queues: Queues,
    r2_buckets: Vec<Bucket>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Queues {
    producers: Vec<Producer>,
    consumers: Vec<Consumer>,
}

#[derive(Debug, Deserialize)]
struct Producer {
    binding: String,
    queue: String,
}

#[derive(Debug, Deserialize)]
struct Consumer {
    queue: String,
    dead_letter_queue: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    binding: String,
    #[serde(rename = "bucket_name")]
    name: String,
    jurisdiction: Option<String>,
}

/// Something that a deployment needs and wrangler can make.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource<'a> {
    /// The words of wrangler's command, before the verb.
    pub(crate) words: &'static [&'static str],
    pub(crate) name: &'a str,
    pub(crate) jurisdiction: Option<&'a str>,
}

impl Bindings {
    /// Reads the deployment's file.
    pub(crate) fn load() -> Result<Self> {
        let text = fs::read_to_string(project::root().join(FILE))
            .with_context(|| format!("cannot read {FILE}"))?;
        Self::read(&text).with_context(|| format!("cannot use {FILE}"))
    }

    fn read(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    fn queue(&self) -> Option<&str> {
        let producer = self.queues.producers.iter().find(|producer| producer.binding == "QUEUE")?;
        Some(&producer.queue)
    }

    fn bucket(&self) -> Option<&Bucket> {
        self.r2_buckets.iter().find(|bucket| bucket.binding == "BUCKET")
    }

    fn consumer(&self, queue: &str) -> Option<&Consumer> {
        self.queues.consumers.iter().find(|consumer| consumer.queue == queue)
    }

    /// What the ways around an outbox are, in one line.
    pub(crate) fn summary(&self) -> String {
        let queue = self.queue().map(|name| format!("the queue {name}"));
        let bucket = self.bucket().map(|bucket| format!("the bucket {}", bucket.name));
        let ways: Vec<String> = queue.into_iter().chain(bucket).collect();
        let ways =
            if ways.is_empty() { "pages keep them".to_owned() } else { ways.join(", else ") };
        format!("events that an object does not take: {ways}")
    }

    /// With these settings events would be lost, so there is no deploy.
    pub(crate) fn refuse_wrong(&self) -> Result<()> {
        let Some(queue) = self.queue() else { return Ok(()) };
        let Some(consumer) = self.consumer(queue) else {
            bail!("{FILE}: nothing comes out of the queue {queue}: give it a [[queues.consumers]]");
        };
        let Some(dead) = &consumer.dead_letter_queue else {
            bail!(
                "{FILE}: what comes out of the queue {queue} too often is lost: give its consumer a \
                 dead_letter_queue"
            );
        };
        if !dead.ends_with(DEAD) || queue.ends_with(DEAD) {
            bail!("{FILE}: the name of a dead_letter_queue ends with {DEAD}, and no other: {dead}");
        }
        if self.consumer(dead).is_none() {
            bail!(
                "{FILE}: the queue {dead} forgets what it has after some days: give it a \
                 [[queues.consumers]]"
            );
        }
        Ok(())
    }

    /// What the owner of the file may not have meant.
    pub(crate) fn warnings(&self, config: &Config) -> Vec<String> {
        let mut warnings = Vec::new();
        let Some(bucket) = self.bucket() else { return warnings };
        let own = bucket.jurisdiction.as_deref();
        for (name, site) in &config.sites {
            let wanted = site.jurisdiction.map(Jurisdiction::as_str);
            if wanted.is_some() && wanted != own {
                warnings.push(format!(
                    "site {name} keeps its events in \"{}\", but the bucket {} is {}",
                    wanted.unwrap_or_default(),
                    bucket.name,
                    own.map_or("anywhere".to_owned(), |own| format!("in \"{own}\""))
                ));
            }
        }
        warnings
    }

    /// All that has to be there before a deploy. Queues are made where the first site wants its events that
    /// wants them anywhere.
    pub(crate) fn resources<'a>(&'a self, config: &'a Config) -> Vec<Resource<'a>> {
        let jurisdiction = config.sites.values().find_map(|site| site.jurisdiction);
        let jurisdiction = jurisdiction.map(Jurisdiction::as_str);
        let dead =
            self.queue().and_then(|queue| self.consumer(queue)?.dead_letter_queue.as_deref());
        let queues = self.queue().into_iter().chain(dead);
        let mut resources: Vec<Resource<'_>> =
            queues.map(|name| Resource { words: &["queues"], name, jurisdiction }).collect();
        resources.extend(self.bucket().map(|bucket| Resource {
            words: &["r2", "bucket"],
            name: &bucket.name,
            jurisdiction: bucket.jurisdiction.as_deref(),
        }));
        resources
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    /// The committed file with everything in it about queues and buckets.
    fn full() -> String {
        let text = fs::read_to_string(project::root().join(FILE)).expect("it is in the tree");
        let (before, rest) =
            text.split_once("# [[queues.producers]]").expect("the example is there");
        let (example, after) = rest.split_once("\n\n").expect("it ends");
        let example = ["# [[queues.producers]]", example].concat();
        let setting = |line: &&str| line.starts_with("# [[") || line.contains(" = ");
        let lines = example.lines().filter(setting).map(|line| line.trim_start_matches("# "));
        [before, &lines.collect::<Vec<_>>().join("\n"), "\n\n", after].concat()
    }

    fn config(site: &str) -> Config {
        let text = format!(
            "version = 1\n[sites.main]\nsite_id = \"8A412DC\"\nhosts = [\"shop.ua\"]\n{site}"
        );
        settings::read(&text).expect("the file is right").config
    }

    #[test]
    fn the_committed_file_has_neither_and_can_be_deployed() {
        let bindings = Bindings::load().expect("it is right");
        assert!(bindings.refuse_wrong().is_ok());
        assert!(bindings.summary().ends_with("pages keep them"));
        assert_eq!(bindings.resources(&config("")), []);
    }

    #[test]
    fn the_example_in_the_file_is_right() {
        let bindings = Bindings::read(&full()).expect("it is TOML");
        assert!(bindings.refuse_wrong().is_ok());
        let config = config("jurisdiction = \"eu\"\n");
        assert_eq!(bindings.warnings(&config), [""; 0]);
        let summary = bindings.summary();
        assert!(
            summary.ends_with("the queue esputnik-kit, else the bucket esputnik-kit"),
            "{summary}"
        );
        let resource = |words, name| Resource { words, name, jurisdiction: Some("eu") };
        let queue = |name| resource(&["queues"], name);
        let bucket = resource(&["r2", "bucket"], "esputnik-kit");
        assert_eq!(
            bindings.resources(&config),
            [queue("esputnik-kit"), queue("esputnik-kit-dead"), bucket]
        );
    }

    #[test]
    fn a_queue_that_would_lose_events_is_not_deployed() {
        for (from, to, says) in [
            ("queue = \"esputnik-kit\"\nmax", "queue = \"other\"\nmax", "nothing comes out"),
            ("dead_letter_queue = \"esputnik-kit-dead\"\n", "", "is lost"),
            ("esputnik-kit-dead", "esputnik-kit-late", "ends with -dead"),
            ("queue = \"esputnik-kit-dead\"\nmax", "queue = \"a-dead\"\nmax", "forgets"),
        ] {
            let text = full();
            assert!(text.contains(from), "{from}");
            let error = Bindings::read(&text.replace(from, to)).expect("it is TOML").refuse_wrong();
            let error = error.expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_bucket_elsewhere_than_the_events_is_warned_about() {
        let bindings = Bindings::read(&full()).expect("it is TOML");
        assert_eq!(bindings.warnings(&config("")), [""; 0]);
        let warnings = bindings.warnings(&config("jurisdiction = \"us\"\n"));
        assert_eq!(
            warnings,
            ["site main keeps its events in \"us\", but the bucket esputnik-kit is in \"eu\""]
        );
    }
}
