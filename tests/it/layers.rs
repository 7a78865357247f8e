//! Who may import whom. Cargo keeps the wasm crates out of the core; among the core's own modules,
//! and between them and the browser's, only this table does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A module of the crate's root, and the others that it may name.
///
/// `event`, `identity`, `retry`, `value` and `problem` know nothing but each other; the machines
/// know those; `browser` and `widgets` know nothing that belongs to the edge.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("problem", &[]),
    ("caller", &[]),
    ("value", &[]),
    ("retry", &[]),
    ("event", &["problem", "value"]),
    ("identity", &["event"]),
    ("consent", &["value"]),
    ("form", &["problem", "value"]),
    ("wire", &["consent", "identity", "problem", "value"]),
    ("delivery", &["retry", "value", "wire"]),
    ("outbox", &["governor", "retry"]),
    ("visitor", &["event", "identity", "problem", "value", "wire"]),
    ("json", &["problem", "value"]),
    ("api", &["form", "json", "problem", "retry", "value", "wire"]),
    ("language", &[]),
    ("node", &["value"]),
    ("ledger", &["api", "governor", "node", "retry", "value"]),
    ("definition", &["api", "form", "json", "language", "node", "problem", "value"]),
    ("block", &["config", "language", "node", "recommendation", "value"]),
    ("catalogue", &["retry", "value"]),
    ("config", &["api", "definition", "value"]),
    ("bulk", &["api", "problem", "value"]),
    ("page_call", &["api", "bulk", "caller", "config", "problem", "value"]),
    (
        "form_call",
        &["bulk", "caller", "definition", "form", "identity", "page_call", "problem", "value"],
    ),
    (
        "recommendation",
        &["api", "catalogue", "config", "identity", "page_call", "problem", "retry", "value"],
    ),
    ("promo", &["api", "bulk", "definition", "json", "problem", "retry", "value"]),
    ("governor", &["api", "retry"]),
    ("shard", &["config"]),
    ("detour", &["wire"]),
    ("tracker", &["delivery", "event", "problem", "retry", "value", "wire"]),
    ("browser", &["tracker"]),
    ("widgets", &["form", "value"]),
];

/// The faces of the page. They alone name the browser's crates, and touch the world.
const FACES: [&str; 2] = ["browser", "widgets"];

/// The crates of browsers, and that of Workers.
const BROWSERS: [&str; 7] = [
    "gloo_net",
    "js_sys",
    "serde_wasm_bindgen",
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "web_sys",
    "worker",
];

/// What belongs to the edge. `serde_json` alone weighs more than the whole tracker.
const EDGE: &[&str] = &[
    "api",
    "block",
    "bulk",
    "caller",
    "catalogue",
    "config",
    "definition",
    "detour",
    "form_call",
    "governor",
    "json",
    "ledger",
    "outbox",
    "page_call",
    "promo",
    "recommendation",
    "shard",
    "visitor",
];

/// The modules that may name `serde_json`.
const JSON_READERS: &[&str] = &["config", "definition", "detour", "json", "visitor"];

/// Most lines of a file without its tests.
const MOST_LINES: usize = 500;

/// A file of the crate.
struct Source {
    path: PathBuf,
    /// Its module, from the root on; empty for the root.
    module: Vec<String>,
    /// Its code without comments and tests.
    code: String,
    /// How many lines it has without tests.
    lines: usize,
}

impl Source {
    fn new(path: PathBuf, module: Vec<String>, text: &str) -> Self {
        let tested = text.split("#[cfg(test)]").next().unwrap();
        // A `//` inside text cuts the rest of its line as well, where no import stands.
        let code = |line: &str| line.split("//").next().unwrap().to_owned() + "\n";
        let lines = tested.lines().count();
        Self { path, module, code: tested.lines().map(code).collect(), lines }
    }

