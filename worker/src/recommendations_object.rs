//! The Durable Object that asks the platform for what it recommends: everything about one person is asked
//! by one object, one call at a time for each question, and every answer is kept for the next who asks.
//!
//! Persons have hashes for names here, on disk as in memory; who they are comes along with a question and
//! goes to the platform alone.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::{Poll, Waker},
};

use esputnik_kit::{
    api::{self, Error as ApiError, Kind, Pool, Reply, token::AddContactToken},
    config::{
        Config, Recommendations,
        recommendations::{Block, Source},
    },
    json,
    recommendation::{
        Ask, Person, Product,
        answer::read,
        cache::{Cache, Found, Kept, Outcome, Output, Times},
        token::{Exchange, Step},
    },
};
use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::{
    api::{self as rest, Made},
    objects::{self, now},
    pace::{self, Denied},
    recommendations_store::Store,
    settings::{Secret, load_config},
    upstream,
    uses_object::{Count, Counts, first_over, is_full},
};

/// The key of the API that apps call.
const MOBILE_KEY: &str = "KIT_MOBILE_KEY";

/// The header of a contact's token.
const TOKEN: &str = "es-token";

/// Longest time that asking the platform takes, with all that belongs to it, in milliseconds: less than
/// after what the cache gives a call up.
const PATIENCE: u64 = 25_000;

/// Longest list of products that is kept, in bytes; what is left of it is not.
const MOST_BYTES: usize = 512 * 1024;

/// As many contacts' tokens are kept at a time.
const MOST_TOKENS: usize = 2000;

/// When what says nothing any more is dropped, in milliseconds.
const CLEAN_AFTER: i64 = 60 * 60 * 1000;

/// What somebody wants recommended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) site: String,
    pub(crate) variant: String,
    /// Whose, as a hash, a slash, and what, as a hash.
    pub(crate) key: String,
    /// What names the person, and how, where the platform needs it.
    pub(crate) person: Option<(String, String)>,
    /// The parameters, as JSON.
    pub(crate) ask: String,
    /// The visitor's address, of which so many calls are made.
    pub(crate) callers: Vec<Count>,
}

/// What is to be forgotten.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Forget {
    /// The hash of a person.
    pub(crate) whose: String,
}

/// What is recommended to a site's visitors.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct RecommendationsObject {
    state: State,
    env: Env,
    inner: OnceCell<Rc<Inner>>,
}

impl DurableObject for RecommendationsObject {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, inner: OnceCell::new() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let inner = self.open()?;
        let path = request.path();
        let text = request.text().await?;
        match path.as_str() {
            "/ask" => self.ask(&inner, serde_json::from_str(&text)?).await,
            "/forget" => {
                let Forget { whose } = serde_json::from_str(&text)?;
                inner.forget(&whose)?;
                Ok(objects::respond("{}".to_owned()))
            }
            _ => Response::error("", 404),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        // An alarm that fails is tried six times and then never again; the next answer sets another.
        if self.open()?.store.clean(now())? > 0 {
            self.state.storage().set_alarm(CLEAN_AFTER).await?;
        }
        Response::ok("")
    }
}

impl RecommendationsObject {
    fn open(&self) -> Result<Rc<Inner>> {
        if let Some(inner) = self.inner.get() {
            return Ok(Rc::clone(inner));
        }
        let name = self.state.id().name().unwrap_or_default();
        let site = name.rsplit_once(':').map_or("", |(site, _)| site);
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let settings = &config.sites.get(site).ok_or("an object of no site")?.recommendations;
        let times = Times::of(settings);
        let inner = Rc::new(Inner {
            env: self.env.clone(),
            store: Store::open(self.state.storage().sql())?,
            times,
            cache: RefCell::new(Cache::new(times)),
            slots: RefCell::default(),
            tokens: RefCell::default(),
            callers: RefCell::default(),
            last: Cell::new(0),
        });
        Ok(Rc::clone(self.inner.get_or_init(|| inner)))
    }

