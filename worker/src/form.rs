//! Forms: what pages get of them, and what people fill in.
//!
//! A submission goes past the token, the field that people do not see, the time that people take, the
//! checks of its fields, Cloudflare's test where the form has it, and the limits, in this order: what is
//! cheap to refuse is refused first. What is left is stored like what the shop's servers hand in, and
//! the answer waits a little for the platform's.

use std::{cell::Cell, time::Duration};

use esputnik_kit::{
    config::{Config, ConsentDefault, Site},
    definition::{
        Definition, Kind, Words,
        submission::{self, Refusal, Submission},
        view,
    },
    form::{check::Wrong, date::Date},
    form_call::{self, Outcome, Posted, State, body, limits},
    identity, json,
    page_call::Proof,
    problem::{Code, Problem},
    promo::Wish,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use worker::{Delay, Env, Method};

use crate::{
    answer::{self, Error},
    assets, bulk, form_page, guard,
    host::{Request, Response},
    objects::{now, random},
    page, promo, routes,
    token::{self, Token},
    turnstile,
    uses_object::{self, Contact, Count, Use},
};

/// How long browsers and networks keep what they got of a form, as the loader.
const KEPT: &str = "public, max-age=300";

/// A day begins so many milliseconds earlier in the east than in UTC.
pub(crate) const EAST: u64 = 14 * 60 * 60 * 1000;

/// A form that a site shows.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) site_name: &'a str,
    pub(crate) site: &'a Site,
    pub(crate) id: &'a str,
    pub(crate) definition: &'a Definition,
}

/// The form of this name, if the site shows it.
pub(crate) fn shown<'a>(config: &'a Config, site: &str, id: &str) -> Result<Shown<'a>, Error> {
    let (site_name, site) = config.sites.get_key_value(site).ok_or(Error::NotFound)?;
    let (id, definition) = config.forms.get_key_value(id).ok_or(Error::NotFound)?;
    let is_shown = site.forms.contains(id);
    let found = is_shown.then_some(Shown { site_name, site, id, definition });
    found.ok_or(Error::NotFound)
}

/// Serves what stands below `forms`, and the starter: `named` is the site that the address names.
pub(crate) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
    named: Option<&str>,
    route: &str,
) -> Result<Response, Error> {
    let method = request.method();
    if let Some(id) = route.strip_prefix("forms/").filter(|id| !id.contains(['/', '.'])) {
        return match method {
            Method::Get | Method::Head => look(request, config, named, id, form_page::show),
            Method::Post => post(request, env, config, named, id).await,
            _ => Err(Error::Method("GET, HEAD, POST")),
        };
    }
    if !matches!(method, Method::Get | Method::Head) {
        return Err(Error::Method("GET, HEAD"));
    }
    match route {
        "forms.js" => assets::serve_short("forms", request),
        "forms.json" => {
            let (name, site) = site_of(request, config, named)?;
            let wished = languages(request);
            let wished: Vec<&str> = wished.iter().map(String::as_str).collect();
            let forms = site.forms.iter().filter_map(|id| config.forms.get_key_value(id));
            let forms = forms.map(|(id, form)| (id.as_str(), form));
            let is_granted = site.consent == ConsentDefault::Granted;
            let links = identity::links(site.etm_term);
            let interval = site.forms_interval;
            let list = view::list(name, is_granted, interval, &links, forms, &wished);
            Ok(kept(request, config, list.to_json(), "application/json", None))
        }
        _ => {
            let id = route.strip_prefix("forms/").and_then(|name| name.strip_suffix(".json"));
            look(request, config, named, id.ok_or(Error::NotFound)?, |request, config, form| {
                let wished = languages(request);
                let wished: Vec<&str> = wished.iter().map(String::as_str).collect();
                let words = Words::choose(form.definition, &wished);
                let view = view::view(form.id, form.definition, &words).to_json();
                kept(request, config, view, "application/json", None)
            })
        }
    }
}

fn look(
    request: &Request,
    config: &Config,
    named: Option<&str>,
    id: &str,
    draw: impl FnOnce(&Request, &Config, Shown<'_>) -> Response,
) -> Result<Response, Error> {
    let (name, _) = site_of(request, config, named)?;
    Ok(draw(request, config, shown(config, name, id)?))
}

/// The site whose forms are asked for: the one that the address names, else that of the page, else that
/// of the host, else the only one.
pub(crate) fn site_of<'a>(
    request: &Request,
    config: &'a Config,
    named: Option<&str>,
) -> Result<(&'a str, &'a Site), Error> {
    let found = |(name, site): (&'a String, &'a Site)| (name.as_str(), site);
    if let Some(named) = named {
        return config.sites.get_key_value(named).map(found).ok_or(Error::NotFound);
    }
    let origin = request.header("origin").unwrap_or_default();
    let host = request.header("host").unwrap_or_default();
    let only =
        || (config.sites.len() == 1).then(|| config.sites.iter().next().map(found)).flatten();
    let site = config.site_of_origin(&origin).or_else(|| config.site_of_host(&host));
    site.or_else(only).ok_or(Error::NotFound)
}

