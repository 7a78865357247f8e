//! Pages of the shop, where the Worker stands in front of its server.
//!
//! Here is only decided that a request is one for them; what is done then is done to streams of the host, in
//! `front.js`.

use std::fmt::Write as _;

use esputnik_kit::{
    config::Config,
    value::{Members, Value},
};

use crate::{
    answer::Error,
    block,
    host::{Request, Response},
};

/// Under which name the answer says what is to be done; `entry.js` does it, and sends no such answer to
/// anybody.
const HEADER: &str = "kit-front";

/// What to do with a request that is none for the kit itself.
pub(crate) fn serve(request: &Request, config: &Config) -> Result<Response, Error> {
    let host = request.header("host").unwrap_or_default();
    let (name, site) = config.site_of_host(&host).ok_or(Error::NotFound)?;
    let origin = site.front.as_deref().ok_or(Error::NotFound)?;
    let members: Members = vec![
        ("origin".into(), Value::text(origin.trim_end_matches('/'))),
        ("base".into(), Value::Text([&*config.path, "/", name, "/"].concat())),
        ("blocks".into(), block::placed(&site.recommendations)),
    ];
    // Header values are bytes of Latin script: what is not is escaped.
    let text = ascii(&Value::Object(members).to_json());
    Ok(Response::new(204, Vec::new()).with(HEADER, text))
}

fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for sign in json.chars() {
        if sign.is_ascii() {
            out.push(sign);
        } else {
            let mut units = [0; 2];
            for unit in sign.encode_utf16(&mut units) {
                // Writing to a text cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}
