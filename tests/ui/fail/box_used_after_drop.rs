use percpu_rt::PerCpuBox;

fn main() {
    let boxed = PerCpuBox::new(1_u64);
    drop(boxed);
    boxed.inc();
}
