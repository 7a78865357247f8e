//! The operations of the contract, read from its machine form.

use std::sync::{LazyLock, OnceLock};

use hyper::Method;
use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{Failure, patches, schema};

const DOCUMENT: &str = include_str!("../../../data/openapi.json");

/// The contract, read once.
pub(crate) static SPEC: LazyLock<Spec> = LazyLock::new(|| Spec::read(DOCUMENT));

/// The whole contract.
#[derive(Debug)]
pub(crate) struct Spec {
    operations: Vec<Operation>,
    pools: Vec<Pool>,
    /// `{"components": {"schemas": …}}`, which every schema refers into.
    components: Value,
}

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// With its parameters in braces.
    pub(crate) path: String,
    segments: Vec<Segment>,
    parameters: Map<String, Value>,
    parameter_schema: Value,
    body_schema: Option<Value>,
    /// Index of its pool.
    pub(crate) pool: usize,
    /// The right that a limited key needs; None where none is published.
    pub(crate) group: Option<String>,
    /// Its refusals are bare text, which the document then names first.
    pub(crate) answers_in_text: bool,
    parameter_check: OnceLock<Validator>,
    body_check: OnceLock<Validator>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// Requests that share a rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pool {
    /// `shared`, or the method and path of its only operation.
    pub(crate) name: String,
    /// Requests, and the milliseconds in which no more than these are taken.
    pub(crate) limits: Vec<(u32, u64)>,
}

/// What a method and a path lead to.
#[derive(Debug)]
pub(crate) enum Route {
    Operation(&'static Operation, Map<String, Value>),
    /// These methods would do.
    Method(Vec<&'static str>),
    Nothing,
}

impl Spec {
    fn read(document: &str) -> Self {
        let mut document: Value = serde_json::from_str(document).expect("the document is JSON");
        patches::apply(&mut document);
        let mut spec = Self {
            operations: Vec::new(),
            pools: Vec::new(),
            components: json!({ "components": document["components"].take() }),
        };
        let paths = document["paths"].as_object().expect("the document has paths");
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().expect("a path has methods") {
                let operation = spec.operation(method, path, operation, paths);
                spec.operations.push(operation);
            }
        }
        spec
    }

    fn operation(
        &mut self,
        method: &str,
        path: &str,
        operation: &Value,
        paths: &Map<String, Value>,
    ) -> Operation {
        let method = method.to_uppercase();
        let parameters = schema::parameters(operation);
        Operation {
            id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
            pool: self.pool(&method, path, operation["x-rate-limit"].as_str().unwrap_or_default()),
            method: method.parse().expect("methods of the document are methods"),
            path: path.to_owned(),
            segments: segments(path),
            parameter_schema: schema::of_parameters(&parameters),
            parameters,
            body_schema: operation
                .pointer("/requestBody/content/application~1json/schema")
                .cloned(),
            group: group(operation, path, paths),
            answers_in_text: operation["responses"]["400"]["content"]
                .as_object()
                .and_then(|content| content.keys().next())
                .is_some_and(|kind| kind == "text/plain"),
            parameter_check: OnceLock::new(),
            body_check: OnceLock::new(),
        }
    }

    fn pool(&mut self, method: &str, path: &str, text: &str) -> usize {
        let shared = text.contains("shared");
        let name = if shared { "shared".to_owned() } else { format!("{method} {path}") };
        if let Some(index) = self.pools.iter().position(|pool| pool.name == name) {
            return index;
        }
        self.pools.push(Pool { name, limits: limits(text) });
        self.pools.len() - 1
    }

    pub(crate) fn pools(&self) -> &[Pool] {
        &self.pools
    }

    /// Finds the operation. A literal segment wins over a parameter in its place.
    pub(crate) fn route(&'static self, method: &Method, path: &str) -> Route {
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').skip(1).collect();
        let fits = self.operations.iter().filter(|operation| operation.fits(&parts));
        let Some(best) = fits.clone().max_by_key(|operation| operation.literals()) else {
            return Route::Nothing;
        };
        let mut of_path = fits.filter(|operation| operation.path == best.path);
        match of_path.clone().find(|operation| operation.method == *method) {
            Some(operation) => Route::Operation(operation, operation.path_parameters(&parts)),
            None => Route::Method(of_path.by_ref().map(|one| one.method.as_str()).collect()),
        }
    }

    #[cfg(test)]
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

impl Operation {
    fn fits(&self, parts: &[&str]) -> bool {
        self.segments.len() == parts.len()
            && self.segments.iter().zip(parts).all(|(segment, part)| match segment {
                Segment::Literal(text) => text == part,
                Segment::Parameter(_) => !part.is_empty(),
            })
    }

    /// Which of its segments are literal, the first one weighing most.
    fn literals(&self) -> Vec<bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Literal(_))).collect()
    }

    fn path_parameters(&self, parts: &[&str]) -> Map<String, Value> {
        let pairs = self.segments.iter().zip(parts);
        pairs
            .filter_map(|(segment, part)| match segment {
                Segment::Parameter(name) => {
                    let text = percent_decode_str(part).decode_utf8_lossy().into_owned();
                    Some((name.clone(), Value::String(text)))
                }
                Segment::Literal(_) => None,
            })
            .collect()
    }

    /// Whether the operation takes a body.
    pub(crate) fn takes_body(&self) -> bool {
        self.body_schema.is_some()
    }

    /// Reads the parameters of path and query, each as what its schema says.
    ///
    /// # Errors
    ///
    /// Names the first parameter that is missing or of another kind.
    pub(crate) fn read_parameters(
        &self,
        in_path: Map<String, Value>,
        query: &str,
        extras: &mut Vec<String>,
    ) -> Result<Value, Failure> {
        let mut all = in_path;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if self.parameters.contains_key(name.as_ref()) {
                all.insert(name.into_owned(), Value::String(value.into_owned()));
            } else {
                extras.push(format!("?{name}"));
            }
        }
        for (name, value) in &mut all {
            schema::read_text(&self.parameters[name], value);
        }
        let all = Value::Object(all);
        let check = self
            .parameter_check
            .get_or_init(|| schema::compile(&SPEC.components, &self.parameter_schema));
        schema::judge(check, &all)?;
        Ok(all)
    }

    /// Brings a body into the form that the contract shows, judges it, and lists the members that the
    /// contract does not know.
    ///
    /// # Errors
    ///
    /// Names the first member that breaks the schema.
    pub(crate) fn read_body(
        &self,
        body: &mut Value,
        extras: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let Some(of_body) = &self.body_schema else { return Ok(()) };
        schema::tidy(body);
        let check = self.body_check.get_or_init(|| schema::compile(&SPEC.components, of_body));
        schema::judge(check, body)?;
        schema::extras(&SPEC.components, of_body, body, extras);
        Ok(())
    }
}

