//! Whoever looks for a crate finds it in the code map.

use super::{Finding, Tree};

/// Every package of the workspace has a row in ARCHITECTURE.md that begins with its name and
/// links its folder.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let map = tree.text(MAP).unwrap_or("");
    tree.packages
        .iter()
        .filter(|package| {
            let row = format!("| [`{}`]({}) |", package.name, package.folder);
            !map.lines().any(|line| line.starts_with(&row))
        })
        .map(|package| {
            let row = format!("| [`{}`]({}) | what it is |", package.name, package.folder);
            Finding::new(MAP, 0, format!("the code map has no row `{row}`"))
        })
        .collect()
}

const MAP: &str = "ARCHITECTURE.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_a_row_in_the_code_map_is_found() {
        let found = |map: &str| {
            let tree = Tree::sample_with(&[(MAP, map)], &[("wire", "crates/wire", &[])]);
            check(&tree).len()
        };
        assert_eq!(found("| [`wire`](crates/wire) | octets |\n"), 0);
        assert_eq!(found("wire is nice\n"), 1);
        assert_eq!(found("| [`wire`](crates/wires) | octets |\n"), 1);
    }
}
