//! The checked mode: every mistake is found when it is made, and nothing is said of what is right.

use std::panic::Location;
use std::sync::Barrier;
use std::thread;

use crate::valgrind::load;
use percpu_rt::chunk::checked::{CheckError, Checked, Object, Site, Tag, Ticket};
use percpu_rt::chunk::{AllocError, AllocFlags, Allocator, Memory, PerCpuStats, SpinLock};
use percpu_tests::random::Random;
use percpu_tests::units::{Pages, Units};

const PAGE: usize = 4096;
const UNITS: usize = 3;
const UNIT: usize = 1 << 20;

/// Offsets that are not the allocator's.
const FOREIGN: [usize; 4] = [0, PAGE - 4, UNIT, usize::MAX];

fn checked() -> Checked<Units, SpinLock> {
    let units = Units::new(UNITS, UNIT, PAGE, Pages::Checked);
    let checked = Checked::new(Allocator::new(units, SpinLock::new(), PAGE), SpinLock::new());
    // SAFETY: offsets of the units, which nobody else uses.
    unsafe { checked.add_range(PAGE..UNIT) }.expect("metadata");
    checked
}

/// The live objects, by offset.
fn live(checked: &Checked<Units, SpinLock>) -> Vec<Object> {
    let mut live = Vec::new();
    checked.leaks(|leak| live.push(leak));
    live.sort_unstable_by_key(|leak| leak.offset);
    live
}

/// What a wrong free says, at the caller's line. It changes nothing.
#[track_caller]
fn mistake(checked: &Checked<Units, SpinLock>, ticket: Ticket) -> CheckError {
    let before: (PerCpuStats, Vec<Object>) = (checked.stats(), live(checked));
    let Err(error) = checked.free(ticket) else { panic!("{ticket:x?} was freed") };
    assert_eq!((checked.stats(), live(checked)), before, "{error}");
    assert!(error.to_string().contains(&format!("at {}", Location::caller())), "{error}");
    error
}

/// The words for each, with the lines of this file.
#[test]
fn messages_name_the_lines() {
    let checked = checked();
    let first = line!() + 1;
    let ticket = checked.alloc(24, 8, AllocFlags::NONE).expect("room");
    // SAFETY: behind the object, and no other thread is here.
    let end = unsafe { checked.memory().copy(2, ticket.offset).add(24) };
    // SAFETY: as above.
    let was = unsafe { end.replace(0) };
    let mut said = vec![(line!(), checked.free(ticket))];
    // SAFETY: as above.
    unsafe { end.write(was) };
    said.push((line!(), checked.free(Ticket { offset: ticket.offset + 8, ..ticket })));
    said.push((line!(), checked.free(Ticket { offset: 0, ..ticket })));
    let freed = line!() + 1;
    checked.free(ticket).expect("live");
    said.push((line!(), checked.free(ticket)));
    let second = line!() + 1;
    let owner = checked.alloc(40, 8, AllocFlags::NONE).expect("room");
    said.push((line!(), checked.free(ticket)));
    checked.free(owner).expect("live");

    let file = file!();
    let place = |line: u32, text: &str| text.replace("{line}", &line.to_string());
    let object = place(first, "24 bytes at offset 0x1000, allocation 1 at FILE:{line}:26");
    let past = format!("{object}, freed at FILE:{freed}:13");
    let expected = [
        format!(
            "byte 24 of an allocation was written to on CPU 2, past its end: {object}; found by its free at FILE:{{line}}:43"
        ),
        format!("free of offset 0x1008 at FILE:{{line}}:33, which is inside an allocation: {object}"),
        "free of offset 0x0 at FILE:{line}:33, which is not the allocator's".to_owned(),
        format!("free of offset 0x1000 at FILE:{{line}}:33, which was freed before: {past}"),
        format!(
            "free of offset 0x1000 at FILE:{{line}}:33, which was freed before: {past}; its place now has 40 bytes at offset \
             0x1000, allocation 2 at FILE:{second}:25"
        ),
    ];
    for ((line, answer), expected) in said.into_iter().zip(expected) {
        let text = answer.expect_err(&expected).to_string();
        assert_eq!(text.replace(file, "FILE"), place(line, &expected));
    }
}

