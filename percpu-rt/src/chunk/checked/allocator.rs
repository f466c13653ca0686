//! An allocator that finds the mistakes of its users.

use core::fmt;
use core::ops::Range;
use core::panic::Location;

use super::diagnosis::Diagnosis;
use super::error::CheckError;
use super::object::Object;
use super::redzone;
use super::table::Table;
use super::ticket::Ticket;
use crate::chunk::error::{AllocError, FreeError};
use crate::chunk::flags::AllocFlags;
use crate::chunk::locked::Locked;
use crate::chunk::memory::{Memory, MetadataPage};
use crate::chunk::stats::PerCpuStats;
use crate::chunk::{Allocator, RawLock};

/// An [`Allocator`] that finds double and stale frees, writes past the end, and leaks.
///
/// Every object takes 16 bytes more, or a quarter of its size and no more than 256; a record takes 48. Allocating and
/// freeing write to every unit.
///
/// ```
/// use percpu_rt::chunk::checked::{CheckError, Checked};
/// use percpu_rt::chunk::{AllocFlags, Allocator, Memory, RawLock};
///
/// fn free_twice(allocator: &Checked<impl Memory, impl RawLock>) {
///     let object = allocator.alloc(64, 8, AllocFlags::NONE).expect("room");
///     allocator.free(object).expect("it is live");
///     let error = allocator.free(object).expect_err("it is not any more");
///     assert!(matches!(error, CheckError::DoubleFree { .. }));
///     println!("{error}"); // says where it was allocated, where it was freed, and where it was to be freed again
/// }
/// ```
pub struct Checked<M: Memory, L> {
    allocator: Allocator<M, L>,
    table: Locked<L, Table>,
}

impl<M: Memory, L> fmt::Debug for Checked<M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("allocator", &self.allocator).finish_non_exhaustive()
    }
}

impl<M: Memory, L: RawLock> Checked<M, L> {
    /// Checks what `allocator` will allocate. `lock` is never held together with the allocator's: the two can be references to
    /// one.
    #[must_use]
    pub const fn new(allocator: Allocator<M, L>, lock: L) -> Self {
        Self { allocator, table: Locked::new(lock, Table::EMPTY) }
    }

    /// The memory that the allocator was made with.
    pub const fn memory(&self) -> &M {
        self.allocator.memory()
    }

    /// As [`Allocator::add_range`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Safety
    ///
    /// As there.
    pub unsafe fn add_range(&self, range: Range<usize>) -> Result<(), AllocError> {
        self.stock_up(range.len())?;
        // SAFETY: the caller's promise.
        unsafe { self.allocator.add_range(range) }
    }

    /// As [`Allocator::add_populated`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Safety
    ///
    /// As there.
    pub unsafe fn add_populated(&self, range: Range<usize>) -> Result<(), AllocError> {
        self.stock_up(range.len())?;
        // SAFETY: the caller's promise.
        unsafe { self.allocator.add_populated(range) }
    }

    /// Allocates `size` bytes at a multiple of `align`, zero in every unit, and remembers the caller.
    ///
    /// Context: as [`Allocator::alloc`]. An atomic allocation takes a record in stock: any other leaves 64 there, and so does a range
    /// that is added.
    ///
    /// # Errors
    ///
    /// As [`AllocError`] says. Nothing has changed then.
    #[track_caller]
    pub fn alloc(&self, size: usize, align: usize, flags: AllocFlags) -> Result<Ticket, AllocError> {
        let allocated_at = Location::caller();
        if size == 0 {
            return Err(AllocError::ZeroSize);
        }
        let record = self.take_record(size, align, flags.contains(AllocFlags::ATOMIC))?;
        let offset = match self.allocator.alloc(redzone::with_redzone(size), align, flags) {
            Ok(offset) => offset,
            Err(error) => {
                self.table.with(|table| table.put(record));
                return Err(without_redzone(error, size));
            }
        };
        let object = Object { offset, size, number: 0, allocated_at };
        // SAFETY: just allocated with room for what is behind it, populated, and nobody has it yet.
        unsafe { redzone::fill(self.memory(), &object) };
        let tag = self.table.with(|table| table.begin(record, object));
        Ok(Ticket { offset, tag: Some(tag) })
    }

    /// Frees an object, and looks at what is behind it before.
    ///
    /// Context: that of the lock. Costs a look at every unit, and with a mistake one at every record.
    ///
    /// # Errors
    ///
    /// As [`CheckError`] says. Nothing has changed then.
    #[track_caller]
    pub fn free(&self, ticket: Ticket) -> Result<(), CheckError> {
        let freed_at = Location::caller();
        let found = self.table.with(|table| {
            let Some((record, object)) = find(table, &ticket) else { return Err(Diagnosis::new(table, &ticket)) };
            // SAFETY: it is live by its record, which is changed under the lock alone.
            let damage = unsafe { redzone::damage(self.memory(), &object) };
            if damage.is_none() {
                table.edit(record, |record| record.end(freed_at));
            }
            Ok((record, object, damage))
        });
        let (record, object) = match found {
            Ok((record, object, None)) => (record, object),
            Ok((_, object, Some((unit, at)))) => {
                return Err(CheckError::Overrun { object, unit, at, freed_at: Some(freed_at) });
            }
            Err(diagnosis) => {
                let is_foreign = matches!(self.allocator.size_of(ticket.offset), Err(FreeError::Foreign { .. }));
                return Err(diagnosis.error(&ticket, is_foreign, freed_at));
            }
        };
        // SAFETY: of all who free it, one alone has ended its record, and the allocator gives the place to nobody yet.
        unsafe { redzone::poison(self.memory(), &object) };
        self.allocator.free(object.offset).expect("what has a live record is allocated");
        self.table.with(|table| table.put(record));
        Ok(())
    }

