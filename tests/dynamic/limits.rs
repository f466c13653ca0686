//! A full unit, memory that the kernel does not grant, pages that go back, memory that is locked.

use std::fs;

use percpu_rt::{
    AllocError, AllocFlags, alloc_percpu, alloc_percpu_batch, free_percpu, per_cpu, possible_cpus, stats, unit_size,
};
use percpu_tests::tool::skip_sanitized;

use crate::object::{Object, layout};
use crate::{alone, alone_with};

const MIB: usize = 1 << 20;

/// Objects of `size` bytes until none is left; the error that said so.
fn fill_up(size: usize) -> (Vec<Object>, AllocError) {
    let mut objects = Vec::new();
    loop {
        match Object::new(size, 4, AllocFlags::NONE) {
            Ok(object) => objects.push(object),
            Err(error) => return (objects, error),
        }
    }
}

#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn a_full_unit_says_so_and_is_whole_again() {
    let test = "limits::a_full_unit_says_so_and_is_whole_again";
    if !alone_with(test, &[("PERCPU_UNIT_SIZE", "512K")]) {
        return;
    }
    #[per_cpu]
    static NEIGHBOUR: [u64; 8] = [0x5a; 8];
    assert_eq!(unit_size(), 512 << 10);
    let mut counts = [0; 2];
    for count in &mut counts {
        let (mut objects, error) = fill_up(1000);
        assert_eq!(error, AllocError::Exhausted { size: 1000, align: 4 });
        assert!(objects.len() * 1000 > unit_size() * 8 / 10, "{} objects", objects.len());
        for (tag, object) in objects.iter_mut().enumerate() {
            object.fill(tag as u64);
        }
        let full = stats();
        let mut batch = [None; 2];
        assert_eq!(
            alloc_percpu_batch(layout(5000, 4), AllocFlags::NONE, &mut batch),
            Err(AllocError::Exhausted { size: 5000, align: 4 })
        );
        // With room for some of them, but not for all.
        objects.swap_remove(7).free();
        let mut batch = [None; 3];
        let refused = alloc_percpu_batch(layout(1000, 4), AllocFlags::NONE, &mut batch);
        assert_eq!((refused, batch), (Err(AllocError::Exhausted { size: 1000, align: 4 }), [None; 3]));
        assert_eq!(stats().nr_cur_alloc, full.nr_cur_alloc - 1);
        let mut objects: Vec<_> = objects.into_iter().enumerate().collect();
        // What took the place of the one that was removed has the last tag.
        let last = objects.len();
        objects[7].0 = last;
        for (tag, object) in objects {
            object.check(tag as u64);
            *count += 1;
            object.free();
        }
        assert_eq!((stats().nr_cur_alloc, stats().live_bytes), (0, 0));
        assert!(NEIGHBOUR.iter().all(|(_, neighbour)| *neighbour == [0x5a; 8]));
    }
    assert_eq!(counts[0], counts[1], "the second time there is as much room");
}

/// The allocator takes a unit over in steps of 4, 128 and 4096 MiB; nothing is left between them.
#[test]
#[cfg_attr(feature = "checked", ignore = "objects are larger there, and errors say more")]
fn chunks_continue_one_another() {
    if !alone("limits::chunks_continue_one_another") {
        return;
    }
    let objects: Vec<_> =
        (0..300).map(|_| alloc_percpu(layout(MIB, 4096), AllocFlags::NONE).expect("there is room")).collect();
    for (one, next) in objects.iter().zip(&objects[1..]) {
        assert_eq!(next.address() - one.address(), MIB, "{one:?} and {next:?}");
    }
    let across = alloc_percpu(layout(200 * MIB, 4096), AllocFlags::NONE).expect("there is room");
    for object in objects.into_iter().chain([across]) {
        // SAFETY: allocated above, never used.
        unsafe { free_percpu(object) };
    }
}

/// A chunk for which there are no records is there to be had later.
#[test]
fn a_chunk_that_is_refused_its_records_is_not_lost() {
    let test = "limits::a_chunk_that_is_refused_its_records_is_not_lost";
    if !alone_with(test, &[("PERCPU_UNIT_SIZE", "64M")]) {
        return;
    }
    let mut objects = Vec::with_capacity(MIB);
    limit(libc::RLIMIT_AS, 1);
    // Until the first chunk is full, and its last records are used.
    let error = loop {
        match alloc_percpu(layout(3000, 4), AllocFlags::NONE) {
            Ok(object) => objects.push(object),
            Err(error) => break error,
        }
    };
    let large = || alloc_percpu(layout(32 * MIB, 4096), AllocFlags::NONE);
    let refused = large();
    limit(libc::RLIMIT_AS, libc::RLIM_INFINITY);
    assert!(matches!(error, AllocError::NoMemory { size: 3000, .. }), "{error}");
    assert!(matches!(refused, Err(AllocError::NoMemory { .. })), "{refused:?}");
    for object in objects {
        // SAFETY: allocated above, and not used.
        unsafe { free_percpu(object) };
    }
    large().expect("the chunk is there");
}

