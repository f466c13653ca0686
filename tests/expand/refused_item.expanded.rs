use percpu_rt::per_cpu;

pub fn hits() {}
