//! What is recommended to a page: the platform's products with what the shop's catalogue knows of them,
//! or, where the platform has none in time, what sells best in the shop.

use esputnik_kit::{
    caller::counted,
    catalogue::{
        Item,
        query::{Order, Query},
    },
    config::{
        Config, Scope, Site,
        recommendations::{Block, Fallback, OutOfStock, Source as Origin},
    },
    identity::WebId,
    json,
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
    assets, catalogue, form,
    guard::{self, Page},
    host::{Request, Response},
    objects::{self, now},
    page,
    recommendations_object::{Forget, Question, within},
    routes,
    token::{check_proof, seal_proven},
    uses_object::Count,
};

/// As many calls of the platform are made for one address in a minute: for a few persons who click fast.
const MOST_CALLS: u32 = 300;

/// The same for a network: an office, or the customers of a provider.
const MOST_OF_NETWORK: u32 = 1500;

/// How much longer than the budget the object is waited for, in milliseconds: it keeps the budget itself.
const GRACE: u64 = 250;

/// How much longer than the budget everything may take, in milliseconds: the catalogue is asked in what is
/// left. Without it products lack what the platform does not say.
const RESERVE: u64 = 1000;

/// Longest time that a page keeps an answer that is the same for everybody, in seconds.
const KEPT: u32 = 60;

/// Most products that the catalogue is asked for at a time.
const MOST_FOUND: usize = 100;

/// Most values of a filter by which the catalogue is asked.
const MOST_VALUES: usize = 5;

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
    // The platform's data source says how many; `size` is a block's.
    let answer = recommended(request, env, config, name, &ask, Some(MOST_FOUND)).await?;
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

/// What stands behind the question mark.
pub(crate) fn query(request: &Request) -> &str {
    request.url().split_once('?').map_or("", |(_, query)| query)
}

/// Who asks, and by what a test knows them again.
struct Visitor {
    person: Person,
    mark: Option<String>,
}

impl Visitor {
    fn of(request: &Request, env: &Env, site: &Site) -> Result<Self, Error> {
        let (mut proof, mut seed) = (None, None);
        let mut web_id = cookie(request, "sc").and_then(|value| WebId::parse(&value));
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
        if is_denied(request, site) {
            (proof, web_id) = (None, None);
        }
        let proof = proof.map(|proof| check_proof(env, &proof)).transpose()?;
        let mark = web_id.as_ref().map(|web_id| web_id.as_str().to_owned()).or(seed);
        Ok(Self { person: Person::of(proof.as_ref(), web_id), mark })
    }
}

/// Whether the browser says that nothing is to be chosen for this person: by a signal that the site
/// heeds, or by the mark that the page's script leaves where its visitor has not agreed.
fn is_denied(request: &Request, site: &Site) -> bool {
    let is_set = |name: &str| request.header(name).is_some_and(|value| value.trim() == "1");
    site.gpc && is_set("sec-gpc")
        || site.dnt && is_set("dnt")
        || cookie(request, "es-deny").is_some()
}

/// A cookie that the browser has.
fn cookie(request: &Request, name: &str) -> Option<String> {
    let cookies = request.header("cookie")?;
    let value = |pair: &str| pair.trim().strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
    cookies.split(';').find_map(value)
}

/// What is recommended to whoever makes this request, as many as the block shows.
pub(crate) async fn answer(
    request: &Request,
    env: &Env,
    config: &Config,
    site: &str,
    ask: &Ask,
) -> Result<Answer, Error> {
    recommended(request, env, config, site, ask, None).await
}

