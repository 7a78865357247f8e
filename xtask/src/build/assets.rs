//! What pages fetch: bundled, named by hash, compressed and listed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384};

use super::module::Glue;
use crate::sizes::{self, Size};
use crate::tools::Toolbox;
use crate::{process, progress, project};

/// What the Worker serves to pages, by the asset's name.
pub(crate) type Manifest = BTreeMap<String, Asset>;

/// One file that pages fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asset {
    /// The file's name in `target/kit/assets`: a hash of its content and its extension.
    pub(crate) file: String,
    /// The value of the HTML attribute of that name.
    pub(crate) integrity: String,
    pub(crate) size: Size,
}

/// A script of `www` that pages fetch.
struct Script {
    /// The name in the manifest. Scripts that come later find its path in `KIT_<NAME>`.
    name: &'static str,
    entry: &'static str,
    /// The oldest JavaScript that must understand it.
    target: &'static str,
}

/// In the order of building: whoever loads another comes after it.
const SCRIPTS: &[Script] = &[
    Script { name: "tracker", entry: "tracker.js", target: "es2022" },
    Script { name: "panel", entry: "panel.js", target: "es2022" },
    Script { name: "widgets", entry: "widgets.js", target: "es2022" },
    Script { name: "show", entry: "show.js", target: "es2022" },
    Script { name: "forms", entry: "forms.js", target: "es2022" },
    Script { name: "cards", entry: "cards.js", target: "es2022" },
    Script { name: "blocks", entry: "blocks.js", target: "es2022" },
    Script { name: "extras", entry: "extras.js", target: "es2022" },
    // Browsers too old for the tracker still deliver events through the loader.
    Script { name: "loader", entry: "kit.js", target: "es2020" },
    // The same for pages that keep the platform's own script.
    Script { name: "beside", entry: "kit.js", target: "es2020" },
];

/// The names of the wasm modules. Scripts find their paths too; a name not made is `null`.
const MODULES: [&str; 2] = ["wasm", "widgets-wasm"];

/// The names under which their entries import the JavaScript halves of the modules.
const GLUE: [&str; 2] = ["kit:glue", "kit:widgets-glue"];

/// The style sheets: the names under which scripts import them, as text, and their files.
const STYLES: [(&str, &str); 2] = [("kit:style", "forms.css"), ("kit:blocks-style", "blocks.css")];

/// The style sheet that pages fetch where a block came to them without script, and its name in the
/// manifest.
const LINKED: (&str, &str) = ("blocks-style", "blocks.css");

const ESBUILD: &[&str] = &[
    "--bundle",
    "--minify",
    // Fits the loader too, a classic script of one expression: other formats wrap it once more.
    "--format=esm",
    "--charset=utf8",
    "--legal-comments=none",
    "--log-level=warning",
];

const TERSER: &[&str] = &[
    "--module",
    "--ecma",
    "2020",
    "--compress",
    "passes=3,ecma=2020,unsafe_arrows=true",
    "--mangle",
];

/// A file ready to be named and listed.
struct Staged {
    name: &'static str,
    file: String,
    content: Vec<u8>,
}

