//! Each mistake, with units and records on the heap.

extern crate std;

use core::cell::Cell;
use core::ops::Range;
use core::panic::Location;
use core::ptr::NonNull;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::string::ToString;
use std::vec::Vec;

use super::*;
use crate::chunk::{AllocError, AllocFlags, Allocator, Memory, MetadataPage, Refused, SpinLock};

const PAGE: usize = 4096;
const UNIT: usize = 16 * PAGE;
const UNITS: usize = 3;

/// Units on the heap.
struct Heap {
    base: NonNull<u8>,
    /// Metadata pages that are out, and that may still be had.
    pages: Cell<usize>,
    granted: Cell<usize>,
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, PAGE).expect("small numbers")
}

impl Heap {
    fn new() -> Self {
        // SAFETY: the layout has a size.
        let base = NonNull::new(unsafe { alloc_zeroed(layout(UNITS * UNIT)) }).expect("memory");
        Self { base, pages: Cell::new(0), granted: Cell::new(usize::MAX) }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        assert!(self.pages.get() == 0 || std::thread::panicking(), "metadata pages leak");
        // SAFETY: allocated in `new` by this layout.
        unsafe { dealloc(self.base.as_ptr(), layout(UNITS * UNIT)) };
    }
}

// SAFETY: the units lie one behind the other in one allocation, zero at first and after `populate`; metadata pages are
// allocations of their own.
unsafe impl Memory for Heap {
    fn units(&self) -> usize {
        UNITS
    }

    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        assert!(unit < UNITS && offset < UNIT);
        // SAFETY: within the allocation.
        unsafe { self.base.as_ptr().add(unit * UNIT + offset) }
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        for unit in 0..UNITS {
            // SAFETY: pages of the allocator that nobody has.
            unsafe { self.copy(unit, offsets.start).write_bytes(0, offsets.len()) };
        }
        Ok(())
    }

    fn depopulate(&self, _: Range<usize>) {}

    fn metadata(&self) -> Option<MetadataPage> {
        self.granted.set(self.granted.get().checked_sub(1)?);
        self.pages.set(self.pages.get() + 1);
        // SAFETY: the layout has a size.
        let page = NonNull::new(unsafe { alloc(layout(MetadataPage::SIZE)) }).expect("memory");
        // SAFETY: just allocated, as large and aligned as it has to be.
        Some(unsafe { MetadataPage::from_raw(page) })
    }

    fn free_metadata(&self, page: MetadataPage) {
        self.pages.set(self.pages.get() - 1);
        // SAFETY: every page has come from `metadata`.
        unsafe { dealloc(page.into_raw().as_ptr(), layout(MetadataPage::SIZE)) };
    }
}

fn checked() -> Checked<Heap, SpinLock> {
    let checked = Checked::new(Allocator::new(Heap::new(), SpinLock::new(), PAGE), SpinLock::new());
    // SAFETY: offsets of the units, which nobody else uses.
    unsafe { checked.add_range(PAGE..UNIT) }.expect("metadata");
    checked
}

/// An object of 24 bytes, and its line.
#[track_caller]
fn object(checked: &Checked<Heap, SpinLock>) -> (Ticket, u32) {
    (checked.alloc(24, 8, AllocFlags::NONE).expect("room"), Location::caller().line())
}

/// A free that has to fail, and its line.
#[track_caller]
fn mistake(checked: &Checked<Heap, SpinLock>, ticket: Ticket) -> (CheckError, u32) {
    let before = checked.stats();
    let error = checked.free(ticket).expect_err("a mistake");
    assert_eq!(checked.stats(), before, "{error}");
    (error, Location::caller().line())
}

#[test]
fn a_second_free_says_where_the_first_was() {
    let checked = checked();
    let (ticket, allocated) = object(&checked);
    let freed = line!() + 1;
    checked.free(ticket).expect("the first");
    for ticket in [ticket, Ticket { tag: None, ..ticket }] {
        let (error, again) = mistake(&checked, ticket);
        let CheckError::DoubleFree { offset, past: Some(past), freed_at } = error else { panic!("{error}") };
        assert_eq!((offset, past.object.offset, past.object.size), (ticket.offset, ticket.offset, 24));
        let lines = [past.object.allocated_at, past.freed_at, freed_at].map(Location::line);
        assert_eq!(lines, [allocated, freed, again]);
        let text = error.to_string();
        for line in lines {
            assert!(text.contains(&std::format!("{}:{line}:", file!())), "{text}");
        }
    }
}

