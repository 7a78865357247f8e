//! What is recommended to a page: the platform's products with what the shop's catalogue knows of them,
//! or, where the platform has none in time, what sells best in the shop.

use esputnik_kit::{
    config::{
        Config, Site,
        recommendations::{Block, Fallback, OutOfStock, Source as Origin},
    },
    identity::WebId,
    json,
    page_call::counted,
    problem::{Code, Problem},
    recommendation::{
        Answer, Ask, Person, Product, Source,
        ask::pairs,
        filter::{choose, unknown},
    },
    value::Value,
};
use sha2::{Digest, Sha256};
use worker::{Env, Method};

use crate::{
    answer::{Error, text_json},
    assets, form,
    guard::{self, Page},
    host::{Request, Response},
    objects, page,
    recommendations_object::{Forget, Question, within},
    routes,
    token::{check_proof, seal_proven},
    uses_object::Count,
};

/// As many calls of the platform are made for one address in a minute: for a few persons who click fast.
const MOST_CALLS: u32 = 300;

/// How much longer than the budget the object is waited for, in milliseconds: it keeps the budget itself.
const GRACE: u64 = 250;

/// How long the catalogue is waited for, in milliseconds; without it products lack what the platform does
/// not say.
const CATALOGUE_PATIENCE: u64 = 1000;

/// Longest time that a page keeps an answer that is the same for everybody, in seconds.
const KEPT: u32 = 60;

/// Most products that the catalogue is asked for at a time.
const MOST_FOUND: usize = 100;

/// Longest text by which a page tells its visitors apart, in bytes.
const LONGEST_SEED: usize = 100;

/// Serves `GET recommendations/<variant or test>`: `named` is the site that the address names.
pub(crate) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
    named: Option<&str>,
    variant: &str,
) -> Result<Response, Error> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Error::Method("GET, HEAD"));
    }
    let (name, site) = form::site_of(request, config, named)?;
    let page = caller(request, config, name)?;
    let response = products(request, env, config, (name, site), variant).await;
    let response = response.unwrap_or_else(Error::into_response);
    Ok(match page {
        Some(page) => guard::allow(response, &page),
        None => response.with("vary", "origin"),
    })
}

/// The page that asks, where the browser says which one it is. One of another site gets nothing: what is
/// recommended to somebody is nobody else's to see.
pub(crate) fn caller<'a>(
    request: &Request,
    config: &'a Config,
    name: &str,
) -> Result<Option<Page<'a>>, Error> {
    if request.header("origin").is_some() {
        let page = guard::page(request, config)?;
        return if page.name == name { Ok(Some(page)) } else { Err(Error::Origin) };
    }
    // As a picture or a script of theirs would ask, without saying who it is.
    match request.header("sec-fetch-site") {
        Some(from) if from == "cross-site" => Err(Error::Origin),
        _ => Ok(None),
    }
}

async fn products(
    request: &Request,
    env: &Env,
    config: &Config,
    (name, site): (&str, &Site),
    variant: &str,
) -> Result<Response, Error> {
    let ask = read(request, variant)?;
    let answer = answer(request, env, config, name, &ask).await?;
    let text = answer.page_value(ask.all_fields).to_json();
    Ok(with_cache(text_json(200, text), &answer, site))
}

/// What the address of a request asks for.
pub(crate) fn read(request: &Request, variant: &str) -> Result<Ask, Error> {
    Ask::from_query(variant, query(request)).map_err(|problem| Error::Refused(400, problem))
}

/// Says for how long an answer may be kept, and by whom.
pub(crate) fn with_cache(mut response: Response, answer: &Answer, site: &Site) -> Response {
    // Who asks is told by a cookie too, so an answer of one's own has no address of its own.
    let kept = match (answer.personal, answer.source) {
        (false, Source::Platform) => {
            format!("private, max-age={}", site.recommendations.fresh.min(KEPT))
        }
        _ => "private, no-store".to_owned(),
    };
    response.replace("cache-control", kept);
    response
}

fn query(request: &Request) -> &str {
    request.url().split_once('?').map_or("", |(_, query)| query)
}

