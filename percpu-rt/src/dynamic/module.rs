//! Static variables of modules that are loaded while the program runs.

use super::global::global;
use super::pointer::PerCpuPtr;
use super::raw::{alloc_with_stock, free_percpu};
use crate::chunk::{AllocError, AllocFlags};
use crate::cpu::possible_cpus;

/// The units' part that holds the static per-CPU variables of one module.
///
/// A loader that finds a per-CPU section in an object file allocates its image in every unit, and moves the section's
/// symbols: that at `s` of the section is then the per-CPU pointer [`symbol(s)`](Self::symbol). Dropping the area unloads it.
///
/// The area comes from the 8 KiB that every unit reserves for modules, near the program's own variables; where these are
/// taken, from anywhere. Linux refuses the module then (kernel/module/main.c).
///
/// ```
/// use percpu_rt::{ModuleArea, possible_cpus};
///
/// let image = [1, 2, 3, 4, 5, 6, 7, 8];
/// let area = ModuleArea::load(&image, 8)?;
/// let second = area.symbol(4).expect("within the image").cast::<[u8; 4]>();
/// for cpu in possible_cpus() {
///     // SAFETY: four bytes of the area, known to this thread alone.
///     assert_eq!(unsafe { second.per_cpu_ptr(cpu).read() }, [5, 6, 7, 8]);
/// }
/// # Ok::<(), percpu_rt::AllocError>(())
/// ```
#[derive(Debug)]
pub struct ModuleArea {
    start: PerCpuPtr<u8>,
    size: usize,
}

impl ModuleArea {
    /// Allocates an area aligned to `align` and copies `image` to it on every possible CPU.
    ///
    /// Context: threads. Costs an allocation and a copy a CPU.
    ///
    /// # Errors
    ///
    /// As [`alloc_percpu`](crate::alloc_percpu); an empty image has size 0. An alignment beyond the page is refused, as one that is no power of two is: Linux
    /// warns and aligns to a page, and the module's variables are misaligned.
    #[track_caller]
    pub fn load(image: &[u8], align: usize) -> Result<Self, AllocError> {
        let size = image.len();
        let (offset, stamp) = alloc_with_stock(global()?, size, align, AllocFlags::RESERVED)?;
        let start = PerCpuPtr::from_offset(offset, stamp);
        for cpu in possible_cpus() {
            // SAFETY: as many bytes as the image has were allocated in every unit, and nobody has been told.
            unsafe { start.per_cpu_ptr(cpu).copy_from_nonoverlapping(image.as_ptr(), size) };
        }
        Ok(Self { start, size })
    }

    /// The per-CPU pointer to the area's first byte.
    #[must_use]
    pub const fn start(&self) -> PerCpuPtr<u8> {
        self.start
    }

    /// Bytes of the image.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The per-CPU pointer to what stands at `offset` of the image, its end included; `None` beyond.
    #[must_use]
    pub fn symbol(&self, offset: usize) -> Option<PerCpuPtr<u8>> {
        (offset <= self.size).then(|| PerCpuPtr::new(self.start.as_ptr().wrapping_byte_add(offset)))?
    }
}

/// Unloads the area: whatever the module's code still does with it, it does to somebody else's memory.
impl Drop for ModuleArea {
    fn drop(&mut self) {
        // SAFETY: allocated by `load`. Pointers into it are used in unsafe code alone, which has to have ended.
        unsafe { free_percpu(self.start) };
    }
}
