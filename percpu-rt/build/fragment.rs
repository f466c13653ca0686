//! The text of the linker fragment.

use std::fmt::Write as _;

use crate::class::{BSS, CACHE_LINE, Class, DATA};
use crate::defaults::{DEFAULT_DYN_SIZE, DEFAULT_PAGE_SIZE, DEFAULT_RESERVED_SIZE};
use crate::symbol::{self, ALIGN, END, NR_UNITS, START, THIS_CPU_OFF, UNIT_SIZE, UNITS_END, UNITS_START};

/// What a linker that does not read the fragment should be told. It stands in the first line, which is the one
/// that linkers quote when they give up on a file.
const REMEDY: &str = "percpu-rt: built for LLD, which reads this file; \
    remedy: build with PERCPU_LINK=section in the environment for any other linker";

/// The fragment: all templates between two symbols, in class order, in front of `.bss`.
///
/// `INSERT BEFORE .bss` since every image has a `.bss`, since the zero templates need to be followed by nothing
/// with file bytes, and since a place before `.data` could end in the part that becomes read-only.
pub(crate) fn script() -> String {
    let mut text = format!("/* {REMEDY} */ SECTIONS\n{{\n");
    // Also by the name that a kernel's runtime asks for, whose set-up is tested in a process.
    write_sections(&mut text, &[START, symbol::FRAGMENT, symbol::KERNEL_FRAGMENT]);
    let _ = writeln!(text, "}}\nINSERT BEFORE .bss;");
    write_align(&mut text);
    write_check(&mut text, "a linker script of this program takes .data.* before percpu.x does");
    text
}

/// The fragment of kernels: the same sections, for a place in a script's own `SECTIONS`.
pub(crate) fn for_kernels() -> String {
    let mut text =
        "/* percpu-rt: INCLUDE this file in SECTIONS, in front of .data and of whatever takes .data.* */\n".to_owned();
    write_sections(&mut text, &[START, symbol::KERNEL_FRAGMENT]);
    write_align(&mut text);
    write_check(&mut text, "the script takes .data.* in front of INCLUDE percpu.ld");
    text
}

/// Units for a static first chunk: the script reserves them, and nothing is allocated at boot.
pub(crate) fn units() -> String {
    let align = format!("MAX({DEFAULT_PAGE_SIZE}, {ALIGN})");
    format!(
        "/* percpu-rt: INCLUDE this file in SECTIONS, behind percpu.ld and a line {NR_UNITS} = NUMBER OF CPUS; */\n\
         HIDDEN({UNIT_SIZE} = ALIGN({END} - {START} + {DEFAULT_RESERVED_SIZE} + {DEFAULT_DYN_SIZE}, {align}));\n\
         .bss..percpu_units (NOLOAD) : ALIGN({align})\n{{\n  \
         HIDDEN({UNITS_START} = .);\n  . += {NR_UNITS} * {UNIT_SIZE};\n  HIDDEN({UNITS_END} = .);\n}}\n"
    )
}

/// The alignment of the template, as a number.
fn write_align(text: &mut String) {
    let _ = writeln!(text, "HIDDEN({ALIGN} = MAX(ALIGNOF({DATA}), ALIGNOF({BSS})));");
}

/// The sections of the templates, with `starts` at their first byte.
fn write_sections(text: &mut String, starts: &[&str]) {
    // The template is one span, aligned as the most aligned variable of either section: only then do the alignments
    // inside hold in every unit too.
    let _ = writeln!(text, "  {DATA} : ALIGN(MAX({CACHE_LINE}, ALIGNOF({BSS})))\n  {{");
    for symbol in starts {
        let _ = writeln!(text, "    HIDDEN({symbol} = .);");
    }
    for class in Class::ALL.into_iter().filter(|&class| class != Class::Zeroed) {
        if class.starts_line() {
            let _ = writeln!(text, "    . = ALIGN({CACHE_LINE});");
        }
        write_class(text, class);
    }
    let _ = writeln!(text, "  }}\n  {BSS} (NOLOAD) :\n  {{");
    write_class(text, Class::Zeroed);
    let _ = writeln!(text, "    HIDDEN({END} = .);\n  }}");
}

/// Another script, or part of one, that swallows `.data.*` first would leave the templates among the ordinary variables.
fn write_check(text: &mut String, why: &str) {
    let _ = writeln!(
        text,
        "ASSERT(!DEFINED({THIS_CPU_OFF}) || ({THIS_CPU_OFF} >= {START} && {THIS_CPU_OFF} < {END}),\n  \
         \"ERROR(percpu-rt): the per-CPU templates were linked outside of {DATA}: {why}; let it leave out .data..percpu*\")"
    );
}

fn write_class(text: &mut String, class: Class) {
    let pattern = class.input_pattern();
    let _ = writeln!(text, "    HIDDEN({} = .);", class.start_symbol());
    // Sorted, so that small variables do not leave holes between large ones.
    let _ = writeln!(text, "    *(SORT_BY_ALIGNMENT({pattern}))");
}
