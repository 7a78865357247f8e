//! What people type into forms.

mod check;
mod date;
mod email;
mod name;
mod phone;
