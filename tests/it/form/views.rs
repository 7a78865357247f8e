//! The views that the browser tests serve are those that the Worker makes.

use std::{fs, path::Path};

use esputnik_kit::definition::{Definition, Words, view};
use serde_json::{Map, Value};

/// Forms and the language of each view.
const VIEWS: [(&str, &str); 5] =
    [("letters", "en"), ("letters", "ar"), ("call", "en"), ("long", "en"), ("guarded", "en")];

/// Set to write the file anew.
const WRITE: &str = "KIT_WRITE_VIEWS";

#[test]
fn browser_tests_serve_what_the_worker_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
    let definitions = fs::read(folder.join("definitions.json")).unwrap();
    let definitions: Value = serde_json::from_slice(&definitions).unwrap();
    let mut views = Map::new();
    for (id, language) in VIEWS {
        let definition: Definition = serde_json::from_value(definitions[id].clone()).unwrap();
        let words = Words::choose(&definition, &[language]);
        let text = view::view(id, &definition, &words).to_json();
        views.insert([id, ".", language].concat(), serde_json::from_str(&text).unwrap());
    }
    let views = Value::Object(views);
    let file = folder.join("views.json");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&file, serde_json::to_string_pretty(&views).unwrap() + "\n").unwrap();
    }
    let known: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(known, views, "set {WRITE} to write {}", file.display());
}
