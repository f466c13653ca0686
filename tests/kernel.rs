//! A kernel that boots on many CPUs: `examples/kernel`, built as its users build it, in QEMU.
//!
//! QEMU takes interrupts between the blocks into which it translates code, and so hardly ever inside of an operation, however many
//! instructions that has. The tortures that count have blocks of one instruction (`TORN`), and a control there that is a load, an
//! addition and a store, which has to lose updates; else they prove nothing.
#![cfg(all(target_arch = "x86_64", not(percpu_backend = "generic")))]

#[path = "kernel/porting.rs"]
mod porting;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::{env, fs};

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use object::{Object, ObjectSection, ObjectSymbol};
use percpu_rt::abi::layout::{
    DEFAULT_ATOM_SIZE, DEFAULT_PAGE_SIZE, DEFAULT_RESERVED_SIZE, FirstChunk, LOCAL_DISTANCE, Request,
};
use percpu_tests::tool;

/// Steps of all CPUs together: each is every kind of operation once, on one of the four widths in turn.
const STEPS: u64 = if cfg!(debug_assertions) { 200_000 } else { 10_000_000 };
const STEPS_ON_MANY: u64 = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("examples/kernel")
}

/// `cargo`, in the kernel's folder: its settings are flags for rustc, which those of this process would replace.
fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(example()).args(arguments).env("CARGO_TARGET_DIR", target());
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "PERCPU_LINK", "RUSTC_BOOTSTRAP"] {
        cargo.env_remove(variable);
    }
    cargo
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel")
}

fn build(profile: &str, folder: &str) -> PathBuf {
    let output = cargo(&["build", "--quiet", "--profile", profile]).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target().join("x86_64-unknown-linux-gnu").join(folder).join("kernel")
}

static RELEASE: LazyLock<PathBuf> = LazyLock::new(|| build("release", "release"));

/// A machine, and what the kernel is told.
#[derive(Clone, Copy)]
struct Boot {
    cpus: usize,
    nodes: usize,
    units: &'static str,
    steps: u64,
    torn: bool,
    /// Ticks between two timer interrupts of a CPU, of four: the work needs some time, too.
    period: u64,
    processor: &'static str,
    /// The CPU that uses a variable too early.
    early: Option<usize>,
}

impl Boot {
    const SMALL: Self = Self {
        cpus: 4,
        nodes: 1,
        units: "embed",
        steps: 100_000,
        torn: false,
        period: 1_000_000,
        processor: "max",
        early: None,
    };
    const LARGE: Self = Self { cpus: 64, nodes: 4, steps: 64_000, ..Self::SMALL };

    /// What it prints, and all is well; `None` where this machine has no QEMU.
    fn run(self, kernel: &Path) -> Option<String> {
        let (is_well, text) = self.end(kernel)?;
        assert!(is_well && text.ends_with("all checks passed\n"), "{text}");
        Some(text)
    }

    /// Whether all is well, and what it prints.
    fn end(self, kernel: &Path) -> Option<(bool, String)> {
        if tool::skip_sanitized("a kernel") {
            return None;
        }
        tool::require("qemu-system-x86_64")?;
        let Self { cpus, nodes, units, steps, torn, period, processor, early } = self;
        let mut command = Command::new(example().join("run.sh"));
        command.arg(kernel).args([format!("units={units}"), format!("steps={steps}")]);
        // The torture is of operations: objects would take most of its time.
        command.arg(format!("objects={}", if torn { 0 } else { 8000 }));
        command.arg(format!("period={}", period * cpus as u64 / 4));
        command.env("CPUS", cpus.to_string()).env("NODES", nodes.to_string()).env("TIMEOUT", "1800");
        command.args(early.map(|cpu| format!("early={cpu}"))).env("CPU", processor);
        command.env("TORN", if torn { "1" } else { "" });
        let Output { status, stdout, stderr } = command.output().expect("a shell");
        let text = [stderr, stdout].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        Some((status.success(), text))
    }
}