    /// The root's module that this file belongs to.
    fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    /// The root's modules that the code names, by `crate::` or by `super::`.
    fn imports(&self) -> BTreeSet<String> {
        let tokens = tokens(&self.code);
        let mut names = BTreeSet::new();
        for (place, token) in tokens.iter().enumerate() {
            let starts = place == 0 || tokens[place - 1] != "::";
            if starts && matches!(token.as_str(), "crate" | "super") {
                for path in paths(&tokens[place..], &mut 0) {
                    names.extend(self.resolve(&path));
                }
            }
        }
        names.remove(self.top());
        names
    }

    /// The root's module that a path leads to; nothing if it leads to the root itself.
    fn resolve(&self, path: &[String]) -> Option<String> {
        let mut at: &[String] = &self.module;
        let mut path = path.iter().peekable();
        while let Some(step) = path.next_if(|step| matches!(step.as_str(), "crate" | "super")) {
            at = if step == "crate" { &[] } else { at.split_last().map_or(&[][..], |(_, up)| up) };
        }
        at.first().or_else(|| path.next()).cloned()
    }
}

/// Names, `::` and single signs.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = code.chars().peekable();
    while let Some(sign) = rest.next() {
        let named = |sign: &char| sign.is_alphanumeric() || *sign == '_';
        if named(&sign) {
            let mut name = String::from(sign);
            while let Some(sign) = rest.next_if(named) {
                name.push(sign);
            }
            tokens.push(name);
        } else if sign == ':' && rest.next_if_eq(&':').is_some() {
            tokens.push("::".into());
        } else if !sign.is_whitespace() {
            tokens.push(sign.into());
        }
    }
    tokens
}

/// Every path of the tree that starts at `place`: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(tokens: &[String], place: &mut usize) -> Vec<Vec<String>> {
    let Some(first) = tokens.get(*place) else { return Vec::new() };
    *place += 1;
    if first == "{" {
        let mut all = Vec::new();
        while tokens.get(*place).is_some_and(|token| token != "}") {
            all.extend(paths(tokens, place));
            while tokens.get(*place).is_some_and(|token| token != "," && token != "}") {
                *place += 1; // A new name, behind `as`.
            }
            *place += usize::from(tokens.get(*place).is_some_and(|token| token == ","));
        }
        *place += 1;
        return all;
    }
    if tokens.get(*place).is_none_or(|token| token != "::") {
        return vec![vec![first.clone()]];
    }
    *place += 1;
    let tails = paths(tokens, place);
    tails.into_iter().map(|tail| [vec![first.clone()], tail].concat()).collect()
}

/// Every file of `src`.
fn sources() -> Vec<Source> {
    fn visit(folder: &Path, module: &[String], sources: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut module = module.to_vec();
            if name != "lib" {
                module.push(name);
            }
            if path.is_dir() {
                visit(&path, &module, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source::new(path, module, &text));
            }
        }
    }
    let mut sources = Vec::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut sources);
    assert!(sources.len() >= 15, "where is the code?");
    sources
}

#[test]
fn imports_follow_the_table() {
    for source in sources().iter().filter(|source| !source.module.is_empty()) {
        let may = MAY_IMPORT.iter().find(|(module, _)| *module == source.top());
        let (_, may) = may.unwrap_or_else(|| panic!("give {} a row in the table", source.top()));
        for name in source.imports() {
            assert!(may.contains(&name.as_str()), "{} may not name {name}", source.path.display());
        }
    }
}

#[test]
fn every_row_of_the_table_is_a_module() {
    let sources = sources();
    for (module, _) in MAY_IMPORT {
        assert!(sources.iter().any(|source| source.top() == *module), "{module} is gone");
    }
}

#[test]
fn pages_link_nothing_of_the_edge_not_even_through_others() {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        imports.entry(source.top().to_owned()).or_default().extend(source.imports());
    }
    for (face, part) in [("browser", "delivery"), ("widgets", "form")] {
        let mut linked = BTreeSet::from([face.to_owned()]);
        let mut open = vec![face.to_owned()];
        while let Some(module) = open.pop() {
            for name in &imports[&module] {
                if linked.insert(name.clone()) {
                    open.push(name.clone());
                }
            }
        }
        assert!(linked.contains(part), "{linked:?}");
        for module in EDGE {
            assert!(!linked.contains(*module), "{face} links {module}");
        }
    }
}