/// The languages that are wished, the most wanted first.
pub(crate) fn languages(request: &Request) -> Vec<String> {
    let asked = routes::query(request.url(), "lang").filter(|lang| !lang.is_empty());
    let accepted = request.header("accept-language").unwrap_or_default();
    asked.map(str::to_owned).into_iter().chain(form_call::languages(&accepted)).collect()
}

/// An answer that may be kept for a while, or word that the one that is kept is still good.
pub(crate) fn kept(
    request: &Request,
    config: &Config,
    text: String,
    kind: &'static str,
    policy: Option<String>,
) -> Response {
    let tag = assets::hex(Sha256::digest(text.as_bytes()).get(..12).unwrap_or_default());
    let tag = ["\"", &tag, "\""].concat();
    let known = request.header("if-none-match").unwrap_or_default();
    // Networks that compress on the way make tags weak.
    let fresh = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let response = if fresh {
        Response::new(304, Vec::new())
    } else {
        Response::new(200, text.into_bytes()).with("content-type", kind)
    };
    let mut response = response
        .with("cache-control", KEPT)
        .with("vary", "accept-language, origin")
        .with("etag", tag)
        .with("x-content-type-options", "nosniff");
    if let Some(origin) = request.header("origin")
        && config.site_of_origin(&origin).is_some()
    {
        response.set("access-control-allow-origin", origin);
    }
    if let (false, Some(policy)) = (fresh, policy) {
        response.set("content-security-policy", policy);
    }
    response
}

