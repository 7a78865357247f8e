//! What JavaScript does for a form: the page's starter, and `www/widgets.js` where that is shorter.

use js_sys::Object;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::Element;

#[wasm_bindgen]
extern "C" {
    /// What is handed over with a form.
    pub(super) type Context;

    /// The address of the Worker.
    #[wasm_bindgen(method, getter)]
    pub(super) fn base(this: &Context) -> Option<String>;

    /// Reports an action.
    #[wasm_bindgen(method, catch)]
    pub(super) fn report(this: &Context, action: &str, detail: &Object) -> Result<(), JsValue>;

    /// Says who the person is.
    #[wasm_bindgen(method, catch)]
    pub(super) fn identify(this: &Context, data: &Object) -> Result<(), JsValue>;

    /// Puts a list of countries before a phone number's input: `rows` are regions and calling codes,
    /// `UA380 PL48`.
    #[wasm_bindgen(method, catch)]
    pub(super) fn countries(
        this: &Context,
        input: &Element,
        label: &str,
        chosen: &str,
        rows: &str,
        language: &str,
    ) -> Result<(), JsValue>;

    /// Shows a challenge, another one if there is one. `passed` gets a token each time it is passed, and
    /// nothing when it fails or what it gave is good no longer.
    #[wasm_bindgen(method)]
    pub(super) fn challenge(
        this: &Context,
        place: &Element,
        sitekey: &str,
        action: &str,
        language: &str,
        passed: &JsValue,
    );
}
