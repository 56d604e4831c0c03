//! The settings, each defined once: name, default, documentation, parser and check. The flags, the
//! environment, the sample file and the reference are made from these definitions.

pub(crate) mod parse;
mod table;

use clap::{Arg, ArgAction, ArgMatches};
use serde_json::{Value, json};

use crate::configuration::Settings;

pub(crate) use table::OPTIONS;

/// One setting.
pub(crate) struct Definition {
    /// Its key in the file; `BYNAME_` and this in capitals in the environment; with hyphens as a
    /// flag.
    pub(crate) key: &'static str,
    /// Placeholder for its value.
    pub(crate) value: &'static str,
    /// Whether it takes a list.
    pub(crate) many: bool,
    /// A value as it stands in the file: the default, where it is the same everywhere.
    pub(crate) sample: &'static str,
    /// The default in words, where it is not `sample`.
    pub(crate) default: Option<&'static str>,
    /// What it is, in sentences for people.
    pub(crate) doc: &'static str,
    /// Reads, checks and takes over the values; the error says what is wrong, for people.
    pub(crate) set: fn(&mut Settings, &[String]) -> Result<(), String>,
}

impl Definition {
    /// Its variable in the environment.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.to_uppercase())
    }

    /// Its flag, without the hyphens before it.
    pub(crate) fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    fn default_text(&self) -> &str {
        self.default.unwrap_or(self.sample)
    }
}

/// The definition with a key.
pub(crate) fn find(key: &str) -> Option<&'static Definition> {
    OPTIONS.iter().find(|option| option.key == key)
}

/// The known key that is most like one that is not known, when there is one like it.
pub(crate) fn suggest(unknown: &str) -> Option<&'static str> {
    let unknown = unknown.to_lowercase().replace('-', "_");
    let known = OPTIONS.iter().map(|option| (distance(&unknown, option.key), option.key));
    let (distance, key) = known.min()?;
    // A longer word has room for more slips. `host` is a word of its own, not a slip of `http`.
    (distance <= (unknown.len() / LETTERS_PER_SLIP).max(1)).then_some(key)
}

/// Settings given as flags: those in the table but `data`, which every command takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(pub(crate) Vec<(&'static Definition, Vec<String>)>);

impl std::fmt::Debug for Definition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key)
    }
}

fn flagged() -> impl Iterator<Item = &'static Definition> {
    OPTIONS.iter().filter(|option| option.key != "data")
}

impl clap::Args for Flags {
    fn augment_args(mut command: clap::Command) -> clap::Command {
        for option in flagged() {
            let action = if option.many { ArgAction::Append } else { ArgAction::Set };
            let help =
                format!("{} [default: {}]", first_sentence(option.doc), option.default_text());
            let arg = Arg::new(option.key).long(option.flag()).value_name(option.value);
            command = command.arg(arg.action(action).help(help));
        }
        command
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Flags, clap::Error> {
        let given = |option: &'static Definition| {
            let values = matches.get_many::<String>(option.key)?;
            Some((option, values.cloned().collect()))
        };
        Ok(Flags(flagged().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Flags::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A commented sample of the file: every setting at its default, switched off.
pub(crate) fn sample() -> String {
    let mut text = String::from(
        "# Configuration of bynamed. Flags win over the environment, the environment over this file.\n",
    );
    for option in OPTIONS {
        text.push('\n');
        for line in wrap(option.doc, COMMENT_CHARS) {
            text.push_str(&format!("# {line}\n"));
        }
        if let Some(default) = option.default {
            text.push_str(&format!("# Default: {default}.\n"));
        }
        text.push_str(&format!("#{} = {}\n", option.key, option.sample));
    }
    text
}

/// The reference in Markdown: `docs/configuration.md`.
pub(crate) fn reference() -> String {
    let mut text = String::from(REFERENCE_HEAD);
    for option in OPTIONS {
        let flag = option.flag();
        text.push_str(&format!("\n### `{}`\n\n", option.key));
        for line in wrap(option.doc, REFERENCE_CHARS) {
            text.push_str(&format!("{line}\n"));
        }
        let default = match option.default {
            Some(words) => words.to_owned(),
            None => format!("`{}`", option.sample),
        };
        text.push_str(&format!(
            "\n- default: {default}\n- example: `{} = {}`\n- environment: `{}`\n- flag: `--{flag} {}`{}\n",
            option.key,
            option.sample,
            option.variable(),
            option.value,
            if option.many { ", may be given several times" } else { "" },
        ));
    }
    text
}

/// The definitions for programs.
pub(crate) fn as_json() -> Value {
    let one = |option: &Definition| {
        json!({
            "key": option.key,
            "environment": option.variable(),
            "flag": format!("--{}", option.flag()),
            "default": option.default_text(),
            "list": option.many,
            "doc": option.doc,
        })
    };
    Value::Array(OPTIONS.iter().map(one).collect())
}

fn first_sentence(doc: &str) -> &str {
    doc.split_once(". ").map_or(doc, |(first, _)| first).trim_end_matches('.')
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Edits that turn one word into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let changed = before + usize::from(x != *y);
            before = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// What our variables in the environment begin with.
pub(crate) const PREFIX: &str = "BYNAME_";
/// One edit for so many letters may lie between a key and what was meant.
const LETTERS_PER_SLIP: usize = 4;
/// Width of a comment in the sample.
const COMMENT_CHARS: usize = 96;
/// Width of a line in the reference.
const REFERENCE_CHARS: usize = 100;
const REFERENCE_HEAD: &str = "\
# Configuration of `bynamed`

Generated by `bynamed config --reference`; a test keeps it in step with the program.

The service runs without any configuration. What you want otherwise stands in one TOML file
(`--config FILE`, a sample is printed by `bynamed config`), in the environment, or on the command
line of `bynamed serve`. Flags win over the environment, the environment over the file. A key that
is not listed here is an error. In the environment, a list is separated by commas.

`bynamed check --config FILE` tells what is wrong with a file, and changes nothing.

## Settings
";

#[cfg(test)]
mod tests;
