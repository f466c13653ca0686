//! What the loader says: where the tables are, and the command line.

use core::ffi::CStr;

/// From physical to virtual addresses: the lowest 4 GiB are where they are.
pub fn at<T>(physical: u64) -> *mut T {
    core::ptr::with_exposed_provenance_mut(physical as usize)
}

/// `hvm_start_info` (Xen's public headers, arch-x86/hvm/start_info.h).
#[repr(C)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_entries: u32,
    reserved: u32,
}

/// What begins a start info.
const MAGIC: u32 = 0x336e_c578;

/// A range of the memory map; type 1 is memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Range {
    pub start: u64,
    pub bytes: u64,
    pub kind: u32,
    reserved: u32,
}

/// The machine as the loader found it.
pub struct Machine {
    pub rsdp: u64,
    pub ranges: &'static [Range],
    command_line: &'static str,
}

impl Machine {
    pub fn new(start_info: u64) -> Self {
        // SAFETY: the loader's, by the protocol under which it has started us.
        let info = unsafe { &*at::<StartInfo>(start_info) };
        assert_eq!(info.magic, MAGIC, "not started by PVH");
        // SAFETY: likewise, a list and a C string.
        let (ranges, text) = unsafe {
            let ranges = core::slice::from_raw_parts(at(info.memory_map), info.memory_entries as usize);
            (ranges, CStr::from_ptr(at(info.command_line)))
        };
        Self { rsdp: info.rsdp, ranges, command_line: text.to_str().unwrap_or("") }
    }

    /// The value of `name=value` in the command line.
    pub fn option(&self, name: &str) -> Option<&'static str> {
        let words = self.command_line.split_ascii_whitespace();
        words.filter_map(|word| word.split_once('=')).find(|(word, _)| *word == name).map(|(_, value)| value)
    }

    /// Likewise, a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.option(name).and_then(|value| value.parse().ok())
    }
}