    async fn ask(&self, inner: &Rc<Inner>, question: Question) -> Result<Response> {
        let question = Rc::new(question);
        let asker = inner.next();
        inner.take(asker, &question)?;
        for (key, ticket) in inner.drain() {
            first_over(&mut inner.callers.borrow_mut(), &question.callers);
            let call = call(Rc::clone(inner), Rc::clone(&question), key, ticket);
            // Whoever asked may be gone before it ends; others wait for it too.
            self.state.wait_until(call);
            if self.state.storage().get_alarm().await?.is_none() {
                self.state.storage().set_alarm(CLEAN_AFTER).await?;
            }
        }
        let found = inner.wait(asker).await;
        let (source, products) = match &found {
            Found::Fresh(products) => ("platform", products.as_ref()),
            Found::Last(products) => ("last", products.as_ref()),
            _ => ("none", "[]"),
        };
        let text = ["{\"source\":\"", source, "\",\"products\":", products, "}"].concat();
        Ok(objects::respond(text))
    }
}

/// What somebody who asks waits for.
#[derive(Default)]
struct Slot {
    found: Option<Found<Rc<str>>>,
    waker: Option<Waker>,
}

/// The token of a contact. Who asks with it has it alone, since each call spends it.
#[derive(Default)]
struct Turn {
    is_taken: Cell<bool>,
    token: RefCell<Option<String>>,
    waiting: RefCell<Vec<Waker>>,
}

/// The right to use a contact's token, until this is dropped.
struct Taken(Rc<Turn>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.is_taken.set(false);
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }
}

impl Turn {
    async fn take(self: Rc<Self>) -> Taken {
        poll_fn(|context| {
            if self.is_taken.get() {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            self.is_taken.set(true);
            Poll::Ready(())
        })
        .await;
        Taken(self)
    }
}

/// What outlives a request.
struct Inner {
    env: Env,
    store: Store,
    times: Times,
    cache: RefCell<Cache<Rc<str>>>,
    /// What each who waits is given, by their number.
    slots: RefCell<HashMap<u64, Slot>>,
    /// Contacts' tokens, by their hashes.
    tokens: RefCell<HashMap<String, Rc<Turn>>>,
    callers: RefCell<Counts>,
    last: Cell<u64>,
}

impl Inner {
    /// A number for somebody who asks.
    fn next(&self) -> u64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    /// Takes a question.
    fn take(&self, asker: u64, question: &Question) -> Result<()> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let (_, block) = block_of(&config, question).ok_or("a block that is not there")?;
        let key = &question.key;
        let mut cache = self.cache.borrow_mut();
        if !cache.knows(key) {
            cache.handle_kept(key, block.source, self.store.load(key)?);
        }
        let may_call = !is_full(&self.callers.borrow(), &question.callers);
        self.slots.borrow_mut().insert(asker, Slot::default());
        cache.handle_ask(asker, key, block.source, may_call, now());
        Ok(())
    }

    /// Gives everybody what there is for them; the calls that are to be made.
    fn drain(&self) -> Vec<(String, u64)> {
        let mut calls = Vec::new();
        let mut cache = self.cache.borrow_mut();
        while let Some(output) = cache.poll_output() {
            match output {
                Output::Keep(key, kept) => self.save(&key, &kept),
                Output::Call(key, ticket) => calls.push((key, ticket)),
                Output::Give(asker, found) => {
                    if let Some(slot) = self.slots.borrow_mut().get_mut(&asker) {
                        slot.found = Some(found);
                        slot.waker.take().into_iter().for_each(Waker::wake);
                    }
                }
                _ => {}
            }
        }
        calls
    }

    /// What somebody is given, after the budget at the latest.
    async fn wait(&self, asker: u64) -> Found<Rc<str>> {
        loop {
            let given = self.slots.borrow().get(&asker).is_none_or(|slot| slot.found.is_some());
            if given {
                let slot = self.slots.borrow_mut().remove(&asker);
                return slot.and_then(|slot| slot.found).unwrap_or(Found::Nothing);
            }
            let deadline = self.cache.borrow().deadline().unwrap_or_else(now);
            // A timer that rings a little early must not make this a loop without end.
            let pause = deadline.saturating_sub(now()).max(1);
            let rung = poll_fn(|context| {
                let mut slots = self.slots.borrow_mut();
                match slots.get_mut(&asker) {
                    Some(slot) if slot.found.is_none() => {
                        slot.waker = Some(context.waker().clone());
                        Poll::Pending
                    }
                    _ => Poll::Ready(()),
                }
            });
            select(pin!(rung), pin!(pace::sleep(pause))).await;
            self.cache.borrow_mut().handle_time(now());
            self.drain();
        }
    }

