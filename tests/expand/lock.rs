//! A lock differs from a word in its type alone, which decides the kind.

use percpu_rt::{LocalLock, per_cpu};

#[per_cpu]
static NAMES: LocalLock<Vec<String>> = LocalLock::new(Vec::new());
