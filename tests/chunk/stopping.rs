//! A platform whose calls stop until another thread has done its part, so that what happens meanwhile is arranged.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use percpu_rt::chunk::{Allocator, Memory, MetadataPage, Refused, SpinLock};
use percpu_tests::units::{Pages, Units};

pub(crate) const PAGE: usize = 4096;

/// What a thread has stopped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Populate,
    Depopulate,
    Metadata,
}

/// How a call that has stopped goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Succeed,
    /// The next call is another.
    Refuse,
    /// Nor does any other of this thread succeed.
    RefuseAll,
}

/// Where a thread stops: in which call, whom it tells, and who says how it goes on.
type Stop = (Call, SyncSender<()>, Receiver<Answer>);

/// Units, and a place where one call of a kind stops, told by one channel until the other answers.
pub(crate) struct Stopping {
    pub(crate) units: Units,
    pub(crate) at: Mutex<Option<Stop>>,
    /// How often somebody had to wait, and whether anybody does.
    pub(crate) waits: AtomicU32,
    pub(crate) is_patient: AtomicBool,
}

impl Stopping {
    pub(crate) fn new(bytes: usize, page_size: usize) -> Self {
        Self {
            units: Units::new(2, bytes, page_size, Pages::Checked),
            at: Mutex::new(None),
            waits: AtomicU32::new(0),
            is_patient: AtomicBool::new(false),
        }
    }

    /// Stops the next `call`: it is there when the first channel tells, and goes on with what is sent by the other.
    pub(crate) fn stop(&self, call: Call) -> (Receiver<()>, SyncSender<Answer>) {
        let (stopped, is_stopped) = sync_channel(1);
        let (go_on, answer) = sync_channel(1);
        *self.at.lock().expect("no panic") = Some((call, stopped, answer));
        (is_stopped, go_on)
    }

    /// Stops here where that was asked for; whether the call is to succeed.
    fn reached(&self, call: Call) -> bool {
        let at = self.at.lock().expect("no panic").take_if(|(at, ..)| *at == call);
        at.is_none_or(|(_, stopped, answer)| {
            stopped.send(()).expect("somebody waits");
            let answer = answer.recv().expect("somebody answers");
            if answer == Answer::RefuseAll {
                Units::grant(Some(0));
            }
            answer == Answer::Succeed
        })
    }
}

// SAFETY: the promises are those of `Units`, which does all of it.
unsafe impl Memory for Stopping {
    fn units(&self) -> usize {
        self.units.units()
    }

    fn copy(&self, unit: usize, offset: usize) -> *mut u8 {
        self.units.copy(unit, offset)
    }

    fn populate(&self, offsets: Range<usize>) -> Result<(), Refused> {
        if self.reached(Call::Populate) { self.units.populate(offsets) } else { Err(Refused) }
    }

    fn depopulate(&self, offsets: Range<usize>) {
        self.reached(Call::Depopulate);
        self.units.depopulate(offsets);
    }

    fn metadata(&self) -> Option<MetadataPage> {
        if self.reached(Call::Metadata) { self.units.metadata() } else { None }
    }

    fn free_metadata(&self, page: MetadataPage) {
        self.units.free_metadata(page);
    }

    fn grow(&self, size: usize) -> Option<Range<usize>> {
        self.units.grow(size)
    }

    fn shrink(&self, chunk: Range<usize>) {
        self.units.shrink(chunk);
    }

    fn wait(&self, _: u32) -> bool {
        self.waits.fetch_add(1, Relaxed);
        thread::yield_now();
        self.is_patient.load(Relaxed)
    }
}

pub(crate) fn allocator(memory: &Stopping, bytes: usize, page_size: usize) -> Allocator<&Stopping, SpinLock> {
    let allocator = Allocator::new(memory, SpinLock::new(), page_size);
    // SAFETY: the units are the test's, and it makes one allocator.
    unsafe { allocator.add_range(0..bytes) }.expect("records");
    allocator
}

/// Runs `first` until it stops in `call`, then `second`, and lets the call succeed or fail.
pub(crate) fn interleave<R: Send>(
    memory: &Stopping,
    call: Call,
    succeeds: bool,
    first: impl FnOnce() -> R + Send,
    second: impl FnOnce(),
) -> R {
    thread::scope(|scope| {
        let (stopped, go_on) = memory.stop(call);
        let thread = scope.spawn(|| {
            let result = first();
            // Where it did not stop, nobody waits for it.
            memory.at.lock().expect("no panic").take();
            result
        });
        stopped.recv().expect("the call comes");
        second();
        go_on.send(if succeeds { Answer::Succeed } else { Answer::RefuseAll }).expect("it waits");
        thread.join().expect("no panic")
    })
}
