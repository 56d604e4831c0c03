//! A test that a document names exists.

use std::collections::BTreeSet;

use super::{Finding, Tree};

/// In the tables of [`DOCUMENTS`], the last cell names tests in backticks: a function, or the
/// beginning of several with a final `*`. Each of them exists.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let functions: BTreeSet<String> =
        tree.sources.iter().flat_map(|source| source.functions()).map(|f| f.name).collect();
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        let lines = tree.text(document).unwrap_or("").lines().enumerate();
        for (index, line) in lines.filter(|(_, line)| line.starts_with("| ")) {
            for name in named(line).filter(|name| !exists(&functions, name)) {
                let message = format!("no test is called `{name}`");
                findings.push(Finding::new(document, index + 1, message));
            }
        }
    }
    findings
}

/// The names in the last cell of a row; what is no identifier is no test.
fn named(row: &str) -> impl Iterator<Item = &str> {
    let last = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or("");
    let quoted = last.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        name.contains('_') && name.bytes().all(|o| o.is_ascii_alphanumeric() || b"_*".contains(&o))
    })
}

fn exists(functions: &BTreeSet<String>, name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(begin) => {
            functions.range(begin.to_owned()..).next().is_some_and(|f| f.starts_with(begin))
        }
        None => functions.contains(name),
    }
}

const DOCUMENTS: &[&str] = &["ARCHITECTURE.md", "docs/rfc-coverage.md"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        let found = |cell: &str| {
            let row = format!("| invariant | {cell} |\n");
            let code = "fn rfc4592_2_2_1_star() {}\n";
            check(&Tree::sample(&[("ARCHITECTURE.md", &row), ("a.rs", code)])).len()
        };
        assert_eq!(found("`zone`: `rfc4592_2_2_1_star`"), 0);
        assert_eq!(found("`rfc4592_*`"), 0);
        assert_eq!(found("`rfc4592_2_2_1_stars`"), 1);
        assert_eq!(found("`rfc9_*`, `rfc4592_2*`"), 1);
    }
}
