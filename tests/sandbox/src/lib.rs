//! A local stand-in of the platform: its tracker, strict and with faults on demand, and the demo
//! shop's own server.
//!
//! # Rules
//!
//! - It refuses what the published contract refuses, and names the field. What the contract leaves
//!   open is accepted and listed as an extra.
//! - It shares no code with the kit, so that a rule misread there is not misread here as well.
//! - Every request that arrives at the tracker is recorded, whatever became of it, with its raw bytes.
//! - It listens on loopback only, since whoever reaches it can read and empty everything.
//!
//! # Addresses
//!
//! | address | what it does |
//! |---|---|
//! | `POST /api/v2` | the tracker, one event a request |
//! | `GET /` | what arrived, as a page |
//! | `GET /requests` | every request; `since`, `verdict`, `event`, `limit` narrow it; `DELETE` empties |
//! | `GET /requests/SEQ/body` | the raw bytes of one |
//! | `GET /events` | accepted events only; `since`, `event`, `limit` |
//! | `GET /stats` | counts, and the fullest second |
//! | `GET`, `PUT`, `DELETE /faults` | see [`Fault`] |
//! | `GET`, `PUT`, `DELETE /settings` | see [`Settings`] |
//!
//! The shop's server, on its own address, serves a folder and passes `/k/` and `/p/` to the Worker;
//! `/__csp/POLICY/REST` serves `/REST` under a Content-Security-Policy.
//!
//! # Map
//!
//! `contract` judges a body and touches nothing else. `faults` and `settings` are plain data.
//! `store` is the only part that speaks SQL. `platform` and `shop` are the two servers, `server`
//! the listening that both share.

mod clock;
mod contract;
mod faults;
mod options;
mod platform;
mod server;
mod settings;
mod shop;
mod store;

pub use crate::faults::{Drop, Fault, Match};
pub use crate::options::{Command, Loopback, Options, ShopOptions, USAGE, UsageError};
pub use crate::server::{Sandbox, StartError};
pub use crate::settings::Settings;
