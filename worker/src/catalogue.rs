//! A site's catalogue, as the rest of the Worker asks for it: typed questions to its object.
//!
//! A site without a feed has none: nothing is found there, and nothing is told to it.

use esputnik_kit::{
    catalogue::{Item, query::Query},
    event::{Event, Kind},
    json,
    problem::{Code, Problem},
    value::{Members, Value},
};
use serde::{Deserialize, Serialize};
use worker::{Env, Method};

use crate::{answer::Error, objects, routes, settings::load_config};

/// A question for products by their ids.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ids {
    pub(crate) ids: Vec<String>,
}

/// What was bought.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sold {
    pub(crate) at: u64,
    /// Ids and quantities.
    pub(crate) products: Vec<(String, u64)>,
}

/// The products with these ids, in their order; at most a hundred are looked for.
pub(crate) async fn lookup(
    env: &Env,
    site: &str,
    ids: &[String],
) -> Result<Vec<Option<Item>>, Error> {
    if feedless(env, site)? || ids.is_empty() {
        return Ok(vec![None; ids.len()]);
    }
    let body = text(&Ids { ids: ids.to_vec() })?;
    let answer = ask(env, site, "/lookup", Some(&body)).await?;
    let mut found = items(&answer)?;
    found.resize(ids.len(), None);
    // Two ids can have one key.
    let own = |(item, id): (Option<Item>, &String)| item.filter(|item| item.id == *id);
    Ok(found.into_iter().zip(ids).map(own).collect())
}

/// The products that a query finds; `None` if the settings do not name the attribute, and there are too
/// many products to look at each.
pub(crate) async fn find(env: &Env, site: &str, query: &Query) -> Result<Option<Vec<Item>>, Error> {
    if feedless(env, site)? {
        return Ok(Some(Vec::new()));
    }
    let answer = ask(env, site, "/find", Some(&text(query)?)).await?;
    if answer == "{}" {
        return Ok(None);
    }
    Ok(Some(items(&answer)?.into_iter().flatten().collect()))
}

/// Why products of a catalogue cannot be looked for by an attribute, which `field` names.
pub(crate) fn unlisted(field: &str) -> Problem {
    let fix = "name it in the feed's `fields`; there are too many products to look at each";
    Problem::new(Code::UnknownValue, field, fix)
}

/// Tells what the shop's server said of products at a time, in the members of ProductUpdate. To say it
/// again changes nothing, even where something newer was said since.
pub(crate) async fn update(
    env: &Env,
    site: &str,
    at: u64,
    products: Vec<Members>,
) -> Result<(), Error> {
    if feedless(env, site)? {
        return Ok(());
    }
    let products = products.into_iter().map(Value::Object).collect();
    let members =
        vec![("at".to_owned(), Value::whole(at)), ("products".to_owned(), Value::List(products))];
    let body = Value::Object(members).to_json();
    ask(env, site, "/update", Some(&body)).await.map(|_| ())
}

/// Tells what was bought.
pub(crate) async fn sold(env: &Env, site: &str, sold: &Sold) -> Result<(), Error> {
    if feedless(env, site)? {
        return Ok(());
    }
    ask(env, site, "/sold", Some(&text(sold)?)).await.map(|_| ())
}

/// Begins an import, if one is due.
pub(crate) async fn wake(env: &Env, site: &str) -> Result<(), Error> {
    if feedless(env, site)? {
        return Ok(());
    }
    ask(env, site, "/wake", None).await.map(|_| ())
}

/// Begins an import whether one is due or not; the state before it, as JSON.
pub(crate) async fn import(env: &Env, site: &str) -> Result<String, Error> {
    if feedless(env, site)? {
        return Err(Error::NotFound);
    }
    ask(env, site, "/import", None).await
}

/// What is known of imports; `None` without a feed.
pub(crate) async fn state(env: &Env, site: &str) -> Result<Option<Value>, Error> {
    if feedless(env, site)? {
        return Ok(None);
    }
    let answer = ask(env, site, "/state", None).await?;
    Ok(json::parse(&answer).ok())
}

/// The products of a ProductUpdate that was accepted, with the names that the platform takes.
pub(crate) fn updates(body: &Value) -> Option<Vec<Members>> {
    let reading = Event::from_rest(body).ok()?;
    let is_update = reading.event.kind == Kind::ProductUpdate;
    reading.event.products.filter(|_| is_update)
}

/// What a purchase that goes to the platform says was bought.
pub(crate) fn bought(body: &Value) -> Vec<(String, u64)> {
    let products = body.member("PurchasedItems").and_then(|data| data.member("Products"));
    let line = |line: &Value| {
        let id = line.member("product_id")?.as_text()?.to_owned();
        Some((id, line.member("quantity").and_then(Value::as_whole).unwrap_or(1)))
    };
    products.and_then(Value::as_list).unwrap_or_default().iter().filter_map(line).collect()
}

fn feedless(env: &Env, site: &str) -> Result<bool, Error> {
    Ok(load_config(env)?.sites.get(site).is_none_or(|site| site.feed.is_none()))
}

fn text(body: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string(body).map_err(worker::Error::from)?)
}

fn items(answer: &str) -> Result<Vec<Option<Item>>, Error> {
    let answer =
        json::parse(answer).map_err(|_| worker::Error::from("no answer of a catalogue"))?;
    let Value::Object(mut members) = answer else { return Ok(Vec::new()) };
    let at = members.iter().position(|(name, _)| name == "items");
    let Some(Value::List(items)) = at.map(|at| members.swap_remove(at).1) else {
        return Ok(Vec::new());
    };
    Ok(items.into_iter().map(Item::from_value).collect())
}

async fn ask(env: &Env, site: &str, path: &str, body: Option<&str>) -> Result<String, Error> {
    let objects = routes::objects_of(env, "CATALOGUE", site)?;
    let answer = objects::ask(&objects, site, Method::Post, path, body).await?;
    objects::text(answer, "the catalogue does not answer right now")
}

/// When an update was said, and its products, as the object gets them.
pub(crate) fn said(text: &str) -> Result<(u64, Vec<Value>), Problem> {
    let told = json::parse(text)?;
    let at = told.member("at").and_then(Value::as_whole).unwrap_or(0);
    let products = told.member("products").and_then(Value::as_list).unwrap_or_default();
    Ok((at, products.to_vec()))
}