/// The number behind `words` in what was printed.
#[track_caller]
fn number(text: &str, words: &str) -> u64 {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {text}"));
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or_else(|_| panic!("no number behind {words:?} in {text}"))
}

/// What `percpu-link layout` tells of units for `boot`, in blocks of CPUs by node.
fn layout(boot: Boot, static_size: u64, atom_size: u64) -> FirstChunk {
    let (mut groups, mut offsets) = (vec![0; boot.cpus], vec![0; boot.cpus]);
    let node = |cpu: usize| cpu * boot.nodes / boot.cpus;
    let distance = |a: usize, b: usize| if node(a) == node(b) { LOCAL_DISTANCE } else { 20 };
    let request = Request { atom_size, ..Request::new(static_size) };
    request.arrange(distance, &mut groups, &mut offsets).expect("a layout")
}

#[test]
fn every_form_of_the_first_chunk_boots() {
    for boot in [Boot::SMALL, Boot::LARGE] {
        for (units, atom_size) in [("embed", DEFAULT_ATOM_SIZE), ("page", DEFAULT_PAGE_SIZE), ("static", 0)] {
            let Some(text) = (Boot { units, ..boot }).run(&RELEASE) else { return };
            assert!(text.contains(&format!("{0} CPUs, {0} online\n", boot.cpus)), "{text}");
            // The one that was there before the other CPUs; all others were freed by the next CPU.
            assert_eq!(number(&text, "allocated, "), 1, "{text}");
            assert!(number(&text, "objects: ") > 8000 / 2 && number(&text, "served, ") == 0, "{text}");
            assert!(number(&text, "pages: ") >= boot.cpus as u64, "one in every unit at least: {text}");
            let static_size = number(&text, "static size ");
            // Every place of 64 bytes that the reserved area has, found by every CPU in its own unit.
            let places = (static_size + DEFAULT_RESERVED_SIZE) / 64 - static_size.div_ceil(64);
            let modules =
                format!("modules: {places} in the reserved area, 1 beyond, images copied on {} CPUs\n", boot.cpus);
            assert!(text.contains(&modules), "{modules}{text}");
            let unit_size = number(&text, "unit size ");
            if units == "static" {
                assert_eq!(unit_size, layout(Boot { nodes: 1, ..boot }, static_size, DEFAULT_PAGE_SIZE).unit_size);
                continue;
            }
            // Units that are backed page by page are one group, as Linux has it.
            let nodes = if units == "page" { 1 } else { boot.nodes };
            let chunk = layout(Boot { nodes, ..boot }, static_size, atom_size);
            let FirstChunk { sizes, alloc_size, upa, nr_groups, nr_units, .. } = chunk;
            let expected = format!(
                "layout s{} r{} d{} u{} alloc={alloc_size} upa={upa} groups={nr_groups} units={nr_units}\n",
                sizes.static_size, sizes.reserved_size, sizes.dyn_size, chunk.unit_size
            );
            assert!(text.contains(&expected), "{expected}{text}");
            assert_eq!(number(&text, "units on other nodes than their CPU's: "), 0, "{text}");
        }
    }
}

/// By the MSR, where the CPU cannot write the base by an instruction.
#[test]
fn processors_without_the_instruction_boot_too() {
    let _ = Boot { processor: "max,-fsgsbase", ..Boot::SMALL }.run(&RELEASE);
}

#[test]
fn a_variable_before_its_unit_is_a_fault() {
    for early in [0, 3] {
        let Some((is_well, text)) = (Boot { early: Some(early), ..Boot::SMALL }).end(&RELEASE) else { return };
        assert!(!is_well && text.contains("FAILED: an exception: frame 0x0 "), "a general protection fault: {text}");
    }
}

#[test]
fn without_optimisations_too() {
    let _ = Boot { period: 20_000_000, ..Boot::SMALL }.run(&build("dev", "debug"));
}

