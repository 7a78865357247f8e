//! The Durable Object that gives out the platform's promo codes to those who subscribe.
//!
//! It is the only one of a deployment, and all that decides who gets which code happens in it without a
//! pause between question and answer. Everything else happens in the alarm, one step after the other, each
//! stored before the next.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use esputnik_kit::{
    api::promo_code::{AddPromoCodes, ListPromoCodes},
    bulk::Kind,
    config::Config,
    json,
    promo::{
        Claim, KEPT_DEAD, List, Stage, Told, Trouble, Wish,
        listing::{self, MOST_WAITING},
    },
    value::Value,
};
use worker::{DurableObject, Env, Method, Request, Response, Result, State, durable_object};

use crate::{
    api, bulk,
    objects::{self, now, random},
    promo_store::PromoStore,
    routes,
    settings::load_config,
};

/// How often the tables are cleaned, in milliseconds.
const CLEAN_EVERY: u64 = 60 * 60 * 1000;

/// The pause after an error of the object's own, in milliseconds.
const RETRY_ALARM: u64 = 10_000;

/// Requests of one alarm that one step takes: the governor's and the platform's.
const STEP_REQUESTS: u32 = 3;

/// How long one alarm works, in milliseconds: a third of what the runtime lets it.
const SHIFT: u64 = 5 * 60 * 1000;

/// After this an alarm that has not ended was ended by the runtime, in milliseconds.
const LOST_AFTER: u64 = 16 * 60 * 1000;

/// Claims that were given up that are listed, and tried again, at a time.
const DEAD_PAGE: u32 = 100;
const REPLAYED: u32 = 1000;

/// The promo codes of a deployment.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct PromoObject {
    state: State,
    env: Env,
    store: RefCell<Option<Rc<PromoStore>>>,
    /// Since when an alarm works.
    working: Cell<Option<u64>>,
    armed: Cell<Option<u64>>,
    /// Before this nothing is tried, after an error of the object's own.
    rests_until: Cell<u64>,
    cleaned: Cell<u64>,
}

impl DurableObject for PromoObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            store: RefCell::default(),
            working: Cell::new(None),
            armed: Cell::new(None),
            rests_until: Cell::new(0),
            cleaned: Cell::new(0),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let store = self.open()?;
        let path = request.path();
        let text =
            if request.method() == Method::Post { request.text().await? } else { String::new() };
        let answer = match path.as_str() {
            "/wishes" => {
                let wishes: Vec<Wish> = serde_json::from_str(&text)?;
                for wish in &wishes {
                    store.add(wish, now())?;
                }
                "{}".to_owned()
            }
            "/dead" => dead(&store, &request)?,
            "/replay" => replay(&store)?,
            "/erase" => {
                let names: Vec<(String, String)> = serde_json::from_str(&text)?;
                let mut erased = 0;
                for id in store.claims_of(&names)? {
                    store.blot(id)?;
                    erased += 1;
                }
                self.state.storage().sync().await?;
                for id in store.claims_of(&names)? {
                    store.erase(id, now())?;
                }
                format!("{{\"erased\":{erased}}}")
            }
            "/stats" => stats(&store)?,
            "/wake" => {
                self.armed.set(None);
                "{}".to_owned()
            }
            _ => return Response::error("", 404),
        };
        self.arm(&store).await?;
        Ok(objects::respond(answer))
    }

    async fn alarm(&self) -> Result<Response> {
        self.armed.set(None);
        if self.working.get().is_none_or(is_lost) {
            self.working.set(Some(now()));
            // An alarm that fails is tried six times and then never again, so nothing may leave here.
            if let Err(error) = self.work().await {
                worker::console_error!("promo codes: {error}");
                self.rests_until.set(now() + RETRY_ALARM);
            }
            self.working.set(None);
        }
        let armed = match self.open() {
            Ok(store) => self.arm(&store).await,
            Err(error) => Err(error),
        };
        if let Err(error) = armed {
            worker::console_error!("alarm: {error}");
            self.set_alarm(RETRY_ALARM).await?;
        }
        Response::ok("")
    }
}

impl PromoObject {
    fn open(&self) -> Result<Rc<PromoStore>> {
        if let Some(store) = &*self.store.borrow() {
            return Ok(Rc::clone(store));
        }
        let store = Rc::new(PromoStore::open(self.state.storage().sql())?);
        *self.store.borrow_mut() = Some(Rc::clone(&store));
        Ok(store)
    }

    async fn set_alarm(&self, wait: u64) -> Result<()> {
        self.state.storage().set_alarm(i64::try_from(wait).unwrap_or(i64::MAX)).await
    }

    /// Sets the alarm for what is to be done next.
    async fn arm(&self, store: &PromoStore) -> Result<()> {
        if self.working.get().is_some_and(|since| !is_lost(since)) {
            return Ok(());
        }
        let Some(next) = store.next()? else { return Ok(()) };
        let next = next.max(self.rests_until.get());
        if self.armed.get().is_some_and(|armed| armed <= next && armed + 60_000 > now()) {
            return Ok(());
        }
        let wait = next.saturating_sub(now()).clamp(10, 60_000);
        self.set_alarm(wait).await?;
        self.armed.set(Some(now() + wait));
        Ok(())
    }