/// Bundles the scripts and writes `assets` and `manifest.json`, both free of what is outdated.
pub(super) fn build(toolbox: &Toolbox, tracker: &Glue, widgets: &Glue) -> Result<Manifest> {
    let staged = stage(toolbox, [tracker, widgets])?;
    let folder = project::kit().join("assets");
    fs::create_dir_all(&folder)?;
    for Staged { file, content, .. } in &staged {
        let path = folder.join(file);
        // The name is the content's hash, so a file of that name and length is that file.
        if fs::metadata(&path).is_ok_and(|found| found.len() == content.len() as u64) {
            continue;
        }
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let sizes = compress(toolbox, &folder, &staged)?;
    let manifest: Manifest = staged
        .into_iter()
        .zip(sizes)
        .map(|(Staged { name, file, content }, size)| {
            let integrity = format!("sha384-{}", STANDARD.encode(Sha384::digest(content)));
            (name.to_owned(), Asset { file, integrity, size })
        })
        .collect();
    prune(&folder, &manifest)?;
    write_manifest(&manifest)?;
    Ok(manifest)
}

/// Makes each file and gives it its name.
fn stage(toolbox: &Toolbox, glue: [&Glue; 2]) -> Result<Vec<Staged>> {
    let styles = styles(toolbox)?;
    let mut staged = Vec::new();
    let (name, file) = LINKED;
    let content = fs::read(project::kit().join("bundle").join(file))?;
    staged.push(Staged { name, file: hashed(&content, "css"), content });
    for (name, glue) in MODULES.into_iter().zip(glue) {
        let content = fs::read(&glue.module)?;
        staged.push(Staged { name, file: hashed(&content, "wasm"), content });
    }
    for script in SCRIPTS {
        let entry = project::root().join("www").join(script.entry);
        if !entry.is_file() {
            progress::note(format_args!("there is no www/{}, left out", script.entry));
            continue;
        }
        let content = bundle(toolbox, script, &entry, glue, &styles, &staged)?;
        staged.push(Staged { name: script.name, file: hashed(&content, "js"), content });
    }
    Ok(staged)
}

/// Takes from the style sheets what browsers do not need. Scripts have them inside, and so have the
/// pages that the Worker writes.
fn styles(toolbox: &Toolbox) -> Result<[PathBuf; 2]> {
    let outputs = STYLES.map(|(_, file)| project::kit().join("bundle").join(file));
    for ((_, file), output) in STYLES.iter().zip(&outputs) {
        let mut esbuild = toolbox.command(&toolbox.esbuild);
        esbuild.args(["--minify", "--charset=utf8", "--log-level=warning"]);
        esbuild.arg(format!("--outfile={}", output.display()));
        process::run(esbuild.arg(project::root().join("www").join(file)))?;
    }
    Ok(outputs)
}

/// Bundles one script. It gets the names of those before it, as paths from its own, which suit
/// `import()` as well as `new URL()`; a name not made is `null`.
fn bundle(
    toolbox: &Toolbox,
    script: &Script,
    entry: &Path,
    glue: [&Glue; 2],
    styles: &[PathBuf],
    made: &[Staged],
) -> Result<Vec<u8>> {
    let output = project::kit().join("bundle").join(format!("{}.js", script.name));
    let mut esbuild = toolbox.command(&toolbox.esbuild);
    esbuild
        .args(ESBUILD)
        .arg(format!("--target={}", script.target))
        .arg(format!("--define:BESIDE={}", script.name == "beside"))
        .arg("--loader:.css=text")
        .arg(format!("--outfile={}", output.display()));
    for ((name, _), style) in STYLES.iter().zip(styles) {
        esbuild.arg(format!("--alias:{name}={}", style.display()));
    }
    for (name, glue) in GLUE.iter().zip(glue) {
        esbuild.arg(format!("--alias:{name}={}", glue.script.display()));
    }
    for name in SCRIPTS.iter().map(|script| script.name).chain(MODULES) {
        let made = made.iter().find(|staged| staged.name == name);
        let path = made.map(|staged| format!("./{}", staged.file));
        let defined = name.to_uppercase().replace('-', "_");
        esbuild.arg(format!("--define:KIT_{defined}={}", json!(path)));
        if let Some(path) = path {
            esbuild.arg(format!("--external:{path}"));
        }
    }
    process::run(esbuild.arg(entry))?;
    // esbuild bundles; terser's second look saves two percent more of what every page loads.
    let mut terser = toolbox.script(&toolbox.terser);
    terser.args(TERSER).arg("--output").arg(&output).arg(&output);
    process::run(&mut terser)?;
    fs::read(&output).with_context(|| format!("cannot read {}", output.display()))
}

/// Sixteen characters: no two files of all releases will ever share them.
fn hashed(content: &[u8], extension: &str) -> String {
    let mut hash = format!("{:x}", Sha256::digest(content));
    hash.truncate(16);
    format!("{hash}.{extension}")
}

/// Writes the compressed copies that are missing and returns all sizes in the same order.
fn compress(toolbox: &Toolbox, folder: &Path, staged: &[Staged]) -> Result<Vec<Size>> {
    let old = read_manifest().unwrap_or_default();
    let known = |file: &str| {
        let asset = old.values().find(|asset| asset.file == file)?;
        folder.join(compressed(file)).is_file().then_some(asset.size)
    };
    let missing: Vec<PathBuf> = staged
        .iter()
        .filter(|staged| known(&staged.file).is_none())
        .map(|staged| folder.join(&staged.file))
        .collect();
    if !missing.is_empty() {
        progress::step("assets: compressing");
    }
    let mut measured = sizes::measure(toolbox, &missing, true)?.into_iter();
    staged
        .iter()
        .map(|staged| known(&staged.file).or_else(|| measured.next()))
        .collect::<Option<_>>()
        .context("not every asset was measured")
}

fn compressed(file: &str) -> String {
    format!("{file}.br")
}

/// Removes the files of earlier builds, so that none of them gets into a Worker.
fn prune(folder: &Path, manifest: &Manifest) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let listed =
            manifest.values().any(|asset| asset.file == name || compressed(&asset.file) == name);
        if !listed {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn manifest_path() -> PathBuf {
    project::kit().join("manifest.json")
}

/// Leaves an unchanged file alone: its time tells Cargo whether to build the Worker again.
fn write_manifest(manifest: &Manifest) -> Result<()> {
    if read_manifest().as_ref() == Some(manifest) {
        return Ok(());
    }
    let object: BTreeMap<&String, Value> = manifest
        .iter()
        .map(|(name, Asset { file, integrity, size })| {
            let Size { raw, gzip, brotli } = size;
            let value = json!({
                "file": file, "integrity": integrity, "raw": raw, "gzip": gzip, "brotli": brotli,
            });
            (name, value)
        })
        .collect();
    let text = serde_json::to_string_pretty(&object)? + "\n";
    fs::write(manifest_path(), text).context("cannot write the manifest")
}

/// The manifest of the last build, if there is one that this version can read.
fn read_manifest() -> Option<Manifest> {
    let object: BTreeMap<String, Value> =
        serde_json::from_slice(&fs::read(manifest_path()).ok()?).ok()?;
    object
        .into_iter()
        .map(|(name, value)| {
            let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
            let asset = Asset {
                file: text("file")?,
                integrity: text("integrity")?,
                size: Size::from_json(&value)?,
            };
            Some((name, asset))
        })
        .collect()
}
