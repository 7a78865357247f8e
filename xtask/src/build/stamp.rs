//! Leaving out steps whose input did not change.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::project;

/// Everything that decides what a step makes: files, flags, versions.
#[derive(Default)]
pub(super) struct Inputs(Sha256);

impl Inputs {
    /// Adds a flag, a version or the like.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a file with its content.
    pub(super) fn file(&mut self, path: &Path) -> Result<&mut Self> {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(self.text(&path.to_string_lossy()).bytes(&content))
    }

    /// Adds a program. Its size and time say enough: what npm and Cargo install is not edited.
    pub(super) fn program(&mut self, path: &Path) -> Result<&mut Self> {
        let metadata =
            fs::metadata(path).with_context(|| format!("cannot find {}", path.display()))?;
        let state = format!("{} {:?}", metadata.len(), metadata.modified()?);
        Ok(self.text(&path.to_string_lossy()).text(&state))
    }

    /// The length goes first, so that two lists of parts never make one hash.
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes.len().to_le_bytes());
        self.0.update(bytes);
        self
    }
}

/// Runs `make` unless the step `name` was last done with the same inputs and its outputs exist.
pub(super) fn unless_fresh(
    name: &str,
    inputs: Inputs,
    outputs: &[PathBuf],
    make: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let key = format!("{:x}", inputs.0.finalize());
    let stamp = project::kit().join("stamp").join(name);
    let same = fs::read_to_string(&stamp).is_ok_and(|found| found == key);
    if same && outputs.iter().all(|output| output.is_file()) {
        return Ok(());
    }
    // A step that is cut short must not look done.
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    make()?;
    if let Some(folder) = stamp.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&stamp, key).with_context(|| format!("cannot write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::Inputs;

    #[test]
    fn the_border_between_two_inputs_counts() {
        let hash = |parts: &[&str]| {
            let mut inputs = Inputs::default();
            for part in parts {
                inputs.text(part);
            }
            inputs.0.finalize()
        };
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
