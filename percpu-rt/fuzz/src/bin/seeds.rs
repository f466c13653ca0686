//! Writes the first inputs: some hundred random operations on units of every shape.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use percpu_rt_fuzz::OPERATION;
use percpu_tests::random::Random;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/operations");
    fs::create_dir_all(&corpus)?;
    let mut random = Random::new(1);
    for shape in 0..16_u8 {
        let operations = (0..300 * OPERATION).map(|_| random.bits() as u8);
        fs::write(corpus.join(format!("shape-{shape}")), [shape].into_iter().chain(operations).collect::<Vec<_>>())?;
    }
    Ok(())
}