    /// Takes what a call came to.
    fn finish(&self, key: &str, ticket: u64, outcome: Outcome<Rc<str>>) {
        let kept = self.cache.borrow_mut().handle_outcome(key, ticket, outcome, now());
        if let Some(kept) = kept {
            self.save(key, &kept);
        }
        self.drain();
    }

    fn save(&self, key: &str, kept: &Kept<Rc<str>>) {
        if let Err(error) = self.store.save(key, kept, self.times.stale) {
            worker::console_error!("recommendations: {error}");
        }
    }

    fn forget(&self, whose: &str) -> Result<()> {
        let start = [whose, "/"].concat();
        self.cache.borrow_mut().forget(&start);
        self.tokens.borrow_mut().remove(whose);
        self.drain();
        self.store.forget(&start)
    }

    fn turn(&self, whose: &str) -> Rc<Turn> {
        let mut tokens = self.tokens.borrow_mut();
        if tokens.len() > MOST_TOKENS {
            tokens.retain(|_, turn| turn.is_taken.get());
        }
        Rc::clone(tokens.entry(whose.to_owned()).or_default())
    }

    /// Asks the platform.
    async fn perform(&self, question: &Question) -> Asked {
        let config = load_config(&self.env).map_err(|_| Failure::Settings("the settings"))?;
        let (settings, block) = block_of(&config, question).ok_or(Failure::Settings("block"))?;
        let ask = json::parse(&question.ask).ok().and_then(|value| Ask::read(&value).ok());
        let ask = ask.ok_or(Failure::Settings("question"))?;
        let person = question.person.as_ref();
        let person = person.and_then(|(name, own)| Person::named(name, own));
        let person = person.unwrap_or(Person::Nobody);
        let whose = question.key.split('/').next().unwrap_or_default();
        let reply = match block.source {
            Source::Contact => {
                let call = ask.contact_call(block, &person).ok_or(Failure::Settings("person"))?;
                made(rest::make(&self.env, &config, &call, false).await)?
            }
            Source::Token => {
                let call = ask.token_call(block).ok_or(Failure::Settings("data source"))?;
                let api = settings.contact_address.as_deref();
                let api = api.ok_or(Failure::Settings("contact_address"))?;
                let taken = self.turn(whose).take().await;
                let kept = taken.0.token.take();
                let mut exchange = Exchange::new(kept);
                let reply = self.exchange(&config, api, &mut exchange, &person, &call).await;
                *taken.0.token.borrow_mut() = exchange.into_kept();
                match reply? {
                    Some(reply) => reply,
                    // The platform does not know the contact, and recommends nothing.
                    None => return Ok(Vec::new()),
                }
            }
            Source::Mobile => {
                let key =
                    Secret::load(&self.env, MOBILE_KEY).ok_or(Failure::Settings(MOBILE_KEY))?;
                let header = (settings.mobile_header(), key.expose());
                let call = ask.variant_call(&question.variant);
                self.elsewhere(Pool::MobileApi, settings.mobile(), header, &call).await?.0
            }
            _ => return Err(Failure::Settings("source")),
        };
        let products = read(&reply, block.container_type.as_deref(), now());
        products.map_err(|error| {
            worker::console_warn!(
                "recommendations {}: {} ({})",
                question.variant,
                error.kind.as_str(),
                reply.status
            );
            Failure::Api(error)
        })
    }

