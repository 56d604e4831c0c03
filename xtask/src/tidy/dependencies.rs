//! Every dependency says why it is there.

use super::{Finding, Tree};

/// In the root manifest, each foreign dependency has a comment above it or above the block of
/// lines that it stands in: what for, who keeps it, why not ours.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut inside = false;
    let mut explained = false;
    for (index, line) in tree.text(MANIFEST).unwrap_or("").lines().enumerate() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
            explained = false;
        } else if line.trim().is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if inside && !explained && line.contains('=') && !line.contains("path = ") {
            let name = line.split('=').next().unwrap_or("").trim();
            let message = format!("`{name}` has no comment: what for, who keeps it, why not ours");
            findings.push(Finding::new(MANIFEST, index + 1, message));
        }
    }
    findings
}

const MANIFEST: &str = "Cargo.toml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let found = |lines: &str| {
            let text = format!("[workspace.dependencies]\n{lines}\n[profile.dev]\ndebug = 1\n");
            check(&Tree::sample(&[(MANIFEST, &text)])).len()
        };
        assert_eq!(found("# Logs. Tokio team.\ntracing = \"0.1\""), 0);
        assert_eq!(found("# Netlink.\na = \"1\"\nb = \"1\""), 0);
        assert_eq!(found("wire = { path = \"crates/wire\" }"), 0);
        assert_eq!(found("tracing = \"0.1\""), 1);
        assert_eq!(found("# Logs.\ntracing = \"0.1\"\n\nserde = \"1\""), 1);
    }
}
