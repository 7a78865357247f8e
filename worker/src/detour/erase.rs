//! What lies in the bucket of a person is erased. What is on its way in the queue nobody can look at: its
//! object drops it when it comes back.

use std::collections::BTreeSet;

use esputnik_kit::{
    config::Config,
    detour::{DEAD, Parcel, Unreadable, WAITING, What},
};
use serde_json::value::RawValue;
use worker::Env;

use super::{dead::unavailable, text};
use crate::{
    answer::Error,
    outbox_object::{Ingest, IngestRest},
    places::Bucket,
    routes,
};

/// Requests that erase somebody from one parcel, at most: it is read, looked for once more and written; and
/// the objects of its browser are told.
const A_PARCEL: u32 = 6;

/// Most parcels that are looked at in one call.
const A_CALL: u32 = 500;

/// Who is erased.
pub(crate) struct Theirs<'a> {
    /// By what the person is known.
    pub(crate) keys: &'a [String],
    pub(crate) web_ids: &'a BTreeSet<String>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Erased {
    pub(crate) events: u64,
    /// Browsers that said there whose they are, each with its site. Their object does not know it yet.
    pub(crate) browsers: BTreeSet<(String, String)>,
    /// The last key that was looked at, if there are more.
    pub(crate) after: Option<String>,
}

/// Erases what lies behind the key `after`, with so many requests at most.
pub(crate) async fn erase(
    env: &Env,
    config: &Config,
    theirs: &Theirs<'_>,
    after: Option<&str>,
    requests: u32,
) -> Result<Erased, Error> {
    let mut erased = Erased::default();
    let Some(bucket) = Bucket::of(env, config.outbox.patience) else { return Ok(erased) };
    let most = (requests / A_PARCEL).clamp(1, A_CALL);
    let mut keys = bucket.keys_after("", after, most + 1).await.map_err(|e| unavailable(&e))?;
    if keys.len() > most as usize {
        keys.truncate(most as usize);
        erased.after = keys.last().cloned();
    }
    for key in keys.iter().filter(|key| key.starts_with(DEAD) || key.starts_with(WAITING)) {
        erase_one(&bucket, key, theirs, &mut erased).await?;
    }
    Ok(erased)
}

async fn erase_one(
    bucket: &Bucket,
    key: &str,
    theirs: &Theirs<'_>,
    erased: &mut Erased,
) -> Result<(), Error> {
    let Some(written) = bucket.get(key).await.map_err(|e| unavailable(&e))? else { return Ok(()) };
    let (events, rest) = match Parcel::parse(&written) {
        Ok(parcel) => theirs.without(&parcel, &mut erased.browsers)?,
        // The version that can read it can erase from it.
        Err(Unreadable::Newer) => return Ok(()),
        Err(_) => (u64::from(theirs.names(&written)), None),
    };
    if events > 0 {
        erased.events += events;
        match rest {
            Some(rest) => bucket.replace(key, &rest.to_text()).await,
            None => bucket.remove(key).await,
        }
        .map_err(|error| unavailable(&error))?;
    }
    Ok(())
}

impl Theirs<'_> {
    /// Whether the person is named in a text.
    fn names(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.keys.iter().any(|key| text.contains(&key.to_ascii_lowercase()))
    }

    /// How many events of a parcel are theirs, and the parcel without them if anything is left.
    fn without(
        &self,
        parcel: &Parcel,
        found: &mut BTreeSet<(String, String)>,
    ) -> Result<(u64, Option<Parcel>), Error> {
        if parcel.what() == What::Event {
            let web_id =
                serde_json::from_str::<IngestRest>(parcel.body()).map(|event| event.web_id);
            let is_theirs = web_id.is_ok_and(|web_id| self.web_ids.contains(&web_id));
            return Ok((u64::from(is_theirs || self.names(parcel.body())), None));
        }
        let Ok(batch) = serde_json::from_str::<Ingest>(parcel.body()) else {
            return Ok((u64::from(self.names(parcel.body())), None));
        };
        let web_id = |record: &RawValue| {
            let (_, web_id) = routes::addressed(record, batch.sc.as_deref());
            web_id.map(|web_id| web_id.as_str().to_owned())
        };
        let named = batch.records.iter().filter(|record| self.names(record.get()));
        // What else such a browser sent is theirs too.
        let browsers: BTreeSet<_> = named.filter_map(|record| web_id(record)).collect();
        found.extend(browsers.iter().map(|web_id| (batch.site.clone(), web_id.clone())));
        let is_theirs = |record: &RawValue| {
            let web_id = web_id(record);
            let is_known =
                |ids: &BTreeSet<String>| web_id.as_ref().is_some_and(|id| ids.contains(id));
            is_known(self.web_ids) || is_known(&browsers) || self.names(record.get())
        };
        let (gone, records): (Vec<_>, Vec<_>) =
            batch.records.iter().cloned().partition(|record| is_theirs(record));
        let events = gone.len() as u64;
        if records.is_empty() {
            return Ok((events, None));
        }
        let body = text(&Ingest { records, ..batch })?;
        Ok((events, Parcel::new(parcel.object(), parcel.what(), body)))
    }
}