/// Threads that free the same object at the same time, while others use the places: one succeeds.
#[test]
fn one_of_many_frees_is_the_first() {
    const THREADS: usize = 3;
    let checked = checked();
    let rounds = load(if cfg!(debug_assertions) { 100 } else { 2_000 }).max(4);
    for _ in 0..rounds {
        let tickets = [(); 16].map(|()| checked.alloc(24, 8, AllocFlags::NONE).expect("room"));
        let barrier = Barrier::new(THREADS);
        let free = || {
            barrier.wait();
            let mut freed = 0;
            let mut own = Vec::new();
            for ticket in tickets {
                match checked.free(ticket) {
                    Ok(()) => freed += 1,
                    Err(CheckError::DoubleFree { .. } | CheckError::StaleFree { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                own.push(checked.alloc(24, 8, AllocFlags::NONE).expect("room"));
            }
            own.into_iter().for_each(|ticket| checked.free(ticket).expect("this thread's own"));
            freed
        };
        let freed: usize = thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(free));
            threads.map(|thread| thread.join().expect("no panic")).into_iter().sum()
        });
        assert_eq!(freed, tickets.len());
        assert_eq!(live(&checked), []);
    }
}

/// The allocator, and what has to be in it.
struct Model {
    checked: Checked<Units, SpinLock>,
    live: Vec<(Ticket, Object)>,
    /// What was freed, and where.
    freed: Vec<(Ticket, Object, Site)>,
    /// Objects so far.
    number: u64,
}

impl Model {
    /// Allocates an object for the caller's line, and writes to all of its bytes.
    #[track_caller]
    fn alloc(&mut self, size: usize, align: usize, flags: AllocFlags) -> Result<(), AllocError> {
        let ticket = self.checked.alloc(size, align, flags)?;
        self.number += 1;
        assert!(ticket.offset.is_multiple_of(align));
        for unit in 0..UNITS {
            let start = self.checked.memory().copy(unit, ticket.offset);
            // SAFETY: the object that was just allocated.
            let copy = unsafe { std::slice::from_raw_parts_mut(start, size) };
            assert!(copy.iter().all(|byte| *byte == 0), "{size} bytes at {:#x} of unit {unit}", ticket.offset);
            copy.fill(0xff);
        }
        let live = live(&self.checked);
        assert!(live.is_sorted_by(|one, next| one.place().end <= next.offset));
        let object = *live.iter().find(|object| object.offset == ticket.offset).expect("it is live");
        assert_eq!((object.size, object.number), (size, self.number));
        assert_eq!((object.allocated_at, ticket.tag.map(Tag::number)), (Location::caller(), Some(self.number)));
        self.live.push((ticket, object));
        Ok(())
    }

    #[track_caller]
    fn free(&mut self, index: usize) {
        let (ticket, object) = self.live.swap_remove(index);
        self.checked.free(ticket).expect("a live object, and nobody wrote past its end");
        self.freed.push((ticket, object, Location::caller()));
    }

    /// Writes a byte past an object's end: a look and the free find it, and nothing when it is put right.
    fn overrun(&self, random: &mut Random) {
        let (ticket, object) = self.live[random.below(self.live.len())];
        let unit = random.below(UNITS);
        let at = object.size + random.below(object.place().len() - object.size);
        let byte = self.checked.memory().copy(unit, object.offset + at);
        let damage = 1 + random.below(255) as u8;
        // SAFETY: behind an object, and no other thread is here.
        unsafe { *byte ^= damage };
        let mut found = Vec::new();
        self.checked.check_all(|error| found.push(error));
        assert_eq!(found, [CheckError::Overrun { object, unit, at, freed_at: None }]);
        let error = mistake(&self.checked, ticket);
        let CheckError::Overrun { freed_at: freed_at @ Some(_), .. } = error else { panic!("{error}") };
        assert_eq!(error, CheckError::Overrun { object, unit, at, freed_at });
        // SAFETY: as above.
        unsafe { *byte ^= damage };
        self.checked.check_all(|error| panic!("{error}"));
    }

    /// Frees what was freed before.
    fn again(&self, random: &mut Random) {
        let (ticket, object, site) = self.freed[random.below(self.freed.len())];
        let mut live = self.live.iter().map(|(_, live)| *live);
        let owner = live.find(|live| live.place().contains(&ticket.offset));
        let (past, present) = match mistake(&self.checked, ticket) {
            CheckError::DoubleFree { past, .. } => (past, None),
            CheckError::StaleFree { past, present, .. } => (past, Some(present)),
            error => panic!("{error}"),
        };
        assert_eq!(present, owner);
        // It may be forgotten.
        assert!(past.is_none_or(|past| (past.object, past.freed_at) == (object, site)), "{past:?}");
    }

