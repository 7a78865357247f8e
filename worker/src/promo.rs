//! Promo codes of the platform, as the rest of the Worker asks for them. One object gives out all of a
//! deployment: two would be shown the same codes.

use esputnik_kit::{config::Config, promo::Wish};
use worker::{Env, Method};

use crate::{answer::Error, bulk, objects, routes, token};

/// The object's name.
const NAME: &str = "promo";

/// Whether any form gives codes out.
pub(crate) fn is_used(config: &Config) -> bool {
    config.forms.values().any(|form| form.promo_code.is_some())
}

/// Hands over that contacts are to get codes; once it is done, they will. A second time changes nothing.
pub(crate) async fn hand_over(env: &Env, config: &Config, wishes: &[Wish]) -> Result<(), Error> {
    if wishes.is_empty() {
        return Ok(());
    }
    let body = serde_json::to_string(wishes).map_err(worker::Error::from)?;
    ask(env, config, Method::Post, "/wishes", Some(body)).await.map(|_| ())
}

/// The name of a contact among those who have codes of a type. Not the form goes in: one code of a type
/// is enough, whatever forms have it.
pub(crate) fn sealed(env: &Env, kind: &str, contact: &str) -> Result<String, Error> {
    token::seal(env, &["promo", kind, contact].join("\n"))
}

/// Forgets the persons of these names, each with its type of codes; how many claims were theirs.
pub(crate) async fn erase(
    env: &Env,
    config: &Config,
    names: &[(String, String)],
) -> Result<u64, Error> {
    let body = serde_json::to_string(names).map_err(worker::Error::from)?;
    let answer = ask(env, config, Method::Post, "/erase", Some(body)).await?;
    Ok(objects::told(&answer, "erased"))
}

/// Asks the object.
pub(crate) async fn ask(
    env: &Env,
    config: &Config,
    method: Method,
    path: &str,
    body: Option<String>,
) -> Result<String, Error> {
    let objects = routes::namespace(env, "PROMO", bulk::jurisdiction(config))?;
    let answer = objects::ask(&objects, NAME, method, path, body.as_deref()).await?;
    objects::text(answer, "promo codes cannot be looked after right now")
}
