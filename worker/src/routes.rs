//! What the Worker serves, below the path of the settings:
//!
//! | address | what it does | who may call |
//! |---|---|---|
//! | `GET kit.js`, `GET <any>.js` | the loader of the site that the host names | anybody |
//! | `GET <site>/kit.js` | the loader of that site, for pages of another host | anybody |
//! | `GET a/<hash>.<ext>` | tracker, extras, panel, and loaders under their hash | anybody |
//! | `POST b` | takes a batch of records | the sites' pages |
//! | `POST q` | says what has become of accepted events | the sites' pages |
//! | `POST f` | erases what is held of a browser | the sites' pages |
//! | `POST t` | gives a page a token for one call | the sites' pages |
//! | `POST p/<call>` | takes a contact, an order or an event, or gets a token of the platform | the sites' pages, with a token |
//! | `GET forms.js`, `GET <site>/forms.js` | the starter of forms, of the host's site or of that one | anybody |
//! | `GET forms.json`, `GET forms/<id>.json` | the site's forms that show by themselves, and a form in one language | anybody |
//! | `GET forms/<id>` | a form as a page of its own | anybody |
//! | `POST forms/<id>` | takes what was filled in: from a script with a token, or as a browser posts it | the sites' pages |
//! | `GET recommendations/<variant>`, `GET <site>/recommendations/<variant>` | products of a variant or a test | the sites' pages |
//! | `GET blocks.js`, `GET blocks.json` | the starter of blocks, and those that the settings place | anybody |
//! | `GET blocks/<variant>`, `GET blocks/<variant>.html` | a block of recommendations, for a script and as HTML | the sites' pages; anybody |
//! | `POST v2` | takes an event in the tracker's own REST form | tokens with `tracker` |
//! | `POST products` | takes what has changed of products: for the platform, and for the catalogue | tokens with `tracker` |
//! | `GET products?ids=…` | says what the catalogue knows of some, or finds some: `field`, `value`, `order`, `limit`, `in_stock` | tokens with `tracker` |
//! | `POST feed` | reads the product feed now | tokens with `tracker` |
//! | `POST contacts`, `orders`, `subscriptions`, `events` | takes some, to be sent in their turn | tokens with their chapter |
//! | `GET contacts?ids=…` and so on | says what has become of them | tokens with their chapter |
//! | `<any> api/…` | makes the call of the platform's REST API at that address | tokens with its chapter |
//! | `GET dead?object=…&after=…` | lists what the platform refused, a hundred events of an object at a time; promo codes that nobody got; and batches of the bucket that no object takes | tokens with `queue` |
//! | `GET dead/<id>` | shows one event that the platform refused | tokens with `queue` |
//! | `GET dead.ndjson?after=…` | all of them, some a page, one a line; `kit-next` says where the next page begins | tokens with `queue` |
//! | `POST replay?object=…` | repeats it, a thousand events of an object at a time; with `{"ids": […]}` those alone | tokens with `queue` |
//! | `POST dead/erase` | erases those of `{"ids": […]}`, or with `{"all": true}` a thousand of each object | tokens with `queue` |
//! | `POST erase` | erases what is held of `{"email", "phone", "id"}`, everywhere | tokens with `queue` |
//! | `GET ledger` | what became of the events of each hour | tokens with `queue` |
//! | `GET status` | the same as a page | tokens with `queue`, as a password too |
//! | `GET health` | says whether settings and secrets are there, and what waits; 503 while an outbox does not answer | anybody |

use esputnik_kit::{
    bulk::Kind as Bulk,
    config::{Config, Jurisdiction, Scope, Site},
    identity::WebId,
    problem::{Code, Problem},
    recommendation::ask::pairs,
    value::Value,
    wire::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS, VERSION, Verdict, is_message_id, result_value},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Date, Env, Method, ObjectNamespace};

use crate::{
    answer::{Error, text_json},
    api, assets, block, bulk, catalogue, dead, detour, erase, form, front, guard, handover,
    host::{Request, Response},
    ledger, objects,
    outbox_object::{About, Ingest, IngestRest},
    page, products, promo, recommendation,
    settings::{API_KEY, SERVER_TOKEN, Secret, load_config},
};

