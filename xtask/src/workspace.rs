//! Where things are: the root of the checkout, the target directory, the packages and their edges.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::run::{Failure, Step};

/// The part of `cargo metadata` that the chores need.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// The folder with the root manifest.
    pub(crate) root: PathBuf,
    /// Where cargo builds; the foreign programs live in `tools` below it.
    pub(crate) target: PathBuf,
    /// Every member of the workspace.
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder relative to the root, with `/`.
    pub(crate) folder: String,
    /// What it links when it is built for use (kinds `normal` and `build`).
    pub(crate) links: Vec<String>,
    /// Names of its integration test targets.
    pub(crate) tests: Vec<String>,
}

/// Asks cargo about the checkout that this program was built from; needs no network.
pub(crate) fn load() -> Result<Workspace, Failure> {
    let root = root();
    let text = Step::cargo(&root, &["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()?;
    read(&root, &text)
}

/// The root of the checkout that this program was built from.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

fn read(root: &Path, text: &str) -> Result<Workspace, Failure> {
    let metadata: Metadata =
        serde_json::from_str(text).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut packages: Vec<Package> =
        metadata.packages.into_iter().map(|package| package.into_ours(root)).collect();
    packages.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(Workspace { root: root.to_path_buf(), target: metadata.target_directory, packages })
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<CargoPackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<CargoDependency>,
    targets: Vec<CargoTarget>,
}

#[derive(Deserialize)]
struct CargoDependency {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct CargoTarget {
    name: String,
    kind: Vec<String>,
}

impl CargoPackage {
    fn into_ours(self, root: &Path) -> Package {
        let folder = self.manifest_path.parent().unwrap_or(root);
        let folder = folder.strip_prefix(root).unwrap_or(folder);
        let links = self
            .dependencies
            .into_iter()
            .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
            .map(|dependency| dependency.name)
            .collect();
        let tests = self
            .targets
            .into_iter()
            .filter(|target| target.kind.iter().any(|kind| kind == "test"))
            .map(|target| target.name)
            .collect();
        Package {
            name: self.name,
            folder: folder.to_string_lossy().replace('\\', "/"),
            links,
            tests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_dependencies_are_no_links() {
        let text = r#"{"target_directory":"/t","packages":[{"name":"zone",
            "manifest_path":"/r/crates/zone/Cargo.toml",
            "targets":[{"name":"zone","kind":["lib"]},{"name":"soak","kind":["test"]}],
            "dependencies":[{"name":"wire","kind":null},{"name":"proptest","kind":"dev"}]}]}"#;
        let workspace = read(Path::new("/r"), text).expect("well-formed");
        let zone = &workspace.packages[0];
        assert_eq!(zone.folder, "crates/zone");
        assert_eq!(zone.links, ["wire"]);
        assert_eq!(zone.tests, ["soak"]);
        assert_eq!(workspace.target, Path::new("/t"));
    }
}
