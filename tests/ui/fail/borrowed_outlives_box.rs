use percpu_rt::{PerCpuBox, PerCpuRef};

fn main() {
    let borrowed: PerCpuRef<'_, u64>;
    {
        let boxed = PerCpuBox::new(1_u64);
        borrowed = (&boxed).into();
    }
    borrowed.inc();
}
