//! The steps of Linux's lib/percpu_test.c, in their order, at every width: each compares a plain variable and the
//! per-CPU one.
//!
//! There they show that an operand narrower than the variable is widened before it is negated. Here the operand has
//! the variable's type, so what is converted is converted at the call.

use std::hint::black_box;

use percpu_rt::per_cpu;
use percpu_tests::pin;

/// All steps with variables of one type. `long` and `ulong` are Linux's names: there they differ in being signed.
macro_rules! steps {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            type T = $name;
            #[per_cpu]
            static LONG: T = 0;
            #[per_cpu]
            static ULONG: T = 0;

            #[track_caller]
            fn check(step: u32, plain: T, percpu: T, expected: i64) {
                let expected = expected as T;
                assert_eq!((plain, percpu), (expected, expected), "step {step}");
            }

            let ui_one: u32 = black_box(1);
            let minus_ui_one = ui_one.wrapping_neg();
            // What wraps at 32 bits shows only where there are more.
            let wide = size_of::<T>() > 4;
            let all_ones = (0 as T).wrapping_sub(1);
            // The copies of one CPU, as with preemption off.
            let cpu = pin::allowed()[0];
            pin::on(cpu, || {
                let mut long: T = 0;
                let mut ulong: T;
                macro_rules! long {
                    ($step:literal, $expected:expr) => { check($step, long, LONG.read(), $expected) };
                }
                macro_rules! ulong {
                    ($step:literal, $expected:expr) => { check($step, ulong, ULONG.read(), $expected) };
                }
                // Both variables get the same value or operand.
                macro_rules! both {
                    ($plain:ident = $percpu:ident = $value:expr) => {{ $plain = $value; $percpu.write($value); }};
                    ($plain:ident, $percpu:ident add $value:expr) => {{
                        let value: T = $value;
                        $plain = $plain.wrapping_add(value);
                        $percpu.add(value);
                    }};
                    ($plain:ident, $percpu:ident sub $value:expr) => {{
                        let value: T = $value;
                        $plain = $plain.wrapping_sub(value);
                        $percpu.sub(value);
                    }};
                }
                both!(long, LONG add all_ones);
                long!(1, -1);
                both!(long, LONG add 1);
                long!(2, 0);
                both!(ulong = ULONG = 0);
                both!(ulong, ULONG add 1);
                ulong!(3, 1);
                both!(ulong, ULONG add all_ones);
                ulong!(4, 0);
                both!(ulong, ULONG add (1 as T).wrapping_neg());
                ulong!(5, -1);
                both!(ulong = ULONG = 0);
                ulong = ulong.wrapping_sub(1);
                ULONG.dec();
                ulong!(6, -1);
                if wide {
                    both!(long, LONG add minus_ui_one as T);
                    long!(7, 0xffff_ffff);
                    both!(long, LONG add ui_one as T);
                    long!(8, 0x1_0000_0000);
                }
                both!(long = LONG = 0);
                both!(long, LONG sub ui_one as T);
                long!(9, -1);
                both!(long = LONG = 0);
                both!(long, LONG add ui_one as T);
                long!(10, 1);
                if wide {
                    both!(long, LONG add minus_ui_one as T);
                    long!(11, 0x1_0000_0000);
                }
                both!(long = LONG = 0);
                both!(long, LONG sub ui_one as T);
                long!(12, -1);
                assert_eq!(LONG.read(), all_ones, "step 12, as unsigned");
                both!(ulong = ULONG = 0);
                both!(ulong, ULONG add ui_one as T);
                ulong!(13, 1);
                both!(ulong = ULONG = 0);
                both!(ulong, ULONG sub ui_one as T);
                ulong!(14, -1);
                both!(ulong = ULONG = 0);
                both!(ulong, ULONG add u64::from(u32::MAX) as T);
                ulong!(15, 0xffff_ffff);
                both!(ulong = ULONG = 3);
                ulong = ulong.wrapping_sub(ui_one as T);
                assert_eq!(ULONG.add_return((ui_one as T).wrapping_neg()), ulong, "step 16 returns");
                ulong!(16, 2);
                ulong = ulong.wrapping_sub(ui_one as T);
                assert_eq!(ULONG.add_return((ui_one as T).wrapping_neg()), ulong, "step 17 returns");
                ulong!(17, 1);
            });
        }
    )*};
}
steps!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
