//! Operations on this CPU's copy of a 16-byte word.
//!
//! A pair of words that change together: a pointer and its generation, say. There is no reading of another CPU's
//! copy, as no plain load of 16 bytes is atomic on every x86-64.

use super::handle::PerCpu;
use super::kind::{IsDynamic, IsWord};
use crate::arch::LocalWide;
use crate::arch::Place;

macro_rules! wide {
    ($kind:ty) => {
        impl<P: Place> PerCpu<P, u128, $kind> {
            /// Reads this CPU's value. On x86-64 only.
            ///
            /// Context: any. Linux: `this_cpu_read` of 16 bytes does not exist.
            #[inline(always)]
            #[must_use]
            pub fn read(&self) -> u128 {
                // SAFETY: `place` holds a `u128` by the handle's construction, and all accesses go through `LocalWide`.
                unsafe { LocalWide::read(&self.place) }
            }

            /// Replaces this CPU's value by `new` if it is `old`. On x86-64 only.
            ///
            /// Context: any. Linux: `this_cpu_cmpxchg128`.
            ///
            /// # Errors
            ///
            /// The value found, where it is not `old`; nothing is written then.
            #[doc(alias = "this_cpu_cmpxchg128")]
            #[doc(alias = "this_cpu_try_cmpxchg128")]
            #[inline(always)]
            pub fn cmpxchg(&self, old: u128, new: u128) -> Result<u128, u128> {
                // SAFETY: as in `read`.
                let found = unsafe { LocalWide::cmpxchg(&self.place, old, new) };
                if found == old { Ok(found) } else { Err(found) }
            }
        }
    };
}
wide!(IsWord);
wide!(IsDynamic);

const _: () = assert!(align_of::<u128>() == 16, "one store of 16 bytes needs its alignment");
