//! What people type into forms: checked in the page while they type, and by the same code in the
//! Worker before anything is stored.
//!
//! Every byte counts here, since the page links it: no regular expressions, no Unicode tables
//! beyond those of the standard library, no `core::fmt`.

pub mod check;
pub mod date;
pub mod email;
pub mod name;
pub mod phone;
pub mod session;

pub(crate) mod typed;
