//! What the built modules offer and ask for. Whatever is exported with wasm-bindgen becomes a method
//! of the Worker that anybody may call, and whatever the tracker imports is code that pages load; so
//! both are held to a list.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::{build, process, project, tools::Toolbox};

/// The handlers of the Worker: requests, and the clock that wakes its outboxes.
const HANDLERS: [&str; 2] = ["fetch", "scheduled"];

/// All that the tracker's module needs of its host.
const IMPORTS: [&str; 1] = ["__wbindgen_init_externref_table"];

/// The tracker's one function; the rest is wasm-bindgen's own.
const FUNCTIONS: [&str; 1] = ["handle"];

/// Prints a module's imports and exported functions, one a line.
const LIST: &str = "
const module = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));
for (const { name } of WebAssembly.Module.imports(module)) console.log('import ' + name);
for (const { name, kind } of WebAssembly.Module.exports(module))
  if (kind == 'function' && !name.startsWith('__wbindgen')) console.log('function ' + name);";

/// Fails with what is on none of the lists.
pub(crate) fn check(toolbox: &Toolbox, manifest: &build::Manifest) -> Result<()> {
    let script = fs::read_to_string(build::worker_script())?;
    let mut found: Vec<String> =
        methods(&script).iter().map(|name| format!("method {name}")).collect();
    let wasm = manifest.get("wasm").context("the wasm was not built")?;
    let mut node = toolbox.command(&toolbox.node);
    node.args(["-e", LIST]).arg(project::kit().join("assets").join(&wasm.file));
    found.extend(process::stdout(&mut node)?.lines().map(str::to_owned));
    let listed = |(kind, names): (&str, &[&str])| -> Vec<String> {
        names.iter().map(|name| format!("{kind} {name}")).collect()
    };
    let mut expected = listed(("method", &HANDLERS));
    expected.extend(listed(("import", &IMPORTS)));
    expected.extend(listed(("function", &FUNCTIONS)));
    found.sort_unstable();
    expected.sort_unstable();
    if found == expected {
        return Ok(());
    }
    bail!("the built modules have {found:?}, and should have {expected:?}")
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
