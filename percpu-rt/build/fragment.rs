//! The text of the linker fragment.

use std::fmt::Write as _;

use crate::class::{BSS, CACHE_LINE, Class, DATA};
use crate::symbol::{self, END, START, THIS_CPU_OFF};

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
    // The template is one span, aligned as the most aligned variable of either section: only then do the alignments
    // inside hold in every unit too.
    let _ = writeln!(text, "  {DATA} : ALIGN(MAX({CACHE_LINE}, ALIGNOF({BSS})))\n  {{");
    for symbol in [START, symbol::FRAGMENT] {
        let _ = writeln!(text, "    HIDDEN({symbol} = .);");
    }
    for class in Class::ALL.into_iter().filter(|&class| class != Class::Zeroed) {
        if class.starts_line() {
            let _ = writeln!(text, "    . = ALIGN({CACHE_LINE});");
        }
        write_class(&mut text, class);
    }
    let _ = writeln!(text, "  }}\n  {BSS} (NOLOAD) :\n  {{");
    write_class(&mut text, Class::Zeroed);
    let _ = writeln!(text, "    HIDDEN({END} = .);\n  }}\n}}\nINSERT BEFORE .bss;");
    // Another script that swallows `.data.*` first would leave the templates among the ordinary variables.
    let _ = writeln!(
        text,
        "ASSERT(!DEFINED({THIS_CPU_OFF}) || ({THIS_CPU_OFF} >= {START} && {THIS_CPU_OFF} < {END}),\n  \
         \"ERROR(percpu-rt): the per-CPU templates were linked outside of {DATA}: a linker script of this program \
         takes .data.* before percpu.x does; let it leave out .data..percpu*\")"
    );
    text
}

fn write_class(text: &mut String, class: Class) {
    let pattern = class.input_pattern();
    let _ = writeln!(text, "    HIDDEN({} = .);", class.start_symbol());
    // Sorted, so that small variables do not leave holes between large ones.
    let _ = writeln!(text, "    *(SORT_BY_ALIGNMENT({pattern}))");
}
