//! The files that images are in, and what is asked of them.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use object::ReadCache;
use percpu_rt::abi::record::RecordError;

use crate::error::Error;
use crate::input::{self, Flaw, Recorded};
use crate::model::{Patch, Report, VERSION};
use crate::rules;
use crate::settings::Settings;

/// Reports on the image at `path`: [`check`] without settings.
///
/// # Errors
///
/// The file cannot be read, is no ELF image or a damaged one, or has no per-CPU section.
pub fn report(path: &Path) -> Result<Report, Error> {
    check(path, &Settings::default())
}

/// Reports on the image at `path` with the findings that `settings` lead to; see [`Report::failures`].
///
/// # Errors
///
/// The file cannot be read, is no ELF image or a damaged one, or has no per-CPU section.
pub fn check(path: &Path, settings: &Settings) -> Result<Report, Error> {
    let facts = input::read(&open(path)?, path.display().to_string()).map_err(|flaw| named(path, flaw))?;
    Ok(rules::judge(facts, settings))
}

/// The image of the running program, so that a test can check what it is part of.
///
/// # Errors
///
/// The system does not tell.
pub fn current_exe() -> Result<PathBuf, Error> {
    std::env::current_exe().map_err(|source| Error::Read { path: "the running program".into(), source })
}

/// Writes into the layout record of the image at `path` how the runtime is to lay out units for `cpus` CPUs.
///
/// In place, and the record's bytes alone: hard links, which cargo's builds are, mode and build-id stay as they are. Where
/// the record says so already, nothing is written.
///
/// # Errors
///
/// The file cannot be read or written (a running program cannot), is no ELF image or a damaged one, has no per-CPU
/// section or no record, or the record has no room for as many CPUs.
pub fn patch(path: &Path, cpus: u64) -> Result<Patch, Error> {
    let record = input::record(&open(path)?, cpus).map_err(|flaw| named(path, flaw))?;
    let Recorded { offset, bytes, order, due } = record.ok_or_else(|| Error::NoRecord { path: path.into() })?;
    let mut patched = bytes.clone();
    due.encode(&mut patched, order).map_err(|source| Error::Record { path: path.into(), source })?;
    let changed = patched != bytes;
    if changed {
        write(path, offset, &patched).map_err(|source| match source.kind() {
            io::ErrorKind::ExecutableFileBusy => Error::Running { path: path.into() },
            _ => Error::Modify { path: path.into(), source },
        })?;
    }
    Ok(Patch {
        version: VERSION,
        file: path.display().to_string(),
        cpus,
        static_size: due.static_size,
        unit_size: due.unit_size,
        unit_offsets: (0..due.nr_units).map(|unit| unit * due.unit_size).collect(),
        changed,
    })
}

/// Whether what has stopped a patch is that there are more CPUs than any record has room for.
pub(crate) fn is_too_large(error: &Error) -> bool {
    matches!(error, Error::Record { source: RecordError::TooManyUnits { .. }, .. })
}

fn open(path: &Path) -> Result<ReadCache<File>, Error> {
    let read_error = |source| Error::Read { path: path.into(), source };
    // A pipe or a device is refused before it is opened: opening some waits for ever.
    if !path.metadata().map_err(read_error)?.is_file() {
        return Err(Error::NotAFile { path: path.into() });
    }
    File::open(path).map(ReadCache::new).map_err(read_error)
}

fn write(path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

fn named(path: &Path, flaw: Flaw) -> Error {
    match flaw {
        Flaw::NotElf => Error::NotElf { path: path.into() },
        Flaw::Malformed(what) => Error::Malformed { path: path.into(), what },
        Flaw::NoSection => Error::NoSection { path: path.into() },
        Flaw::Units(what) => Error::Units { path: path.into(), what },
    }
}