/// How long an outbox has to wake up, in milliseconds: one that hangs must not keep the others asleep.
const WAKES_IN: u32 = 15_000;

/// How long it has to say how it is, in milliseconds.
const TELLS_IN: u32 = 5000;

pub(crate) async fn dispatch(request: &Request, env: &Env) -> Result<Response, Error> {
    let config = load_config(env)?;
    let path = request.path();
    let route = path.strip_prefix(config.path.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let Some(route) = route else { return front::serve(request, &config) };
    let method = request.method();
    let only = |allowed: Method, name: &'static str| {
        let head = allowed == Method::Get && *method == Method::Head;
        if *method == allowed || head { Ok(()) } else { Err(Error::Method(name)) }
    };
    if *method == Method::Options {
        return preflight(request, &config);
    }
    if let Some(target) = route.strip_prefix("api/") {
        return api::relay(request, env, &config, target).await;
    }
    if let Some(what) = route.strip_prefix("p/") {
        only(Method::Post, "POST")?;
        return page::call(request, env, &config, what).await;
    }
    let (named, below) = below_site(route, &config);
    if below.starts_with("forms.") || below.starts_with("forms/") {
        return form::serve(request, env, &config, named, below).await;
    }
    if let Some(name) = below.strip_prefix("recommendations/") {
        return recommendation::serve(request, env, &config, named, name).await;
    }
    if below.starts_with("blocks.") || below.starts_with("blocks/") {
        return block::serve(request, env, &config, named, below).await;
    }
    let route = below;
    match route {
        "products" => return products::serve(request, env, &config, named).await,
        "feed" => {
            only(Method::Post, "POST")?;
            return products::import(request, env, &config, named).await;
        }
        _ => {}
    }
    if let Some(kind) = Bulk::named(route) {
        let allowed = matches!(method, Method::Get | Method::Post);
        if !allowed {
            return Err(Error::Method("GET, POST"));
        }
        return bulk::serve(request, env, &config, kind).await;
    }
    match route {
        "b" | "q" | "f" | "t" | "v2" | "replay" | "erase" | "dead/erase" => {
            only(Method::Post, "POST")?;
        }
        _ => only(Method::Get, "GET, HEAD")?,
    }
    match route {
        "b" => batch(request, env, &config).await,
        "q" => states(request, env, &config).await,
        "t" => page::token(request, env, &config).await,
        "f" => forget(request, env, &config).await,
        "v2" => rest(request, env, &config).await,
        "dead" => dead(request, env, &config, Method::Get, "/dead").await,
        "dead.ndjson" => dead::export(request, env, &config).await,
        "dead/erase" => dead::erase(request, env, &config).await,
        "replay" => {
            let body = guard::body(request).await?;
            if body.is_empty() {
                return dead(request, env, &config, Method::Post, "/replay").await;
            }
            dead::replay(request, env, &config, &body).await
        }
        "erase" => erase::serve(request, env, &config).await,
        "ledger" => ledger::serve(request, env, &config).await,
        "status" => ledger::serve_page(request, env, &config).await,
        "health" => health(env, &config).await,
        _ => {
            if let Some(id) = route.strip_prefix("dead/") {
                return dead::show(request, env, &config, id).await;
            }
            match route.strip_prefix("a/") {
                Some(file) => asset(file, request, &config),
                None => loader(route, request, &config),
            }
        }
    }
}

/// Wakes every outbox of the deployment, and the catalogues.
pub(crate) async fn wake_outboxes(env: &Env) {
    let Ok(config) = load_config(env) else { return };
    for name in config.sites.keys() {
        for object in config.outbox.objects(name) {
            if let Err(error) = ask_within(env, &object, "/wake", None, WAKES_IN).await {
                worker::console_error!("wake: {error:?}");
            }
        }
    }
    if promo::is_used(&config)
        && let Err(error) = promo::ask(env, &config, Method::Get, "/wake", None).await
    {
        worker::console_error!("wake: {error:?}");
    }
    for name in config.sites.keys() {
        if let Err(error) = catalogue::wake(env, name).await {
            worker::console_error!("wake: {error:?}");
        }
    }
    for kind in Bulk::ALL {
        if let Err(error) = bulk::tell(env, &config, kind, "/wake", String::new()).await {
            worker::console_error!("wake: {error:?}");
        }
    }
    ledger::watch(env, &config).await;
}