/// Limits this process's memory to so many bytes.
fn limit(resource: libc::__rlimit_resource_t, bytes: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: a filled limit.
    assert_eq!(unsafe { libc::setrlimit(resource, &raw const limit) }, 0);
}

/// Bytes of this process that are resident.
fn resident() -> usize {
    let text = fs::read_to_string("/proc/self/statm").expect("a process knows its memory");
    let pages: usize = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    // SAFETY: a constant of the system.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize
}

#[test]
fn pages_of_what_is_freed_go_back() {
    if skip_sanitized("counting resident pages") {
        return;
    }
    if !alone("limits::pages_of_what_is_freed_go_back") {
        return;
    }
    assert_pages_go_back();
}

/// Writes to 16 MiB of each unit, frees them, and finds them given back, closed, and zero when they come again.
#[track_caller]
fn assert_pages_go_back() {
    let units = possible_cpus().count();
    let before = (stats(), resident());
    let mut objects: Vec<_> =
        (0..16).map(|_| Object::new(MIB, 4096, AllocFlags::NONE).expect("there is room")).collect();
    objects.iter_mut().for_each(|object| object.fill(1));
    let full = (stats(), resident());
    assert!(full.0.populated_bytes >= 16 * MIB, "{:?}", full.0);
    assert!(full.1 >= before.1 + 15 * MIB * units, "{} of {}", full.1, before.1);
    let middle = objects[8].ptr;
    objects.into_iter().for_each(Object::free);
    let after = (stats(), resident());
    assert!(after.0.populated_bytes <= before.0.populated_bytes + MIB, "{:?}", after.0);
    assert!(after.1 <= before.1 + 2 * MIB * units, "{} of {}", after.1, full.1);
    for cpu in possible_cpus() {
        assert!(is_closed(middle.per_cpu_ptr(cpu)), "what was freed is still to be had on {cpu}");
    }
    // `new` finds them zero.
    Object::new(16 * MIB, 4096, AllocFlags::NONE).expect("there is room").free();
}

/// Whether an access would fault: the kernel says so where it is to read from there.
fn is_closed(address: *const u8) -> bool {
    let mut pipe = [0; 2];
    // SAFETY: room for two numbers; then a byte that the kernel reads, or refuses to.
    unsafe {
        assert_eq!(libc::pipe(pipe.as_mut_ptr()), 0);
        let closed = libc::write(pipe[1], address.cast(), 1) == -1;
        for end in pipe {
            libc::close(end);
        }
        closed
    }
}

#[test]
fn locked_pages_go_back_too() {
    if skip_sanitized("counting resident pages") {
        return;
    }
    if !alone("limits::locked_pages_go_back_too") {
        return;
    }
    // SAFETY: takes flags alone.
    if unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) } != 0 {
        return percpu_tests::tool::missing("the right to lock memory (mlockall)");
    }
    assert_pages_go_back();
}

/// Bytes of private memory that this process may write to.
fn writable() -> usize {
    let text = fs::read_to_string("/proc/self/status").expect("a process knows its memory");
    let line = text.lines().find_map(|line| line.strip_prefix("VmData:")).expect("a line of its data");
    let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().expect("kibibytes");
    kibibytes << 10
}

#[test]
fn memory_that_is_refused_is_an_error_and_nothing_else() {
    if !alone("limits::memory_that_is_refused_is_an_error_and_nothing_else") {
        return;
    }
    let mut kept = Object::new(100, 4, AllocFlags::NONE).expect("there is room");
    kept.fill(1);
    let before = stats();
    // Room for some units, but not for all.
    let units = possible_cpus().count();
    let size = 64 * MIB;
    let data = writable();
    limit(libc::RLIMIT_DATA, (data + size * (units - 1) + size / 2) as libc::rlim_t);
    // Without a limit on what a failing assertion needs.
    let results = [(); 3].map(|()| (alloc_percpu(layout(size, 4096), AllocFlags::NONE), stats(), writable()));
    limit(libc::RLIMIT_DATA, libc::RLIM_INFINITY);
    for (result, now, writable) in results {
        assert_eq!(result, Err(AllocError::NoMemory { size, units }));
        assert_eq!((now.nr_cur_alloc, now.live_bytes), (before.nr_cur_alloc, before.live_bytes));
        assert_eq!(now.populated_bytes, before.populated_bytes);
        assert!(writable < data + size / 2, "the units that had been opened are closed again");
    }
    let object = Object::new(size, 4096, AllocFlags::NONE).expect("there is room again");
    kept.check(1);
    object.free();
    kept.free();
}
