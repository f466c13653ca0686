//! The settings in the manifests of what cargo builds.

use std::ffi::OsString;
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand, PackageId};

use super::cargo::is_option;
use crate::error::Error;
use crate::settings::Settings;

/// Cargo's flags that decide which manifest it reads.
const WITH_VALUE: [&str; 2] = ["--manifest-path", "--config"];

/// The packages of a workspace, as cargo describes them.
pub(super) struct Workspace(Metadata);

impl Workspace {
    /// The workspace that cargo builds with the flags `args`.
    pub(super) fn of_build(args: &[OsString]) -> Result<Self, Error> {
        let mut command = MetadataCommand::new();
        command.no_deps().other_options(of_metadata(args));
        match command.exec() {
            Ok(metadata) => Ok(Self(metadata)),
            Err(cargo_metadata::Error::CargoMetadata { stderr }) => Err(Error::Metadata(stderr.trim().into())),
            Err(error) => Err(Error::Metadata(error.to_string())),
        }
    }

    /// The workspace around the current directory; none where the tool was not called by cargo or there is no manifest.
    pub(super) fn around() -> Result<Option<Self>, Error> {
        let directory = std::env::current_dir().unwrap_or_default();
        let has_manifest = |directory: &Path| directory.join("Cargo.toml").exists();
        if std::env::var_os("CARGO").is_none() || !directory.ancestors().any(has_manifest) {
            return Ok(None);
        }
        Self::of_build(&[]).map(Some)
    }

    /// The settings for images of `package`: those of the workspace, under those of the package.
    pub(super) fn settings(&self, package: &PackageId) -> Result<Settings, Error> {
        let package = self.0.packages.iter().find(|candidate| candidate.id == *package);
        self.merged(package)
    }

    /// The settings of the workspace and of its root package.
    pub(super) fn root_settings(&self) -> Result<Settings, Error> {
        self.merged(self.0.root_package())
    }

    fn merged(&self, package: Option<&cargo_metadata::Package>) -> Result<Settings, Error> {
        let mut settings = Settings::default();
        let root = self.0.workspace_root.join("Cargo.toml");
        let origin = format!("{root}: [workspace.metadata.percpu]");
        settings.read(&self.0.workspace_metadata, &origin).map_err(Error::Setting)?;
        if let Some(package) = package {
            let origin = format!("{}: [package.metadata.percpu]", package.manifest_path);
            settings.read(&package.metadata, &origin).map_err(Error::Setting)?;
        }
        Ok(settings)
    }
}

/// Those of cargo's flags that `cargo metadata` takes and needs.
fn of_metadata(args: &[OsString]) -> Vec<String> {
    let mut taken = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if WITH_VALUE.iter().any(|name| arg == *name) {
            taken.extend([Some(arg), args.next()].into_iter().flatten());
        } else if WITH_VALUE.iter().any(|name| is_option(arg, name)) {
            taken.push(arg);
        }
    }
    taken.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_choose_the_manifest_are_passed_on() {
        let args: Vec<OsString> =
            "-r --manifest-path a/Cargo.toml --bin b --config=c -p d".split(' ').map(Into::into).collect();
        assert_eq!(of_metadata(&args), ["--manifest-path", "a/Cargo.toml", "--config=c"]);
    }
}