/// Pages ask before a request that is not simple; the kit's own are.
fn preflight(request: &Request, config: &Config) -> Result<Response, Error> {
    let page = guard::page(request, config)?;
    let response = guard::allow(Response::new(204, Vec::new()), &page)
        .with("access-control-allow-methods", "GET, POST")
        .with("access-control-allow-headers", "content-type")
        .with("access-control-max-age", "86400");
    Ok(response)
}

/// What of an address stands behind a site's name, which scripts of pages on other hosts come under.
///
/// What is served there too is what such a script goes on to ask for from where it came.
fn below_site<'a>(route: &'a str, config: &Config) -> (Option<&'a str>, &'a str) {
    match route.split_once('/') {
        Some((name, rest))
            if config.sites.contains_key(name)
                && (rest.starts_with("forms")
                    || rest.starts_with("blocks")
                    || rest.starts_with("recommendations/")
                    || rest.starts_with("a/")
                    || matches!(rest, "t" | "products" | "feed")) =>
        {
            (Some(name), rest)
        }
        _ => (None, route),
    }
}

fn loader(route: &str, request: &Request, config: &Config) -> Result<Response, Error> {
    let route = route.strip_suffix(".js").ok_or(Error::NotFound)?;
    let named =
        |name: &str| config.sites.get_key_value(name).map(|(name, site)| (name.as_str(), site));
    let (name, site) = match route.split_once('/') {
        Some((name, "kit")) => named(name).ok_or(Error::NotFound)?,
        Some(_) => return Err(Error::NotFound),
        None => {
            let host = request.header("host").unwrap_or_default();
            let only = || (config.sites.len() == 1).then(|| config.sites.iter().next()).flatten();
            config
                .site_of_host(&host)
                .or_else(|| only().map(|(name, site)| (name.as_str(), site)))
                .ok_or(Error::NotFound)?
        }
    };
    let loader = assets::loader(config, name, site).ok_or(Error::NotFound)?;
    Ok(assets::serve_loader(&loader, false))
}

fn asset(file: &str, request: &Request, config: &Config) -> Result<Response, Error> {
    for (name, site) in &config.sites {
        if let Some(loader) = assets::loader(config, name, site)
            && loader.file == file
        {
            return Ok(assets::serve_loader(&loader, true));
        }
    }
    assets::serve(file, request)
}

/// A batch as the page sends it; its records stay text until the object reads them.
#[derive(Deserialize)]
struct Batch {
    v: u64,
    #[serde(default)]
    site: Option<String>,
    /// The web id of records that name none.
    #[serde(default)]
    sc: Option<String>,
    #[serde(rename = "sentAt")]
    sent_at: u64,
    records: Vec<Box<RawValue>>,
}

/// What decides where a record goes.
#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    id: String,
    #[serde(default)]
    sc: Option<String>,
}

async fn batch(request: &Request, env: &Env, config: &Config) -> Result<Response, Error> {
    let page = guard::page(request, config)?;
    let answer = take_batch(request, env, config, page.name, page.site).await;
    Ok(guard::allow(answer.unwrap_or_else(Error::into_response), &page))
}

