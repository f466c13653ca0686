//! A kernel with per-CPU variables: it boots on many CPUs and has each torment its copies while interrupts do the same.
//!
//! ```text
//!  boot ─▶ main ─┬─ console   the serial line
//!                ├─ acpi      CPUs, nodes, distances
//!                ├─ memory    pages, by node; paging: addresses for them
//!                ├─ percpu    set-up of the units                        ◀── what a kernel takes over from here
//!                ├─ smp       the other CPUs; traps: descriptors and handlers; apic: timers, NMIs
//!                ├─ objects   dynamic objects, on all CPUs and from interrupts
//!                ├─ modules   static variables of modules: their images in every unit
//!                ├─ torture   every operation, by threads, timers and NMIs; wide: sixteen bytes at once
//!                ├─ guards    preemption and interrupts off; CPUs that go
//!                └─ exit      33 is success
//! ```
#![no_std]
#![no_main]

mod acpi;
mod apic;
mod boot;
mod console;
mod exit;
mod functions;
mod guards;
mod machine;
mod memory;
mod modules;
mod objects;
#[path = "../../../tests/src/operations.rs"]
mod operations;
mod paging;
mod percpu;
#[path = "../../../tests/fixtures/kernel_sites.rs"]
mod sites;
mod smp;
mod torture;
mod traps;
mod wide;

use console::println;

/// The first Rust function, on the boot CPU, in 64-bit mode with paging on.
extern "C" fn main(start_info: u64) -> ! {
    // SAFETY: this CPU's base, before anything that could use it.
    unsafe { percpu_rt::kernel::poison() };
    let machine = machine::Machine::new(start_info);
    apic::mask_legacy();
    let numa = acpi::read(machine.rsdp);
    memory::take(&machine, &numa);
    let areas = match percpu::set_up(&numa, machine.option("units")) {
        Ok(areas) => areas,
        Err(error) => exit::fail(format_args!("set-up: {error}")),
    };
    smp::start_all(&numa, machine.number("early"));
    percpu::print(&areas);
    percpu::check_nodes(&numa);
    torture::run(&machine);
    guards::check_offline(&numa);
    println!("all checks passed");
    exit::succeed()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    exit::fail(format_args!("{info}"))
}
