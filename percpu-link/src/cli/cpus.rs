//! How many CPUs an image is to be laid out for.

use std::fs;

use crate::error::Error;

/// Where Linux lists the CPUs that can ever exist.
const POSSIBLE: &str = "/sys/devices/system/cpu/possible";

/// The possible CPUs of this machine, as the runtime counts them: up to the last number.
pub(super) fn of_this_machine() -> Result<u64, Error> {
    let listed = fs::read_to_string(POSSIBLE).ok();
    listed.as_deref().and_then(count).ok_or_else(|| {
        Error::Usage(format!(
            "{POSSIBLE} does not tell how many CPUs this machine has; give `--cpus N`, or set `nr-cpus`"
        ))
    })
}

/// The CPUs up to the last one of a list such as `0-3,8-11`.
fn count(list: &str) -> Option<u64> {
    let last = list.trim().rsplit([',', '-']).next()?;
    last.parse::<u64>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn a_list_counts_up_to_its_last_cpu() {
        for (list, cpus) in [("0\n", 1), ("0-3\n", 4), ("0-3,8-11\n", 12), ("0,2,5\n", 6)] {
            assert_eq!(count(list), Some(cpus), "{list}");
        }
        for list in ["", "\n", "0-", "all", "18446744073709551615"] {
            assert_eq!(count(list), None, "{list}");
        }
    }
}
