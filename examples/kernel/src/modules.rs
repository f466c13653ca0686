//! Modules: the images of their variables in the units of all CPUs, and what comes when the area kept for them is full.

use core::ptr::without_provenance_mut;
use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use percpu_rt::abi::layout::DEFAULT_RESERVED_SIZE;
use percpu_rt::{ModuleArea, PerCpuPtr, possible_cpus, this_cpu};

use crate::console::println;
use crate::{exit, objects};

/// Bytes of an image, and its alignment.
const SIZE: usize = 64;

/// Modules at the most: as many as the reserved area could hold, and one.
const MOST: usize = DEFAULT_RESERVED_SIZE as usize / SIZE + 1;

/// Where each module is, for the CPUs to come; zero where there is none.
static LOADED: [AtomicUsize; MOST] = [const { AtomicUsize::new(0) }; MOST];

/// CPUs that have found all images in their units.
static CHECKED: AtomicUsize = AtomicUsize::new(0);

/// What is loaded: all of them but the last in the reserved area.
pub struct Modules {
    areas: [Option<ModuleArea>; MOST],
    count: usize,
}

/// An image that no other module has.
fn image(module: usize) -> [u8; SIZE] {
    core::array::from_fn(|index| (index * 7 + module * 31 + 1) as u8)
}

/// Before the other CPUs run: modules up to the first that the reserved area has no room for.
pub fn load() -> Modules {
    let mut modules = Modules { areas: [const { None }; MOST], count: 0 };
    loop {
        let module = modules.count;
        if module == MOST {
            exit::fail(format_args!("{module} modules in the reserved area"));
        }
        let start = modules.areas[module].insert(load_one(module)).start();
        LOADED[module].store(start.address(), SeqCst);
        modules.count += 1;
        // The dynamic part is behind the reserved one, and begins with the early object.
        if start.address() >= objects::early_address() {
            break;
        }
    }
    // Behind the last: none was written over by a later one.
    for (module, area) in modules.areas.iter().flatten().enumerate() {
        check_on_all_cpus(area, module);
    }
    check_here();
    modules
}

fn load_one(module: usize) -> ModuleArea {
    ModuleArea::load(&image(module), SIZE).unwrap_or_else(|error| exit::fail(format_args!("module {module}: {error}")))
}

fn check_on_all_cpus(area: &ModuleArea, module: usize) {
    for cpu in possible_cpus() {
        check(area.start().per_cpu_ptr(cpu), module);
    }
}

/// On a CPU that has just come: the images of what is loaded are in its own unit.
pub fn check_here() {
    let addresses = LOADED.iter().map(|address| without_provenance_mut::<u8>(address.load(SeqCst)));
    let mut found = 0;
    for (module, start) in addresses.map_while(PerCpuPtr::new).enumerate() {
        check(start.this_cpu_ptr(), module);
        found += 1;
    }
    // One that comes back finds nothing loaded.
    if found > 0 {
        CHECKED.fetch_add(1, SeqCst);
    }
}

fn check(copy: *mut u8, module: usize) {
    // SAFETY: a copy of a module that is loaded, which nobody writes; bytes have no alignment.
    let is = unsafe { copy.cast::<[u8; SIZE]>().read() };
    if is != image(module) || !copy.addr().is_multiple_of(SIZE) {
        exit::fail(format_args!("CPU {} finds {is:x?} for module {module} at {copy:?}", this_cpu()));
    }
}

/// When all CPUs are there: unloads all, and the next module has the first one's place.
pub fn unload(modules: Modules) {
    for address in &LOADED {
        address.store(0, SeqCst);
    }
    let first = modules.areas[0].as_ref().map(ModuleArea::start);
    let count = modules.count;
    drop(modules);
    let next = load_one(count);
    check_on_all_cpus(&next, count);
    if Some(next.start()) != first {
        exit::fail(format_args!("the next module at {:?}, the first was at {first:?}", next.start()));
    }
    let checked = CHECKED.load(SeqCst);
    println!("modules: {} in the reserved area, 1 beyond, images copied on {checked} CPUs", count - 1);
}
