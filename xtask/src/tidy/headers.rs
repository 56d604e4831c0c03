//! Each `lib.rs` opens with four short paragraphs, always the same four.

use super::{Finding, Tree};

/// The header of every library says What, Not here, Flow and where to start reading, in this
/// order, and something under each.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let libraries = tree.sources.iter().filter(|source| source.path.ends_with("/src/lib.rs"));
    libraries
        .filter_map(|source| {
            wrong(&source.text).map(|message| Finding::new(&source.path, 1, message))
        })
        .collect()
}

fn wrong(text: &str) -> Option<String> {
    let header: Vec<&str> =
        text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let mut headings = header.iter().copied().filter(|line| line.starts_with("# "));
    for expected in HEADINGS {
        if headings.next() != Some(*expected) {
            return Some(format!("the header wants `{expected}`; the four are {HEADINGS:?}"));
        }
    }
    let empty = |heading: &&&str| {
        let below = header.iter().skip_while(|line| *line != *heading).skip(1);
        below.take_while(|line| !line.starts_with("# ")).all(|line| line.is_empty())
    };
    HEADINGS.iter().find(empty).map(|heading| format!("nothing is said under `{heading}`"))
}

const HEADINGS: &[&str] = &["# What", "# Not here", "# Flow", "# Start reading at"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_without_the_four_paragraphs_is_found() {
        let good = "//! One.\n//! # What\n//! a\n//! # Not here\n//! b\n//! # Flow\n//! c\n\
                    //! # Start reading at\n//! d\n";
        let found = |text: &str| check(&Tree::sample(&[("crates/a/src/lib.rs", text)])).len();
        assert_eq!(found(good), 0);
        assert_eq!(found("//! one"), 1);
        assert_eq!(found(&good.replace("# Flow", "# Stream")), 1);
        assert_eq!(found(&good.replace("//! c\n", "//!\n")), 1);
    }
}
