//! Calls that a shop's server makes through the Worker: read as the platform's own, and answered in
//! one clean form.
//!
//! A success is `{"data": …}`, with `total` where the platform tells it and `warnings` where something
//! was odd. A failure is `{"error": {"code": …, "message": …}}` with what is known beside: the field,
//! the platform's status, in how many milliseconds to try again, and whether the call may have been done.

use super::{
    Error, Kind, Request,
    table::{self, Clean, Entry, Missing},
};
use crate::{
    json,
    problem::{Code, Problem},
    value::{Members, Value, is_blank},
    wire::problem_members,
};

/// A call that can be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The operation.
    pub entry: &'static Entry,
    /// The requests: one, unless a list was to be split.
    pub requests: Vec<Request>,
    /// What was odd about it.
    pub warnings: Vec<Problem>,
}

/// An answer to a shop's server.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: u16,
    /// In how many milliseconds to try again.
    pub repeat_after: Option<u64>,
    /// The JSON.
    pub body: Value,
}

/// The operation at an address below `/api`.
///
/// # Errors
///
/// The answer that says why there is none.
pub fn find(method: &str, target: &str) -> Result<(&'static Entry, super::Input), Response> {
    table::find(method, target).map_err(|missing| match missing {
        Missing::Address => failure(404, "unknown_operation", "the platform has no such operation"),
        Missing::Method => {
            failure(405, "method_not_allowed", "the operation at this address has another method")
        }
        Missing::Encoding => {
            failure(400, "invalid_address", "encode the address as UTF-8 in percent")
        }
    })
}

/// Reads a call. With `split`, lists that are longer than one request may carry become several.
///
/// # Errors
///
/// The answer that says everything which the platform would not take.
pub fn read(
    (entry, mut input): (&'static Entry, super::Input),
    body: &str,
    split: bool,
) -> Result<Call, Response> {
    if !is_blank(body) {
        input.body = Some(json::parse(body).map_err(|problem| refused(vec![problem]))?);
    }
    let prepared = entry.prepare(&input, split).map_err(refused)?;
    Ok(Call { entry, requests: prepared.requests, warnings: prepared.warnings })
}

/// The answer to a call of one request.
#[must_use]
pub fn respond(answer: Result<Clean, Error>, mut warnings: Vec<Problem>) -> Response {
    match answer {
        Ok(clean) => {
            warnings.extend(clean.warnings);
            let total = clean.total_count.map(|total| ("total".to_owned(), Value::whole(total)));
            success(clean.value, total.into_iter().collect(), &warnings)
        }
        Err(error) if error.is_done() => {
            let done = vec![("already_done".to_owned(), Value::Bool(true))];
            success(Value::Null, done, &warnings)
        }
        Err(error) => failed(&error, Members::new(), &warnings),
    }
}

/// The answer to a call that was split: what each part was answered, up to the first that failed.
#[must_use]
pub fn respond_to_parts(
    answers: Vec<Result<Clean, Error>>,
    of: usize,
    mut warnings: Vec<Problem>,
) -> Response {
    let mut data = Vec::new();
    let mut failure = None;
    for answer in answers {
        match answer {
            Ok(clean) => {
                warnings.extend(clean.warnings);
                data.push(clean.value);
            }
            Err(error) if error.is_done() => data.push(Value::Null),
            Err(error) => failure = Some(error),
        }
    }
    let parts = |done: usize| {
        vec![
            ("parts_done".to_owned(), Value::whole(done as u64)),
            ("parts".to_owned(), Value::whole(of as u64)),
        ]
    };
    let done = parts(data.len());
    match failure {
        None => success(Value::List(data), done, &warnings),
        Some(error) => {
            let beside = [vec![("data".into(), Value::List(data))], done].concat();
            failed(&error, beside, &warnings)
        }
    }
}

fn success(data: Value, beside: Members, warnings: &[Problem]) -> Response {
    let mut members = vec![("data".to_owned(), data)];
    members.extend(beside);
    if !warnings.is_empty() {
        members.push(("warnings".into(), problems(warnings)));
    }
    Response { status: 200, repeat_after: None, body: Value::Object(members) }
}

fn problems(list: &[Problem]) -> Value {
    Value::List(list.iter().map(|problem| Value::Object(problem_members(problem))).collect())
}

/// What the platform would not take: the first of it as the error, and all of it beside.
#[must_use]
pub fn refused(mut problems: Vec<Problem>) -> Response {
    if problems.is_empty() {
        problems.push(Problem::new(Code::InvalidBody, "", "send what the operation asks for"));
    }
    let mut members = problems.first().map(problem_members).unwrap_or_default();
    if problems.len() > 1 {
        members.push(("problems".into(), self::problems(&problems)));
    }
    Response { status: 400, repeat_after: None, body: error_value(members, Members::new()) }
}

/// An error of the Worker itself.
#[must_use]
pub fn failure(status: u16, code: &str, message: &str) -> Response {
    let members = [("code", code), ("message", message)];
    let members = members.map(|(name, text)| (name.to_owned(), Value::text(text)));
    Response { status, repeat_after: None, body: error_value(members.into(), Members::new()) }
}

fn failed(error: &Error, mut beside: Members, warnings: &[Problem]) -> Response {
    if !warnings.is_empty() {
        beside.push(("warnings".into(), problems(warnings)));
    }
    let status = match error.kind {
        Kind::NotFound => 404,
        Kind::Refused | Kind::PeriodTooLong => 422,
        Kind::RateLimited => 429,
        Kind::Unreachable => 504,
        _ => 502,
    };
    let text = if error.text.is_empty() { message_of(error.kind) } else { &error.text };
    let mut members: Members = [("code", error.kind.as_str()), ("message", text)]
        .map(|(name, text)| (name.to_owned(), Value::text(text)))
        .into();
    if let Some(status) = error.status {
        members.push(("platform_status".into(), Value::whole(status.into())));
    }
    if let Some(wait) = error.repeat_after {
        members.push(("repeat_after_ms".into(), Value::whole(wait)));
    }
    if error.is_unknown() {
        members.push(("may_be_done".into(), Value::Bool(true)));
    }
    let body = error_value(members, beside);
    Response { status, repeat_after: error.repeat_after, body }
}

/// What is said where the platform says nothing.
fn message_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Unauthorized => {
            "the platform does not know the deployment's key: set KIT_API_KEY anew"
        }
        Kind::Forbidden => "the deployment's key has no right to this operation",
        Kind::NotFound => "the platform has no such thing",
        Kind::RateLimited => "the platform takes no more calls just now",
        Kind::PeriodTooLong => "ask for a shorter period",
        Kind::Redirected => "the platform's address in the settings points elsewhere",
        Kind::Unreachable => "the platform did not answer in time",
        Kind::Failed => "the platform is failing",
        Kind::Unreadable => "the platform's answer cannot be read",
        _ => "the platform did not do it",
    }
}

