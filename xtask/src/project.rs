//! Where things are in the source tree.

use std::path::{Path, PathBuf};

/// The root of the source tree.
pub(crate) fn root() -> PathBuf {
    // Cargo compiles this package again when its folder moves, so the answer cannot be stale.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the tree")
        .to_owned()
}

/// Everything that the commands make, besides what Cargo and worker-build make.
///
/// Fixed below the root, whatever Cargo's own target folder is: the Worker's build script and the
/// tests read from here.
pub(crate) fn kit() -> PathBuf {
    root().join("target/kit")
}
