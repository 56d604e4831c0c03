//! Every package obeys the workspace.

use super::{Finding, Tree};
use crate::workspace::Package;

/// Each manifest takes the workspace's lints and versions, so that there is one of each; and a
/// long run (`tests/soak.rs`) is declared so that only `cargo xtask soak` runs it.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.packages.iter().flat_map(|package| of(package, tree)).collect()
}

fn of(package: &Package, tree: &Tree) -> Vec<Finding> {
    let path = format!("{}/Cargo.toml", package.folder);
    let find = |message: String| Finding::new(&path, 0, message);
    let manifest: toml::Table = match tree.text(&path).unwrap_or("").parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![find(error.to_string())],
    };
    let mut findings = Vec::new();
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    if lints.and_then(toml::Value::as_bool) != Some(true) {
        findings.push(find("wants `[lints] workspace = true`".into()));
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in
            manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten()
        {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                findings
                    .push(find(format!("`{name}` wants `workspace = true`: one version of each")));
            }
        }
    }
    let soak = format!("{}/tests/soak.rs", package.folder);
    let has_soak = tree.sources.iter().any(|source| source.path == soak);
    if has_soak && !declares_soak(&manifest) {
        findings.push(find(
            "tests/soak.rs wants `[[test]] name = \"soak\"` with `test = false`".into(),
        ));
    }
    findings
}

fn declares_soak(manifest: &toml::Table) -> bool {
    let targets = manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten();
    targets
        .filter(|target| target.get("name").and_then(toml::Value::as_str) == Some("soak"))
        .any(|target| target.get("test").and_then(toml::Value::as_bool) == Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str, sources: &[(&str, &str)]) -> usize {
        let mut files = vec![("crates/a/Cargo.toml", manifest)];
        files.extend(sources);
        check(&Tree::sample_with(&files, &[("a", "crates/a", &[])])).len()
    }

    const GOOD: &str = "[lints]\nworkspace = true\n[dependencies]\nwire.workspace = true\n";

    #[test]
    fn a_package_outside_the_workspace_rules_is_found() {
        assert_eq!(found(GOOD, &[]), 0);
        assert_eq!(found("", &[]), 1);
        assert_eq!(found(&format!("{GOOD}serde = \"1\"\n"), &[]), 1);
    }

    #[test]
    fn a_long_run_that_the_fast_tier_would_run_is_found() {
        let soak = [("crates/a/tests/soak.rs", "")];
        assert_eq!(found(GOOD, &soak), 1);
        let declared = format!("{GOOD}[[test]]\nname = \"soak\"\ntest = false\n");
        assert_eq!(found(&declared, &soak), 0);
    }
}
