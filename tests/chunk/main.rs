//! Does the allocator hand out what is free, all of it, and nothing else?

mod random;
