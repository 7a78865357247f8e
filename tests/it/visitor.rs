//! The rules that need memory, as the outbox object runs them: one browser, record after record,
//! its state stored and loaded in between.

mod cart;
mod identity;
mod purchase;
mod records;
