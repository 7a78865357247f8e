//! What the REST contract says about a request, before anything is looked up.
//!
//! The machine form of the contract, `tests/data/openapi.json`, is the only list of operations: it
//! drives the routes, the checks of parameters and bodies, the groups of rights and the pools of the
//! rate limits. What the contract says in prose only is in [`rules`] and, where it needs the state,
//! with the operation itself.
//!
//! # Map
//!
//! `spec` reads the document and finds the operation of a request, `patches` says where the document
//! is stricter than the contract's prose, `schema` judges values, `dates` reads and writes moments,
//! `rules` holds what several operations share.

pub(crate) mod dates;
mod patches;
pub(crate) mod rules;
mod schema;
mod spec;

pub(crate) use self::spec::{Operation, Pool, Route, SPEC};

use hyper::StatusCode;

use crate::contract::Refusal;

/// A refusal and the status that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) refusal: Refusal,
}

impl Failure {
    /// 400 for one member of the body or one parameter.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let refusal = Refusal { code: "value", field: Some(field.into()), message: message.into() };
        Self { status: StatusCode::BAD_REQUEST, refusal }
    }

    /// Another status, for the request as a whole.
    pub(crate) fn whole(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { status, refusal: Refusal::whole(code, message) }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::whole(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// What the answer says: the field, if there is one, and what is wrong with it.
    pub(crate) fn text(&self) -> String {
        match &self.refusal.field {
            Some(field) => format!("{field}: {}", self.refusal.message),
            None => self.refusal.message.clone(),
        }
    }
}
