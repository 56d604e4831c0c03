//! Nothing half done is left in the tree.

use super::source::{Source, is_word};
use super::{Finding, Tree};

/// No `todo!`, no `unimplemented!`, no test that is switched off, no note to oneself, no `mod.rs`,
/// and no file named for a drawer instead of a noun.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        let file = source.path.rsplit('/').next().unwrap_or("");
        if DRAWERS.contains(&file) {
            let message = format!("`{file}` is a drawer; name the file for the noun in it");
            findings.push(Finding::new(&source.path, 0, message));
        }
        for (line, word) in marked(source) {
            findings.push(Finding::new(&source.path, line, format!("`{word}` is left over")));
        }
    }
    findings
}

/// Lines with a leftover: macros and attributes in code, notes in comments.
fn marked(source: &Source) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let lines = source.code.lines().zip(source.comments.lines()).enumerate();
    for (index, (code, comment)) in lines {
        let in_code = IN_CODE.iter().filter(|word| has(code, word));
        let in_words = IN_WORDS.iter().filter(|word| has(comment, word));
        found.extend(in_code.chain(in_words).map(|word| (index + 1, *word)));
    }
    found
}

fn has(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|i| text.as_bytes().get(i));
        let after = text.as_bytes().get(at + word.len());
        !before.is_some_and(|o| is_word(*o)) && !after.is_some_and(|o| is_word(*o))
    })
}

const IN_CODE: &[&str] = &["todo!", "unimplemented!", "dbg!", "#[ignore", "#[allow("];
const IN_WORDS: &[&str] = &["FIXME", "XXX", "HACK", "TODO"];
const DRAWERS: &[&str] =
    &["mod.rs", "util.rs", "utils.rs", "helper.rs", "helpers.rs", "common.rs", "misc.rs"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found() {
        let found = |text: &str| check(&Tree::sample(&[("crates/a/src/a.rs", text)])).len();
        for bad in
            ["fn a() { todo!() }", "#[ignore]", "#[ignore = \"slow\"]", "x(); // FIXME later"]
        {
            assert_eq!(found(bad), 1, "{bad}");
        }
        for fine in ["\"todo!\"", "// XXXL", "let ignore = 1;", "\"https://TODO\""] {
            assert_eq!(found(fine), 0, "{fine}");
        }
    }

    #[test]
    fn drawers_are_found() {
        assert_eq!(check(&Tree::sample(&[("crates/a/src/b/mod.rs", "")])).len(), 1);
        assert_eq!(check(&Tree::sample(&[("crates/a/tests/helpers.rs", "")])).len(), 1);
    }
}
