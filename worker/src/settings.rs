//! The deployment's settings and secrets, out of the environment.

use std::{cell::OnceCell, rc::Rc};

use esputnik_kit::config::Config;
use sha2::{Digest, Sha256};
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

/// The platform's key.
pub(crate) const API_KEY: &str = "KIT_API_KEY";

/// The token that opens everything a shop's server may call.
pub(crate) const SERVER_TOKEN: &str = "KIT_SERVER_TOKEN";

/// Shortest token that counts: what is shorter can be guessed.
const MIN_TOKEN: usize = 16;

/// A secret of the deployment. Its text is for comparison and for the platform alone.
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn load(env: &Env, name: &str) -> Option<Self> {
        let text = env.secret(name).ok()?.to_string();
        (!text.is_empty()).then_some(Self(text))
    }

    /// Whether `token` is this secret, or one of several in it with spaces between.
    ///
    /// Takes a time that does not tell how much of `token` is right, nor which one it is.
    pub(crate) fn holds(&self, token: &str) -> bool {
        let digest = |text: &str| Sha256::digest(text.as_bytes());
        let given = digest(token);
        let mut known = 0_u8;
        for own in self.0.split_whitespace().filter(|own| own.len() >= MIN_TOKEN) {
            let difference = digest(own).iter().zip(&given).fold(0, |sum, (a, b)| sum | (a ^ b));
            known |= u8::from(std::hint::black_box(difference) == 0);
        }
        known != 0
    }

    /// The text, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        self.0.trim()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