/// Who asks, and by what a test knows them again.
struct Visitor {
    person: Person,
    mark: Option<String>,
}

impl Visitor {
    fn of(request: &Request, env: &Env) -> Result<Self, Error> {
        let (mut proof, mut seed) = (None, None);
        let mut web_id = cookie(request);
        for (name, text) in pairs(query(request)) {
            match name.as_str() {
                "proof" => proof = Some(text).filter(|text| !text.is_empty()),
                "seed" => seed = Some(text).filter(|text| text.len() <= LONGEST_SEED),
                // An empty one is a visitor who does not want to be known, whatever cookies there are.
                "sc" if text.is_empty() => web_id = None,
                "sc" => {
                    let fix = "give the cookie sc as it is";
                    let wrong = || Error::Refused(400, Problem::new(Code::InvalidBody, "sc", fix));
                    web_id = Some(WebId::parse(&text).ok_or_else(wrong)?);
                }
                _ => {}
            }
        }
        let proof = proof.map(|proof| check_proof(env, &proof)).transpose()?;
        let mark = web_id.as_ref().map(|web_id| web_id.as_str().to_owned()).or(seed);
        Ok(Self { person: Person::of(proof.as_ref(), web_id), mark })
    }
}

/// The web id that the browser has.
fn cookie(request: &Request) -> Option<WebId> {
    let cookies = request.header("cookie")?;
    let value = cookies.split(';').find_map(|pair| pair.trim().strip_prefix("sc="))?;
    WebId::parse(value)
}

/// What is recommended to whoever makes this request.
pub(crate) async fn answer(
    request: &Request,
    env: &Env,
    config: &Config,
    site: &str,
    ask: &Ask,
) -> Result<Answer, Error> {
    let (name, site) = config.sites.get_key_value(site).ok_or(Error::NotFound)?;
    let settings = &site.recommendations;
    let visitor = Visitor::of(request, env)?;
    let chosen = settings.choose(&ask.variant, visitor.mark.as_deref());
    let Some((variant, block)) = chosen else {
        return Err(Error::UnknownVariant(ask.variant.clone()));
    };
    let asked = Asked { env, config, name, site, ask, variant, block };
    let (mut source, mut products) = asked.platform(request, &visitor.person).await?;
    asked.add_items(&mut products).await;
    asked.check_filters(&products).await?;
    let mut products = asked.choose(products);
    if products.is_empty() {
        (source, products) = asked.fall_back().await?;
    }
    let personal = Ask::is_personal(block.source);
    Ok(Answer { variant: variant.to_owned(), source, personal, products })
}

/// Forgets what was recommended to a browser.
pub(crate) async fn forget(
    env: &Env,
    config: &Config,
    site: &str,
    web_id: &WebId,
) -> Result<(), Error> {
    let has_blocks =
        config.sites.get(site).is_some_and(|site| !site.recommendations.blocks.is_empty());
    if !has_blocks {
        return Ok(());
    }
    let whose = whose(env, &Person::Browser(web_id.clone()))?;
    let object = config.outbox.recommendations_of(site, &whose);
    let body = serde_json::to_string(&Forget { whose }).map_err(worker::Error::from)?;
    tell(env, config, site, &object, "/forget", &body).await.map(|_| ())
}

/// A person's name among keys: a hash, of a contact one that only the deployment can make.
fn whose(env: &Env, person: &Person) -> Result<String, Error> {
    Ok(match (person, person.key()) {
        (_, None) => "-".to_owned(),
        (Person::Browser(_), Some(key)) => page::hash(key.as_bytes()),
        (_, Some(key)) => seal_proven(env, &key)?,
    })
}

async fn tell(
    env: &Env,
    config: &Config,
    site: &str,
    object: &str,
    path: &str,
    body: &str,
) -> Result<String, Error> {
    let jurisdiction = config.sites.get(site).and_then(|site| site.jurisdiction);
    let objects = routes::namespace(env, "RECOMMENDATIONS", jurisdiction)?;
    let answer = objects::ask(&objects, object, Method::Post, path, Some(body)).await?;
    objects::text(answer, "there are no recommendations right now")
}

