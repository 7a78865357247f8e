//! What the shop's servers say of products, and what the catalogue knows of them.

use esputnik_kit::{
    catalogue::{
        Item, Price,
        query::{MAX_FOUND, Order, Query},
    },
    config::{Config, Scope},
    json,
    problem::{Code, Problem},
    value::{Members, Value},
};
use serde_json::value::RawValue;
use worker::{Env, Method};

use crate::{
    answer::{self, Error, text_json},
    catalogue, guard,
    host::{Request, Response},
    routes,
};

/// Most ids of one question.
const MAX_IDS: usize = 100;

/// Takes what has changed of products, or says what is known of some.
pub(crate) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
    named: Option<&str>,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Tracker)?;
    let site = site(request, config, named)?;
    match request.method() {
        Method::Post => post(request, env, config, site).await,
        Method::Get | Method::Head => look(request, env, site).await,
        _ => Err(Error::Method("GET, HEAD, POST")),
    }
}

/// Reads the product feed now.
pub(crate) async fn import(
    request: &Request,
    env: &Env,
    config: &Config,
    named: Option<&str>,
) -> Result<Response, Error> {
    guard::server(request, env, config, Scope::Tracker)?;
    Ok(text_json(202, catalogue::import(env, site(request, config, named)?).await?))
}

/// The site that a server's call is about: the one that the address names, else the host's, else the
/// only one.
fn site<'a>(
    request: &Request,
    config: &'a Config,
    named: Option<&'a str>,
) -> Result<&'a str, Error> {
    let host = request.header("host").unwrap_or_default();
    let only = (config.sites.len() == 1).then(|| config.sites.keys().next()).flatten();
    let found = named
        .or_else(|| config.site_of_host(&host).map(|(name, _)| name))
        .or_else(|| only.map(String::as_str));
    let fix = "put the site's name before it: /k/main/products";
    found.ok_or_else(|| Error::Body(Problem::new(Code::UnknownSite, "", fix)))
}

async fn post(
    request: &Request,
    env: &Env,
    config: &Config,
    site: &str,
) -> Result<Response, Error> {
    let given = json::parse(&guard::body(request).await?).map_err(Error::Body)?;
    let products = given.member("products").cloned().unwrap_or(given);
    let site_id = config.sites.get(site).map(|site| site.site_id.as_str()).unwrap_or_default();
    let event = |name: &str, value: Value| (name.to_owned(), value);
    let general = vec![
        event("eventName", Value::text("ProductUpdate")),
        event("siteId", Value::text(site_id)),
    ];
    let body = Value::Object(vec![
        event("GeneralInfo", Value::Object(general)),
        event("ProductUpdate", products),
    ]);
    let raw = RawValue::from_string(body.to_json()).map_err(worker::Error::from)?;
    routes::take_rest(request, env, config, site, "-", &body, raw).await
}

async fn look(request: &Request, env: &Env, site: &str) -> Result<Response, Error> {
    let asked = |name: &str| routes::asked(request, name);
    let found = if let Some(ids) = asked("ids") {
        let ids: Vec<String> =
            ids.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        if ids.is_empty() || ids.len() > MAX_IDS {
            let fix = "ask for 1 to 100 ids, with commas between";
            return Err(Error::Body(Problem::new(Code::InvalidBody, "ids", fix)));
        }
        catalogue::lookup(env, site, &ids).await?
    } else {
        let query = Query {
            field: asked("field"),
            value: asked("value").unwrap_or_default(),
            any: false,
            order: match asked("order").as_deref() {
                Some("bestsellers") => Order::Bestsellers,
                _ => Order::Feed,
            },
            limit: asked("limit").and_then(|text| text.parse().ok()).unwrap_or(MAX_FOUND),
            in_stock: asked("in_stock").as_deref() == Some("1"),
        };
        let found = catalogue::find(env, site, &query).await?;
        let found = found.ok_or_else(|| Error::Body(catalogue::unlisted("field")))?;
        found.into_iter().map(Some).collect()
    };
    let products = found.iter().map(|item| item.as_ref().map_or(Value::Null, shown)).collect();
    let answer = Value::Object(vec![("products".to_owned(), Value::List(products))]);
    Ok(answer::json(200, &answer))
}

/// A product as it is told.
fn shown(item: &Item) -> Value {
    let (now, old) = item.prices();
    let price =
        |price: Option<&Price>| price.map_or(Value::Null, |price| Value::Text(price.to_text()));
    let members: Members = vec![
        ("product_id".into(), Value::text(&item.id)),
        ("isInStock".into(), Value::whole(item.in_stock.into())),
        ("price".into(), price(now)),
        ("old_price".into(), price(old)),
        ("categories".into(), Value::List(item.categories.iter().map(Value::text).collect())),
        ("fields".into(), item.to_value()),
    ];
    Value::Object(members)
}
