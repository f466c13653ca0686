//! What the loaded image says of its template.

use core::ffi::{CStr, c_int, c_void};

use crate::area::template;

/// The loaded object that holds the template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Image {
    /// The alignment that the units need so that every variable in them is aligned, a power of two: that of the
    /// segment that holds the template.
    ///
    /// Read from the program headers in memory, since no symbol tells it alike under all linkers. It may be larger
    /// than what the template alone asks for.
    pub(super) alignment: usize,
    /// The name by which the loader knows the object; empty for the program itself.
    pub(super) name: &'static CStr,
}

/// Finds the object.
pub(super) fn find() -> Image {
    let mut search = Search { address: template::start().addr(), image: Image { alignment: 1, name: c"" } };
    // SAFETY: `visit` has the type that the function asks for and gets the pointer to a `Search` that lives until
    // it returns.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.image
}

struct Search {
    address: usize,
    image: Image,
}

/// Looks at one loaded object; a result other than 0 ends the loop.
unsafe extern "C" fn visit(object: *mut libc::dl_phdr_info, _size: usize, search: *mut c_void) -> c_int {
    // SAFETY: the loader passes a valid description of an object, and `find` its own `Search`.
    let (object, search) = unsafe { (&*object, &mut *search.cast::<Search>()) };
    for index in 0..usize::from(object.dlpi_phnum) {
        // SAFETY: `dlpi_phdr` has `dlpi_phnum` entries.
        let segment = unsafe { &*object.dlpi_phdr.add(index) };
        let start = (object.dlpi_addr as usize).wrapping_add(segment.p_vaddr as usize);
        if segment.p_type == libc::PT_LOAD && search.address.wrapping_sub(start) < segment.p_memsz as usize {
            search.image.alignment = (segment.p_align as usize).max(1);
            if !object.dlpi_name.is_null() {
                // SAFETY: a C string of the loader's, which lives as long as the object: this code is in it.
                search.image.name = unsafe { CStr::from_ptr(object.dlpi_name) };
            }
            return 1;
        }
    }
    0
}
