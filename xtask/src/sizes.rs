//! `cargo xtask sizes`: what pages and the edge load, byte for byte, and the limits.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::tools::Toolbox;
use crate::{build, process, progress, project};

/// A page waits for the loader, so all of it must fit the first packets of a connection.
const LOADER_LIMIT: u64 = 2_500;

/// The tracker comes later, in a thread of its own: this is what a small picture weighs.
const TRACKER_LIMIT: u64 = 25_000;

/// What every page with forms loads, whether it shows one or not.
const FORMS_LIMIT: u64 = 4_000;

/// What a page that shows a form loads besides: elements, dialogs and their style.
const SHOW_LIMIT: u64 = 4_500;

/// What every page with recommendations loads, whether it shows a block or not.
const BLOCKS_LIMIT: u64 = 3_000;

/// What a page that shows a block loads besides: what draws cards and reports them, and their style.
const CARDS_LIMIT: u64 = 4_000;

/// Comes when a person touches a form. With what shows blocks it has to fit into 45,000.
const WIDGETS_LIMIT: u64 = 37_500;

/// A length in bytes: as it is, after gzip at level 9, after Brotli at level 11 in a window of 22.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Size {
    pub(crate) raw: u64,
    pub(crate) gzip: u64,
    pub(crate) brotli: u64,
}

impl Size {
    /// Reads the three members of an object, among others.
    pub(crate) fn from_json(object: &Value) -> Option<Self> {
        let number = |key: &str| object.get(key)?.as_u64();
        Some(Self { raw: number("raw")?, gzip: number("gzip")?, brotli: number("brotli")? })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            raw: self.raw + other.raw,
            gzip: self.gzip + other.gzip,
            brotli: self.brotli + other.brotli,
        }
    }
}

/// One line of the table.
struct Row {
    name: &'static str,
    size: Size,
    /// In bytes of Brotli.
    limit: Option<u64>,
}

/// `cargo xtask sizes`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    if let Some(unknown) = arguments.first() {
        bail!("`sizes` takes no argument, got `{unknown}`");
    }
    let toolbox = Toolbox::prepare()?;
    let manifest = build::run(&toolbox)?;
    check(&toolbox, &manifest)
}

/// Prints the sizes and fails over the limits.
pub(crate) fn check(toolbox: &Toolbox, manifest: &build::Manifest) -> Result<()> {
    let asset = |name: &str| manifest.get(name).map(|asset| asset.size);
    let required = |name: &str| asset(name).with_context(|| format!("the {name} was not built"));

    let script = required("tracker")?;
    let module = required("wasm")?;
    let helper = required("widgets")?;
    let helper_module = required("widgets-wasm")?;
    let worker: Size = measure(toolbox, &build::worker_outputs(), false)?
        .into_iter()
        .fold(Size::default(), Size::plus);
    let row = |name, size, limit| Row { name, size, limit };
    let mut rows = vec![
        row("loader", required("loader")?, Some(LOADER_LIMIT)),
        row("tracker", script.plus(module), Some(TRACKER_LIMIT)),
        row("  script", script, None),
        row("  wasm", module, None),
        row("widgets", helper.plus(helper_module), Some(WIDGETS_LIMIT)),
        row("  script", helper, None),
        row("  wasm", helper_module, None),
    ];
    let others = [
        ("forms", Some(FORMS_LIMIT)),
        ("show", Some(SHOW_LIMIT)),
        ("blocks", Some(BLOCKS_LIMIT)),
        ("cards", Some(CARDS_LIMIT)),
        ("panel", None),
        ("extras", None),
    ];
    rows.extend(
        others.into_iter().filter_map(|(name, limit)| Some(row(name, asset(name)?, limit))),
    );
    rows.push(row("worker", worker, None));
    print(&rows);
    // Compilers differ by some percent, so a size means little without the compiler's name.
    progress::result(process::stdout(Command::new("rustc").arg("--version"))?);
    gate(&rows)
}

fn print(rows: &[Row]) {
    progress::result(format_args!(
        "{:<10} {:>9} {:>9} {:>9} {:>9}",
        "", "raw", "gzip", "brotli", "limit"
    ));
    for Row { name, size: Size { raw, gzip, brotli }, limit } in rows {
        let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
        progress::result(format_args!("{name:<10} {raw:>9} {gzip:>9} {brotli:>9} {limit:>9}"));
    }
}

/// Fails with every part that is over its limit.
fn gate(rows: &[Row]) -> Result<()> {
    let over: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let excess = row.size.brotli.checked_sub(row.limit?).filter(|excess| *excess > 0)?;
            Some(format!("the {} is {excess} bytes over its limit", row.name))
        })
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    bail!(over.join(", "))
}

/// Measures files in the order given, and keeps their Brotli form beside them if asked to.
///
/// Node compresses, with the reference implementations of both formats: it is needed anyway,
/// while a library would be compiled by everyone who tries the kit, and run slowly unoptimised.
pub(crate) fn measure(toolbox: &Toolbox, files: &[PathBuf], keep: bool) -> Result<Vec<Size>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let mut node = toolbox.script(&project::root().join("xtask/compress.mjs"));
    if keep {
        node.arg("--keep");
    }
    let answer = process::stdout(node.args(files))?;
    let sizes: Vec<Value> = serde_json::from_str(&answer).context("compress.mjs answers JSON")?;
    let sizes: Option<Vec<Size>> = sizes.iter().map(Size::from_json).collect();
    match sizes {
        Some(sizes) if sizes.len() == files.len() => Ok(sizes),
        _ => bail!("compress.mjs answered `{answer}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, Size, gate};

    fn row(brotli: u64, limit: Option<u64>) -> Row {
        Row { name: "part", size: Size { brotli, ..Size::default() }, limit }
    }

    #[test]
    fn a_part_may_reach_its_limit_and_not_pass_it() {
        assert!(gate(&[row(10, Some(10)), row(99, None)]).is_ok());
        let error = gate(&[row(12, Some(10)), row(11, Some(10))]).expect_err("both are over");
        assert_eq!(
            error.to_string(),
            "the part is 2 bytes over its limit, the part is 1 bytes over its limit"
        );
    }
}
