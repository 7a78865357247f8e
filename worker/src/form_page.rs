//! Forms for browsers without script: the form as a page of its own, and what answers its posts.
//!
//! A post without a token is answered by a page that shows what was given and has one, with a button that
//! sends it. So it takes a second look, and a second request, and nothing is stored before.

use base64ct::{Base64, Encoding as _};
use esputnik_kit::{
    config::{Config, Site},
    definition::{
        Definition, Kind, Words,
        page::{self as drawn, Confirmation, SecondStep, Sheet},
        render::Filled,
        submission::{self, Refusal},
    },
    form::{check::Wrong, date::Date},
    form_call::{self, Outcome, Posted, State, body},
    problem::Code,
};
use sha2::{Digest, Sha256};
use worker::Env;

use crate::{
    answer::Error,
    form::{self, Refused, Shown, Submitted, languages, shown},
    guard,
    host::{Request, Response},
    objects, page,
    token::Token,
};

/// The looks of forms, and of the pages around them.
const STYLE: &str = include_str!(concat!(env!("OUT_DIR"), "/forms.css"));

/// The origin in tokens of the pages that ask once more.
const HERE: &str = "page";

/// How much earlier than its page a token counts as begun, in milliseconds: the form was read before.
const READ_BEFORE: u64 = 1000;

/// The form as a page of its own.
pub(crate) fn show(request: &Request, config: &Config, form: Shown<'_>) -> Response {
    let wished = languages(request);
    let wished: Vec<&str> = wished.iter().map(String::as_str).collect();
    let words = Words::choose(form.definition, &wished);
    let style = style(form.definition);
    let text = sheet(form, &words, &style).form(&Filled::default());
    let policy = policy(form, &style, false);
    form::kept(request, config, text, "text/html; charset=utf-8", Some(policy))
}

/// Takes what a browser posts without script.
pub(crate) async fn post(
    request: &Request,
    env: &Env,
    config: &Config,
    named: Option<&str>,
    id: &str,
    kind: &str,
) -> Result<Response, Error> {
    let (name, _) = form::site_of(request, config, named)?;
    let form = shown(config, name, id)?;
    if form.definition.kind == Kind::Informer {
        return Err(Error::NotFound);
    }
    let fields = guard::body(request).await;
    let fields = fields.and_then(|text| body::parse(kind, &text).map_err(Error::Body));
    let (posted, trouble) = match fields {
        Ok(fields) => (Posted::from_fields(fields), None),
        Err(error) => (Posted::default(), Some(error)),
    };
    let wished: Vec<String> = posted.language.iter().cloned().chain(languages(request)).collect();
    let wished: Vec<&str> = wished.iter().map(String::as_str).collect();
    let words = Words::choose(form.definition, &wished);
    let style = style(form.definition);
    let at = Place { env, form, words: &words, style: &style };
    let came_from = came_from(request, config, name);
    if let Some(error) = trouble {
        return Ok(at.trouble(error));
    }
    if !came_from {
        return Ok(at.trouble(Error::Origin));
    }
    at.answer(request, config, &posted).await
}

/// Whether a post may come from where it says it does: a page of the site, or one of the Worker's own.
///
/// Browsers name it with every form that a page posts to another origin; what names nothing is an old
/// one, or no browser, and gets no further than a page that asks once more.
fn came_from(request: &Request, config: &Config, site: &str) -> bool {
    let own = origin_of(request.url());
    let is_known = |origin: &str| {
        origin == own || config.site_of_origin(origin).is_some_and(|(name, _)| name == site)
    };
    if let Some(origin) = request.header("origin") {
        return is_known(&origin);
    }
    if request.header("sec-fetch-site").is_some_and(|kind| kind == "cross-site") {
        return false;
    }
    request.header("referer").is_none_or(|referrer| is_known(&origin_of(&referrer)))
}

