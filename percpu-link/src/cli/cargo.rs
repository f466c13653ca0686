//! Cargo: run it, and learn from its messages which images it has made.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use cargo_metadata::{Artifact, Message};

use crate::error::Error;
use crate::stream::Color;

/// An image that cargo has built.
#[derive(Debug)]
pub(super) struct Built {
    /// The target's name, as the package calls it.
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// Runs `cargo WORDS.. ARGS..` with its messages as JSON, and returns the executables and shared objects.
pub(super) fn images(words: &[&str], args: &[OsString], color: Color) -> Result<Vec<Built>, Error> {
    // Two of them contradict each other, and this one is how images are found.
    if args.iter().any(|arg| is_option(arg, "--message-format")) {
        let what = "`--message-format` is used by this tool itself; leave it out, or call cargo";
        return Err(Error::Usage(what.into()));
    }
    let mut cargo = command(color);
    cargo.args(words).arg("--message-format=json-render-diagnostics").args(args);
    let failed = |cargo: &Command| {
        let program = cargo.get_program().to_string_lossy().into_owned();
        move |source| Error::Cargo { program, source }
    };
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed(&cargo))?;
    let messages = child.stdout.take().expect("cargo's output was piped just above");
    let built = collect(BufReader::new(messages));
    let status = child.wait().map_err(failed(&cargo))?;
    if !status.success() {
        return Err(Error::CargoFailed(code(status)));
    }
    built.map_err(failed(&cargo))
}

/// Runs `cargo WORD ARGS.. -- PROGRAM_ARGS..` as the user would; its status.
pub(super) fn pass(word: &str, args: &[OsString], program_args: &[OsString], color: Color) -> Result<u8, Error> {
    let mut cargo = command(color);
    cargo.arg(word).args(args);
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
fn command(color: Color) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo's own default knows its configuration, so only a choice is passed on.
    if color != Color::Auto {
        cargo.env("CARGO_TERM_COLOR", color.name());
    }
    cargo
}

fn collect(messages: impl io::BufRead) -> io::Result<Vec<Built>> {
    let mut built = Vec::new();
    for message in Message::parse_stream(messages) {
        if let Message::CompilerArtifact(artifact) = message? {
            built.extend(images_of(artifact));
        }
    }
    Ok(built)
}

fn images_of(artifact: Artifact) -> impl Iterator<Item = Built> {
    let shared = if artifact.target.is_cdylib() { artifact.filenames } else { Vec::new() };
    let shared = shared.into_iter().filter(|path| path.extension() == Some("so"));
    let name = artifact.target.name;
    let paths = artifact.executable.into_iter().chain(shared);
    paths.map(move |path| Built { name: name.clone(), path: path.into() })
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
        let built = collect(messages.join("\n").as_bytes()).unwrap();
        let found: Vec<_> = built.iter().map(|image| (image.name.as_str(), image.path.to_str().unwrap())).collect();
        assert_eq!(found, [("app", "/t/app"), ("plugin", "/t/libplugin.so")]);
    }

    #[test]
    fn options_are_recognised_with_and_without_value() {
        assert!(is_option("--message-format".as_ref(), "--message-format"));
        assert!(is_option("--message-format=short".as_ref(), "--message-format"));
        assert!(!is_option("--message-formats".as_ref(), "--message-format"));
    }
}
