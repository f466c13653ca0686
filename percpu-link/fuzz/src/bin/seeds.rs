//! Writes the first inputs of each target: images of every width and byte order with everything in them that the tool reads.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

#[path = "../../../tests/fixture/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of the tool")]
mod fixture;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in ["report", "check", "patch"] {
        fs::create_dir_all(corpus.join(target))?;
        for (number, image) in fixture::specimens().iter().enumerate() {
            fs::write(corpus.join(target).join(format!("specimen-{number}")), image)?;
        }
    }
    Ok(())
}
