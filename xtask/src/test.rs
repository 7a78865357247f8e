//! `cargo xtask test`: every check there is, in the order of what fails fastest.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    build, chaos, deploy, exports, process, progress, project, sizes, stack,
    tools::{self, Toolbox},
};

/// Runs the checks.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let engines = match arguments {
        [] => false,
        [name] if name == "--engines" => true,
        _ => bail!("`test` takes --engines and nothing else"),
    };
    let toolbox = Toolbox::prepare()?;
    let chromium = toolbox.chromium()?;
    let driver = tools::chromedriver(&chromium)?;
    let wasm = ["--target", tools::TARGET];

    progress::step("formatting");
    process::run(&mut cargo(&toolbox, &["fmt", "--all", "--check"]))?;

    progress::step("build");
    let manifest = build::run(&toolbox)?;
    stack::build_sandbox(&toolbox)?;
    progress::step("sizes");
    sizes::check(&toolbox, &manifest)?;
    exports::check(&toolbox, &manifest)?;

    progress::step("lints");
    let deny = ["--", "-D", "warnings"];
    let lint = |arguments: &[&str]| {
        let all = [&["clippy", "--locked"], arguments, &deny].concat();
        process::run(&mut cargo(&toolbox, &all))
    };
    lint(&["--workspace", "--exclude", "esputnik-kit-worker", "--all-targets"])?;
    for face in ["browser", "widgets"] {
        lint(&[&["--package", "esputnik-kit", "--features", face], &wasm[..]].concat())?;
    }
    lint(&[&["--package", "esputnik-kit-worker"], &wasm[..]].concat())?;

    progress::step("documentation");
    let mut doc = toolbox.cargo();
    doc.current_dir(project::root()).env("RUSTDOCFLAGS", "-D warnings");
    doc.args(["doc", "--locked", "--no-deps", "--package", "esputnik-kit"]);
    process::run(&mut doc)?;

    progress::step("native tests");
    let exclude = ["--workspace", "--exclude", "esputnik-kit-worker"];
    process::run(&mut cargo(&toolbox, &[&["test", "--locked"], &exclude[..]].concat()))?;

    progress::step("type declarations");
    let mut tsc = toolbox.script(&toolbox.tsc);
    process::run(tsc.current_dir(project::root()).args(["--project", "tests/types"]))?;

    progress::step("deploy, dry");
    deploy::dry_run(&toolbox)?;

    progress::step("tests in the browser: wasm");
    for (face, tests) in
        [("browser", &["web-page", "web-worker"][..]), ("widgets", &["web-request"])]
    {
        let mut web = toolbox.cargo();
        web.current_dir(project::root())
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &toolbox.wasm_bindgen_test_runner)
            .env("CHROMEDRIVER", &driver)
            .args(["test", "--locked", "--package", "esputnik-kit", "--features", face])
            .args(tests.iter().flat_map(|name| ["--test", name]))
            .args(wasm);
        process::run(&mut web)?;
    }

    chaos::run_small()?;

    progress::step("tests in the browser: end to end");
    let mut playwright = toolbox.script(&toolbox.playwright);
    playwright.current_dir(project::root()).env("KIT_CHROMIUM", &chromium).args([
        "test",
        "--config",
        "tests/e2e/playwright.config.js",
    ]);
    process::run(&mut playwright)?;

    if engines {
        progress::step("smoke journey in Firefox and WebKitGTK");
        process::run(&mut toolbox.script(&project::root().join("tests/engines/run.js")))?;
    }
    progress::step("everything passed");
    Ok(())
}

fn cargo(toolbox: &Toolbox, arguments: &[&str]) -> Command {
    let mut command = toolbox.cargo();
    command.current_dir(project::root()).args(arguments);
    command
}
