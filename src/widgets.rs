//! Forms on the page: one function that the starter calls for each form that a person touches.

mod context;
mod dom;
mod form;
pub mod request;
mod view;

use js_sys::Object;
use serde::Serialize;
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use web_sys::HtmlFormElement;

use self::{context::Context, form::Form, view::View};

/// A fifth of the size of the allocator that comes with the target.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Makes a plain form one that helps: it checks what is typed, and sends it without leaving the page.
///
/// `view` is what the Worker says of the form, as JSON text; `context` has what `context.rs` names.
///
/// # Errors
///
/// A view that cannot be read; the form stays as plain as it was.
#[wasm_bindgen]
pub fn enhance(form: HtmlFormElement, view: &str, context: JsValue) -> Result<(), JsValue> {
    let view = View::parse(view).ok_or("the view cannot be read")?;
    Form::attach(form, view, Context::from(context))
}

/// An object for JavaScript.
fn plain(value: &impl Serialize) -> Object {
    serde_wasm_bindgen::to_value(value).unwrap_or_default().unchecked_into()
}
