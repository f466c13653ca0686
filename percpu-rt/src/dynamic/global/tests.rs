//! Who waits for whom, of two areas.

use core::alloc::Layout;

use super::*;
use crate::dynamic::alloc_percpu;

#[test]
fn who_has_one_lock_waits_for_neither() {
    let layout = Layout::new::<u64>();
    for flags in [AllocFlags::NONE, AllocFlags::RESERVED] {
        let offset = alloc_percpu(layout, flags).expect("room").offset();
        let global = global().expect("set up");
        for lock in [&LOCK, &RESERVED_LOCK] {
            assert!(lock.enter());
            let freed = global.free(offset, Stamp::UNKNOWN);
            let alloc = global.alloc(8, 8, flags | AllocFlags::ATOMIC);
            // SAFETY: entered above.
            unsafe { lock.leave() };
            assert_eq!((freed, alloc.err()), (Err(FreeError::Busy { offset }), Some(AllocError::Busy)));
        }
        assert_eq!(global.free(offset, Stamp::UNKNOWN), Ok(()));
    }
}