/// All CPUs run each operation and width, and so do their timers and NMIs: what is lost is lost by the control alone.
#[test]
fn nothing_is_lost_to_interrupts() {
    // In full, as many for each width.
    let widths = if tool::is_set(tool::FULL) { 4 } else { 1 };
    for (boot, steps) in [(Boot::SMALL, STEPS), (Boot { units: "page", ..Boot::LARGE }, STEPS_ON_MANY)] {
        let steps = steps * widths;
        let Some(text) = (Boot { steps, torn: true, period: 500_000, ..boot }).run(&RELEASE) else { return };
        let total = number(&text, "total ");
        assert_eq!(total, number(&text, " true "), "{text}");
        assert!(total >= steps / boot.cpus as u64 * boot.cpus as u64, "{text}");
        assert!(number(&text, "control lost ") >= 10, "the load is too light to prove anything: {text}");
        println!("{}", text.lines().rev().take(4).collect::<Vec<_>>().join("\n"));
    }
}

/// Every operation is one instruction, in the segment of the CPU.
#[test]
fn an_operation_is_one_instruction() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    let bytes = fs::read(&*RELEASE).expect("the kernel was built");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let text = file.section_by_name(".text").expect("code");
    let (mut sites, mut borrowed) = (0, 0);
    for symbol in file.symbols() {
        let name = symbol.name().unwrap_or_default();
        let is_borrowed = name.starts_with("borrowed_");
        let Some(site) = name.strip_prefix("site_").or(name.strip_prefix("borrowed_")) else { continue };
        let code = text.data_range(symbol.address(), symbol.size()).expect("readable").expect("in .text");
        let decoder = Decoder::with_ip(64, code, symbol.address(), DecoderOptions::NONE);
        let instructions: Vec<Instruction> =
            decoder.into_iter().take_while(|instruction| instruction.flow_control() != FlowControl::Return).collect();
        let accesses: Vec<_> =
            instructions.iter().filter(|instruction| instruction.segment_prefix() == Register::GS).collect();
        let [access] = accesses[..] else { panic!("{site}: {} accesses", accesses.len()) };
        let (operation, width) = site.rsplit_once('_').expect("an operation and a width");
        let expected = match operation {
            "read" | "cmpxchg" if width == "u128" => &[Mnemonic::Cmpxchg16b][..],
            "read" => &[Mnemonic::Mov, Mnemonic::Movzx],
            "write" => &[Mnemonic::Mov],
            "add" => &[Mnemonic::Add],
            "and" => &[Mnemonic::And],
            "or" => &[Mnemonic::Or],
            "xor" => &[Mnemonic::Xor],
            "inc" => &[Mnemonic::Inc],
            "dec" => &[Mnemonic::Dec],
            "xchg" => &[Mnemonic::Xchg],
            "fetch_add" | "add_return" => &[Mnemonic::Xadd],
            "cmpxchg" => &[Mnemonic::Cmpxchg],
            _ => panic!("{site} is not expected"),
        };
        assert!(expected.contains(&access.mnemonic()), "{site}: {access}");
        // A static is named by the instruction, any other is where a register says.
        assert_eq!(access.is_ip_rel_memory_operand(), !is_borrowed, "{site}: {access}");
        assert_eq!(
            access.memory_base() == Register::None || access.is_ip_rel_memory_operand(),
            !is_borrowed,
            "{site}: {access}"
        );
        for instruction in &instructions {
            assert!(
                !instruction.has_lock_prefix() && instruction.mnemonic() != Mnemonic::Call,
                "{site}: {instruction}"
            );
            // Frame pointers apart, nothing else touches memory.
            let is_frame = matches!(instruction.mnemonic(), Mnemonic::Push | Mnemonic::Pop);
            let touches = (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
            assert!(is_frame || !touches || instruction.segment_prefix() == Register::GS, "{site}: {instruction}");
        }
        sites += usize::from(!is_borrowed);
        borrowed += usize::from(is_borrowed);
    }
    assert_eq!((sites, borrowed), (4 * 12 + 2, 4 * 12 + 2));
}