/// A question, with the block that it is about.
struct Asked<'a> {
    env: &'a Env,
    config: &'a Config,
    name: &'a str,
    site: &'a Site,
    ask: &'a Ask,
    variant: &'a str,
    block: &'a Block,
}

impl Asked<'_> {
    /// What the platform recommends, now or earlier; nothing if it has nothing in time.
    async fn platform(
        &self,
        request: &Request,
        person: &Person,
    ) -> Result<(Source, Vec<Product>), Error> {
        let nothing = (Source::Nothing, Vec::new());
        let source = self.block.source;
        let Some(key) = self.ask.key(self.variant, source, person) else { return Ok(nothing) };
        // What is everybody's is nobody's in particular.
        let person = if Ask::is_personal(source) { person } else { &Person::Nobody };
        let whose = whose(self.env, person)?;
        let hash = assets::hex(Sha256::digest(key.as_bytes()).get(..16).unwrap_or_default());
        // Everything of a person is with one object, which their token needs; what is everybody's is
        // spread by what it is.
        let shard = if source == Origin::Mobile { &hash } else { &whose };
        let object = self.config.outbox.recommendations_of(self.name, shard);
        let question = Question {
            site: self.name.to_owned(),
            variant: self.variant.to_owned(),
            key: [whose.as_str(), "/", &hash].concat(),
            person: person.name().map(|(name, own)| (name.to_owned(), own.to_owned())),
            ask: self.ask.to_value().to_json(),
            callers: callers(request),
        };
        let body = serde_json::to_string(&question).map_err(worker::Error::from)?;
        let budget = u64::from(self.site.recommendations.budget) + GRACE;
        let told = tell(self.env, self.config, self.name, &object, "/ask", &body);
        let text = match within(budget, told).await {
            Some(Ok(text)) => text,
            Some(Err(error)) => {
                // The page gets something all the same.
                worker::console_error!("recommendations: {error:?}");
                return Ok(nothing);
            }
            None => return Ok(nothing),
        };
        let told = json::parse(&text).unwrap_or_default();
        let source = told.member("source").and_then(Value::as_text).and_then(Source::named);
        let products = told.member("products").and_then(Value::as_list).unwrap_or_default();
        let products = products.iter().filter_map(Product::from_value).collect();
        Ok((source.unwrap_or(Source::Nothing), products))
    }

    /// Adds what the catalogue knows of products.
    async fn add_items(&self, products: &mut [Product]) {
        let ids: Vec<&str> = products.iter().map(|product| product.id.as_str()).collect();
        let items = self.lookup(&ids).await;
        for (product, item) in products.iter_mut().zip(&items) {
            product.add_item(item);
        }
    }

    /// Refuses filters on attributes that neither the products nor the catalogue have.
    async fn check_filters(&self, products: &[Product]) -> Result<(), Error> {
        let Some(unknown) = unknown(self.ask, products) else { return Ok(()) };
        for value in unknown.values.iter().take(5) {
            let found = self.find(Some((unknown.name, value)), 1, false).await;
            // Where it cannot be found out, the attribute may be there.
            if found.is_none_or(|found| !found.is_empty()) && self.has_catalogue() {
                return Ok(());
            }
        }
        Err(Error::Refused(400, unknown.problem()))
    }

    fn choose(&self, products: Vec<Product>) -> Vec<Product> {
        let size = usize::try_from(self.block.size).unwrap_or(usize::MAX);
        choose(self.ask, products, self.site.recommendations.out_of_stock, size)
    }

    /// What is shown when the platform has nothing: nothing of it is the platform's.
    async fn fall_back(&self) -> Result<(Source, Vec<Product>), Error> {
        let source = match self.block.fallback {
            Fallback::Bestsellers => Source::Bestsellers,
            Fallback::Feed => Source::Feed,
            _ => return Ok((Source::Nothing, Vec::new())),
        };
        if !self.has_catalogue() {
            return Ok((Source::Nothing, Vec::new()));
        }
        let in_stock = self.site.recommendations.out_of_stock == OutOfStock::Hide;
        let field = self.ask.category_field.as_deref().unwrap_or("category");
        let category = match (&self.ask.category, self.ask.products.first()) {
            (Some(category), _) => Some(category.clone()),
            (None, Some(product)) => {
                let items = self.lookup(&[product]).await;
                items.first().and_then(Product::of_item).and_then(|product| product.category())
            }
            (None, None) => None,
        };
        let wanted = category.as_deref().map(|category| (field, category));
        let mut items = match wanted {
            Some(wanted) => self.find(Some(wanted), MOST_FOUND, in_stock).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let mut chosen = self.of_items(&items).await?;
        // A block with gaps looks broken; but who asked for a value of a field wants nothing else.
        if chosen.len() < self.block.size as usize && self.ask.category_field.is_none() {
            items.extend(self.find(None, MOST_FOUND, in_stock).await.unwrap_or_default());
            chosen = self.of_items(&items).await?;
        }
        let source = if chosen.is_empty() { Source::Nothing } else { source };
        Ok((source, chosen))
    }

    async fn of_items(&self, items: &[Value]) -> Result<Vec<Product>, Error> {
        let mut products: Vec<Product> = Vec::new();
        for product in items.iter().filter_map(Product::of_item) {
            let is_new = !products.iter().any(|known| known.id == product.id);
            if is_new && !self.ask.products.contains(&product.id) {
                products.push(product);
            }
        }
        self.check_filters(&products).await?;
        Ok(self.choose(products))
    }

    fn has_catalogue(&self) -> bool {
        self.env.durable_object("CATALOGUE").is_ok()
    }

    /// What the catalogue knows of these products, in their order; nothing where it does not know them.
    async fn lookup(&self, ids: &[&str]) -> Vec<Value> {
        if ids.is_empty() {
            return Vec::new();
        }
        let ids = Value::List(ids.iter().map(|id| Value::text(*id)).collect());
        let question = Value::Object(vec![("ids".into(), ids)]);
        self.catalogue("/lookup", &question).await.unwrap_or_default()
    }

    /// Products of the catalogue that have a value, or any; nothing if they cannot be looked for.
    async fn find(
        &self,
        wanted: Option<(&str, &str)>,
        limit: usize,
        in_stock: bool,
    ) -> Option<Vec<Value>> {
        let order = if self.block.fallback == Fallback::Feed { "feed" } else { "bestsellers" };
        let mut question = Vec::new();
        if let Some((field, value)) = wanted {
            question.push(("field".into(), Value::text(field)));
            question.push(("value".into(), Value::text(value)));
        }
        question.push(("order".into(), Value::text(order)));
        question.push(("limit".into(), Value::whole(limit as u64)));
        question.push(("in_stock".into(), Value::Bool(in_stock)));
        self.catalogue("/find", &Value::Object(question)).await
    }

    /// Asks the site's catalogue, if there is one.
    async fn catalogue(&self, path: &str, question: &Value) -> Option<Vec<Value>> {
        let objects = routes::namespace(self.env, "CATALOGUE", self.site.jurisdiction).ok()?;
        let body = question.to_json();
        let told = objects::ask(&objects, self.name, Method::Post, path, Some(&body));
        let told = within(CATALOGUE_PATIENCE, told).await?;
        let told = told.and_then(|told| objects::text(told, "the catalogue does not answer"));
        let text = match told {
            Ok(text) => text,
            Err(error) => {
                worker::console_error!("catalogue: {error:?}");
                return None;
            }
        };
        let value = json::parse(&text).ok()?;
        value.member("items").and_then(Value::as_list).map(<[Value]>::to_vec)
    }
}

/// The address that calls are counted by; where nobody names it, there is none.
fn callers(request: &Request) -> Vec<Count> {
    let address = page::address(request);
    if address.is_empty() {
        return Vec::new();
    }
    let counted = counted(&address).into_iter().take(1);
    let count = |(part, _): (&[u8], u32)| Count {
        name: page::hash(part),
        most: MOST_CALLS,
        window: 60_000,
    };
    counted.map(count).collect()
}