/// The same, at most `most` of the platform's products. What is shown in their place is chosen here, so
/// that is as many as the block shows.
async fn recommended(
    request: &Request,
    env: &Env,
    config: &Config,
    site: &str,
    ask: &Ask,
    most: Option<usize>,
) -> Result<Answer, Error> {
    let (name, site) = config.sites.get_key_value(site).ok_or(Error::NotFound)?;
    let settings = &site.recommendations;
    let visitor = Visitor::of(request, env, site)?;
    let chosen = settings.choose(&ask.variant, visitor.mark.as_deref());
    let Some((variant, block)) = chosen else {
        return Err(Error::UnknownVariant(ask.variant.clone()));
    };
    let until = now() + u64::from(settings.budget) + RESERVE;
    let asked = Asked { env, config, name, site, ask, variant, block, until };
    let (mut source, mut products) = asked.platform(request, &visitor.person).await?;
    asked.add_items(&mut products).await;
    asked.check_filters(&products).await?;
    let mut products = asked.choose(products, most.unwrap_or_else(|| asked.size()));
    if products.is_empty() {
        (source, products) = asked.fall_back().await?;
    }
    // Which variant of a test it is depends on who asks.
    let personal = Ask::is_personal(block.source) || ask.variant != variant;
    Ok(Answer { variant: variant.to_owned(), source, personal, products })
}

/// Forgets what was recommended to a browser.
pub(crate) async fn forget(
    env: &Env,
    config: &Config,
    site: &str,
    web_id: &WebId,
) -> Result<(), Error> {
    forget_person(env, config, site, &Person::Browser(web_id.clone())).await
}

