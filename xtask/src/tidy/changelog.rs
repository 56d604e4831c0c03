//! News for users come as one small file per change.

use super::{Finding, Tree};

/// A file in `changelog.d/` is `NUMBER-words.KIND.md` with an issue number and a known kind, and
/// holds one paragraph of at most [`LINES_MAX`] lines without a heading.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let news = tree.texts.iter().filter(|(path, _)| path.starts_with(FOLDER) && path != GUIDE);
    news.filter_map(|(path, text)| {
        let name = path.trim_start_matches(FOLDER);
        wrong(name, text).map(|message| Finding::new(path, 0, message))
    })
    .collect()
}

fn wrong(name: &str, text: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('.').collect();
    let [stem, kind, "md"] = parts.as_slice() else {
        return Some("the name is `NUMBER-words.KIND.md`".into());
    };
    let number = stem.split('-').next().unwrap_or("");
    if number.is_empty() || !number.bytes().all(|o| o.is_ascii_digit()) || !stem.contains('-') {
        return Some(
            "the name begins with the issue's number and a word: `2-demo.added.md`".into(),
        );
    }
    if !KINDS.contains(kind) {
        return Some(format!("the kind is one of {KINDS:?}"));
    }
    let body = text.trim();
    if body.is_empty() || body.lines().count() > LINES_MAX {
        return Some(format!("holds one paragraph of 1 to {LINES_MAX} lines"));
    }
    (body.starts_with('#') || body.contains("\n\n")).then(|| "is one paragraph, no heading".into())
}

const FOLDER: &str = "changelog.d/";
const GUIDE: &str = "changelog.d/README.md";
const LINES_MAX: usize = 8;
const KINDS: &[&str] = &["added", "changed", "fixed", "removed", "security"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_in_another_form_are_found() {
        let found = |name: &str, text: &str| {
            check(&Tree::sample(&[(&format!("changelog.d/{name}"), text)])).len()
        };
        assert_eq!(found("2-demo.added.md", "`bynamed demo` starts a service.\n"), 0);
        assert_eq!(found("README.md", "# Anything\n"), 0);
        for name in
            ["demo.added.md", "2-demo.md", "2-demo.new.md", "2.added.md", "2-demo.added.txt"]
        {
            assert_eq!(found(name, "x\n"), 1, "{name}");
        }
        for text in ["", "# Heading\n", "one\n\ntwo\n"] {
            assert_eq!(found("2-demo.added.md", text), 1, "{text}");
        }
    }
}
