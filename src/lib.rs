//! The core of esputnik-kit (draft of the crate docs follows).

pub mod config;
pub mod consent;
pub mod delivery;
pub mod event;
pub mod identity;
pub mod json;
pub mod outbox;
pub mod problem;
pub mod retry;
pub mod value;
pub mod visitor;
pub mod wire;

#[cfg(feature = "browser")]
pub mod browser;

/// Whether this build carries a browser face.
///
/// Its exports would become methods that anybody may call on a Worker, so the Worker refuses to
/// compile with it.
#[doc(hidden)]
pub const HAS_BROWSER_FACE: bool = cfg!(feature = "browser");