    /// Frees what was freed before, of which only the offset is known any more.
    fn again_without_tag(&self, random: &mut Random) {
        let (ticket, ..) = self.freed[random.below(self.freed.len())];
        let mut live = self.live.iter().map(|(_, live)| *live);
        let owner = live.find(|live| live.place().contains(&ticket.offset));
        if owner.is_some_and(|owner| owner.offset == ticket.offset) {
            // It would be a free like any other.
            return;
        }
        match mistake(&self.checked, Ticket { tag: None, ..ticket }) {
            CheckError::DoubleFree { .. } => assert_eq!(owner, None),
            CheckError::Interior { object, .. } => assert_eq!(owner, Some(object)),
            error => panic!("{error}"),
        }
    }

    /// Frees by a live object's ticket with another offset.
    fn elsewhere(&self, random: &mut Random) {
        let (ticket, object) = self.live[random.below(self.live.len())];
        let inside = object.offset + 1 + random.below(object.place().len() - 1);
        for tag in [ticket.tag, None] {
            let error = mistake(&self.checked, Ticket { offset: inside, tag });
            assert!(matches!(error, CheckError::Interior { object: of, .. } if of == object), "{error}");
            let foreign = FOREIGN[random.below(FOREIGN.len())];
            let error = mistake(&self.checked, Ticket { offset: foreign, tag });
            assert!(matches!(error, CheckError::Foreign { .. }), "{error}");
        }
        let (other, _) = self.live[random.below(self.live.len())];
        if other != ticket {
            let error = mistake(&self.checked, Ticket { offset: other.offset, ..ticket });
            assert!(matches!(error, CheckError::Astray { object: of, .. } if of == object), "{error}");
        }
    }

    /// One operation, which is no mistake.
    fn step(&mut self, random: &mut Random) {
        let magnitude = 1 + random.below(12);
        let size = 1 + random.below(1 << magnitude);
        let align = 1 << random.below(8);
        match random.below(20) {
            0..12 if self.live.len() < 200 => {
                // What has no room is no matter of this test.
                let _: Result<(), AllocError> = match random.below(3) {
                    0 => self.alloc(size, align, AllocFlags::NONE),
                    1 => self.alloc(size, align, AllocFlags::ATOMIC),
                    _ => self.alloc(size, PAGE, AllocFlags::NONE),
                };
            }
            19 => self.checked.balance(),
            _ if self.live.is_empty() => {}
            even if even % 2 == 0 => self.free(random.below(self.live.len())),
            _ => self.free(0),
        }
    }

    /// Frees all; nothing is left.
    fn finish(mut self) {
        assert_eq!(live(&self.checked).len(), self.live.len());
        while !self.live.is_empty() {
            self.free(0);
        }
        assert_eq!(live(&self.checked), []);
        assert_eq!(self.checked.stats().nr_cur_alloc, 0);
    }
}

/// Mistakes among operations: each is found. A run without any is the same, and nothing is said.
#[test]
fn planted_mistakes_are_found_and_no_others() {
    let mut random = Random::printed();
    let steps = load(if cfg!(debug_assertions) { 2_000 } else { 40_000 }).max(400);
    for planted in [false, true] {
        let mut model = Model { checked: checked(), live: Vec::new(), freed: Vec::new(), number: 0 };
        let mut mistakes = 0;
        for step in 0..steps {
            model.step(&mut random);
            if step % 16 == 0 {
                model.checked.check_all(|error| panic!("{error}"));
            }
            if !planted || model.live.is_empty() || model.freed.is_empty() {
                continue;
            }
            match random.below(8) {
                0 => model.overrun(&mut random),
                1 => model.again(&mut random),
                2 => model.again_without_tag(&mut random),
                3 => model.elsewhere(&mut random),
                _ => continue,
            }
            mistakes += 1;
        }
        println!("{mistakes} mistakes, {} objects", model.number);
        assert_eq!(planted, mistakes > steps / 4);
        model.finish();
    }
}