fn segments(path: &str) -> Vec<Segment> {
    let segment = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}'))
    {
        Some(name) => Segment::Parameter(name.to_owned()),
        None => Segment::Literal(part.to_owned()),
    };
    path.split('/').skip(1).map(segment).collect()
}

/// The published group of rights; that of version 1 for an operation without one of its own, since
/// rights "apply to every method version".
fn group(operation: &Value, path: &str, paths: &Map<String, Value>) -> Option<String> {
    let own = |operation: &Value| {
        let text = operation["x-oauth-group"].as_str()?;
        Some(text.split_whitespace().next()?.to_owned())
    };
    own(operation).or_else(|| {
        let (_, rest) = path.strip_prefix("/v")?.split_once('/')?;
        own(paths.get(&format!("/v1/{rest}"))?.get("post")?)
    })
}

/// Reads `200/s` and `500/h`; where the sources disagree both hold.
fn limits(text: &str) -> Vec<(u32, u64)> {
    let words = text.split([' ', ',']);
    words
        .filter_map(|word| {
            let (count, unit) = word.split_once('/')?;
            let window = match unit {
                "s" => 1000,
                "h" => 3_600_000,
                _ => return None,
            };
            Some((count.parse().ok()?, window))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_read_whole() {
        assert_eq!(SPEC.operations().len(), 123);
        assert!(SPEC.pools().iter().all(|pool| !pool.limits.is_empty()), "{:?}", SPEC.pools());
        let shared = SPEC.pools().iter().find(|pool| pool.name == "shared").unwrap();
        assert_eq!(shared.limits, [(200, 1000)]);
        let email = SPEC.pools().iter().find(|pool| pool.name == "GET /v1/messages/email/{id}");
        assert_eq!(email.unwrap().limits, [(500, 3_600_000), (10, 1000)]);
    }

    #[test]
    fn a_literal_wins_over_a_parameter() {
        let id = |method, path| match SPEC.route(&method, path) {
            Route::Operation(operation, _) => operation.id.clone(),
            Route::Method(methods) => methods.join(" "),
            Route::Nothing => String::new(),
        };
        assert_eq!(id(Method::POST, "/v1/contact/subscribe"), "subscribeContact");
        assert_eq!(id(Method::PUT, "/v1/contact/5"), "updateContact");
        assert_eq!(id(Method::PUT, "/v1/contact/subscribe"), "POST");
        assert_eq!(id(Method::POST, "/v1/contacts/"), "contactsBulkUpdate");
        assert_eq!(id(Method::GET, "/v1/messages/email/5/viewLink"), "getEmailMessageViewLink");
        assert_eq!(id(Method::GET, "/v1/contact/token/activated/a/contactId"), "getTokenActivated");
        assert_eq!(id(Method::GET, "/v1/nothing"), "");
    }

    #[test]
    fn rights_apply_to_every_version() {
        let group = |method, path| match SPEC.route(&method, path) {
            Route::Operation(operation, _) => operation.group.clone(),
            _ => None,
        };
        assert_eq!(group(Method::POST, "/v3/event").as_deref(), Some("events"));
        assert_eq!(group(Method::DELETE, "/v1/contact").as_deref(), Some("contact-update"));
        assert_eq!(group(Method::GET, "/v1/version"), None);
    }
}