/// A script as somebody writes it who takes this up, with a mistake in it: the message says what to write.
#[test]
fn scripts_with_mistakes_are_refused_in_words() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    let script = fs::read_to_string(example().join("link.ld")).expect("the kernel's script");
    let config = fs::read_to_string(example().join(".cargo/config.toml")).expect("the kernel's settings");
    let flags: Vec<&str> = config.split("rustflags").nth(1).expect("flags").split('"').skip(1).step_by(2).collect();
    let flags: Vec<&str> = flags.into_iter().take_while(|flag| flag.starts_with('-')).collect();
    let swallowed = script
        .replace("INCLUDE percpu.ld", "")
        .replace("*(.data .data.*)", "*(.data .data.*) } INCLUDE percpu.ld .rest : {");
    let cases = [
        (
            "left-out",
            Some(script.replace("INCLUDE percpu.ld", "")),
            &["percpu_ld_is_not_included__write_INCLUDE_percpu_ld_into_SECTIONS"][..],
        ),
        ("swallowed", Some(swallowed), &["ERROR(percpu-rt)", "INCLUDE percpu.ld"]),
        ("none", None, &["percpu_ld_is_not_included__write_INCLUDE_percpu_ld_into_SECTIONS"]),
    ];
    for (name, script, words) in cases {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.ld"));
        let flags = flags.iter().filter_map(|&flag| match (&script, flag == "-Clink-arg=-Tlink.ld") {
            (Some(text), true) => {
                fs::write(&path, text).expect("a temporary file");
                Some(format!("-Clink-arg=-T{}", path.display()))
            }
            (None, true) => None,
            (_, false) => Some(flag.to_owned()),
        });
        let flags = flags.collect::<Vec<_>>().join("\u{1f}");
        let mut build = cargo(&["build", "--release", "--target", "x86_64-unknown-linux-gnu"]);
        let folder = target().with_file_name("kernel-mistakes");
        let output = build.env("CARGO_ENCODED_RUSTFLAGS", flags).env("CARGO_TARGET_DIR", folder).output();
        let output = output.expect("cargo runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{name}: it links");
        for word in words {
            assert!(errors.contains(word), "{name}: no {word:?} in {errors}");
        }
    }
}

/// `percpu-link patch` knows the units that the script has reserved, and the kernel what it was patched for.
#[test]
fn a_patched_image_boots_on_as_many_cpus_as_it_was_patched_for() {
    let Some(qemu) = tool::require("qemu-system-x86_64") else { return };
    if tool::skip_sanitized("a kernel") {
        return;
    }
    let kernel = Path::new(env!("CARGO_TARGET_TMPDIR")).join("patched-kernel");
    fs::copy(&*RELEASE, &kernel).expect("the kernel was built");
    let patch = |cpus: &str| {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "-p", "percpu-link", "--bin", "percpu-link", "--", "patch"]);
        cargo.arg(&kernel).args(["--cpus", cpus]).output().expect("cargo runs")
    };
    let too_many = patch("257");
    let errors = String::from_utf8_lossy(&too_many.stderr);
    assert!(!too_many.status.success() && errors.contains("reserves 256 units"), "{errors}");
    let patched = patch("3");
    assert!(patched.status.success(), "{}", String::from_utf8_lossy(&patched.stderr));
    let boot = |cpus| Boot { cpus, units: "static", ..Boot::SMALL };
    let text = boot(3).run(&kernel).expect("QEMU is there");
    assert_eq!(number(&text, "units="), 256, "{text}");
    let mut refused = Command::new(example().join("run.sh"));
    let output = refused.arg(&kernel).arg("units=static").env("CPUS", "4").output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && text.contains("there are 3 static units, and 4 are needed"),
        "{qemu:?}: {text}"
    );
}
