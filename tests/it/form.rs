//! What people type into forms.

mod date;
mod name;
