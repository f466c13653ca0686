//! The patterns: what there is before, and the operations that are timed.

use percpu_tests::random::Random;

/// One operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Alloc { object: usize, size: usize, align: usize, refused: bool },
    Free { object: usize },
}

/// Operations on an allocator of its own.
pub(crate) struct Pattern {
    pub(crate) title: &'static str,
    /// Of a unit.
    pub(crate) bytes: usize,
    /// Where the allocator grows by chunks.
    pub(crate) chunk: Option<usize>,
    /// Objects, live or not.
    pub(crate) objects: usize,
    pub(crate) filling: Vec<Op>,
    pub(crate) timed: Vec<Op>,
}

const CHUNK: usize = 128 << 10;
const PAGE: usize = 4096;

impl Pattern {
    fn new(title: &'static str, bytes: usize) -> Self {
        Self { title, bytes, chunk: None, objects: 0, filling: Vec::new(), timed: Vec::new() }
    }

    /// Fills with objects of `size` bytes; the first one's number.
    fn fill(&mut self, count: usize, size: usize) -> usize {
        let first = self.objects;
        self.objects += count;
        self.filling.extend((first..self.objects).map(|object| alloc(object, size, 4)));
        first
    }

    /// Times an allocation; the object's number.
    fn alloc(&mut self, size: usize, align: usize) -> usize {
        self.objects += 1;
        self.timed.push(alloc(self.objects - 1, size, align));
        self.objects - 1
    }

    /// Times an allocation that is refused.
    fn refuse(&mut self, size: usize, align: usize) {
        self.objects += 1;
        self.timed.push(Op::Alloc { object: self.objects - 1, size, align, refused: true });
    }

    fn free(&mut self, object: usize) {
        self.timed.push(Op::Free { object });
    }

    /// Times allocations and frees of one object.
    fn ping_pong(&mut self, count: usize, size: usize, align: usize) {
        for _ in 0..count {
            let object = self.alloc(size, align);
            self.free(object);
        }
    }
}

fn alloc(object: usize, size: usize, align: usize) -> Op {
    Op::Alloc { object, size, align, refused: false }
}

/// All patterns, or all with a part of their size, to see that they run.
pub(crate) fn all(part: usize) -> Vec<Pattern> {
    let chunks = 4096 / part;
    let many = 4000 / part;
    vec![
        too_small("4096 nearly full chunks with holes just too small", chunks, None, many),
        too_small("the same, grown chunk by chunk", chunks, Some(CHUNK), many),
        refused(chunks, many),
        misaligned(chunks, many),
        alternating(many),
        border("ping-pong at a chunk's border, 64 bytes", 64, many),
        border("ping-pong at a chunk's border, a page", PAGE, many),
        border("ping-pong at a chunk's border, twelve pages", 12 * PAGE, many),
        emptied(many),
        zones(many),
        comb(many),
    ]
}

/// Linux looks into every chunk (11 µs at 4096).
fn too_small(title: &'static str, chunks: usize, chunk: Option<usize>, many: usize) -> Pattern {
    let mut pattern = Pattern::new(title, 1 << 30);
    pattern.chunk = chunk;
    pattern.fill(chunks * (CHUNK / PAGE), PAGE - 60);
    let objects: Vec<_> = (0..many).map(|_| pattern.alloc(64, 4)).collect();
    for object in objects {
        pattern.free(object);
    }
    pattern.ping_pong(many, 64, 4);
    pattern
}

/// All is full but for holes just too small; something is freed before every refusal.
fn refused(chunks: usize, many: usize) -> Pattern {
    let mut pattern = Pattern::new("4096 chunks and no room, refused", chunks * CHUNK);
    pattern.fill(chunks * (CHUNK / PAGE), PAGE - 60);
    for _ in 0..many {
        pattern.ping_pong(1, 60, 4);
        pattern.refuse(64, 4);
    }
    pattern
}

/// The longest holes fit, but for their alignment.
fn misaligned(chunks: usize, many: usize) -> Pattern {
    let mut pattern = Pattern::new("misaligned largest holes in 4096 blocks", 1 << 30);
    let mut holes = Vec::new();
    for _ in 0..chunks {
        pattern.fill(1, 128);
        holes.push(pattern.fill(1, PAGE - 256));
        pattern.fill(1, 128);
    }
    pattern.filling.extend(holes.into_iter().map(|object| Op::Free { object }));
    let objects: Vec<_> = (0..many).map(|_| pattern.alloc(2048, 2048)).collect();
    for object in objects {
        pattern.free(object);
    }
    pattern.ping_pong(many, 2048, 2048);
    pattern
}

/// The smallest and pages by turns.
fn alternating(many: usize) -> Pattern {
    let mut pattern = Pattern::new("4 and 4096 bytes alternating", 1 << 30);
    let mut pages = Vec::new();
    for _ in 0..many {
        pattern.alloc(4, 4);
        pages.push(pattern.alloc(PAGE, PAGE));
        if pages.len() % 3 == 0 {
            let page = pages.swap_remove(pages.len() / 2);
            pattern.free(page);
        }
    }
    for page in pages {
        pattern.free(page);
        pattern.ping_pong(1, PAGE, PAGE);
    }
    pattern
}

/// All chunks are full, so each object opens one, and leaves it empty.
fn border(title: &'static str, size: usize, many: usize) -> Pattern {
    let mut pattern = Pattern::new(title, 1 << 30);
    pattern.fill(16 * CHUNK / PAGE, PAGE);
    pattern.ping_pong(many, size, 4);
    pattern
}

/// Small objects on pages of their own, freed in no order: every page is emptied by one of them.
fn emptied(many: usize) -> Pattern {
    let mut pattern = Pattern::new("frees that empty pages", 1 << 30);
    let first = pattern.fill(many * 8, 1024);
    let mut random = Random::new(3);
    let mut objects: Vec<_> = (first..pattern.objects).collect();
    while !objects.is_empty() {
        let object = objects.swap_remove(random.below(objects.len()));
        pattern.free(object);
    }
    pattern
}

/// Blocks of every kind are full.
fn zones(many: usize) -> Pattern {
    let mut pattern = Pattern::new("every zone full", 1 << 30);
    for size in [4, 64, 512, 2048, PAGE] {
        pattern.fill((many / 2) * PAGE / size.max(16), size);
    }
    for size in [4, 60, 64, 68, 1000, 2048, 4000, PAGE, PAGE + 4, 5 * PAGE] {
        pattern.ping_pong(many / 10, size, 4);
        for _ in 0..many / 10 {
            pattern.alloc(size, 4);
        }
    }
    pattern
}

/// A block with as many holes as there can be, of which the longest comes and goes.
fn comb(many: usize) -> Pattern {
    let mut pattern = Pattern::new("a block of 500 holes, and one that fits", 1 << 20);
    let first = pattern.fill(1024, 4);
    for object in (first..first + 1000).step_by(2) {
        pattern.filling.push(Op::Free { object });
    }
    pattern.filling.push(Op::Free { object: first + 1001 });
    pattern.filling.push(Op::Free { object: first + 1002 });
    // Elsewhere nothing is shared: the next block is full.
    pattern.ping_pong(many, 8, 4);
    pattern
}
