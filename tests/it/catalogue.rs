//! The catalogue: feeds in any form and any parts, imports into a store, what is asked of it.

mod feed;
mod hostile;
mod import;
mod schedule;
mod shelf;
mod update;
