//! A local stand-in of the platform: its tracker and its REST API, strict and with faults on demand,
//! the demo shop's own server, and Cloudflare's queue and bucket.
//!
//! # Rules
//!
//! - It refuses what the published contract refuses, and names the field. What the contract leaves
//!   open is accepted and listed as an extra.
//! - It shares no code with the kit, so that a rule misread there is not misread here as well.
//! - Every request that arrives at the tracker or the REST API is recorded, whatever became of it, with
//!   its raw bytes; of a key only whether it was right, and which of the known ones.
//! - It listens on loopback only, since whoever reaches it can read and empty everything.
//!
//! # Addresses
//!
//! | address | what it does |
//! |---|---|
//! | `POST /api/v2` | the tracker, one event a request |
//! | `/api/v1/…`, `/api/v2/…`, `/api/v3/…` | the REST API, all operations of its document |
//! | `GET /contact-api/v1/recoms/ID` | recommends to the contact whose token comes along, in `ES-TOKEN` |
//! | `POST /mobile-api/api/v1/recoms/VARIANT/request` | recommends to apps, with the key `mobile_key` |
//! | `GET /` | what arrived, as a page |
//! | `GET /requests` | every request; `since`, `verdict`, `event`, `path`, `limit` narrow it; `DELETE` empties |
//! | `GET /requests/SEQ/body` | the raw bytes of one |
//! | `GET /events` | accepted events of the tracker only; `since`, `event`, `limit` |
//! | `GET /contacts` | the account's contacts, deleted ones too; `since`, `limit`, or only `count=1` |
//! | `GET /orders` | the account's orders; `limit` |
//! | `GET /api-events` | events of the REST API and of the platform itself; `since`, `event`, `limit` |
//! | `DELETE /state` | empties the account and keeps the requests |
//! | `GET /stats` | counts, and the fullest second, of all and of each pool of the REST API |
//! | `GET`, `PUT`, `DELETE /faults` | see [`Fault`] |
//! | `GET`, `PUT`, `DELETE /settings` | see [`Settings`] |
//! | `POST /turnstile/siteverify` | Cloudflare's verification of its test of persons, not recorded |
//! | `GET`, `PUT /turnstile` | the secret, and what widgets have answered |
//!
//! The shop's server, on its own address, serves a folder and passes `/k/` and `/p/` to the Worker;
//! `/__csp/POLICY/REST` serves `/REST` under a Content-Security-Policy.
//!
//! Cloudflare's queue and bucket, on an address of their own too, are for the Worker; `cloud` lists what
//! they and their control take.
//!
//! # Map
//!
//! `contract` judges a body for the tracker and touches nothing else; `api` judges a REST request by
//! the published document. `rest` is what the REST operations do. `faults` and `settings` are plain
//! data. `store` is the only part that speaks SQL, but for that of `cloud`. `platform`, `shop` and `cloud`
//! are the servers, `server` the listening that they share.

mod api;
mod clock;
mod cloud;
mod contract;
mod faults;
mod list;
mod options;
mod platform;
mod rest;
mod server;
mod settings;
mod shop;
mod store;

pub use crate::cloud::CloudOptions;
pub use crate::faults::{Drop, Fault, Match};
pub use crate::list::list;
pub use crate::options::{Command, Loopback, Options, ShopOptions, USAGE, UsageError};
pub use crate::server::{Sandbox, StartError};
pub use crate::settings::{ApiKey, CustomField, Feature, FieldKind, Quirks, Settings};
