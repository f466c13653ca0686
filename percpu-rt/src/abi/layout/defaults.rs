//! Linux's numbers.
//!
//! This file is also compiled into the build script, so it uses nothing but `core`.

/// The reserved area asked for where nobody says otherwise: 8 KiB (`PERCPU_MODULE_RESERVE`, include/linux/percpu.h).
pub const DEFAULT_RESERVED_SIZE: u64 = 8 << 10;

/// The dynamic area asked for where nobody says otherwise: 28 KiB (`PERCPU_DYNAMIC_RESERVE` on 64-bit machines,
/// include/linux/percpu.h).
pub const DEFAULT_DYN_SIZE: u64 = 28 << 10;

/// The least dynamic area, for what is allocated before the allocator can grow: 20 KiB
/// (`PERCPU_DYNAMIC_EARLY_SIZE`, include/linux/percpu.h).
pub const EARLY_DYN_SIZE: u64 = 20 << 10;

/// The least unit, before it is rounded up to pages: 32 KiB (`PCPU_MIN_UNIT_SIZE`, include/linux/percpu.h).
pub const MIN_UNIT_SIZE: u64 = 32 << 10;

/// The granule of allocation of x86-64, one huge page: 2 MiB (`PMD_SIZE`, arch/x86/kernel/setup_percpu.c).
pub const DEFAULT_ATOM_SIZE: u64 = 2 << 20;

/// The page size of x86-64, and of most others: 4 KiB (`PAGE_SIZE`, arch/x86/include/asm/page_types.h).
pub const DEFAULT_PAGE_SIZE: u64 = 4 << 10;
