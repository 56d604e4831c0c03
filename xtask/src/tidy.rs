//! The rules of the house, as a program and as a test.
//!
//! Each rule is one small file with a test that makes it fail on a bad sample. A rule sees the
//! whole [`Tree`] and hands back its [`Finding`]s; it changes nothing.

mod changelog;
mod code_map;
mod dependencies;
mod headers;
mod layers;
mod leftovers;
mod lengths;
mod licences;
mod manifests;
mod named_tests;
mod purity;
mod rfc;
mod source;
mod tree;

use std::fmt;

use crate::run::Failure;
use crate::{fast, workspace};
use tree::Tree;

/// One thing that is not as the house wants it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where, relative to the root.
    path: String,
    /// The line, counted from 1; 0 when the file as a whole is meant.
    line: usize,
    /// What is wrong, and what to do.
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Judges the tree; prints every finding.
pub(crate) fn run() -> Result<(), Failure> {
    let findings = findings(&Tree::read(&workspace::load()?)?);
    for (rule, finding) in &findings {
        println!("{finding} [{rule}]");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} rules, nothing to say", RULES.len());
            Ok(())
        }
        count => Err(format!("tidy: {count} findings")),
    }
}

/// Rewrites the baseline of the length limits, downwards only.
pub(crate) fn shrink() -> Result<(), Failure> {
    let workspace = workspace::load()?;
    let text = lengths::shrunk(&Tree::read(&workspace)?);
    fast::write(&workspace.root.join(lengths::BASELINE), &text)
}

fn findings(tree: &Tree) -> Vec<(&'static str, Finding)> {
    let mut all = Vec::new();
    for (rule, check) in RULES {
        all.extend(check(tree).into_iter().map(|finding| (*rule, finding)));
    }
    all
}

type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule by the name that findings carry.
const RULES: &[(&str, Rule)] = &[
    ("layers", layers::check),
    ("purity", purity::check),
    ("lengths", lengths::check),
    ("headers", headers::check),
    ("code-map", code_map::check),
    ("rfc", rfc::check),
    ("named-tests", named_tests::check),
    ("leftovers", leftovers::check),
    ("dependencies", dependencies::check),
    ("manifests", manifests::check),
    ("licences", licences::check),
    ("changelog", changelog::check),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidy_the_tree_follows_the_rules_of_the_house() {
        let workspace = workspace::load().expect("cargo metadata");
        let tree = Tree::read(&workspace).expect("a readable tree");
        let findings: Vec<String> =
            findings(&tree).iter().map(|(rule, finding)| format!("{finding} [{rule}]")).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }
}
