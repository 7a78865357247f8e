//! What the built modules offer and ask for. Whatever is exported with wasm-bindgen becomes a method
//! of the Worker that anybody may call, and whatever a page's module imports is code that pages load; so
//! both are held to lists.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::{build, process, project, tools::Toolbox};

/// The handlers of the Worker: requests, the clock that wakes its outboxes, and what comes out of queues.
const HANDLERS: [&str; 3] = ["fetch", "scheduled", "queue"];

/// A module of the page: its name among the assets, all that it needs of its host, and its functions.
struct Module {
    asset: &'static str,
    imports: &'static [&'static str],
    functions: &'static [&'static str],
}

/// What is wasm-bindgen's own is left out of the functions.
const MODULES: [Module; 2] = [
    Module { asset: "wasm", imports: &["__wbindgen_init_externref_table"], functions: &["handle"] },
    Module { asset: "widgets-wasm", imports: WIDGETS, functions: &["enhance"] },
];

/// What forms need of the page, as wasm-bindgen names it.
const WIDGETS: &[&str] = &[
    "__wbindgen_generic",
    "__wbindgen_init_externref_table",
    "__wbindgen_is_function",
    "__wbindgen_is_object",
    "__wbindgen_is_undefined",
    "__wbindgen_string_get",
    "__wbindgen_throw",
    "_wbg_cb_unref",
    "abort",
    "addEventListener",
    "appendChild",
    "assign",
    "badInput",
    "base",
    "challenge",
    "checked",
    "closest",
    "cookie",
    "countries",
    "createElement",
    "createTextNode",
    "dispatchEvent",
    "fetch",
    "focus",
    "get",
    "getAttribute",
    "getDate",
    "getElementById",
    "getFullYear",
    "getMonth",
    "getPrototypeOf",
    "headers",
    "href",
    "identify",
    "insertBefore",
    "instanceof_Element",
    "is",
    "item",
    "length",
    "matches",
    "new",
    "new_0",
    "new_with_event_init_dict",
    "new_with_str_and_init",
    "nextSibling",
    "of",
    "parentNode",
    "preventDefault",
    "querySelector",
    "querySelectorAll",
    "queueMicrotask",
    "race",
    "referrer",
    "relatedTarget",
    "removeAttribute",
    "removeProperty",
    "report",
    "resolve",
    "set",
    "setAttribute",
    "setProperty",
    "setTimeout",
    "set_body",
    "set_bubbles",
    "set_credentials",
    "set_hidden",
    "set_method",
    "set_signal",
    "set_textContent",
    "signal",
    "static_accessor_DOCUMENT",
    "static_accessor_GLOBAL",
    "static_accessor_GLOBAL_THIS",
    "static_accessor_LOCATION",
    "static_accessor_SELF",
    "static_accessor_WINDOW",
    "status",
    "style",
    "target",
    "text",
    "then",
    "type",
    "validity",
    "value",
];

/// Prints a module's imports and exported functions, one a line. wasm-bindgen puts a hash behind the
/// names of imports, and its own before those of its functions.
const LIST: &str = "
const module = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));
const imports = WebAssembly.Module.imports(module).map(({ name }) =>
  name.replace(/^__wbg_/, '').replace(/_[0-9a-f]{16}$/, ''));
for (const name of new Set(imports)) console.log('import ' + name);
for (const { name, kind } of WebAssembly.Module.exports(module))
  if (kind == 'function' && !/^(__|wasm_bindgen__)/.test(name)) console.log('function ' + name);";

/// Fails with what is on none of the lists.
pub(crate) fn check(toolbox: &Toolbox, manifest: &build::Manifest) -> Result<()> {
    let script = fs::read_to_string(build::worker_script())?;
    let mut found: Vec<String> =
        methods(&script).iter().map(|name| format!("method {name}")).collect();
    let mut expected = listed("method", &HANDLERS);
    for Module { asset, imports, functions } in MODULES {
        let wasm = manifest.get(asset).with_context(|| format!("the {asset} was not built"))?;
        let mut node = toolbox.command(&toolbox.node);
        node.args(["-e", LIST]).arg(project::kit().join("assets").join(&wasm.file));
        found.extend(process::stdout(&mut node)?.lines().map(str::to_owned));
        expected.extend(listed("import", imports));
        expected.extend(listed("function", functions));
    }
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        return Ok(());
    }
    bail!("the built modules have {found:?}, and should have {expected:?}")
}

fn listed(kind: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{kind} {name}")).collect()
}

/// The methods that a script gives its classes from outside, as worker-build does.
fn methods(script: &str) -> Vec<&str> {
    let behind = script.split(".prototype.").skip(1);
    let named = behind.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let (name, rest) = rest.split_at(end);
        (rest.trim_start().starts_with('=') && !rest.trim_start().starts_with("==")).then_some(name)
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::methods;

    #[test]
    fn a_method_is_found_whatever_the_class_is_called() {
        let script = "k.prototype.fetch=f;if(a.prototype.b==c)d.prototype.leak = x;e.prototype.f()";
        assert_eq!(methods(script), ["fetch", "leak"]);
    }
}
