use percpu_rt::PerCpuBox;

fn main() {
    let _ = PerCpuBox::<&'static u64>::try_zeroed();
}
