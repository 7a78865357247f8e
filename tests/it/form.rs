//! What people type into forms, and what becomes of it.

mod check;
mod date;
mod email;
mod name;
mod phone;
mod session;
mod views;
