//! What a trace takes in memory, event by event.

use percpu_rt::chunk::{Cache, GRANULE};
use percpu_tests::units::Units;

use crate::trace::{Event, Trace};
use crate::{flags, fresh};

/// The sums over one pass.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) failures: u64,
    pub(crate) peak_live_bytes: usize,
    pub(crate) peak_populated_bytes: usize,
    /// Populated over live bytes, each summed over all events.
    pub(crate) overhead: f64,
    /// The same over the events behind the peak of live bytes.
    pub(crate) after_peak_overhead: f64,
    pub(crate) populates: u64,
    pub(crate) depopulates: u64,
    pub(crate) metadata_peak_bytes: usize,
    pub(crate) chunks_peak: u64,
}

/// One pass with a look at the counts behind each event.
pub(crate) fn of(trace: &Trace, units: &Units) -> Account {
    // SAFETY: the units are this function's, and have no other allocator now.
    let allocator = unsafe { fresh(units) };
    let mut cache = Cache::new(&allocator);
    let mut live_bytes = 0;
    let mut offsets = vec![None; trace.objects];
    let mut account = Account::default();
    let (mut all, mut behind) = ([0_u64; 2], [0_u64; 2]);
    for event in &trace.events {
        match *event {
            Event::Alloc { object, size, align, atomic } => {
                let offset = cache.alloc(size as usize, align as usize, flags(atomic));
                account.failures += u64::from(offset.is_err());
                live_bytes += if offset.is_ok() { (size as usize).next_multiple_of(GRANULE) } else { 0 };
                offsets[object as usize] = offset.ok();
            }
            Event::Free { object, size } => {
                if let Some(offset) = offsets[object as usize] {
                    // SAFETY: the trace frees what it has allocated, once.
                    unsafe { cache.free(offset, size as usize) }.expect("a live object");
                    live_bytes -= (size as usize).next_multiple_of(GRANULE);
                }
            }
        }
        let stats = allocator.stats();
        let now = [stats.populated_bytes as u64, live_bytes as u64];
        if live_bytes > account.peak_live_bytes {
            account.peak_live_bytes = live_bytes;
            behind = [0; 2];
        }
        account.peak_populated_bytes = account.peak_populated_bytes.max(stats.populated_bytes);
        for (sums, now) in [&mut all, &mut behind].into_iter().flat_map(|sums| sums.iter_mut().zip(now)) {
            *sums += now;
        }
    }
    let stats = allocator.stats();
    // Without any live bytes nothing lies over them.
    let ratio = |[populated, live]: [u64; 2]| if live == 0 { 0.0 } else { populated as f64 / live as f64 };
    Account {
        overhead: ratio(all),
        after_peak_overhead: ratio(behind),
        populates: stats.nr_populate,
        depopulates: stats.nr_depopulate,
        metadata_peak_bytes: stats.max_metadata_bytes,
        chunks_peak: stats.nr_max_chunks,
        ..account
    }
}
