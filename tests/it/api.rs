//! The REST API: every operation against the platform's contract, both ways.

mod answers;
mod contract;
mod limits;
mod samples;

use esputnik_kit::{
    api::{
        Reply,
        table::{self, Entry, Prepared},
    },
    json,
    problem::{Code, Problem},
    value::Value,
};

/// The operation of a line such as `POST /v1/contact`, and its call with `body`.
fn prepare(call: &str, body: &str) -> Result<Prepared, Vec<Problem>> {
    let (method, target) = call.split_once(' ').unwrap();
    let (entry, mut input) = table::find(method, target).unwrap();
    input.body = (!body.is_empty()).then(|| json::parse(body).unwrap());
    entry.prepare(&input, false)
}

/// Codes and fields of what is wrong.
fn wrong(call: &str, body: &str) -> Vec<(Code, String)> {
    let errors = prepare(call, body).unwrap_err();
    errors.into_iter().map(|problem| (problem.code, problem.field)).collect()
}

/// Codes and fields of what is odd, and the body that is sent.
fn odd(call: &str, body: &str) -> (Vec<(Code, String)>, Value) {
    let Prepared { requests, warnings, .. } = prepare(call, body).unwrap();
    let sent = requests[0].body.as_ref().map_or(Value::Null, |body| json::parse(body).unwrap());
    (warnings.into_iter().map(|problem| (problem.code, problem.field)).collect(), sent)
}

fn reply(status: u16, text: &str) -> Reply {
    Reply { status, text: text.to_owned(), ..Reply::default() }
}

fn named(id: &str) -> &'static Entry {
    table::named(id).unwrap()
}
