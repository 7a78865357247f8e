//! The list of countries beside a phone number.

use js_sys::{Array, Function, Object};
use serde::Serialize;
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};

use super::{dom::Surface, plain};
use crate::form::{check::Field, phone};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DisplayNames;

    #[wasm_bindgen(catch, constructor, js_namespace = Intl)]
    fn new(languages: &str, options: &Object) -> Result<DisplayNames, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn of(this: &DisplayNames, region: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type Collator;

    #[wasm_bindgen(catch, constructor, js_namespace = Intl)]
    fn new(languages: &str) -> Result<Collator, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn compare(this: &Collator) -> Function;

    type Rows;

    #[wasm_bindgen(method, catch)]
    fn sort(this: &Rows, compare: &Function) -> Result<(), JsValue>;
}

#[derive(Serialize)]
struct Options {
    r#type: &'static str,
}

/// Puts the list there, if there is a choice.
pub(super) fn add(surface: &Surface, field: &Field, label: &str, language: &str) {
    let is_taken =
        |region: &str| field.regions.is_empty() || field.regions.iter().any(|own| own == region);
    let names = DisplayNames::new(language, &plain(&Options { r#type: "region" })).ok();
    let name = |region: &str| names.as_ref()?.of(region).ok()?;
    let rows = Array::new();
    for (region, code) in phone::regions().filter(|(region, _)| is_taken(region)) {
        // The region is behind the name, so that both are sorted at once.
        let name = name(region).unwrap_or_else(|| region.to_owned());
        rows.push(&[&name, " +", code, "\t", region].concat().into());
    }
    if rows.length() < 2 {
        return;
    }
    // Alphabets have their own order in each language.
    if let Ok(collator) = Collator::new(language) {
        let _ = rows.unchecked_ref::<Rows>().sort(&collator.compare());
    }
    let chosen = field.region.as_deref().unwrap_or_default();
    let mut list: Vec<(String, String)> = Vec::new();
    if chosen.is_empty() {
        list.push((String::new(), "+".to_owned()));
    }
    for row in rows.iter().filter_map(|row| row.as_string()) {
        if let Some((name, region)) = row.split_once('\t') {
            list.push((region.to_owned(), name.to_owned()));
        }
    }
    surface.list(&field.name, label, chosen, &list);
}
