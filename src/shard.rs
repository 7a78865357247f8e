//! Which object holds a visitor's events.
//!
//! A site's visitors are spread over the shards of the present generation. Another number of
//! shards would send visitors to objects that do not know them; so it comes with a new generation,
//! whose objects are told by those of the generation before, and those take nothing new.

use crate::config::{Config, OutboxConfig};

impl Config {
    /// How many objects may send to the tracker at the same time.
    #[must_use]
    pub fn senders(&self) -> u32 {
        let previous = self.outbox.previous().map_or(0, |(_, shards)| shards);
        let sites = u32::try_from(self.sites.len()).unwrap_or(u32::MAX);
        sites.saturating_mul(self.outbox.shards.saturating_add(previous))
    }
}

impl OutboxConfig {
    /// The object of a visitor.
    #[must_use]
    pub fn object_of(&self, site: &str, web_id: &str) -> String {
        object_name(site, self.generation, shard_of(site, web_id, self.shards))
    }

    /// The object that had the visitor in the generation before, if there was one.
    #[must_use]
    pub fn previous_object_of(&self, site: &str, web_id: &str) -> Option<String> {
        let (generation, shards) = self.previous()?;
        Some(object_name(site, generation, shard_of(site, web_id, shards)))
    }

    /// The object that asks the platform for what is recommended to somebody, or to everybody, by a name
    /// of theirs. What it holds can be had again, so another number of shards needs no new generation.
    #[must_use]
    pub fn recommendations_of(&self, site: &str, whose: &str) -> String {
        format!("{site}:{}", shard_of(site, whose, self.shards))
    }

    /// The objects of a site, those of the generation before last.
    pub fn objects<'a>(&self, site: &'a str) -> impl Iterator<Item = String> + use<'a> {
        let generations = [Some((self.generation, self.shards)), self.previous()];
        generations.into_iter().flatten().flat_map(move |(generation, shards)| {
            (0..shards).map(move |shard| object_name(site, generation, shard))
        })
    }

    /// Whether the object of this name belongs to an earlier generation.
    #[must_use]
    pub fn is_retired(&self, object: &str) -> bool {
        let generation = object.split('/').nth(1).and_then(|part| part.strip_prefix('g'));
        let generation = generation.and_then(|number| number.parse::<u32>().ok());
        generation.is_some_and(|generation| generation < self.generation)
    }

    fn previous(&self) -> Option<(u32, u32)> {
        let shards = self.previous_shards?;
        (self.generation > 1).then(|| (self.generation - 1, shards))
    }
}

/// The name carries site and generation, and the object reads them out of it.
fn object_name(site: &str, generation: u32, shard: u32) -> String {
    format!("{site}/g{generation}/{shard}")
}

fn shard_of(site: &str, web_id: &str, shards: u32) -> u32 {
    // 32-bit FNV-1a: stable between releases, which a hasher of std is not.
    let bytes = site.bytes().chain([0]).chain(web_id.bytes());
    let hash = bytes
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % shards.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB_ID: &str = "CDA68358-94FB-4D83-9655-3FEB3C6666E1";

    fn second() -> OutboxConfig {
        let mut outbox = OutboxConfig::default();
        (outbox.shards, outbox.generation, outbox.previous_shards) = (5, 2, Some(3));
        outbox
    }

    #[test]
    fn the_object_of_a_visitor_is_the_same_in_every_release() {
        // What is stored is found by these names: they must never change.
        assert_eq!(OutboxConfig::default().object_of("main", WEB_ID), "main/g1/0");
        assert_eq!(second().object_of("main", WEB_ID), "main/g2/4");
        assert_eq!(second().previous_object_of("main", WEB_ID).as_deref(), Some("main/g1/1"));
    }

    #[test]
    fn everything_about_a_person_is_recommended_by_one_object() {
        assert_eq!(second().recommendations_of("main", WEB_ID), "main:4");
        assert_eq!(OutboxConfig::default().recommendations_of("main", "-"), "main:0");
    }

    #[test]
    fn visitors_are_spread_evenly() {
        let mut counts = [0u32; 5];
        for visitor in 0..5000 {
            let object = second().object_of("main", &format!("visitor-{visitor}"));
            let shard: usize = object.rsplit('/').next().unwrap().parse().unwrap();
            counts[shard] += 1;
        }
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_objects_of_the_generation_before_count_until_they_are_gone() {
        let names: Vec<_> = second().objects("main").collect();
        assert_eq!(names.len(), 8);
        assert_eq!((names[0].as_str(), names[7].as_str()), ("main/g2/0", "main/g1/2"));
        assert_eq!(OutboxConfig::default().objects("main").count(), 1);
        assert_eq!(OutboxConfig::default().previous_object_of("main", WEB_ID), None);
    }

    #[test]
    fn the_objects_of_all_sites_and_both_generations_send() {
        let site = |host: &str, id: &str| serde_json::json!({ "hosts": [host], "site_id": id });
        let mut settings = serde_json::json!({
            "version": 1,
            "sites": { "main": site("shop.example", "8A412DC"), "other": site("other.example", "8A412DD") },
            "outbox": second(),
        });
        let config = |settings: &serde_json::Value| Config::from_json(&settings.to_string());
        assert_eq!(config(&settings).map(|config| config.senders()), Ok(16));
        settings["outbox"] = serde_json::json!({});
        assert_eq!(config(&settings).map(|config| config.senders()), Ok(2));
    }

    #[test]
    fn only_objects_of_earlier_generations_are_retired() {
        assert!(second().is_retired("main/g1/2"));
        assert!(!second().is_retired("main/g2/0"));
        // After a roll-back of the settings the newer objects are not asked for.
        assert!(!OutboxConfig::default().is_retired("main/g2/0"));
    }
}