async fn take_batch(
    request: &Request,
    env: &Env,
    config: &Config,
    name: &str,
    site: &Site,
) -> Result<Response, Error> {
    let text = guard::body(request).await?;
    let batch: Batch = read(&text)?;
    if batch.v > VERSION {
        // A page of a newer release, before or after the Worker's own: it keeps its records.
        return Err(Error::Unavailable("this version of records is not read yet"));
    }
    if batch.v == 0 || batch.site.is_some_and(|site| site != name) {
        let fix = "send the batch to the site whose loader made it";
        return Err(Error::Body(Problem::new(Code::UnknownSite, "site", fix)));
    }
    if batch.records.len() > MAX_BATCH_RECORDS {
        return Err(Error::TooLong(MAX_BATCH_BYTES));
    }
    let received = Date::now().as_millis();
    let agent = request.header("user-agent").unwrap_or_default();
    let agent: String = agent.chars().filter(|c| !c.is_control()).take(500).collect();
    let mut results: Vec<Option<Box<RawValue>>> = Vec::new();
    let mut parts: Vec<(String, Vec<usize>, Vec<Box<RawValue>>)> = Vec::new();
    // What other pages left is of who the browser was then: the page that sends it goes on as who it is.
    let mut web_id = batch.sc.as_deref().and_then(WebId::parse);
    for (index, record) in batch.records.into_iter().enumerate() {
        results.push(None);
        let (id, known) = addressed(&record, batch.sc.as_deref());
        let Some(known) = known else {
            let fix = "send records as the kit's own loader writes them";
            let problem = Problem::new(Code::InvalidBody, "sc", fix);
            let refusal = result_value(&id, Verdict::Refused, Some(&problem), &[]).to_json();
            results[index] = RawValue::from_string(refusal).ok();
            continue;
        };
        let object = config.outbox.object_of(name, known.as_str());
        web_id.get_or_insert(known);
        match parts.iter_mut().find(|(part, _, _)| *part == object) {
            Some((_, places, records)) => {
                places.push(index);
                records.push(record);
            }
            None => parts.push((object, vec![index], vec![record])),
        }
    }
    let mut failed = None;
    for (object, places, records) in parts {
        let ingest = Ingest {
            site: name.to_owned(),
            received,
            sent_at: batch.sent_at,
            agent: agent.clone(),
            sc: batch.sc.clone(),
            records,
        };
        match detour::take_records(env, config, site, &object, ingest).await {
            Ok(found) => {
                for (place, result) in places.into_iter().zip(found) {
                    results[place] = Some(result);
                }
            }
            Err(error) => failed = Some(error),
        }
    }
    // Records without a result stay on the page and come again.
    let settled: Vec<&str> = results.iter().flatten().map(|result| result.get()).collect();
    if let (true, Some(error)) = (settled.is_empty(), failed) {
        worker::console_error!("outbox: {error:?}");
        return Err(Error::Unavailable("events cannot be stored right now"));
    }
    let text = ["{\"v\":1,\"results\":[", &settled.join(","), "]}"].concat();
    let taken = settled.iter().any(|result| !result.contains("\"verdict\":\"refused\""));
    let mut response = text_json(202, text);
    if let (true, Some(web_id)) = (taken, web_id) {
        response.set("set-cookie", cookie(request, site, &web_id));
    }
    Ok(response)
}

/// The id of a record, as far as it has one, and whose it is; `web_id` is that of its batch.
pub(crate) fn addressed(record: &RawValue, web_id: Option<&str>) -> (String, Option<WebId>) {
    let address: Option<Address> = serde_json::from_str(record.get()).ok();
    let Some(Address { id, sc }) = address else { return Default::default() };
    let named = sc.as_deref().or(web_id).and_then(WebId::parse);
    (id, named)
}

/// Renews the web id as a first-party cookie: browsers keep what a server sets longer than what a
/// script sets. The page, and the platform's own script beside it, must be able to read it.
fn cookie(request: &Request, site: &Site, web_id: &WebId) -> String {
    let domain = site.cookie_domain.as_ref().map(|domain| ["; Domain=", domain].concat());
    // WebKit drops secure cookies on plain loopback.
    let origin = request.header("origin").unwrap_or_default();
    let secure = if origin.starts_with("https:") { "; Secure" } else { "" };
    let domain = domain.unwrap_or_default();
    let cookie =
        ["sc=", web_id.as_str(), "; Path=/; Max-Age=34560000; SameSite=Lax", &domain, secure];
    cookie.concat()
}

#[derive(Deserialize)]
struct Question {
    sc: String,
    #[serde(default)]
    ids: Vec<String>,
}