fn error_value(members: Members, mut beside: Members) -> Value {
    beside.push(("error".to_owned(), Value::Object(members)));
    Value::Object(beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Reply;

    fn answered(call: &str, status: u16, text: &str) -> (u16, String) {
        let (method, target) = call.split_once(' ').unwrap();
        let (entry, _) = find(method, target).unwrap();
        let reply = Reply { status, text: text.to_owned(), ..Reply::default() };
        let response = respond(entry.decode(&reply, 0), Vec::new());
        (response.status, response.body.to_json())
    }

    #[test]
    fn successes_and_failures_have_one_form_each() {
        let call = "GET /v1/contact/7";
        assert_eq!(answered(call, 200, r#"{"id": "7"}"#), (200, r#"{"data":{"id":7}}"#.into()));
        let (status, body) = answered(call, 404, "");
        assert_eq!(status, 404);
        assert_eq!(
            body,
            r#"{"error":{"code":"not_found","message":"the platform has no such thing","platform_status":404}}"#
        );
        let (status, body) = answered("POST /v1/contact", 409, "");
        assert_eq!((status, body.as_str()), (200, r#"{"data":null,"already_done":true}"#));
        let (status, body) = answered("POST /v1/message/email", 500, "oh");
        assert_eq!(status, 502);
        assert_eq!(
            body,
            r#"{"error":{"code":"failed","message":"oh","platform_status":500,"may_be_done":true}}"#
        );
    }

    #[test]
    fn everything_wrong_with_a_call_is_said_at_once() {
        let found = || find("POST", "/v1/orders").unwrap();
        let response = read(found(), r#"{"orders": [{}]}"#, false).unwrap_err();
        assert_eq!(response.status, 400);
        let problems = response.body.member("error").unwrap().member("problems").unwrap();
        assert_eq!(problems.as_list().unwrap().len(), 6);
        let response = read(found(), "{", false).unwrap_err();
        let code = response.body.member("error").unwrap().member("code").cloned();
        assert_eq!(code, Some(Value::text("invalid_body")));
    }

    #[test]
    fn what_is_no_operation_says_so() {
        assert_eq!(find("GET", "/v1/x").unwrap_err().status, 404);
        assert_eq!(find("POST", "/v1/contact/7").unwrap_err().status, 405);
        assert_eq!(find("GET", "/v1/contacts?a=%").unwrap_err().status, 400);
    }

    #[test]
    fn parts_before_the_first_failure_are_told() {
        let clean = |text: &str| {
            let reply = Reply { status: 200, text: text.to_owned(), ..Reply::default() };
            table::named("ordersBulkInsert").unwrap().decode(&reply, 0)
        };
        let error = Error::unreachable(super::super::Repeat::Acts);
        let answers = vec![clean("{}"), Err(error)];
        let response = respond_to_parts(answers, 3, Vec::new());
        assert_eq!(response.status, 504);
        let body = response.body.to_json();
        assert!(body.starts_with(r#"{"data":[{}],"parts_done":1,"parts":3,"error":{"#), "{body}");
    }
}
