//! What differs from machine to machine: names, and which relocations fill in an address.

use object::elf::{self, Machine, RelocationType};

/// The machine as Rust's `target_arch` names it; `width` is the bytes of an address.
pub(super) fn name(machine: Machine, width: usize) -> String {
    let name = match (machine, width) {
        (elf::EM_386, _) => "x86",
        (elf::EM_X86_64, _) => "x86_64",
        (elf::EM_ARM, _) => "arm",
        (elf::EM_AARCH64, _) => "aarch64",
        (elf::EM_RISCV, 4) => "riscv32",
        (elf::EM_RISCV, _) => "riscv64",
        (elf::EM_S390, _) => "s390x",
        (elf::EM_PPC, _) => "powerpc",
        (elf::EM_PPC64, _) => "powerpc64",
        (elf::EM_LOONGARCH, 4) => "loongarch32",
        (elf::EM_LOONGARCH, _) => "loongarch64",
        (elf::EM_MIPS, 4) => "mips",
        (elf::EM_MIPS, _) => "mips64",
        (elf::EM_SPARCV9, _) => "sparc64",
        (elf::EM_68K, _) => "m68k",
        _ => return format!("elf-machine-{}", machine.0),
    };
    name.into()
}

/// The relocations that put an address into a word of data: symbol plus addend, and load address plus addend.
///
/// Not those that count from the word itself: a distance within the template is the same in each copy. Empty for
/// machines whose relocations are not known here.
pub(super) fn address_relocations(machine: Machine) -> &'static [RelocationType] {
    match machine {
        elf::EM_386 => &[elf::R_386_32, elf::R_386_RELATIVE],
        elf::EM_X86_64 => {
            &[elf::R_X86_64_64, elf::R_X86_64_32, elf::R_X86_64_32S, elf::R_X86_64_RELATIVE, elf::R_X86_64_RELATIVE64]
        }
        elf::EM_ARM => &[elf::R_ARM_ABS32, elf::R_ARM_RELATIVE],
        elf::EM_AARCH64 => &[elf::R_AARCH64_ABS64, elf::R_AARCH64_ABS32, elf::R_AARCH64_RELATIVE],
        elf::EM_RISCV => &[elf::R_RISCV_32, elf::R_RISCV_64, elf::R_RISCV_RELATIVE],
        elf::EM_S390 => &[elf::R_390_32, elf::R_390_64, elf::R_390_RELATIVE],
        elf::EM_PPC => &[elf::R_PPC_ADDR32, elf::R_PPC_RELATIVE],
        elf::EM_PPC64 => &[elf::R_PPC64_ADDR32, elf::R_PPC64_ADDR64, elf::R_PPC64_RELATIVE],
        elf::EM_LOONGARCH => &[elf::R_LARCH_32, elf::R_LARCH_64, elf::R_LARCH_RELATIVE],
        elf::EM_SPARCV9 => &[elf::R_SPARC_32, elf::R_SPARC_64, elf::R_SPARC_RELATIVE],
        elf::EM_68K => &[elf::R_68K_32, elf::R_68K_RELATIVE],
        _ => &[],
    }
}