/// Why a submission is not taken.
pub(crate) enum Refused {
    /// These fields are wrong.
    Fields(Vec<(String, Wrong)>),
    /// All else.
    Error(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

async fn post(
    request: &Request,
    env: &Env,
    config: &Config,
    named: Option<&str>,
    id: &str,
) -> Result<Response, Error> {
    let kind = request.header("content-type").unwrap_or_default();
    if body::is_form(&kind) {
        return form_page::post(request, env, config, named, id, &kind).await;
    }
    let page = guard::page(request, config)?;
    if named.is_some_and(|named| named != page.name) {
        return Err(Error::Origin);
    }
    let response = by_script(request, env, config, &page, id).await;
    Ok(guard::allow(response.unwrap_or_else(Error::into_response), &page))
}

async fn by_script(
    request: &Request,
    env: &Env,
    config: &Config,
    page: &guard::Page<'_>,
    id: &str,
) -> Result<Response, Error> {
    let form = shown(config, page.name, id)?;
    let text = guard::body(request).await?;
    let body = json::parse(&text).map_err(Error::Body)?;
    let posted = Posted::from_value(&body).map_err(|problem| Error::Refused(400, problem))?;
    let call = form_call::call(id, posted.step);
    let token = Token::check(env, (page.name, &page.origin), &call, &posted.token)?;
    let wished: Vec<&str> = posted.language.as_deref().into_iter().collect();
    let words = Words::choose(form.definition, &wished);
    let address = page::address(request);
    let submitted = Submitted { form, posted: &posted, token, origin: &page.origin, address };
    match submitted.take(env, config, words.language()).await {
        Ok(outcome) => Ok(answer::json(202, &outcome.answer(form.definition))),
        Err(Refused::Fields(fields)) => {
            Ok(answer::json(422, &form_call::wrong_fields(&words, &fields)))
        }
        Err(Refused::Error(error)) => Err(error),
    }
}

/// A submission whose token is good.
pub(crate) struct Submitted<'a> {
    pub(crate) form: Shown<'a>,
    pub(crate) posted: &'a Posted,
    pub(crate) token: Token,
    pub(crate) origin: &'a str,
    pub(crate) address: Vec<u8>,
}

thread_local! {
    /// How long the platform has taken to answer lately, in milliseconds, and what was said then: for
    /// answers that must not tell that it was not asked.
    static LATELY: Cell<(u64, State)> = const { Cell::new((200, State::Sent)) };
}

impl Submitted<'_> {
    /// Takes the submission, if it may be taken.
    pub(crate) async fn take(
        self,
        env: &Env,
        config: &Config,
        language: &str,
    ) -> Result<Outcome, Refused> {
        let Shown { site_name, site, id, definition } = self.form;
        if definition.kind == Kind::Informer {
            return Err(Error::NotFound.into());
        }
        let today = Date::from_millis(now() + EAST);
        let posted = self.posted;
        let read = submission::read(definition, posted.step, &posted.data, today);
        if posted.is_trapped {
            worker::console_log!("form {id}: what a program filled in was dropped");
            let who = read.map_or_else(
                |_| Vec::new(),
                |read| self.whose(&read, limits::mailbox(&read, to_ascii).as_deref(), None),
            );
            return self.pretend(env, &who).await;
        }
        let submission = read.map_err(|refusal| match refusal {
            Refusal::Shape(problem) => Refused::Error(Error::Refused(400, problem)),
            Refusal::Fields(fields) => Refused::Fields(fields),
            _ => Refused::Error(Error::NotFound),
        })?;
        if let Some(wait) = form_call::too_early(definition, self.token.born, now())
            && posted.step == 1
        {
            return Err(Error::TryAgain(wait).into());
        }
        let proof = posted.proof.as_deref().map(|proof| token::check_proof(env, proof));
        let proof = proof.transpose()?;
        let (kind, given) =
            form_call::given(definition, &submission, posted, proof.as_ref(), language)
                .map_err(page::refused)?;
        let mailbox = limits::mailbox(&submission, to_ascii);
        let who = self.whose(&submission, mailbox.as_deref(), proof.as_ref());
        let is_second = posted.step > 1;
        let is_dropped = is_second && self.is_dropped(env, &who)?;
        // Whom the second step is about, the first one has counted; what it asks for beside that, not.
        let beside =
            is_second.then(|| limits::contacts(definition, 2, &submission, mailbox.as_deref()));
        let counted = beside.as_ref().unwrap_or(&who);
        let (mut first, mut second) = self.uses(env, mailbox.as_deref(), counted)?;
        if definition.turnstile.is_some() && posted.step == 1 {
            if posted.turnstile.is_empty() {
                let fix = "add the answer of Cloudflare's test";
                let problem = Problem::new(Code::TurnstileMissing, "turnstile", fix);
                return Err(Error::Refused(403, problem).into());
            }
            // The token first: it costs less than asking Cloudflare.
            uses_object::take(env, site_name, &first).await?;
            turnstile::check(env, config, site, id, &posted.turnstile).await?;
        } else {
            (first.contact, first.at_large) = (second.contact.take(), second.at_large);
            second = first;
        }
        let is_enough = uses_object::take(env, site_name, &second).await?;
        if is_enough || is_dropped {
            worker::console_log!("form {id}: enough has come about one contact");
            return self.pretend(env, &who).await;
        }
        let message = routes::message_id();
        let begun = now();
        let wish = self.wish(env, &submission, &who)?;
        if let Err(error) = bulk::store(env, config, kind, &message, given, wish.as_ref()).await {
            let _ = uses_object::give_back(env, site_name, &second).await;
            return Err(error.into());
        }
        // It is stored: whatever comes now, it must not look as if it were not.
        let told = bulk::ask(env, config, kind, vec![message], form_call::WAIT).await;
        let told = told.map_or_else(|_| Told::default(), |text| Told::read(&text));
        let state = if told.is_done() { State::Sent } else { State::Stored };
        LATELY.set((now().saturating_sub(begun), state));
        if told.state == "failed" {
            worker::console_error!("form {id}: the platform refused what was handed in");
            let fix = "the platform refused it; `cargo xtask check` may know why";
            return Err(Error::Refused(502, Problem::new(Code::NotTaken, "", fix)).into());
        }
        let next = self.next(env, KEPT_ON, &who)?;
        Ok(Outcome { state, status: told.email_status, next })
    }

    /// What is counted: the token and the visitor; and then, the contacts and all together.
    fn uses(
        &self,
        env: &Env,
        mailbox: Option<&str>,
        contacts: &[String],
    ) -> Result<(Use, Use), Error> {
        let Shown { id, definition, .. } = self.form;
        let most = &definition.limits;
        let domain = mailbox.and_then(limits::domain);
        let disposable = domain.is_some_and(limits::is_disposable);
        let callers = limits::callers(most, &self.address, disposable).into_iter();
        let callers = callers.map(|one| counted_as(id, &page::hash(one.what), &one));
        let at_large = limits::at_large(most, domain);
        let names = contacts.iter().map(|name| sealed(env, id, name));
        let contact = Contact {
            names: names.collect::<Result<_, _>>()?,
            per_day: most.contact_per_day,
            pause: u64::from(most.contact_pause_minutes) * 60_000,
        };
        let first = Use {
            name: self.token.name.clone(),
            until: self.token.until,
            callers: callers.collect(),
            ..Use::default()
        };
        let second = Use {
            contact: Some(contact),
            at_large: at_large.iter().map(|one| counted_as(id, &one.what, one)).collect(),
            ..Use::default()
        };
        Ok((first, second))
    }

