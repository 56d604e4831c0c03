//! Every line is our own.

use super::{Finding, Tree};

/// No source carries a licence or copyright line: ours need none, and others' do not belong here.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| source.path != OWN) {
        for (index, line) in source.text.lines().take(HEAD_LINES).enumerate() {
            let lower = line.to_ascii_lowercase();
            if let Some(mark) = MARKS.iter().find(|mark| lower.contains(*mark)) {
                let message = format!("`{mark}`: we write every line ourselves and mark none");
                findings.push(Finding::new(&source.path, index + 1, message));
            }
        }
    }
    findings
}

/// This file has to spell what it looks for.
const OWN: &str = "xtask/src/tidy/licences.rs";
const HEAD_LINES: usize = 30;
const MARKS: &[&str] =
    &["copyright", "spdx-license", "all rights reserved", "licensed under", "permission is hereby"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_header_is_found() {
        let found = |text: &str| check(&Tree::sample(&[("a.rs", text)])).len();
        assert_eq!(found("//! Names.\n"), 0);
        assert_eq!(found("// Copyright 1999 Somebody\n"), 1);
        assert_eq!(found("// SPDX-License-Identifier: MIT\n"), 1);
    }
}