#[test]
fn a_stale_free_leaves_the_owner_alone() {
    let checked = checked();
    let (stale, allocated) = object(&checked);
    checked.free(stale).expect("the first");
    let (owner, present) = object(&checked);
    assert_eq!(owner.offset, stale.offset, "the lowest place is used first");
    let (error, _) = mistake(&checked, stale);
    let CheckError::StaleFree { past: Some(past), present: object, .. } = error else { panic!("{error}") };
    assert_eq!([past.object.allocated_at, object.allocated_at].map(Location::line), [allocated, present]);
    assert!(error.to_string().contains("its place now has 24 bytes"), "{error}");
    checked.free(owner).expect("the owner's is right");
}

/// Each record and each place is used many times, in all combinations.
#[test]
fn a_ticket_is_of_one_allocation_for_ever() {
    let checked = checked();
    let mut stale = Vec::new();
    for _ in 0..300 {
        let (ticket, _) = object(&checked);
        for stale in &stale {
            let (error, _) = mistake(&checked, *stale);
            assert!(matches!(error, CheckError::StaleFree { .. }), "{error}");
        }
        checked.free(ticket).expect("its own");
        stale.push(ticket);
    }
    let same = |one: &&Ticket| one.tag.map(Tag::record) == stale[0].tag.map(Tag::record);
    assert!(stale.iter().all(|ticket| ticket.offset == stale[0].offset) && stale.iter().filter(same).count() > 1);
}

/// What was freed lies within a larger object now.
#[test]
fn a_stale_free_is_one_in_the_middle_too() {
    let checked = checked();
    let tickets = [(); 4].map(|()| object(&checked).0);
    tickets.iter().for_each(|ticket| checked.free(*ticket).expect("live"));
    let owner = checked.alloc(150, 4, AllocFlags::NONE).expect("room");
    assert_eq!(owner.offset, tickets[0].offset);
    let (error, _) = mistake(&checked, tickets[2]);
    assert!(matches!(error, CheckError::StaleFree { present: Object { size: 150, .. }, .. }), "{error}");
}

#[test]
fn other_offsets_are_inside_astray_or_foreign() {
    let checked = checked();
    let (ticket, allocated) = object(&checked);
    let (other, _) = object(&checked);
    for tag in [ticket.tag, None] {
        for within in [1, 4, 23, 24, 39] {
            let (error, _) = mistake(&checked, Ticket { offset: ticket.offset + within, tag });
            let CheckError::Interior { offset, object, .. } = error else { panic!("{error}") };
            assert_eq!((offset - object.offset, object.allocated_at.line()), (within, allocated));
        }
        for offset in [0, UNIT, usize::MAX] {
            let (error, _) = mistake(&checked, Ticket { offset, tag });
            assert!(matches!(error, CheckError::Foreign { .. }), "{error}");
        }
    }
    let (error, _) = mistake(&checked, Ticket { offset: other.offset, ..ticket });
    let CheckError::Astray { object, .. } = error else { panic!("{error}") };
    assert_eq!(object.allocated_at.line(), allocated);
    checked.free(Ticket { tag: None, ..ticket }).expect("a number is enough where an object begins");
}

#[test]
fn every_byte_behind_an_object_is_watched_in_every_unit() {
    let checked = checked();
    for size in [1, 3, 24, 100, 2000] {
        let ticket = checked.alloc(size, 4, AllocFlags::NONE).expect("room");
        let mut places = Vec::new();
        checked.leaks(|object| places.push(object.place()));
        for unit in 0..UNITS {
            for at in size..places[0].len() {
                let byte = checked.memory().copy(unit, ticket.offset + at);
                // SAFETY: a byte of the object's place, which this test alone knows.
                let was = unsafe { byte.replace(0) };
                let (error, freed) = mistake(&checked, ticket);
                let CheckError::Overrun { object, freed_at: Some(freed_at), .. } = error else { panic!("{error}") };
                assert_eq!((object.size, freed_at.line()), (size, freed));
                let mut found = Vec::new();
                checked.check_all(|error| found.push(error));
                assert_eq!(found, [CheckError::Overrun { object, unit, at, freed_at: None }]);
                // SAFETY: as above.
                unsafe { byte.write(was) };
            }
        }
        checked.free(ticket).expect("as it was");
    }
    checked.check_all(|error| panic!("{error}"));
}

/// The bytes of a new object are zero, whatever was there, and those of a freed one are not.
#[test]
fn what_is_freed_is_poisoned_until_it_is_used_again() {
    let checked = checked();
    let checked = &checked;
    let bytes = |ticket: Ticket| {
        // SAFETY: populated bytes, which nobody changes meanwhile.
        (0..UNITS).map(move |unit| unsafe { checked.memory().copy(unit, ticket.offset).cast::<[u8; 24]>().read() })
    };
    let (ticket, _) = object(checked);
    assert!(bytes(ticket).all(|bytes| bytes == [0; 24]));
    checked.free(ticket).expect("live");
    assert!(bytes(ticket).all(|bytes| bytes == [POISON; 24]));
    assert!(bytes(object(checked).0).all(|bytes| bytes == [0; 24]));
}