async fn states(request: &Request, env: &Env, config: &Config) -> Result<Response, Error> {
    about(request, env, config, "/states").await
}

async fn forget(request: &Request, env: &Env, config: &Config) -> Result<Response, Error> {
    about(request, env, config, "/erase").await
}

/// Erases what is held of a browser.
pub(crate) async fn erase_browser(
    env: &Env,
    config: &Config,
    site: &str,
    web_id: &WebId,
) -> Result<(), Error> {
    let about = About { web_id: web_id.as_str().to_owned(), ids: Vec::new() };
    let body = serde_json::to_string(&about).map_err(worker::Error::from)?;
    // The old object first: what is erased there cannot come over to the new one any more.
    let before = config.outbox.previous_object_of(site, web_id.as_str());
    let object = config.outbox.object_of(site, web_id.as_str());
    for object in before.into_iter().chain([object]) {
        ask(env, &object, Method::Post, "/erase", Some(body.clone())).await?;
    }
    recommendation::forget(env, config, site, web_id).await
}

/// Asks the outbox about a browser, for a page that knows its web id.
async fn about(
    request: &Request,
    env: &Env,
    config: &Config,
    what: &str,
) -> Result<Response, Error> {
    let page = guard::page(request, config)?;
    let question: Question = read(&guard::body(request).await?)?;
    let fix = "give the cookie sc";
    let web_id = WebId::parse(&question.sc)
        .ok_or_else(|| Error::Body(Problem::new(Code::InvalidBody, "sc", fix)))?;
    let ids = question.ids.into_iter().filter(|id| is_message_id(id)).take(MAX_BATCH_RECORDS);
    let about = About { web_id: web_id.as_str().to_owned(), ids: ids.collect() };
    let body = serde_json::to_string(&about).map_err(worker::Error::from)?;
    // The old object first: what is erased there cannot come over to the new one any more.
    let before = match config.outbox.previous_object_of(page.name, web_id.as_str()) {
        Some(object) => Some(ask(env, &object, Method::Post, what, Some(body.clone())).await?),
        None => None,
    };
    let object = config.outbox.object_of(page.name, web_id.as_str());
    let mut answer = ask(env, &object, Method::Post, what, Some(body)).await?;
    if let Some(before) = before {
        answer = handover::merge_states(&before, answer);
    }
    if what == "/erase" {
        recommendation::forget(env, config, page.name, &web_id).await?;
    }
    Ok(guard::allow(text_json(200, answer), &page))
}

/// Takes an event that the shop's server would send to the tracker itself.
async fn rest(request: &Request, env: &Env, config: &Config) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Tracker)?;
    let text = guard::body(request).await?;
    let body: Box<RawValue> = read(&text)?;
    let value = esputnik_kit::json::parse(&text).map_err(Error::Body)?;
    let general = value.member("GeneralInfo");
    let site_id = general.and_then(|general| general.member("siteId")).and_then(Value::as_text);
    let fix = "give the site_id of one of the deployment's sites";
    let unknown = || Error::Body(Problem::new(Code::UnknownSite, "GeneralInfo.siteId", fix));
    let only = (config.sites.len() == 1).then(|| config.sites.iter().next()).flatten();
    let (name, _) = match site_id {
        Some(site_id) => config.site_of_id(site_id).ok_or_else(unknown)?,
        None => only.map(|(name, site)| (name.as_str(), site)).ok_or_else(unknown)?,
    };
    let web_id = general
        .and_then(|general| general.member("cookies"))
        .and_then(|cookies| cookies.member("sc"))
        .or_else(|| value.member("webId"))
        .and_then(Value::as_text)
        .unwrap_or("-");
    take_rest(request, env, config, name, web_id, &value, body).await
}

