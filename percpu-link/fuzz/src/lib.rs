//! What the fuzz targets share: the input as a file, since files are what the tool reads.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A file of this process with `bytes` in it, in memory where the system has a place for that.
pub fn file(bytes: &[u8]) -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let path = FILE.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { memory.into() } else { std::env::temp_dir() };
        dir.join(format!("percpu-link-fuzz-{}", std::process::id()))
    });
    std::fs::write(path, bytes).expect("the file is this process's own");
    path
}