    /// As [`Allocator::reserve_atomic`], in which objects have what is behind them.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reserve_atomic(&self, bytes: usize) -> Result<(), AllocError> {
        self.allocator.reserve_atomic(bytes)
    }

    /// As [`Allocator::is_moving`].
    ///
    /// # Safety
    ///
    /// As there.
    #[cfg_attr(
        not(all(platform = "hosted", feature = "checked")),
        allow(dead_code, reason = "for the forks of a process")
    )]
    pub(crate) unsafe fn is_moving(&self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.allocator.is_moving() }
    }

    /// As [`Allocator::begin_balance`].
    #[cfg(all(feature = "checked", platform = "hosted"))]
    pub(crate) fn begin_balance(&self) -> bool {
        self.allocator.begin_balance()
    }

    #[cfg(all(feature = "checked", platform = "hosted"))]
    pub(crate) fn end_balance(&self) {
        self.allocator.end_balance();
    }

    /// As [`Allocator::balance`].
    pub fn balance(&self) {
        self.allocator.balance();
    }

    /// As [`Allocator::stats`]: sizes are those with what is behind an object, metadata is that with its records.
    pub fn stats(&self) -> PerCpuStats {
        let mut stats = self.allocator.stats();
        let bytes = self.table.with(|table| table.pages()) * MetadataPage::SIZE;
        stats.metadata_bytes += bytes;
        stats.max_metadata_bytes += bytes;
        stats
    }

    /// Calls `each` with every live object: at a time when there should be none, the leaks.
    ///
    /// The lock is not held while `each` runs: it may allocate and free. What others allocate and free meanwhile may be
    /// among them or not.
    ///
    /// Context: as [`free`](Self::free). Costs a look at every record.
    pub fn leaks(&self, mut each: impl FnMut(Object)) {
        self.for_each_live(|object| Some(*object), &mut each);
    }

    /// Calls `each` with the [overrun](CheckError::Overrun) of every live object that has one.
    ///
    /// As [`leaks`](Self::leaks), but for the cost: a look at what is behind every object in every unit.
    pub fn check_all(&self, mut each: impl FnMut(CheckError)) {
        self.for_each_live(
            |object| {
                // SAFETY: the lock is held, under which it is live.
                let (unit, at) = unsafe { redzone::damage(self.memory(), object) }?;
                Some(CheckError::Overrun { object: *object, unit, at, freed_at: None })
            },
            &mut each,
        );
    }

    /// Calls `look` with every live object, under the lock, and `each` with what that finds, without.
    fn for_each_live<T>(&self, look: impl Fn(&Object) -> Option<T>, each: &mut impl FnMut(T)) {
        let at = |index| self.table.with(|table| Some(table.get(index)?.live().and_then(&look)));
        (0..).map_while(at).flatten().for_each(each);
    }

    /// A record for an object of this size and alignment.
    fn take_record(&self, size: usize, align: usize, atomic: bool) -> Result<u32, AllocError> {
        loop {
            let stocked = if atomic { Err(AllocError::AtomicExhausted { size, align }) } else { self.stock_up(size) };
            match (self.table.with(Table::take), stocked) {
                // What is there is taken, even if there will be no more.
                (Some(record), _) => return Ok(record),
                (None, Err(error)) => return Err(error),
                // Others were faster.
                (None, Ok(())) => {}
            }
        }
    }

    /// Brings pages for records until there are some in stock.
    fn stock_up(&self, size: usize) -> Result<(), AllocError> {
        let refused = AllocError::NoMemory { size, units: self.memory().units() };
        while self.table.with(|table| table.is_short()) {
            let page = self.memory().metadata().ok_or(refused)?;
            if let Err(page) = self.table.with(|table| table.donate(page)) {
                self.memory().free_metadata(page);
                return Err(refused);
            }
        }
        Ok(())
    }
}

/// The live object that has `ticket`, and its record.
fn find(table: &Table, ticket: &Ticket) -> Option<(u32, Object)> {
    let is_it = |object: &&Object| object.offset == ticket.offset;
    let live = |index| table.get(index)?.live().filter(is_it).map(|object| (index, *object));
    match ticket.tag {
        Some(tag) => live(tag.record()).filter(|(_, object)| object.number == tag.number()),
        None => (0..).zip(table.iter()).find_map(|(index, _)| live(index)),
    }
}

/// What the allocator says, in the sizes of those who ask.
fn without_redzone(error: AllocError, size: usize) -> AllocError {
    match error {
        AllocError::TooLarge { max, .. } => AllocError::TooLarge { size, max: redzone::largest(max) },
        AllocError::Exhausted { align, .. } => AllocError::Exhausted { size, align },
        AllocError::AtomicExhausted { align, .. } => AllocError::AtomicExhausted { size, align },
        AllocError::NoMemory { units, .. } => AllocError::NoMemory { size, units },
        // No size is in it.
        _ => error,
    }
}

/// Gives the pages with records back.
impl<M: Memory, L> Drop for Checked<M, L> {
    fn drop(&mut self) {
        while let Some(page) = self.table.get_mut().dismantle() {
            self.allocator.memory().free_metadata(page);
        }
    }
}