/// The origin of an address, as browsers write both.
fn origin_of(address: &str) -> String {
    address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

/// A form, and how its pages look.
struct Place<'a> {
    env: &'a Env,
    form: Shown<'a>,
    words: &'a Words<'a>,
    style: &'a str,
}

impl Place<'_> {
    async fn answer(
        &self,
        request: &Request,
        config: &Config,
        posted: &Posted,
    ) -> Result<Response, Error> {
        let Shown { site_name, id, definition, .. } = self.form;
        let first = posted.step == 1;
        if posted.token.is_empty() && first {
            let today = Date::from_millis(objects::now() + form::EAST);
            return match submission::read(definition, 1, &posted.data, today) {
                Ok(_) => self.confirm(posted, None, (200, None)),
                Err(Refusal::Fields(fields)) => Ok(self.again(posted, &fields)),
                Err(_) => Ok(self.page(400, self.sheet().trouble("failed"), false)),
            };
        }
        let call = form_call::call(id, posted.step);
        let token = match Token::check(self.env, (site_name, HERE), &call, &posted.token) {
            Ok(token) => token,
            // The first step was taken, and its token is given once: the person was away for long.
            Err(Error::Refused(status, _)) if !first => return Ok(self.done(status, None)),
            // It is old, or was used: what was given is still there, so it takes one look more.
            Err(Error::Refused(status, _)) => {
                return self.confirm(posted, Some("human"), (status, None));
            }
            Err(error) => return Ok(self.trouble(error)),
        };
        let address = page::address(request);
        let submitted = Submitted { form: self.form, posted, token, origin: HERE, address };
        match submitted.take(self.env, config, self.words.language()).await {
            Ok(outcome) => Ok(self.taken(posted, &outcome)),
            Err(Refused::Fields(fields)) => Ok(self.again(posted, &fields)),
            Err(Refused::Error(Error::TryAgain(wait))) => {
                self.confirm(posted, Some("human"), (429, Some(wait)))
            }
            // It has come before, or is about another address than the first step.
            Err(Refused::Error(Error::Refused(status, problem)))
                if !first && matches!(problem.code, Code::TokenUsed | Code::TokenInvalid) =>
            {
                Ok(self.done(status, None))
            }
            Err(Refused::Error(Error::Refused(status, problem)))
                if matches!(
                    problem.code,
                    Code::TokenUsed | Code::TurnstileMissing | Code::TurnstileFailed
                ) =>
            {
                self.confirm(posted, Some("human"), (status, None))
            }
            Err(Refused::Error(error)) => Ok(self.trouble(error)),
        }
    }

    /// The form with what was typed, and what is wrong with it.
    fn again(&self, posted: &Posted, wrong: &[(String, Wrong)]) -> Response {
        let typed = posted.typed();
        let filled = Filled::again(typed.clone(), wrong);
        let text = if posted.step == 1 {
            self.sheet().form(&filled)
        } else {
            let asked = SecondStep { typed: &typed, token: &posted.token };
            self.sheet().second_step_again(&asked, &filled)
        };
        self.page(422, text, false)
    }

    /// Asks once more, with a token.
    fn confirm(
        &self,
        posted: &Posted,
        said: Option<&'static str>,
        (status, wait): (u16, Option<u64>),
    ) -> Result<Response, Error> {
        let Shown { site_name, id, .. } = self.form;
        let mut token = Token::new((site_name, HERE), form_call::call(id, 1));
        token.born = token.born.saturating_sub(READ_BEFORE);
        let (typed, token) = (posted.typed(), token.signed(self.env)?);
        let asked = Confirmation { typed: &typed, token: &token, status: said };
        let mut response = self.page(status, self.sheet().confirmation(&asked), true);
        if let Some(wait) = wait {
            response.set("retry-after", wait.to_string());
        }
        Ok(response)
    }

    /// What people read of what was taken, and what they are asked next.
    fn taken(&self, posted: &Posted, outcome: &Outcome) -> Response {
        let status = outcome.status(self.form.definition);
        let is_blocked = status.as_deref() == Some("blacklisted");
        let key = match (outcome.state, status.as_deref()) {
            (State::Stored, _) => Some("stored_text"),
            (_, Some("subscribed")) => Some("subscribed_text"),
            (_, Some("already_subscribed")) => Some("already_text"),
            (_, Some("blacklisted")) => Some("blacklisted_text"),
            _ => None,
        };
        // Who is to give another address is asked nothing more about this one.
        if let Some(token) = outcome.next.as_ref().filter(|_| !is_blocked) {
            let asked = SecondStep { typed: &posted.typed(), token };
            let text = self.sheet().second_step(&asked, key.map(|key| self.words.word(key)));
            return self.page(200, text, false);
        }
        self.done(200, key)
    }

    /// The end: where the form leads, or what people read; `key` names words that they have to.
    fn done(&self, status: u16, key: Option<&'static str>) -> Response {
        if let (None, Some(redirect)) = (key, &self.form.definition.redirect) {
            return Response::new(303, Vec::new())
                .with("location", redirect.clone())
                .with("cache-control", "no-store");
        }
        self.page(status, self.sheet().end(key.map(|key| self.words.word(key))), false)
    }

    /// What did not work, in words for people; the answer's head is the same as for scripts.
    fn trouble(&self, error: Error) -> Response {
        let key = if matches!(error, Error::TooMany(_)) { "too_many" } else { "failed" };
        let answer = error.into_response();
        let mut response = self.page(answer.status(), self.sheet().trouble(key), false);
        if let Some(wait) = answer.header("retry-after") {
            response.set("retry-after", wait.to_owned());
        }
        response
    }

    fn sheet(&self) -> Sheet<'_> {
        sheet(self.form, self.words, self.style)
    }

    fn page(&self, status: u16, text: String, tested: bool) -> Response {
        Response::new(status, text.into_bytes())
            .with("content-type", "text/html; charset=utf-8")
            .with("cache-control", "no-store")
            .with("x-content-type-options", "nosniff")
            .with("referrer-policy", "same-origin")
            .with("content-security-policy", policy(self.form, self.style, tested))
    }
}

