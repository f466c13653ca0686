//! What stops the tool, with what was found and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use percpu_rt::abi::record::{RecordError, SECTION};
use percpu_rt::abi::symbol;

use crate::exit::Exit;

/// What stopped the tool.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened or read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path names a directory, a pipe or a device.
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is not an ELF image.
    NotElf {
        /// The file.
        path: PathBuf,
    },
    /// The file starts as an ELF image does, and then contradicts itself or ends early.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The image has no per-CPU variables.
    NoSection {
        /// The file.
        path: PathBuf,
    },
    /// The units that a kernel's script reserves do not do.
    Units {
        /// The image.
        path: PathBuf,
        /// What it has, and what is needed.
        what: String,
    },
    /// The image has no layout record.
    NoRecord {
        /// The file.
        path: PathBuf,
    },
    /// The layout record cannot be read or has no room.
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: RecordError,
    },
    /// The file is a program that is running.
    Running {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written to.
    Modify {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A setting in a manifest makes no sense.
    Setting(String),
    /// Cargo does not describe the packages that it has built.
    Metadata(String),
    /// None of the images that cargo built has per-CPU variables.
    NoImage,
    /// The command line asks for what cannot be.
    Usage(String),
    /// Cargo cannot be run, or its messages cannot be read.
    Cargo {
        /// The program that was started.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Cargo ran and failed; it has said why.
    CargoFailed(u8),
    /// The output cannot be written.
    Write(io::Error),
}

impl Error {
    /// The status with which the tool ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoSection { .. } | Self::NoImage => Exit::NoSection,
            Self::CargoFailed(code) => Exit::Passed(*code),
            _ => Exit::Failure,
        }
    }

    /// Whether somebody else has already told the user.
    pub(crate) fn is_told(&self) -> bool {
        matches!(self, Self::CargoFailed(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => {
                write!(f, "{}: {}; check the path and its permissions", path.display(), plain(source))
            }
            Self::NotAFile { path } => {
                write!(f, "{}: not a regular file; name the image that the linker wrote", path.display())
            }
            Self::NotElf { path } => {
                write!(f, "{}: not an ELF image; name a linked executable, shared object or kernel", path.display())
            }
            Self::Malformed { path, what } => {
                write!(f, "{}: damaged ELF image ({what}); link it again", path.display())
            }
            Self::NoSection { path } => write!(
                f,
                "{}: no per-CPU section; declare a variable with `#[per_cpu]` and use it, or name another file",
                path.display()
            ),
            Self::Units { path, what } => write!(
                f,
                "{}: {what}; correct `{}` and the place of `INCLUDE percpu-units.ld` in the script",
                path.display(),
                symbol::NR_UNITS
            ),
            Self::NoRecord { path } => write!(
                f,
                "{}: no layout record ({SECTION}); link a program with percpu-rt's `hosted` feature, and keep the section when \
                 stripping",
                path.display()
            ),
            Self::Record { path, source } => write!(f, "{}: {source}; {}", path.display(), remedy(source)),
            Self::Running { path } => write!(
                f,
                "{}: the program is running, and the system lets nobody write to it meanwhile (ETXTBSY); end it, or patch a \
                 copy",
                path.display()
            ),
            Self::Modify { path, source } => {
                write!(f, "{}: {}; patch a file that you may write to", path.display(), plain(source))
            }
            Self::Setting(what) => write!(f, "{what}; correct the manifest"),
            Self::Metadata(what) => write!(f, "`cargo metadata` fails: {what}"),
            Self::NoImage => write!(
                f,
                "no built image has a per-CPU section; declare a variable with `#[per_cpu]`, or select another \
                 package with `-p`"
            ),
            Self::Usage(what) => f.write_str(what),
            Self::Cargo { program, source } => {
                write!(f, "{program}: {}; set CARGO to a cargo that works", plain(source))
            }
            Self::CargoFailed(code) => write!(f, "cargo failed with status {code}"),
            Self::Write(source) => write!(f, "standard output: {}", plain(source)),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. }
            | Self::Modify { source, .. }
            | Self::Cargo { source, .. }
            | Self::Write(source) => Some(source),
            Self::Record { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// What to do about a record that is not written.
fn remedy(error: &RecordError) -> &'static str {
    match error {
        RecordError::TooManyUnits { .. } => {
            "give fewer CPUs; without a patch the runtime lays out as many as there are"
        }
        RecordError::Version(_) => "use the percpu-link that belongs to the percpu-rt of this image",
        _ => "link the image again",
    }
}

/// The system's words without the number behind them, and with the lower-case start of the other messages.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