    /// Does what is due, within the requests and the time that one alarm has.
    async fn work(&self) -> Result<()> {
        let store = self.open()?;
        let begun = now();
        if begun.saturating_sub(self.cleaned.get()) > CLEAN_EVERY {
            self.cleaned.set(begun);
            store.clean(begun.saturating_sub(KEPT_DEAD))?;
        }
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        for _ in 0..(config.outbox.subrequests / STEP_REQUESTS).max(1) {
            if now() > begun + SHIFT {
                break;
            }
            let list = store.lists()?.into_iter().find(|list| list.next_at <= now());
            if let Some(list) = list {
                self.give_out(&store, &config, list).await?;
            } else if let Some((id, claim)) = store.due(now())? {
                self.go_on(&store, &config, id, claim).await?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Lists the codes of a type, and gives them to those who wait.
    async fn give_out(&self, store: &PromoStore, config: &Config, mut list: List) -> Result<()> {
        let listed = api::ask::<ListPromoCodes>(&self.env, config, &list.request()).await;
        let listed = match listed {
            Ok(listed) => listing::read(&listed.0, &list.kind, now()),
            Err(error) => Err(Trouble::listing(&error)),
        };
        // Until all of it is stored nothing is waited for, so that nobody else gets the same.
        let (ids, before): (Vec<i64>, Vec<Claim>) =
            store.waiting(&list.kind, MOST_WAITING)?.into_iter().unzip();
        let mut claims = before.clone();
        list.give(&mut claims, listed, |code| store.is_given(code), now(), random())?;
        for ((id, before), claim) in ids.into_iter().zip(&before).zip(&claims) {
            if claim != before {
                store.put(id, claim)?;
                report(before, claim);
            }
        }
        store.put_list(&list)?;
        if let Some(Trouble { why, text, .. }) = &list.trouble {
            worker::console_warn!("promo codes {}: {}: {text}", list.kind, why.as_str());
        }
        Ok(())
    }

    /// Does what is next for a claim that has a code.
    async fn go_on(
        &self,
        store: &PromoStore,
        config: &Config,
        id: i64,
        mut claim: Claim,
    ) -> Result<()> {
        let env = &self.env;
        let after = match claim.stage {
            Stage::Taken => {
                let answer = match claim.mark() {
                    Some(call) => api::ask::<AddPromoCodes>(env, config, &call).await,
                    None => return Err("a code of which too little is known".into()),
                };
                claim.clone().marked(answer.as_ref().map(|_| ()), now(), random())
            }
            Stage::Marked => {
                // Its id first: after a crash the same event is handed over under the same one.
                claim = claim.named(routes::message_id());
                store.put(id, &claim)?;
                let message = claim.message.clone().unwrap_or_default();
                match claim.event() {
                    Ok(event) => {
                        let stored =
                            bulk::store(env, config, Kind::Events, &message, event, None).await;
                        if let Err(error) = &stored {
                            worker::console_error!("promo codes: {error:?}");
                        }
                        claim.clone().handed(stored.is_ok(), now(), random())
                    }
                    Err(problems) => claim.clone().refused(&problems, now()),
                }
            }
            Stage::Sent => {
                let ids = claim.message.iter().cloned().collect();
                let told = bulk::ask(env, config, Kind::Events, ids, 0).await;
                let told = told.ok().and_then(|text| json::parse(&text).ok()).unwrap_or_default();
                claim.clone().told(&Told::read(&told), now(), random())
            }
            _ => return Err("a claim at which nothing is to be done".into()),
        };
        // Whoever was faster has stored more than this knows.
        if store.claim(id)?.as_ref() == Some(&claim) {
            store.put(id, &after)?;
            report(&claim, &after);
        }
        Ok(())
    }
}

fn is_lost(since: u64) -> bool {
    since + LOST_AFTER < now()
}

/// What the owner of the deployment must see.
fn report(before: &Claim, after: &Claim) {
    if let (None, Some(_), Some(Trouble { why, .. })) = (before.dead, after.dead, &after.trouble) {
        let (kind, why) = (&after.kind, why.as_str());
        worker::console_error!("promo codes {kind}: one is given up ({why}); see GET /dead");
    }
}

fn dead(store: &PromoStore, request: &Request) -> Result<String> {
    let url = request.inner().url();
    let after = routes::query(&url, "after").and_then(|text| text.parse().ok()).unwrap_or(0);
    let page = store.dead(after, DEAD_PAGE)?;
    let (_, total) = store.counts()?;
    // Where the next page begins, if there is one.
    let full = page.len() == DEAD_PAGE as usize;
    let last = page.last().filter(|_| full).map(|(id, _)| id.unsigned_abs());
    let rows = page.iter().map(|(id, claim)| claim.view(id.unsigned_abs())).collect();
    let mut members =
        vec![("dead".to_owned(), Value::List(rows)), ("total".to_owned(), Value::whole(total))];
    members.extend(last.map(|last| ("after".to_owned(), Value::whole(last))));
    Ok(Value::Object(members).to_json())
}

fn replay(store: &PromoStore) -> Result<String> {
    let rows = store.dead(0, REPLAYED)?;
    let count = rows.len();
    for (id, claim) in rows {
        store.put(id, &claim.retry(now()))?;
    }
    // What held the lists up may be over.
    for list in store.lists()? {
        store.put_list(&List::new(&list.kind))?;
    }
    let (_, left) = store.counts()?;
    Ok(format!("{{\"replayed\":{count},\"left\":{left}}}"))
}

fn stats(store: &PromoStore) -> Result<String> {
    let (waiting, dead) = store.counts()?;
    let mut members = vec![
        ("waiting".to_owned(), Value::whole(waiting)),
        ("dead".to_owned(), Value::whole(dead)),
    ];
    // By a stable name alone: anybody may read this.
    let trouble = store.lists()?.into_iter().find_map(|list| list.trouble);
    members.extend(trouble.map(|one| ("trouble".to_owned(), Value::text(one.why.as_str()))));
    Ok(Value::Object(members).to_json())
}
