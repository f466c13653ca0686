//! The attribute inside a `macro_rules!` that passes on every part of the item.

use percpu_rt::per_cpu;

macro_rules! parts {
    ($(#[$attr:meta])* $vis:vis $name:ident: $ty:ty = $value:expr, $class:ident, $init:path) => {
        #[per_cpu($class, init = $init)]
        $(#[$attr])*
        $vis static $name: $ty = $value;
    };
}

macro_rules! whole {
    ($item:item) => {
        #[per_cpu]
        $item
    };
}

parts! {
    /// Text.
    #[cfg(all())]
    #[cfg_attr(all(), allow(dead_code))]
    pub(crate) SEEDED: u64 = 1 + 1, hot, seeds::seed::<40>
}

parts! {
    PRIVATE: [&'static str; 1] = [concat!("a", "b")], read_mostly, seeds::nothing
}

whole! {
    static WHOLE: u64 = 3;
}

mod seeds {
    use percpu_rt::CpuId;

    pub unsafe fn seed<const N: u64>(_cpu: CpuId, copy: *mut u64) {
        // SAFETY: set-up passes the address of a copy that holds the template and that nothing else can reach yet.
        unsafe { *copy += N }
    }

    /// Needs no promise from its caller; a safe function serves as well.
    pub fn nothing<T>(_cpu: CpuId, _copy: *mut T) {}
}

fn main() {
    assert_eq!(SEEDED.read(), 42);
    assert_eq!(PRIVATE.with(|names| names[0]), "ab");
    assert_eq!(WHOLE.read(), 3);
}
