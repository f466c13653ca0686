//! Cargo: run it, and learn from its messages which images it has made.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use cargo_metadata::{Artifact, Message, PackageId};

use super::message_format::message_format;
use crate::error::Error;
use crate::stream::{self, Color};

/// An image that cargo has built.
#[derive(Debug)]
pub(super) struct Built {
    /// The target's name, as the package calls it.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) package: PackageId,
}

/// Runs `cargo WORDS.. ARGS..` with its messages as JSON, and returns the executables and shared objects.
///
/// A user who has asked for JSON gets cargo's messages on standard output, as they are.
pub(super) fn images(words: &[&str], args: &[OsString], color: Color) -> Result<Vec<Built>, Error> {
    let (format, args) = message_format(args);
    let mut cargo = command(color);
    cargo.args(words).arg(format.flag()).args(args);
    let failed = |cargo: &Command| {
        let program = cargo.get_program().to_string_lossy().into_owned();
        move |source| Error::Cargo { program, source }
    };
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed(&cargo))?;
    let messages = BufReader::new(child.stdout.take().expect("cargo's output was piped just above"));
    let built = collect(messages, |line| if format.is_json() { stream::print(line, Color::Always) } else { Ok(()) });
    let status = child.wait().map_err(failed(&cargo))?;
    if !status.success() {
        return Err(Error::CargoFailed(code(status)));
    }
    built?.map_err(failed(&cargo))
}

/// Runs `cargo WORD ARGS.. -- PROGRAM_ARGS..` as the user would; its status. Messages in JSON have been written before.
pub(super) fn pass(word: &str, args: &[OsString], program_args: &[OsString], color: Color) -> Result<u8, Error> {
    let mut cargo = command(color);
    let (format, others) = message_format(args);
    cargo.arg(word).args(if format.is_json() { others } else { args.to_vec() });
    if !program_args.is_empty() {
        cargo.arg("--").args(program_args);
    }
    let program = cargo.get_program().to_string_lossy().into_owned();
    cargo.status().map(code).map_err(|source| Error::Cargo { program, source })
}

/// Whether `arg` is the long option `name`, with or without its value.
pub(super) fn is_option(arg: &OsStr, name: &str) -> bool {
    let rest = arg.as_encoded_bytes().strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
}

/// The cargo that runs this subcommand, else the one of the search path.
pub(super) fn command(color: Color) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo's own default knows its configuration, so only a choice is passed on.
    if color != Color::Auto {
        cargo.env("CARGO_TERM_COLOR", color.name());
    }
    cargo
}

/// The images in cargo's messages; `pass_on` gets every line as it comes.
fn collect(
    mut messages: impl BufRead,
    mut pass_on: impl FnMut(&str) -> Result<(), Error>,
) -> Result<io::Result<Vec<Built>>, Error> {
    let mut built = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        match messages.read_line(&mut line) {
            Ok(0) => return Ok(Ok(built)),
            Ok(_) => pass_on(&line)?,
            Err(error) => return Ok(Err(error)),
        }
        // Build scripts print what they like, so a line need not be a message.
        if let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_str(&line) {
            built.extend(images_of(artifact));
        }
    }
}

fn images_of(artifact: Artifact) -> impl Iterator<Item = Built> {
    let shared = if artifact.target.is_cdylib() { artifact.filenames } else { Vec::new() };
    let shared = shared.into_iter().filter(|path| path.extension() == Some("so"));
    let (name, package) = (artifact.target.name, artifact.package_id);
    let paths = artifact.executable.into_iter().chain(shared);
    paths.map(move |path| Built { name: name.clone(), path: path.into(), package: package.clone() })
}

/// The status as a shell gives it: a program that a signal ended has 128 and the signal's number.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|number| 128 + number));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(kind: &str, name: &str, files: &str, executable: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"p","manifest_path":"/p/Cargo.toml","target":{{"kind":["{kind}"],"crate_types":["{kind}"],"name":"{name}","src_path":"/p/s.rs","edition":"2024","doc":true,"doctest":false,"test":true}},"profile":{{"opt_level":"0","debuginfo":2,"debug_assertions":true,"overflow_checks":true,"test":false}},"features":[],"filenames":[{files}],"executable":{executable},"fresh":false}}"#
        )
    }

    #[test]
    fn executables_and_shared_objects_are_images() {
        let messages = [
            artifact("lib", "util", r#""/t/libutil.rlib""#, "null"),
            artifact("bin", "app", r#""/t/app""#, r#""/t/app""#),
            artifact("cdylib", "plugin", r#""/t/libplugin.so","/t/libplugin.a""#, "null"),
            artifact("proc-macro", "derive", r#""/t/libderive.so""#, "null"),
            r#"{"reason":"build-finished","success":true}"#.into(),
            "a line that a build script printed".into(),
        ];
        let messages = messages.join("\n");
        let mut passed_on = String::new();
        let pass_on = |line: &str| {
            passed_on.push_str(line);
            Ok(())
        };
        let built = collect(messages.as_bytes(), pass_on).unwrap().unwrap();
        assert_eq!(passed_on, messages);
        let found: Vec<_> = built.iter().map(|image| (image.name.as_str(), image.path.to_str().unwrap())).collect();
        assert_eq!(found, [("app", "/t/app"), ("plugin", "/t/libplugin.so")]);
    }

    #[test]
    fn options_are_recognised_with_and_without_value() {
        assert!(is_option("--quiet".as_ref(), "--quiet"));
        assert!(is_option("--color=never".as_ref(), "--color"));
        assert!(!is_option("--colors".as_ref(), "--color"));
    }
}
