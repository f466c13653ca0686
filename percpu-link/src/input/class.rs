//! Which class a variable belongs to, by the symbols between the classes.

use percpu_rt::abi::class::Class;

use super::elf::Image;

/// The end of Linux's hot variables (`DEFINE_PER_CPU_CACHE_HOT`), which are followed by classes without symbols.
const LINUX_HOT_END: &str = "__per_cpu_hot_end";

/// Where the classes of an image start.
#[derive(Debug)]
pub(super) struct Classes {
    starts: Vec<(u64, Class)>,
    hot_end: Option<u64>,
}

impl Classes {
    pub(super) fn of<R>(image: &Image<'_, R>) -> Self {
        let mut starts = Vec::new();
        let mut hot_end = None;
        for symbol in &image.symbols {
            let named = |class: &&Class| class.start_symbol().as_bytes() == symbol.name;
            if let Some(class) = Class::ALL.iter().find(named) {
                starts.push((symbol.address, *class));
            } else if symbol.name == LINUX_HOT_END.as_bytes() {
                hot_end = Some(symbol.address);
            }
        }
        // An empty class starts where the next one does, which then is the one that counts.
        starts.sort_unstable();
        Self { starts, hot_end }
    }

    /// The class of what lies at `address` in the part of the template that has file bytes.
    pub(super) fn at(&self, address: u64) -> Class {
        let started = self.starts.partition_point(|(start, _)| *start <= address);
        let class = started.checked_sub(1).map_or(Class::Plain, |last| self.starts[last].1);
        match self.hot_end {
            Some(end) if class == Class::Hot && address >= end => Class::Plain,
            _ => class,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_class_that_has_started_counts() {
        let starts = vec![(0, Class::PageAligned), (64, Class::First), (64, Class::Hot), (128, Class::Plain)];
        let classes = Classes { starts, hot_end: None };
        assert_eq!(classes.at(63), Class::PageAligned);
        assert_eq!(classes.at(64), Class::Hot, "an empty class has no address of its own");
        assert_eq!(classes.at(128), Class::Plain);
        assert_eq!(classes.at(u64::MAX), Class::Plain);
    }

    #[test]
    fn without_symbols_everything_is_plain() {
        let classes = Classes { starts: Vec::new(), hot_end: None };
        assert_eq!(classes.at(0), Class::Plain);
    }

    #[test]
    fn linux_ends_its_hot_class() {
        let classes = Classes { starts: vec![(64, Class::Hot)], hot_end: Some(128) };
        assert_eq!(classes.at(0), Class::Plain);
        assert_eq!(classes.at(127), Class::Hot);
        assert_eq!(classes.at(128), Class::Plain);
    }
}