/// Stores an event of the shop's server, which is given as a value and as text, and tells the catalogue
/// what it says of products.
pub(crate) async fn take_rest(
    request: &Request,
    env: &Env,
    config: &Config,
    site: &str,
    web_id: &str,
    value: &Value,
    body: Box<RawValue>,
) -> Result<Response, Error> {
    let key = request.header("idempotency-key");
    let agent = request.header("user-agent").unwrap_or_default();
    let ingest = IngestRest {
        site: site.to_owned(),
        received: Date::now().as_millis(),
        id: key.filter(|key| is_message_id(key)).unwrap_or_else(message_id),
        web_id: web_id.to_owned(),
        agent,
        body,
    };
    let object = config.outbox.object_of(site, web_id);
    let answer = detour::take_event(env, config, &object, &ingest, value).await?;
    if answer.contains("\"verdict\":\"refused\"") {
        return Ok(text_json(400, answer));
    }
    let has_catalogue = config.sites.get(site).is_some_and(|site| site.feed.is_some());
    if has_catalogue && let Some(products) = catalogue::updates(value) {
        let mut at = ingest.received;
        if answer.contains("\"verdict\":\"duplicate\"") {
            // It may be older than what is known by now.
            let about = About { web_id: ingest.web_id, ids: vec![ingest.id] };
            let about = serde_json::to_string(&about).map_err(worker::Error::from)?;
            let told = ask(env, &object, Method::Post, "/received", Some(about)).await?;
            at = objects::told(&told, "received");
        }
        catalogue::update(env, site, at, products).await.map_err(|error| {
            worker::console_error!("catalogue: {error:?}");
            Error::Unavailable(
                "the event is stored, but the catalogue does not know of it yet: send it again, \
                 under the same Idempotency-Key if it has one",
            )
        })?;
    }
    Ok(text_json(202, answer))
}

async fn dead(
    request: &Request,
    env: &Env,
    config: &Config,
    method: Method,
    what: &str,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Queue)?;
    let url = request.url();
    let only = query(url, "object");
    let after = query(url, "after").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let path = format!("{what}?after={after}");
    let mut parts = Vec::new();
    for name in config.sites.keys() {
        for object in config.outbox.objects(name) {
            if only.is_some_and(|only| only != object) {
                continue;
            }
            let answer = ask(env, &object, method.clone(), &path, None).await?;
            parts.push(["\"", &object, "\":", &answer].concat());
        }
    }
    if promo::is_used(config) && only.is_none_or(|only| only == "promo") {
        let answer = promo::ask(env, config, method, &path, None).await?;
        parts.push(["\"promo\":", &answer].concat());
    }
    if only.is_none_or(|only| only == "bucket") {
        let answer = if what == "/dead" {
            detour::dead(env, config).await?
        } else {
            detour::replay(env, config).await?
        };
        parts.extend(answer.map(|answer| ["\"bucket\":", &answer.to_json()].concat()));
    }
    Ok(text_json(200, ["{", &parts.join(","), "}"].concat()))
}

/// What stands behind `name` in an address's query, as it is. The kit's own queries need no decoding,
/// for which the `worker` crate would bring tables of 75 kB.
pub(crate) fn query<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// The same as text, for what others than the kit ask.
pub(crate) fn asked(request: &Request, name: &str) -> Option<String> {
    pairs(recommendation::query(request)).find(|(own, _)| own == name).map(|(_, text)| text)
}

