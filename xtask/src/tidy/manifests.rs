//! Every package obeys the workspace.

use super::{Finding, Tree};
use crate::workspace::Package;

/// Each manifest takes the workspace's lints and versions, so that there is one of each; a long run
/// (`tests/soak.rs`) is declared so that only `cargo xtask soak` runs it; and the packages that
/// cannot do without `unsafe` code have it in one file each.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        tree.packages.iter().flat_map(|package| of(package, tree)).collect();
    let elsewhere =
        tree.sources.iter().filter(|source| !UNSAFE_FILES.contains(&source.path.as_str()));
    findings.extend(elsewhere.filter(|source| permits_unsafe(&source.code)).map(|source| {
        Finding::new(
            &source.path,
            0,
            format!("`unsafe` code stands in {} only", UNSAFE_FILES.join(" and ")),
        )
    }));
    findings
}

/// The compiler forbids `unsafe` everywhere else; here only who asks to be let off can have it.
fn permits_unsafe(code: &str) -> bool {
    code.lines().any(|line| {
        let line = line.trim();
        line.starts_with("#") && line.contains("(unsafe_code")
    })
}

fn of(package: &Package, tree: &Tree) -> Vec<Finding> {
    let path = format!("{}/Cargo.toml", package.folder);
    let find = |message: String| Finding::new(&path, 0, message);
    let manifest: toml::Table = match tree.text(&path).unwrap_or("").parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![find(error.to_string())],
    };
    let mut findings = Vec::new();
    let lints = manifest.get("lints");
    if UNSAFE_PACKAGES.contains(&package.name.as_str()) {
        if lints != almost_those_of_the_workspace(tree).as_ref() {
            let as_workspace = "wants the lints of the workspace, but for `unsafe_code = \"deny\"`";
            findings.push(find(as_workspace.into()));
        }
    } else if lints.and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool)
        != Some(true)
    {
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

/// Cargo takes the lints of a workspace as a whole or not at all, and what is forbidden there
/// cannot be had: so one package repeats them.
fn almost_those_of_the_workspace(tree: &Tree) -> Option<toml::Value> {
    let root: toml::Table = tree.text("Cargo.toml")?.parse().ok()?;
    let mut lints = root.get("workspace")?.get("lints")?.clone();
    let rust = lints.get_mut("rust")?.as_table_mut()?;
    rust.insert("unsafe_code".into(), "deny".into());
    Some(lints)
}

fn declares_soak(manifest: &toml::Table) -> bool {
    let targets = manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten();
    targets
        .filter(|target| target.get("name").and_then(toml::Value::as_str) == Some("soak"))
        .any(|target| target.get("test").and_then(toml::Value::as_bool) == Some(false))
}

/// Memory shared with the kernel cannot be had without, nor can many datagrams with one call, nor the
/// allocator be told to give back what is free.
const UNSAFE_PACKAGES: [&str; 3] = ["datagram", "memory", "xdp"];
const UNSAFE_FILES: [&str; 3] =
    ["crates/datagram/src/calls.rs", "crates/memory/src/lib.rs", "crates/xdp/src/kernel.rs"];

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
    fn only_two_packages_have_other_lints_and_those_are_nearly_the_same() {
        let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\"\n";
        let found = |lints: &str| {
            let files = [("Cargo.toml", root), ("crates/xdp/Cargo.toml", lints)];
            check(&Tree::sample_with(&files, &[("xdp", "crates/xdp", &[])])).len()
        };
        assert_eq!(found("[lints.rust]\nunsafe_code = \"deny\"\nmissing_docs = \"warn\"\n"), 0);
        assert_eq!(found("[lints.rust]\nunsafe_code = \"deny\"\n"), 1);
        assert_eq!(found("[lints.rust]\nunsafe_code = \"allow\"\nmissing_docs = \"warn\"\n"), 1);
    }

    #[test]
    fn unsafe_code_in_another_file_is_found() {
        let permit = "#![expect(unsafe_code, reason = \"fast\")]\n";
        assert_eq!(check(&Tree::sample(&[(UNSAFE_FILES[0], permit)])).len(), 0);
        assert_eq!(check(&Tree::sample(&[("crates/xdp/src/ring.rs", permit)])).len(), 1);
    }

    #[test]
    fn a_long_run_that_the_fast_tier_would_run_is_found() {
        let soak = [("crates/a/tests/soak.rs", "")];
        assert_eq!(found(GOOD, &soak), 1);
        let declared = format!("{GOOD}[[test]]\nname = \"soak\"\ntest = false\n");
        assert_eq!(found(&declared, &soak), 0);
    }
}
