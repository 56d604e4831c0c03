//! Files stay short and so do functions; a baseline may only shrink.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Finding, Tree};

/// Files have at most [`FILE_LINES_MAX`] lines and functions at most [`FUNCTION_LINES_MAX`].
/// What is longer must stand in the baseline with at least its length, and an entry of the
/// baseline that is larger than needed is a finding too: so it can only shrink.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let allowed = match baseline(tree) {
        Ok(allowed) => allowed,
        Err(finding) => return vec![finding],
    };
    let long = too_long(tree);
    let mut findings = Vec::new();
    for (what, (line, length, limit)) in &long {
        let path = what.split(" fn ").next().unwrap_or(what);
        match allowed.get(what) {
            Some(granted) if length <= granted => {}
            Some(granted) => {
                let message = format!("grew to {length} lines; the baseline grants {granted}");
                findings.push(Finding::new(path, *line, message));
            }
            None => {
                let message = format!("{length} lines; the limit is {limit}: split it by noun");
                findings.push(Finding::new(path, *line, message));
            }
        }
    }
    for (what, granted) in &allowed {
        if long.get(what).is_none_or(|(_, length, _)| length < granted) {
            let message = format!("`{what}` needs less; run `cargo xtask tidy --shrink`");
            findings.push(Finding::new(BASELINE, 0, message));
        }
    }
    findings
}

/// The baseline with every entry lowered to what the tree needs; none is added or raised.
pub(crate) fn shrunk(tree: &Tree) -> String {
    let long = too_long(tree);
    let allowed = baseline(tree).unwrap_or_default();
    let mut text = String::from(BASELINE_HEAD);
    for (what, granted) in allowed {
        if let Some((_, length, _)) = long.get(&what) {
            let _ = writeln!(text, "{} {what}", granted.min(*length));
        }
    }
    text
}

/// What is longer than it should be: line, length and limit by `path` or `path fn name`.
fn too_long(tree: &Tree) -> BTreeMap<String, (usize, usize, usize)> {
    let mut long = BTreeMap::new();
    for source in &tree.sources {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            long.insert(source.path.clone(), (0, lines, FILE_LINES_MAX));
        }
        for function in source.functions().iter().filter(|f| f.length > FUNCTION_LINES_MAX) {
            let what = format!("{} fn {}", source.path, function.name);
            let entry = (function.line, function.length, FUNCTION_LINES_MAX);
            // Of functions with one name the longest counts.
            let longest = long.entry(what).or_insert(entry);
            if longest.1 < function.length {
                *longest = entry;
            }
        }
    }
    long
}

fn baseline(tree: &Tree) -> Result<BTreeMap<String, usize>, Finding> {
    let mut allowed = BTreeMap::new();
    let lines = tree.text(BASELINE).unwrap_or("").lines().enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.starts_with('#') && !line.is_empty()) {
        match line.split_once(' ').and_then(|(n, what)| Some((n.parse().ok()?, what))) {
            Some((granted, what)) => allowed.insert(what.to_owned(), granted),
            None => return Err(Finding::new(BASELINE, index + 1, "not `LINES PATH [fn NAME]`")),
        };
    }
    Ok(allowed)
}

/// Where the baseline is kept.
pub(crate) const BASELINE: &str = "xtask/lengths.baseline";

const BASELINE_HEAD: &str = "\
# Files and functions that were too long when the limits came: `LINES PATH [fn NAME]`.
# Entries may only shrink: `cargo xtask tidy --shrink` lowers them, nothing raises them.
";

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(file_lines: usize, baseline: &str) -> Tree {
        let text = "// x\n".repeat(file_lines);
        Tree::sample(&[("a/src/b.rs", &text), (BASELINE, baseline)])
    }

    #[test]
    fn long_files_and_functions_are_found() {
        assert!(check(&tree(600, "")).is_empty());
        assert_eq!(check(&tree(601, "")).len(), 1);
        let body = "    x();\n".repeat(71);
        let tree = Tree::sample(&[("a.rs", &format!("fn f() {{\n{body}}}\n"))]);
        assert_eq!(check(&tree)[0].message, "71 lines; the limit is 70: split it by noun");
    }

    #[test]
    fn the_baseline_may_only_shrink() {
        assert!(check(&tree(700, "700 a/src/b.rs\n")).is_empty());
        let grown = check(&tree(701, "700 a/src/b.rs\n"));
        assert_eq!(grown[0].message, "grew to 701 lines; the baseline grants 700");
        let smaller = tree(650, "700 a/src/b.rs\n");
        assert_eq!(check(&smaller)[0].path, BASELINE);
        assert!(shrunk(&smaller).ends_with("650 a/src/b.rs\n"));
        let gone = tree(10, "700 a/src/b.rs\n");
        assert_eq!(check(&gone).len(), 1);
        assert_eq!(shrunk(&gone), BASELINE_HEAD);
        assert!(shrunk(&tree(701, "700 a/src/b.rs\n")).ends_with("700 a/src/b.rs\n"));
    }
}
