//! What the checked mode tells of this process.

use super::global::global;
use crate::chunk::checked::{CheckError, Object};

/// Calls `each` with every live dynamic object: where there should be none any more, the leaks.
///
/// ```standalone_crate
/// use core::alloc::Layout;
/// use percpu_rt::{AllocFlags, alloc_percpu, free_percpu, leaks};
///
/// let line = line!() + 1;
/// let raw = alloc_percpu(Layout::new::<u64>(), AllocFlags::NONE)?;
/// leaks(|leak| assert_eq!((leak.size, leak.allocated_at.line()), (8, line)));
/// // SAFETY: allocated above, and not used.
/// unsafe { free_percpu(raw) };
/// leaks(|leak| panic!("{leak}"));
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
///
/// `each` may allocate and free. What other threads allocate and free meanwhile may be among them or not. There are none before
/// set-up.
///
/// Context: threads. Costs a look at every record. With the feature `checked` alone.
pub fn leaks(each: impl FnMut(Object)) {
    if let Ok(global) = global() {
        global.free_postponed();
        global.leaks(each);
    }
}

/// Calls `each` with every dynamic object past whose end was written, each an [`Overrun`](CheckError::Overrun).
///
/// A free looks at its object by itself. As [`leaks`], but for the cost: a look at what is behind every object in every unit.
pub fn check_all(each: impl FnMut(CheckError)) {
    if let Ok(global) = global() {
        global.check_all(each);
    }
}
