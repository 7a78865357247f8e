//! The core as a host sees it: values in, bodies and deadlines out, no I/O anywhere.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail like the test itself")]
#![expect(clippy::needless_pass_by_value, reason = "tables of cases read better with values")]
#![expect(clippy::too_many_lines, reason = "a table of cases is as long as its cases")]

mod api;
mod block;
mod bulk;
mod catalogue;
mod config;
mod definition;
mod delivery;
mod events;
mod form;
mod form_call;
mod governor;
mod json;
mod layers;
mod outbox;
mod page_call;
mod promo;
mod recommendation;
mod retry;
mod rig;
mod sim;
mod tracker;
mod visitor;
mod wire;
mod world;
