//! What we say that we follow is listed where a reader looks for it.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use super::{Finding, Tree};

/// Every `RFC nnnn §x` in a Rust file is listed in docs/rfc-coverage.md: the section itself or
/// one that contains it. An RFC that is cited without a section needs a row of any kind.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let listed = match table(tree.text(COVERAGE).unwrap_or("")) {
        Ok(listed) => listed,
        Err((line, message)) => return vec![Finding::new(COVERAGE, line, message)],
    };
    let mut findings = Vec::new();
    let mut said = BTreeSet::new();
    for source in tree.sources.iter().filter(|source| !source.path.starts_with("xtask/")) {
        for (line, cited) in citations(source) {
            if !is_listed(&listed, &cited) && said.insert(cited.clone()) {
                let section =
                    cited.section.as_deref().map(|s| format!(" §{s}")).unwrap_or_default();
                let message = format!("RFC {}{section} is not listed in {COVERAGE}", cited.rfc);
                findings.push(Finding::new(&source.path, line, message));
            }
        }
    }
    findings
}

/// One citation: `RFC 1034 §4.3.2` or `RFC 1034`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Citation {
    rfc: u32,
    section: Option<String>,
}

fn is_listed(listed: &BTreeMap<u32, BTreeSet<String>>, cited: &Citation) -> bool {
    let Some(sections) = listed.get(&cited.rfc) else { return false };
    let Some(section) = &cited.section else { return true };
    let mut at = section.as_str();
    loop {
        if sections.contains(at) {
            return true;
        }
        match at.rsplit_once('.') {
            Some((parent, _)) => at = parent,
            None => return sections.contains(WHOLE),
        }
    }
}

/// Sections by RFC from rows `| RFC 1034 | 4.3.2, 5 | status | where tested |`.
fn table(text: &str) -> Result<BTreeMap<u32, BTreeSet<String>>, (usize, String)> {
    let mut listed: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("| RFC ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [rfc, sections, status, tested] = cells.as_slice() else {
            return Err((index + 1, "a row has four cells: RFC, sections, status, where".into()));
        };
        let number = rfc.trim_start_matches("RFC ").parse();
        let number = number.map_err(|_| (index + 1, format!("`{rfc}` is not `RFC number`")))?;
        if !STATUS.contains(status) {
            return Err((index + 1, format!("the status is one of {STATUS:?}, not `{status}`")));
        }
        if *status == DONE && tested.is_empty() {
            return Err((index + 1, "`done` names the tests that show it".into()));
        }
        let sections = sections.split(", ").map(|section| section.trim().to_owned());
        listed.entry(number).or_default().extend(sections);
    }
    Ok(listed)
}

/// Every citation of a file with its line. `RFC 2136 §3.2.4 and §3.4` cites two sections; a
/// section belongs to the last RFC named before it on the same line.
fn citations(source: &Source) -> Vec<(usize, Citation)> {
    let mut found = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        for part in line.split("RFC ").skip(1) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            let Ok(rfc) = digits.parse() else { continue };
            let mut sections = part.split('§').skip(1).map(leading_section).peekable();
            if sections.peek().is_none() {
                found.push((index + 1, Citation { rfc, section: None }));
            }
            found.extend(
                sections
                    .flatten()
                    .map(|section| (index + 1, Citation { rfc, section: Some(section) })),
            );
        }
    }
    found
}

/// `4.3.2` of `4.3.2: the ladder`; sections of appendices begin with a letter.
fn leading_section(text: &str) -> Option<String> {
    let section: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || *c == '.')
        .collect();
    let section = section.trim_end_matches('.');
    (!section.is_empty()).then(|| section.to_owned())
}

const COVERAGE: &str = "docs/rfc-coverage.md";
const WHOLE: &str = "all";
const DONE: &str = "done";
const STATUS: &[&str] = &[DONE, "part", "planned", "refers"];

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(code: &str, coverage: &str) -> Vec<String> {
        let tree = Tree::sample(&[("crates/a/src/a.rs", code), (COVERAGE, coverage)]);
        check(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_cited_section_that_is_not_listed_is_found() {
        let row = "| RFC 1034 | 4.3.2, 5 | done | `zone` tests |\n";
        assert!(messages("// RFC 1034 §4.3.2, §5: why", row).is_empty());
        assert!(messages("// RFC 1034 §5.1: inside §5", row).is_empty());
        assert!(messages("// RFC 1034: as a whole", row).is_empty());
        assert_eq!(
            messages("// RFC 1034 §4.3: why", row),
            ["RFC 1034 §4.3 is not listed in docs/rfc-coverage.md"]
        );
        assert_eq!(messages("// RFC 2136 §3.2.4 and §3.4", row).len(), 2);
        assert_eq!(messages("// RFC 4592", row).len(), 1);
    }

    #[test]
    fn a_row_that_promises_without_tests_is_found() {
        assert_eq!(messages("", "| RFC 1034 | 5 | done |  |\n").len(), 1);
        assert_eq!(messages("", "| RFC 1034 | 5 | soon | x |\n").len(), 1);
        assert_eq!(messages("", "| RFC 1034 | 5 |\n").len(), 1);
    }
}
