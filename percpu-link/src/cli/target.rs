//! What `report` and `check` look at: named files, or what cargo builds.

use std::ffi::OsString;
use std::path::Path;

use super::workspace::Workspace;
use super::{cargo, tell};
use crate::error::Error;
use crate::exit::Exit;
use crate::file;
use crate::model::Report;
use crate::settings::Settings;
use crate::stream::Color;

/// Applies `show` to every image: of the files in `args` and `behind`, or of the build that `args` are cargo's flags for.
///
/// `adjust` changes the settings that the manifests have; there are none for files. `behind` are files, whatever their names
/// start with.
pub(super) fn each(
    args: &[OsString],
    behind: &[OsString],
    color: Color,
    adjust: impl Fn(&mut Settings),
    mut show: impl FnMut(&Report, &Settings) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let is_flag = |arg: &OsString| arg.as_encoded_bytes().starts_with(b"-");
    let is_build = args.first().map_or(behind.is_empty(), is_flag);
    if !is_build {
        let mut settings = Settings::default();
        adjust(&mut settings);
        return of_files(args.iter().chain(behind), &settings, color, show);
    }
    if !behind.is_empty() {
        let what = "cargo's flags and files exclude each other; give one or the other";
        return Err(Error::Usage(what.into()));
    }
    let mut exit = None;
    let images = cargo::images(&["build"], args, color)?;
    let workspace = Workspace::of_build(args)?;
    for image in images {
        let mut settings = workspace.settings(&image.package)?;
        adjust(&mut settings);
        match file::check(&image.path, &settings) {
            Ok(report) => exit = Some(exit.unwrap_or(Exit::Good).or(show(&report, &settings)?)),
            Err(Error::NoSection { .. } | Error::NotElf { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    exit.ok_or(Error::NoImage)
}

/// Looks at each file, whatever is wrong with the others; the first failure decides the status.
fn of_files<'a>(
    files: impl Iterator<Item = &'a OsString>,
    settings: &Settings,
    color: Color,
    mut show: impl FnMut(&Report, &Settings) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let mut exit = Exit::Good;
    for path in files {
        exit = exit.or(match file::check(Path::new(path), settings) {
            Ok(report) => show(&report, settings)?,
            Err(error) => tell(&error, color),
        });
    }
    Ok(exit)
}
