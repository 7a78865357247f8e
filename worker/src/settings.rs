//! The deployment's settings and secrets, out of the environment.

use std::{cell::OnceCell, rc::Rc};

use esputnik_kit::config::Config;
use worker::Env;

use crate::answer::Error;

thread_local! {
    // Settings change only with a deploy, which starts new isolates.
    static CONFIG: OnceCell<Rc<Config>> = const { OnceCell::new() };
}

/// `kit.toml` as JSON, as it was when the Worker was built.
///
/// Read and validated by the build, so that no parser of TOML is linked here.
const BUILT_IN: &str = include_str!(concat!(env!("OUT_DIR"), "/config.json"));

/// The deployment's settings: the variable `KIT_CONFIG` if there is one, else those of the build.
pub(crate) fn load_config(env: &Env) -> Result<Rc<Config>, Error> {
    CONFIG.with(|cell| {
        if let Some(config) = cell.get() {
            return Ok(Rc::clone(config));
        }
        let variable = env.var("KIT_CONFIG").map(|variable| variable.to_string());
        let config = Config::from_json(variable.as_deref().unwrap_or(BUILT_IN));
        let config = config.map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Error::Settings(errors.join("; "))
        })?;
        Ok(Rc::clone(cell.get_or_init(|| Rc::new(config))))
    })
}

/// A secret of the deployment. Its text is for comparison and for the platform alone.
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn load(env: &Env, name: &str) -> Option<Self> {
        let text = env.secret(name).ok()?.to_string();
        (!text.is_empty()).then_some(Self(text))
    }

    /// Compares in a time that does not tell how much of `text` is right.
    pub(crate) fn is(&self, text: &str) -> bool {
        let (own, other) = (self.0.as_bytes(), text.as_bytes());
        let difference = own.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
        own.len() == other.len() && std::hint::black_box(difference) == 0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
