//! What people type into forms.

mod date;
mod email;
mod name;
mod phone;
