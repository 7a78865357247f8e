//! The challenge that tells people from programs: Cloudflare's Turnstile.

use js_sys::{Object, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use web_sys::Element;

use super::{dom, plain, request::sleep};

const SCRIPT: &str = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";

/// How often it is looked whether the script is there, in milliseconds.
const LOOK: u32 = 100;

/// After as many looks in vain it counts as blocked.
const MOST_LOOKS: u32 = 100;

#[wasm_bindgen]
extern "C" {
    type Callback;

    #[wasm_bindgen(method)]
    fn bind(this: &Callback, this_argument: &JsValue, argument: &JsValue) -> JsValue;

    type Turnstile;

    #[wasm_bindgen(method, catch)]
    fn render(this: &Turnstile, place: &Element, options: &Object) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn reset(this: &Turnstile, widget: &JsValue) -> Result<(), JsValue>;
}

#[derive(Serialize)]
struct Options<'a> {
    sitekey: &'a str,
    action: &'a str,
    language: &'a str,
    size: &'static str,
    /// The token goes with the submission, not as a field of its own.
    #[serde(rename = "response-field")]
    field: bool,
}

fn turnstile() -> Option<Turnstile> {
    let found = Reflect::get(&js_sys::global(), &"turnstile".into()).ok()?;
    found.is_object().then(|| found.unchecked_into())
}

/// Shows a challenge, and returns its widget. `passed` gets a token each time it is passed, and
/// nothing when it fails or what it gave is good no longer.
pub(super) async fn show(
    place: &Element,
    sitekey: &str,
    action: &str,
    language: &str,
    passed: &JsValue,
) -> Option<JsValue> {
    dom::add_script(SCRIPT);
    let mut looks = 0;
    let turnstile = loop {
        if let Some(found) = turnstile() {
            break found;
        }
        looks += 1;
        if looks > MOST_LOOKS {
            return None;
        }
        sleep(LOOK).await;
    };
    let options = plain(&Options { sitekey, action, language, size: "flexible", field: false });
    let set = |name: &str, value: &JsValue| {
        let _ = Reflect::set(&options, &name.into(), value);
    };
    set("callback", passed);
    // What these are called with is a code, and no token.
    let lost = passed.unchecked_ref::<Callback>().bind(&JsValue::NULL, &JsValue::NULL);
    set("error-callback", &lost);
    set("expired-callback", &lost);
    turnstile.render(place, &options).ok()
}

/// Shows another challenge in place of the one before. Whether it could.
pub(super) fn renew(widget: &JsValue) -> bool {
    turnstile().is_some_and(|turnstile| turnstile.reset(widget).is_ok())
}