/// Forgets what was recommended to somebody, and their token.
pub(crate) async fn forget_person(
    env: &Env,
    config: &Config,
    site: &str,
    person: &Person,
) -> Result<(), Error> {
    let has_blocks =
        config.sites.get(site).is_some_and(|site| !site.recommendations.blocks.is_empty());
    if !has_blocks {
        return Ok(());
    }
    // Without the key of proofs nobody has been named by one.
    let whose = match whose(env, person) {
        Err(Error::NoSecret(_)) => return Ok(()),
        whose => whose?,
    };
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
    /// Until when everything that it takes is waited for.
    until: u64,
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
            callers: callers(request, self.env, self.config),
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
        let ids: Vec<String> = products.iter().map(|product| product.id.clone()).collect();
        let items = self.lookup(&ids).await;
        for (product, item) in products.iter_mut().zip(&items) {
            if let Some(item) = item {
                product.add_item(item);
            }
        }
    }

    /// Refuses filters for attributes that neither the products nor any other of the catalogue have.
    async fn check_filters(&self, products: &[Product]) -> Result<(), Error> {
        let Some(unknown) = unknown(self.ask, products) else { return Ok(()) };
        if self.has_catalogue() {
            let field = Some(unknown.name.to_owned());
            let query = Query { field, any: true, limit: 1, ..Query::default() };
            // Where it cannot be found out, the attribute may be there.
            if !matches!(self.ask_catalogue(&query).await, Some(Some(found)) if found.is_empty()) {
                return Ok(());
            }
        }
        Err(Error::Refused(400, unknown.problem()))
    }

    fn size(&self) -> usize {
        usize::try_from(self.block.size).unwrap_or(usize::MAX)
    }

    fn choose(&self, products: Vec<Product>, most: usize) -> Vec<Product> {
        choose(self.ask, products, self.site.recommendations.out_of_stock, most)
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
                let mut items = self.lookup(std::slice::from_ref(product)).await;
                items.pop().flatten().and_then(|item| Product::of_item(&item).category())
            }
            (None, None) => None,
        };
        let wanted = category.as_deref().map(|category| (field, category));
        let mut items = match wanted {
            Some(wanted) => match self.find(Some(wanted), in_stock).await {
                Some(None) if self.ask.category_field.is_some() => {
                    return Err(Error::Refused(400, catalogue::unlisted("categoryField")));
                }
                found => found.flatten().unwrap_or_default(),
            },
            None => Vec::new(),
        };
        let mut chosen = self.of_items(&items).await?;
        // A block with gaps looks broken; but who asked for a value of a field wants nothing else.
        if chosen.len() < self.size() && self.ask.category_field.is_none() {
            items.extend(self.find_more(in_stock).await);
            chosen = self.of_items(&items).await?;
        }
        let source = if chosen.is_empty() { Source::Nothing } else { source };
        Ok((source, chosen))
    }

    /// Products of which most have what is asked for, or any where that has no list.
    async fn find_more(&self, in_stock: bool) -> Vec<Item> {
        let fields = self.site.feed.as_ref().map(|feed| feed.fields.as_slice()).unwrap_or_default();
        let mut included = self.ask.filters.include.iter();
        let listed = included.find_map(|filter| Some((filter.listed(fields)?, &filter.values)));
        let Some((field, values)) = listed else {
            return self.find(None, in_stock).await.flatten().unwrap_or_default();
        };
        let mut items = Vec::new();
        for value in values.iter().take(MOST_VALUES) {
            let found = self.find(Some((field, value)), in_stock).await;
            items.extend(found.flatten().unwrap_or_default());
        }
        items
    }

    async fn of_items(&self, items: &[Item]) -> Result<Vec<Product>, Error> {
        let mut products: Vec<Product> = Vec::new();
        for item in items {
            let is_new = !products.iter().any(|known| known.id == item.id);
            if is_new && !self.ask.products.contains(&item.id) {
                products.push(Product::of_item(item));
            }
        }
        self.check_filters(&products).await?;
        Ok(self.choose(products, self.size()))
    }

    fn has_catalogue(&self) -> bool {
        self.site.feed.is_some()
    }

    /// What the catalogue knows of these products, in their order.
    async fn lookup(&self, ids: &[String]) -> Vec<Option<Item>> {
        if ids.is_empty() || !self.has_catalogue() {
            return Vec::new();
        }
        self.told(catalogue::lookup(self.env, self.name, ids)).await.unwrap_or_default()
    }

    /// Products of the catalogue that have a value, or any.
    async fn find(
        &self,
        wanted: Option<(&str, &str)>,
        in_stock: bool,
    ) -> Option<Option<Vec<Item>>> {
        let (field, value) = wanted.unzip();
        let feed = self.block.fallback == Fallback::Feed;
        let query = Query {
            field: field.map(str::to_owned),
            value: value.unwrap_or_default().to_owned(),
            any: false,
            order: if feed { Order::Feed } else { Order::Bestsellers },
            limit: MOST_FOUND,
            in_stock,
        };
        self.ask_catalogue(&query).await
    }

    /// What a query finds; nothing in what was told if there is no list for it, and nothing at all if
    /// nothing was told in time.
    async fn ask_catalogue(&self, query: &Query) -> Option<Option<Vec<Item>>> {
        self.told(catalogue::find(self.env, self.name, query)).await
    }

    /// What the catalogue says, if it does in time.
    async fn told<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Option<T> {
        let left = self.until.checked_sub(now()).filter(|left| *left > 0)?;
        let told = within(left, asked).await?;
        told.inspect_err(|error| worker::console_error!("catalogue: {error:?}")).ok()
    }
}

/// In this header a server of the shop that includes blocks says for whom.
const VISITOR: &str = "x-visitor-address";

/// The visitor's address and network, by which calls are counted; nothing where nobody names them.
fn callers(request: &Request, env: &Env, config: &Config) -> Vec<Count> {
    // Without a token anybody could say so.
    let named = request.header(VISITOR).and_then(|text| page::read_address(&text));
    let named = named.filter(|_| guard::server(request, env, config, Scope::Tracker).is_ok());
    let address = named.unwrap_or_else(|| page::address(request));
    if address.is_empty() {
        return Vec::new();
    }
    let count = |(part, most): (&[u8], u32)| Count { name: page::hash(part), most, window: 60_000 };
    counted(&address, MOST_CALLS, MOST_OF_NETWORK).into_iter().map(count).collect()
}