fn sheet<'a>(form: Shown<'a>, words: &'a Words<'a>, style: &'a str) -> Sheet<'a> {
    Sheet { id: form.id, definition: form.definition, words, style }
}

fn style(definition: &Definition) -> String {
    [STYLE, &drawn::style(definition)].concat()
}

/// What a form's page may load and do: its own looks, pictures, and posting itself. On the page that asks
/// once more also Cloudflare's test, where the form has it.
fn policy(form: Shown<'_>, style: &str, tested: bool) -> String {
    let hash = |text: &str| Base64::encode_string(&Sha256::digest(text.as_bytes()));
    let mut policy = [
        "default-src 'none'; base-uri 'none'; img-src 'self' https:; style-src 'sha256-",
        &hash(style),
        "'; form-action 'self'",
    ]
    .concat();
    // Browsers follow an answer to a form only to where forms may go.
    if let Some(redirect) = &form.definition.redirect
        && redirect.starts_with("http")
    {
        policy.push_str([" ", &origin_of(redirect)].concat().as_str());
    }
    policy.push_str("; frame-ancestors 'self'");
    policy.push_str(&origins(form.site));
    if form.definition.turnstile.is_some() {
        let own = ["; script-src 'sha256-", &hash(drawn::RUNS), "'"].concat();
        policy.push_str(&own);
        if tested {
            let from = drawn::TURNSTILE;
            policy.push_str([" ", from, "; frame-src ", from].concat().as_str());
        }
    }
    policy
}

/// The site's origins, a blank before each.
fn origins(site: &Site) -> String {
    let hosts = site.hosts.iter();
    let origin = |host: &String| {
        let scheme = if esputnik_kit::config::is_loopback(host) { " http://" } else { " https://" };
        [scheme, host].concat()
    };
    hosts.map(origin).collect()
}
