//! The forms that a deployment defines, and that its sites show.

use super::{Config, Error};
use crate::definition::{MAX_FORMS, Mistake};

/// Longest name of a form with Cloudflare's test, whose action is `form-` and the name, and takes 32
/// characters.
const MOST_OF_ACTION: usize = 27;

/// What cannot be used of them.
pub(super) fn errors(config: &Config) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut wrong = |setting: String, fix: String| errors.push(Error { setting, fix });
    if config.forms.len() > MAX_FORMS {
        wrong("forms".into(), format!("define at most {MAX_FORMS} forms"));
    }
    for (name, form) in &config.forms {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
            let fix = "name forms in small letters, digits and hyphens, 40 at most".into();
            wrong(format!("forms.{name}"), fix);
        }
        if form.turnstile.is_some() && name.len() > MOST_OF_ACTION {
            let fix =
                "give it a name of 27 characters at most: Cloudflare's test has it in its action";
            wrong(format!("forms.{name}"), fix.into());
        }
        for Mistake { place, fix } in form.mistakes() {
            wrong(format!("forms.{name}.{place}"), fix);
        }
    }
    for (site, settings) in &config.sites {
        for (index, form) in settings.forms.iter().enumerate() {
            if !config.forms.contains_key(form) {
                let fix = format!("add forms/{form}.json beside these settings, or leave it out");
                wrong(format!("sites.{site}.forms[{index}]"), fix);
            }
        }
    }
    errors
}
