//! The tree that the rules look at: every file of ours, read once.

use std::fs;
use std::path::Path;

use super::source::Source;
use crate::run::Failure;
use crate::workspace::{Package, Workspace};

/// All text files of the checkout and the packages of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Rust files.
    pub(crate) sources: Vec<Source>,
    /// Every other text file, as path and text.
    pub(crate) texts: Vec<(String, String)>,
    /// The members of the workspace.
    pub(crate) packages: Vec<Package>,
}

impl Tree {
    /// Reads the checkout; files that are not UTF-8 are left out.
    pub(crate) fn read(workspace: &Workspace) -> Result<Tree, Failure> {
        let mut files = Vec::new();
        walk(&workspace.root, "", &mut files)?;
        Ok(Tree::of(files, workspace.packages.clone()))
    }

    /// A tree of these files; rules are tested on small ones.
    pub(crate) fn of(mut files: Vec<(String, String)>, packages: Vec<Package>) -> Tree {
        files.sort();
        let (rust, texts) = files.into_iter().partition(|(path, _)| path.ends_with(".rs"));
        let mut tree = Tree { sources: Vec::new(), texts, packages };
        tree.sources = Source::read_all(rust);
        tree
    }

    /// The text of the file at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.iter().find(|(at, _)| at == path).map(|(_, text)| text.as_str())
    }

    /// The Rust files below the folder of a package.
    pub(crate) fn sources_of<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = &'a Source> {
        let below = format!("{}/", package.folder);
        self.sources.iter().filter(move |source| source.path.starts_with(&below))
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of sample files without packages.
    pub(crate) fn sample(files: &[(&str, &str)]) -> Tree {
        Tree::sample_with(files, &[])
    }

    /// A tree of sample files and packages, each given as name, folder and links.
    pub(crate) fn sample_with(files: &[(&str, &str)], packages: &[(&str, &str, &[&str])]) -> Tree {
        let files = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
        let packages = packages
            .iter()
            .map(|(name, folder, links)| Package {
                name: (*name).into(),
                folder: (*folder).into(),
                links: links.iter().map(|link| (*link).into()).collect(),
                tests: Vec::new(),
            })
            .collect();
        Tree::of(files, packages)
    }
}

fn walk(root: &Path, below: &str, files: &mut Vec<(String, String)>) -> Result<(), Failure> {
    let folder = root.join(below);
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let entry = entry.map_err(|e| format!("{}: {e}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(|e| format!("{path}: {e}"))?;
        if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            walk(root, &path, files)?;
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push((path, text));
        }
    }
    Ok(())
}

/// Folders with what tools made, wherever they are.
const NOT_OURS: &[&str] =
    &[".git", "target", "corpus", "artifacts", "coverage", "byname-data", "proptest-regressions"];