    /// Asks with a token of the contact; nothing if the platform does not know them.
    async fn exchange(
        &self,
        config: &Config,
        api: &str,
        exchange: &mut Exchange,
        person: &Person,
        call: &api::Request,
    ) -> std::result::Result<Option<Reply>, Failure> {
        loop {
            match exchange.poll_step() {
                Step::Make => {
                    let call = person.new_token_call().ok_or(Failure::Settings("person"))?;
                    let reply = made(rest::make(&self.env, config, &call, false).await)?;
                    let answered =
                        api::decode::<AddContactToken>(&reply, now()).map_err(Failure::Api)?;
                    if !exchange.handle_made(&answered.value.token.unwrap_or_default()) {
                        return Ok(None);
                    }
                }
                Step::Ask(token) => {
                    let header = (TOKEN, token.as_str());
                    let (reply, next) = self.elsewhere(Pool::ContactApi, api, header, call).await?;
                    if !exchange.handle_answer(reply.status, next.as_deref()) {
                        return Ok(Some(reply));
                    }
                }
                _ => return Err(Failure::Settings("token")),
            }
        }
    }

    /// Makes a call of another API when the governor lets it.
    async fn elsewhere(
        &self,
        pool: Pool,
        api: &str,
        header: (&str, &str),
        call: &api::Request,
    ) -> std::result::Result<(Reply, Option<String>), Failure> {
        let slot = match pace::wait(&self.env, pool, false).await {
            Ok(Ok(slot)) => slot,
            Ok(Err(denied)) => return Err(Failure::Held(denied)),
            Err(error) => {
                worker::console_error!("recommendations: {error:?}");
                return Err(Failure::Silent);
            }
        };
        let answered = upstream::call_elsewhere(api, header, call).await;
        slot.report(&self.env, answered.as_ref().map(|(reply, _)| reply)).await;
        answered.ok_or(Failure::Silent)
    }
}

/// Why there are no recommendations.
enum Failure {
    /// The platform said so.
    Api(ApiError),
    /// It said nothing in time.
    Silent,
    /// It was not asked.
    Held(Denied),
    /// This is missing, of the settings or of the question.
    Settings(&'static str),
}

type Asked = std::result::Result<Vec<Product>, Failure>;

/// The answer to a call of the REST API.
fn made(
    made: std::result::Result<Made, crate::answer::Error>,
) -> std::result::Result<Reply, Failure> {
    match made {
        Ok(Made::Answered(reply)) => Ok(reply),
        Ok(Made::Silent) => Err(Failure::Silent),
        Ok(Made::Held(denied)) => Err(Failure::Held(denied)),
        Err(crate::answer::Error::NoKey) => Err(Failure::Settings("KIT_API_KEY")),
        Err(error) => {
            worker::console_error!("recommendations: {error:?}");
            Err(Failure::Silent)
        }
    }
}

fn block_of<'a>(
    config: &'a Config,
    question: &Question,
) -> Option<(&'a Recommendations, &'a Block)> {
    let settings = &config.sites.get(&question.site)?.recommendations;
    Some((settings, settings.blocks.get(&question.variant)?))
}

/// Asks the platform and tells what came of it.
async fn call(inner: Rc<Inner>, question: Rc<Question>, key: String, ticket: u64) {
    let asked = within(PATIENCE, inner.perform(&question)).await;
    let outcome = match asked.unwrap_or(Err(Failure::Silent)) {
        Ok(products) if products.is_empty() => Outcome::Empty,
        Ok(products) => Outcome::Good(written(&products).into()),
        Err(Failure::Api(error)) => match error.kind {
            Kind::RateLimited => Outcome::Closed(error.repeat_after.unwrap_or(1000)),
            _ => Outcome::Failed(error.repeat_after),
        },
        Err(Failure::Silent) => Outcome::Failed(None),
        Err(Failure::Held(Denied::Full(wait) | Denied::Failing(wait) | Denied::Key(wait))) => {
            Outcome::Closed(wait)
        }
        Err(Failure::Settings(what)) => {
            worker::console_error!("recommendations {}: no {what}", question.variant);
            Outcome::Failed(None)
        }
    };
    inner.finish(&key, ticket, outcome);
}

/// What comes of something within so many milliseconds.
pub(crate) async fn within<T>(millis: u64, something: impl Future<Output = T>) -> Option<T> {
    match select(pin!(something), pin!(pace::sleep(millis))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// Products as JSON, as many as there is room for.
fn written(products: &[Product]) -> String {
    let mut text = String::from("[");
    for product in products {
        let product = product.to_value().to_json();
        if text.len() + product.len() > MOST_BYTES {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&product);
    }
    text.push(']');
    text
}