#[test]
fn only_the_faces_name_the_browsers_crates() {
    for source in sources().iter().filter(|source| !FACES.contains(&source.top())) {
        for name in BROWSERS {
            let found = tokens(&source.code).iter().any(|token| token == name);
            assert!(!found, "{} names {name}", source.path.display());
        }
    }
}

#[test]
fn only_requests_are_made_with_gloo_net() {
    for source in sources() {
        let found = tokens(&source.code).iter().any(|token| token == "gloo_net");
        assert_eq!(found, source.module == ["widgets", "request"], "{}", source.path.display());
    }
}

#[test]
fn only_the_listed_modules_name_serde_json() {
    for source in sources() {
        let found = tokens(&source.code).iter().any(|token| token == "serde_json");
        let may = JSON_READERS.contains(&source.top());
        assert!(!found || may, "{} names serde_json", source.path.display());
    }
}

#[test]
fn the_core_performs_nothing() {
    for source in sources().iter().filter(|source| !FACES.contains(&source.top())) {
        for path in std_paths(&tokens(&source.code)) {
            for name in ["fs", "net", "thread", "Instant", "SystemTime"] {
                let found = path.iter().any(|step| step == name);
                assert!(!found, "{} names {name}", source.path.display());
            }
        }
    }
    for code in
        ["use std::{fs, net};", "fn a() { std::thread::yield_now() }", "use core::net::IpAddr;"]
    {
        assert_ne!(std_paths(&tokens(code)).concat().len(), 0, "{code}");
    }
}

/// The paths into the standard library; a `"shop.net"` is none.
fn std_paths(tokens: &[String]) -> Vec<Vec<String>> {
    let starts = |place: usize| place == 0 || tokens[place - 1] != "::";
    let places = tokens.iter().enumerate().filter(|(place, token)| {
        starts(*place) && matches!(token.as_str(), "std" | "core" | "alloc")
    });
    places.flat_map(|(place, _)| paths(&tokens[place..], &mut 0)).collect()
}

#[test]
fn features_are_asked_for_in_the_root_alone_and_three_times_at_most() {
    for source in sources() {
        let most = if source.module.is_empty() { 3 } else { 0 };
        let count = source.code.matches("cfg").count();
        assert!(count <= most, "{} asks for features", source.path.display());
    }
}

#[test]
fn no_file_has_more_than_500_lines_without_its_tests() {
    for source in sources() {
        assert!(source.lines <= MOST_LINES, "{}: {} lines", source.path.display(), source.lines);
    }
}

#[test]
fn the_reader_of_imports_sees_every_way_to_write_one() {
    let imports = |module: &[&str], code: &str| {
        let module = module.iter().map(ToString::to_string).collect();
        let names = Source::new(PathBuf::new(), module, code).imports();
        names.into_iter().collect::<Vec<_>>().join(" ")
    };
    for (code, names) in [
        ("use crate::json;", "json"),
        ("use crate::json::parse;", "json"),
        ("use crate::{json, value::{Value, find}};", "json value"),
        ("use crate::{json as text, value::Value as V, wire::*};", "json value wire"),
        ("use super::super::json;", "json"),
        ("use super::{super::{json::parse, value}, write};", "json value"),
        ("pub(crate) use crate::json;", "json"),
        ("const A: u64 = crate::wire::MAX + crate::json::B;", "json wire"),
        ("fn a(b: &crate::json::C) -> super::super::value::Value {}", "json value"),
        ("use std::{fs, net}; use super::write;", ""),
        ("// use crate::json;\n/// [`crate::json`]\n//! crate::json", ""),
        ("#[cfg(test)] mod tests { use crate::json; }", ""),
        ("use crate::event::Kind;", ""),
    ] {
        assert_eq!(imports(&["event", "read"], code), names, "{code}");
    }
    assert_eq!(imports(&["event"], "use super::json;"), "json");
}