async fn health(env: &Env, config: &Config) -> Result<Response, Error> {
    let mut sites = Vec::new();
    let mut is_well = true;
    for (name, site) in &config.sites {
        let mut members = Vec::new();
        if let Some(loader) = assets::loader(config, name, site) {
            let address = [&config.path, "/a/", &loader.file].concat();
            members.push(("loader".into(), Value::text(address)));
            members.push(("integrity".into(), Value::text(&loader.integrity)));
        }
        let mut outboxes = Vec::new();
        for object in config.outbox.objects(name) {
            let stats = ask_within(env, &object, "/stats", None, TELLS_IN).await;
            if let Err(error) = &stats {
                worker::console_error!("outbox {object}: {error:?}");
                is_well = false;
            }
            let unavailable = || Value::Object(vec![("unavailable".into(), Value::Bool(true))]);
            let stats = stats.ok().and_then(|stats| esputnik_kit::json::parse(&stats).ok());
            outboxes.push(stats.unwrap_or_else(unavailable));
        }
        members.push(("outbox".into(), Value::List(outboxes)));
        members.extend(catalogue::state(env, name).await?.map(|state| ("feed".into(), state)));
        sites.push((name.clone(), Value::Object(members)));
    }
    let mut promo = None;
    if promo::is_used(config) {
        let stats = promo::ask(env, config, Method::Get, "/stats", None).await?;
        promo = Some(("promo".into(), esputnik_kit::json::parse(&stats).unwrap_or_default()));
    }
    let there = |name: &str| Value::Bool(Secret::load(env, name).is_some());
    let mut health = vec![
        ("ok".into(), Value::Bool(is_well)),
        ("version".into(), Value::text(env!("CARGO_PKG_VERSION"))),
        ("api_key".into(), there(API_KEY)),
        ("server_token".into(), there(SERVER_TOKEN)),
        ("sites".into(), Value::Object(sites)),
        ("detour".into(), detour::state(env, config).await),
    ];
    health.extend(promo);
    let status = if is_well { 200 } else { 503 };
    Ok(text_json(status, Value::Object(health).to_json()))
}

/// Asks an outbox object.
pub(crate) async fn ask(
    env: &Env,
    object: &str,
    method: Method,
    path: &str,
    body: Option<String>,
) -> Result<String, Error> {
    let objects = objects_of(env, "OUTBOX", object)?;
    let answer = objects::ask(&objects, object, method, path, body.as_deref()).await?;
    objects::text(answer, "events cannot be stored right now")
}

/// The same, with a body or without, or an error when it takes longer than `patience`, in milliseconds.
pub(crate) async fn ask_within(
    env: &Env,
    object: &str,
    path: &str,
    body: Option<&str>,
    patience: u32,
) -> Result<String, Error> {
    let objects = objects_of(env, "OUTBOX", object)?;
    let answer = objects::ask_within(&objects, object, path, body, patience).await?;
    objects::text(answer, "events cannot be stored right now")
}

/// The objects of a binding, kept where the site wants them that `object` belongs to or is named after.
pub(crate) fn objects_of(env: &Env, binding: &str, object: &str) -> Result<ObjectNamespace, Error> {
    let config = load_config(env)?;
    let site = object.split('/').next().and_then(|name| config.sites.get(name));
    namespace(env, binding, site.and_then(|site| site.jurisdiction))
}

/// The objects of a binding, within a jurisdiction if there is one.
///
/// The `worker` crate restricts random ids alone, so the binding's own method is called.
pub(crate) fn namespace(
    env: &Env,
    binding: &str,
    jurisdiction: Option<Jurisdiction>,
) -> Result<ObjectNamespace, Error> {
    let everywhere = env.durable_object(binding)?;
    let Some(jurisdiction) = jurisdiction else { return Ok(everywhere) };
    let all: &JsValue = everywhere.as_ref();
    let restrict = || -> Result<JsValue, JsValue> {
        let method = js_sys::Reflect::get(all, &"jurisdiction".into())?;
        method.dyn_into::<js_sys::Function>()?.call1(all, &jurisdiction.as_str().into())
    };
    Ok(restrict().map_err(worker::Error::from)?.unchecked_into())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| {
        let fix = "send JSON of the documented shape, in UTF-8";
        Error::Body(Problem::new(Code::InvalidBody, "", fix))
    })
}

/// The verdicts of an outbox's answer, in the order of the records.
pub(crate) fn results_of(answer: &str) -> Result<Vec<Box<RawValue>>, Error> {
    #[derive(Deserialize)]
    struct Answer {
        results: Vec<Box<RawValue>>,
    }
    let answer: Answer = serde_json::from_str(answer).map_err(worker::Error::from)?;
    Ok(answer.results)
}

/// A message id for an event that came without one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range")]
pub(crate) fn message_id() -> String {
    let random = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    let time = Date::now().as_millis();
    format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{:04x}{:08x}",
        time >> 16 & 0xffff_ffff,
        time & 0xffff,
        random() & 0xfff,
        random() & 0xfff,
        random() & 0xffff,
        random()
    )
}
