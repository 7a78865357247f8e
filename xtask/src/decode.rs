//! `cargo xtask decode METHOD ADDRESS [STATUS]`: an answer of the platform's REST API, read from
//! standard input as the Worker reads it, and printed in the form that a shop's server gets.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use esputnik_kit::api::{
    Reply,
    relay::{self, Response},
};

use crate::progress;

/// Reads one answer.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let (method, address, status) = match arguments {
        [method, address] => (method, address, "200"),
        [method, address, status] => (method, address, status.as_str()),
        _ => bail!("usage: cargo xtask decode METHOD ADDRESS [STATUS] < answer"),
    };
    let status = status.parse().context("the status is a number")?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the answer is no UTF-8")?;
    progress::result(decode(method, address, status, text).body.to_json());
    Ok(())
}

fn decode(method: &str, address: &str, status: u16, text: String) -> Response {
    match relay::find(&method.to_uppercase(), address) {
        Ok((entry, _)) => {
            let reply = Reply { status, text, ..Reply::default() };
            relay::respond(entry.decode(&reply, 0), Vec::new())
        }
        Err(response) => response,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn an_answer_comes_out_as_a_shops_server_gets_it() {
        let decoded = decode("post", "/v1/contact", 200, r#"{"id": "42"}"#.to_owned());
        assert_eq!(decoded.body.to_json(), r#"{"data":{"id":42}}"#);
        let decoded = decode("GET", "/v1/nothing", 200, String::new());
        assert!(decoded.body.to_json().contains("unknown_operation"));
    }
}
