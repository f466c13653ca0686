//! The static variables of modules.

use percpu_rt::{AllocError, AllocFlags, ModuleArea, possible_cpus, stats};

use crate::alone;
use crate::object::Object;

/// Bytes that every unit keeps for modules.
const RESERVED: usize = 8 << 10;

/// An image that no other module has.
fn image(module: usize, size: usize) -> Vec<u8> {
    (0..size).map(|index| (index * 7 + module * 31 + 1) as u8).collect()
}

#[track_caller]
fn assert_loaded(area: &ModuleArea, image: &[u8], align: usize) {
    assert_eq!(area.size(), image.len());
    assert_eq!(area.symbol(0), Some(area.start()));
    let end = area.symbol(image.len()).expect("the end is a place");
    assert_eq!(end.address() - area.start().address(), image.len());
    assert_eq!(area.symbol(image.len() + 1), None);
    for cpu in possible_cpus() {
        let copy = area.start().per_cpu_ptr(cpu);
        assert_eq!(copy.addr() % align, 0, "{area:?} on {cpu}");
        // SAFETY: the area's own bytes, which nobody writes.
        assert_eq!(unsafe { std::slice::from_raw_parts(copy, image.len()) }, image, "{area:?} on {cpu}");
    }
}

#[test]
fn every_unit_has_the_image() {
    for (module, (size, align)) in
        [(1, 1), (3, 1), (40, 8), (700, 64), (4096, 4096), (50_000, 32)].into_iter().enumerate()
    {
        let image = image(module, size);
        assert_loaded(&ModuleArea::load(&image, align).expect("there is room"), &image, align);
    }
}

#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn the_reserved_area_comes_first_and_what_it_lacks_from_anywhere() {
    if !alone("modules::the_reserved_area_comes_first_and_what_it_lacks_from_anywhere") {
        return;
    }
    const SIZE: usize = 1 << 10;
    let before = stats();
    let elsewhere = Object::new(4, 4, AllocFlags::NONE).expect("there is room");
    let load = |module, size| ModuleArea::load(&image(module, size), 4).expect("there is room");
    let is_reserved = |area: &ModuleArea| area.start().address() < elsewhere.ptr.address();
    let mut areas: Vec<_> = (0..2 * RESERVED / SIZE).map(|module| load(module, SIZE)).collect();
    let reserved = areas.iter().filter(|area| is_reserved(area)).count();
    assert!(areas[..reserved].iter().all(is_reserved), "the reserved area comes first");
    // To the last byte: small ones fill what is left.
    let words: Vec<_> = (0..=RESERVED / 4).map(|module| load(module, 4)).collect();
    let count = words.iter().take_while(|area| is_reserved(area)).count();
    assert_eq!(reserved * SIZE + count * 4, RESERVED, "{reserved} and {count}");
    drop(words);
    for (module, area) in areas.iter().enumerate() {
        assert_loaded(area, &image(module, SIZE), 4);
    }
    assert_eq!(stats().nr_cur_alloc, before.nr_cur_alloc + 1 + areas.len() as u64);

    // What is unloaded is the next one's, with the next one's bytes alone.
    let gone = areas.swap_remove(3);
    let place = gone.start();
    drop(gone);
    let next = load(99, SIZE);
    assert_eq!(next.start(), place);
    assert_loaded(&next, &image(99, SIZE), 4);
    // Larger than the reserved area altogether.
    let large = load(100, 3 * RESERVED);
    assert!(!is_reserved(&large));
    drop((areas, next, large));
    elsewhere.free();
    let after = stats();
    assert_eq!((after.nr_cur_alloc, after.live_bytes), (before.nr_cur_alloc, before.live_bytes));
}

#[test]
fn what_is_no_module_is_refused() {
    // SAFETY: a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    assert_eq!(ModuleArea::load(&[], 1).unwrap_err(), AllocError::ZeroSize);
    for align in [2 * page, 0, 3, 24, usize::MAX, 1 << 63] {
        assert_eq!(ModuleArea::load(&[1], align).unwrap_err(), AllocError::BadAlign { align, max: page });
    }
}
