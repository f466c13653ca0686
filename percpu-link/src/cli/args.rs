//! Telling our own options, cargo's flags and a program's arguments apart.

use std::ffi::OsString;

use super::cargo::is_option;

/// Our options that take a value, wherever they stand between cargo's flags.
const WITH_VALUE: [&str; 7] =
    ["--color", "--format", "--max-static", "--max-unit", "--deny", "--not-pointers", "--cpus"];

/// Our options that do not.
const HELP: [&str; 2] = ["-h", "--help"];

/// Splits a command line into what our parser reads and what stands behind `--`.
///
/// The parser takes everything from cargo's first flag on as cargo's, so our own options move in front of it,
/// behind the name of the command.
pub(super) fn split(args: impl IntoIterator<Item = OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let mut args = args.into_iter();
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    while let Some(arg) = args.next().filter(|arg| arg != "--") {
        if WITH_VALUE.iter().any(|name| arg == *name) {
            ours.push(arg);
            ours.extend(args.next());
        } else if HELP.iter().any(|name| arg == *name) || WITH_VALUE.iter().any(|name| is_option(&arg, name)) {
            ours.push(arg);
        } else {
            others.push(arg);
        }
    }
    // The program and the command.
    let command = others.len().min(2);
    others.splice(command..command, ours);
    (others, args.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_move_to_the_command_and_arguments_stay_behind() {
        for (line, own, behind) in [
            ("tool", "tool", ""),
            ("tool --help", "tool --help", ""),
            ("tool --color never run -p app", "tool run --color never -p app", ""),
            ("tool report -p app --format json a", "tool report --format json -p app a", ""),
            ("tool run -r --color=always -- --color x -- y", "tool run --color=always -r", "--color x -- y"),
            ("tool run -p app -h", "tool run -h -p app", ""),
            ("tool check -r --deny a --max-unit=1", "tool check --deny a --max-unit=1 -r", ""),
            ("tool patch app --cpus 4", "tool patch --cpus 4 app", ""),
            ("tool report --format", "tool report --format", ""),
            ("tool test --formatted --colors", "tool test --formatted --colors", ""),
            ("tool run --", "tool run", ""),
        ] {
            let words = |text: &str| text.split_whitespace().map(OsString::from).collect::<Vec<_>>();
            assert_eq!(split(words(line)), (words(own), words(behind)), "{line}");
        }
    }
}
