use percpu_rt::{LocalLock, PerCpuBox};

fn main() {
    let boxed = PerCpuBox::try_new_with(|_| LocalLock::new(1)).unwrap();
    let guard = boxed.lock();
    drop(boxed);
    drop(guard);
}
