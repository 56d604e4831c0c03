//! The sample file, generated from the options.

use super::key::{KEYS, variable};

/// A configuration file in which every option stands with its documentation and, commented out, its
/// default or an example.
pub fn sample() -> String {
    let mut text = String::from(HEADER);
    for key in KEYS {
        text.push('\n');
        for line in key.docs.lines() {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("# Variable: {}\n", variable(key.name)));
        text.push_str(&format!("#{} = {}\n", key.name, key.shown));
    }
    text
}

const HEADER: &str = "\
# Configuration of `byname run`, `byname once` and `byname detect`.
# Every option is also a variable of the environment, which wins over this file; a list is then
# written with commas. Where a line is commented out, it shows the default or an example.
";