    /// The code that whoever subscribes is to get by mail. The page hears nothing of it: it could tell
    /// new addresses from known ones by that.
    fn wish(
        &self,
        env: &Env,
        submission: &Submission,
        who: &[String],
    ) -> Result<Option<Wish>, Error> {
        let promo = self.form.definition.promo_code.as_ref().filter(|_| self.posted.step == 1);
        let Some(promo) = promo else { return Ok(None) };
        let names = who.iter().map(|name| promo::sealed(env, &promo.kind, name));
        Ok(Some(Wish::new(promo, submission, names.collect::<Result<_, _>>()?)))
    }

    /// Whether the first step went nowhere.
    fn is_dropped(&self, env: &Env, who: &[String]) -> Result<bool, Error> {
        let id = self.form.id;
        if self.token.bound == bound(env, KEPT_ON, id, who)? {
            return Ok(false);
        }
        if self.token.bound == bound(env, DROPPED, id, who)? {
            return Ok(true);
        }
        let fix = "give the same address as before";
        Err(Error::Refused(403, Problem::new(Code::TokenInvalid, "token", fix)))
    }

    /// Whom it is about: by the addresses that the first step asks for, else as the proof or the browser
    /// says.
    fn whose(
        &self,
        submission: &Submission,
        mailbox: Option<&str>,
        proof: Option<&Proof>,
    ) -> Vec<String> {
        let named = limits::contacts(self.form.definition, 1, submission, mailbox);
        if !named.is_empty() {
            return named;
        }
        if let Some((name, own)) = proof.and_then(|proof| proof.names().next()) {
            return vec![[name, ":", own].concat()];
        }
        self.posted.web_id.iter().map(|web_id| ["sc:", web_id.as_str()].concat()).collect()
    }

    /// What those are told whose submission goes nowhere: the same, after the same time.
    async fn pretend(&self, env: &Env, who: &[String]) -> Result<Outcome, Refused> {
        let (lasts, state) = LATELY.get();
        let spread = u64::from(random()) % (lasts / 4 + 1);
        Delay::from(Duration::from_millis(lasts - lasts / 8 + spread)).await;
        let next = self.next(env, DROPPED, who)?;
        Ok(Outcome { state, status: None, next })
    }

    /// The token of what is asked next, bound to whom this was about.
    fn next(&self, env: &Env, word: &str, who: &[String]) -> Result<Option<String>, Error> {
        let Shown { site_name, id, definition, .. } = self.form;
        if definition.second_step.is_empty() || self.posted.step > 1 {
            return Ok(None);
        }
        let mut token = Token::new((site_name, self.origin), form_call::call(id, 2));
        token.bound = bound(env, word, id, who)?;
        token.signed(env).map(Some)
    }
}

/// What stands in the seal of a second step's token: whether the first step was kept, or went nowhere
/// and so must the second. Nobody can tell the one from the other.
const KEPT_ON: &str = "kept";
const DROPPED: &str = "dropped";

fn bound(env: &Env, word: &str, id: &str, who: &[String]) -> Result<String, Error> {
    token::seal(env, &[word, id, &who.join("\n")].join("\n"))
}

/// The name of a contact among those who have filled a form in.
pub(crate) fn sealed(env: &Env, id: &str, contact: &str) -> Result<String, Error> {
    token::seal(env, &[id, contact].join("\n"))
}

fn counted_as<T>(id: &str, name: &str, counted: &limits::Counted<T>) -> Count {
    Count { name: [id, ":", name].concat(), most: counted.most, window: counted.window }
}

/// A domain as mail servers write it: the runtime has the tables for that.
pub(crate) fn to_ascii(domain: &str) -> Option<String> {
    let url = web_sys::Url::new(&["https://", domain].concat()).ok()?;
    Some(url.hostname())
}

/// What the bulk object says of one.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(default)]
    state: String,
    #[serde(default)]
    email_status: Option<String>,
}

impl Told {
    fn read(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Results {
            results: Vec<Told>,
        }
        let results: Option<Results> = serde_json::from_str(text).ok();
        results.and_then(|results| results.results.into_iter().next()).unwrap_or_default()
    }

    fn is_done(&self) -> bool {
        matches!(self.state.as_str(), "done" | "failed")
    }
}
