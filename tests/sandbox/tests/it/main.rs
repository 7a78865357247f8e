//! The stand-in over its sockets, as a test or a Worker sees it.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail like the test itself")]

mod bodies;
mod cloud;
mod contract;
mod faults;
mod program;
mod reading;
mod recoms;
mod rest;
mod rig;
mod shop;
mod tracker;