#[test]
fn leaks_are_the_live_objects() {
    let checked = checked();
    let objects = [(); 200].map(|()| object(&checked));
    for (ticket, _) in &objects[..100] {
        checked.free(*ticket).expect("live");
    }
    let mut leaks = Vec::new();
    // It may use the allocator.
    checked.leaks(|leak| {
        checked.check_all(|error| panic!("{error}"));
        leaks.push((leak.offset, leak.size, leak.allocated_at.line()));
    });
    leaks.sort_unstable();
    let mut live: Vec<_> = objects[100..].iter().map(|(ticket, line)| (ticket.offset, 24, *line)).collect();
    live.sort_unstable();
    assert_eq!(leaks, live);
}

#[test]
fn refusals_speak_of_the_size_that_was_asked_for() {
    let checked = checked();
    let alloc = |size, align, flags| checked.alloc(size, align, flags).map(|ticket| ticket.offset);
    assert_eq!(alloc(0, 4, AllocFlags::NONE), Err(AllocError::ZeroSize));
    assert_eq!(alloc(4, 3, AllocFlags::NONE), Err(AllocError::BadAlign { align: 3, max: PAGE }));
    for size in [UNIT, usize::MAX] {
        let error = alloc(size, 4, AllocFlags::NONE);
        assert_eq!(error, Err(AllocError::TooLarge { size, max: UNIT - PAGE - 256 }));
    }
    assert_eq!(alloc(UNIT - PAGE - 256, 4, AllocFlags::NONE), Ok(PAGE));
    assert_eq!(alloc(4, 8, AllocFlags::NONE), Err(AllocError::Exhausted { size: 4, align: 8 }));
    assert_eq!(alloc(4, 8, AllocFlags::ATOMIC), Err(AllocError::AtomicExhausted { size: 4, align: 8 }));
}

/// What was refused has taken no record: the same ones are used for ever.
#[test]
fn without_pages_for_records_there_are_as_many_objects_as_records() {
    let checked = checked();
    object(&checked);
    checked.memory().granted.set(0);
    let mut live = Vec::new();
    let refused = loop {
        match checked.alloc(4, 4, AllocFlags::NONE) {
            Ok(ticket) => live.push(ticket),
            Err(error) => break error,
        }
    };
    assert!(live.len() >= 64, "{} in stock", live.len());
    assert_eq!(refused, AllocError::NoMemory { size: 4, units: UNITS });
    let atomic = checked.alloc(4, 4, AllocFlags::ATOMIC);
    assert_eq!(atomic, Err(AllocError::AtomicExhausted { size: 4, align: 4 }));
    for ticket in &mut live {
        checked.free(*ticket).expect("live");
        assert!(checked.alloc(UNIT, 4, AllocFlags::NONE).is_err());
        *ticket = checked.alloc(4, 4, AllocFlags::ATOMIC).expect("what was just freed");
    }
    checked.memory().granted.set(usize::MAX);
    object(&checked);
}

#[test]
fn tags_hold_what_they_are_made_of() {
    for number in [1, 2, (1 << 40) - 1] {
        for record in [0, 1, Tag::RECORDS as u32 - 1] {
            let tag = Tag::new(number, record);
            assert_eq!((tag.number(), tag.record()), (number, record));
        }
    }
    assert_eq!([0, 1, (1 << 40) - 1].map(Tag::next), [1, 2, 1]);
}

/// More leaves than one branch has, and all pages come back.
#[test]
fn records_are_used_in_turn() {
    let heap = Heap::new();
    let mut table = table::Table::EMPTY;
    for _ in 0..3 * 512 {
        table.donate(heap.metadata().expect("a page")).expect("use for it");
    }
    // The root and three branches are among them.
    let records = (3 * 512 - 4) * (MetadataPage::SIZE / size_of::<record::Record>());
    assert_eq!(table.iter().count(), records);
    let mut order: Vec<_> = (0..records as u32).collect();
    for turn in 0..3 {
        let taken: Vec<_> = (0..=records).map_while(|_| table.take()).collect();
        assert!(taken == order, "turn {turn}");
        order.reverse();
        order.iter().for_each(|record| table.put(*record));
    }
    while let Some(page) = table.dismantle() {
        heap.free_metadata(page);
    }
}
