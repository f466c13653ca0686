//! The steps of `PORTING.md`, as they stand there, taken by a kernel that knows nothing of per-CPU variables.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use percpu_tests::tool;

/// What the steps leave to the kernel: memory, distances, and what its variables are.
const AROUND: &str = r#"
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::fmt::Display;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use percpu_rt::kernel::{FirstChunk, NodeMemory, PossibleCpu, SetupError, setup_per_cpu_areas};
use percpu_rt::{CpuId, per_cpu, possible_cpus};
use crate::console::println;

#[per_cpu]
static HITS: u64 = 40;

#[repr(align(0x200000))]
struct Memory(UnsafeCell<[u8; 8 << 20]>);
unsafe impl Sync for Memory {}
static MEMORY: Memory = Memory(UnsafeCell::new([0; 8 << 20]));
static NEXT: AtomicUsize = AtomicUsize::new(0);

struct Frames;
unsafe impl NodeMemory for Frames {
    fn alloc(&self, _: u32, layout: Layout) -> Option<NonNull<u8>> {
        let at = NEXT.fetch_add(layout.size().next_multiple_of(2 << 20), SeqCst);
        NonNull::new(MEMORY.0.get().cast::<u8>().wrapping_add(at))
    }
}

fn slit(_: u32, _: u32) -> u32 {
    20
}

fn poison() {
    POISON
}

fn set_up() -> Result<(), SetupError> {
    SETUP
    println!("units of {} bytes", areas.unit_size);
    Ok(())
}

fn install(cpu: CpuId) {
    INSTALL
}

pub fn run() -> Result<(), impl Display> {
    poison();
    set_up()?;
    install(possible_cpus().next().expect("a CPU"));
    println!("{} hits", HITS.sum());
    Ok::<_, SetupError>(())
}
"#;

/// Before the first step.
const SCRIPT: &str = "
ENTRY(_start32)
BASE = 0xffffffff80000000;
BEFORE_SECTIONS
PHDRS { boot PT_LOAD; text PT_LOAD; data PT_LOAD; note PT_NOTE FLAGS(4); }
SECTIONS
{
  . = 0x100000;
  .boot : { *(.boot .boot.*) } :boot
  . = BASE + 0x200000;
  .text : AT(ADDR(.text) - BASE) { *(.text .text.*) } :text
  .note.pvh : AT(ADDR(.note.pvh) - BASE) { KEEP(*(.note.pvh)) } :text :note
  .rodata : AT(ADDR(.rodata) - BASE) { *(.rodata .rodata.*) } :text
  . = ALIGN(4096);
  .first : AT(ADDR(.first) - BASE) { QUAD(0) } :data
  BEFORE_DATA
  .data : AT(ADDR(.data) - BASE) { *(.data .data.*) *(.got .got.*) } :data
  .bss : AT(ADDR(.bss) - BASE) { *(.bss .bss.*) *(COMMON) } :data
  BEHIND_BSS
  kernel_end = .;
  /DISCARD/ : { *(.eh_frame .eh_frame_hdr .gcc_except_table .gcc_except_table.* .comment .note.gnu.* .tdata .tbss) }
}
";

/// The contents of the page's code blocks.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').expect("a language").1).collect()
}

#[test]
fn the_steps_of_porting_lead_to_variables() {
    let Some(_) = tool::require("qemu-system-x86_64") else { return };
    if tool::skip_sanitized("a kernel") {
        return;
    }
    let page = fs::read_to_string(super::example().join("PORTING.md")).expect("the page");
    let [dependency, script, units, poison, set_up, install, ..] = blocks(&page)[..] else { panic!("{page}") };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scratch-kernel");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::create_dir_all(folder.join(".cargo")).expect("a folder");
    let write = |name: &str, text: String| fs::write(folder.join(name), text).expect("a file");

    let example = super::example();
    let runtime = example.join("../../percpu-rt");
    let dependency = dependency.replace("version = \"0.1\"", &format!("path = {:?}", runtime.display().to_string()));
    let head = "[package]\nname = \"scratch\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    let profile = "[profile.release]\npanic = \"abort\"\n[profile.dev]\npanic = \"abort\"\n";
    write("Cargo.toml", format!("{head}{profile}{dependency}"));
    let (number, include) = units.split_once('\n').expect("two lines");
    let script =
        SCRIPT.replace("BEFORE_SECTIONS", number).replace("BEFORE_DATA", script).replace("BEHIND_BSS", include);
    write("link.ld", script);
    write(".cargo/config.toml", fs::read_to_string(example.join(".cargo/config.toml")).expect("the flags"));
    let main =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scratch.rs")).expect("a fixture");
    write(
        "src/main.rs",
        main.replace("EXAMPLE", &example.display().to_string()).replace("PORTING\"]", "porting.rs\"]"),
    );
    write("src/porting.rs", AROUND.replace("POISON", poison).replace("SETUP", set_up).replace("INSTALL", install));

    let output = super::cargo(&["build", "--quiet", "--release"]).current_dir(&folder).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kernel = super::target().join("x86_64-unknown-linux-gnu/release/scratch");
    let output = Command::new(example.join("run.sh")).arg(kernel).env("CPUS", "1").output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    // Two CPUs begin with 40, and the first has counted one.
    assert!(text.contains("it runs\n") && text.ends_with("81 hits\n"), "{text}");
}
