//! Embeds what `cargo xtask build` made: the page's files, so that the Worker serves them by
//! itself, and the settings, so that `wrangler deploy` needs nothing but the Worker.

use std::{env, fmt::Write, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=KIT_ASSETS");
    let fallback = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by Cargo"))
        .join("../target/kit");
    let folder = env::var_os("KIT_ASSETS").map_or(fallback, PathBuf::from);
    let manifest = folder.join("manifest.json");
    println!("cargo::rerun-if-changed={}", manifest.display());
    let Ok(text) = fs::read_to_string(&manifest) else {
        println!("cargo::error=the page's files are not built yet: run `cargo xtask build`");
        return;
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by Cargo"));
    let settings = folder.join("config.json");
    println!("cargo::rerun-if-changed={}", settings.display());
    if fs::copy(&settings, out.join("config.json")).is_err() {
        println!("cargo::error=the settings are not read yet: run `cargo xtask build`");
        return;
    }
    // Pages of forms have their looks in them, so that nothing else is fetched for them. The file is
    // written by each build, so its time tells nothing; scripts hold the same text, so the manifest does.
    let style = folder.join("bundle/forms.css");
    fs::write(out.join("forms.css"), fs::read_to_string(&style).unwrap_or_default())
        .expect("the build folder can be written");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("xtask writes JSON");
    let mut code = String::from("pub(crate) static ASSETS: &[Asset] = &[\n");
    for (name, entry) in manifest.as_object().expect("xtask writes an object") {
        let Some(file) = entry["file"].as_str() else { continue };
        let path = folder.join("assets").join(file);
        let path = path.canonicalize().expect("xtask lists files that are there");
        let path = path.to_str().expect("the project's folder has a UTF-8 name");
        writeln!(
            code,
            "Asset {{ name: {name:?}, file: {file:?}, raw: include_bytes!({path:?}), \
             brotli: include_bytes!({:?}) }},",
            format!("{path}.br")
        )
        .expect("writing to a string");
    }
    code.push_str("];\n");
    fs::write(out.join("assets.rs"), code).expect("the build folder can be written");
}
