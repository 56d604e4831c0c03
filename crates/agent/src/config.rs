//! The configuration: every option once, from a file, the environment and the command line.
//!
//! The command line wins over the environment, the environment over the file.

mod key;
mod sample;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use key::{Draft, KEYS, Key, Secret, Value};

pub use sample::sample;

use crate::desired::WhenGone;
use crate::http::{HttpSettings, Trust};
use crate::secret::Token;
use crate::server::Server;

/// A complete configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to publish.
    pub server: Server,
    /// What to publish, as the service spells it; at least one.
    pub hosts: Vec<String>,
    /// The token of all hosts.
    pub token: Token,
    /// Where to look for addresses.
    pub sources: Sources,
    /// How long between two looks, when no event comes in between.
    pub interval: Duration,
    /// After which time an unchanged address is published again.
    pub refresh: Duration,
    /// What to do when there surely is no address any more.
    pub when_gone: WhenGone,
    /// How HTTP requests are made.
    pub http: HttpSettings,
    /// Whether a token in clear is as it should be.
    pub allow_http: bool,
    /// The state file; `None`: the usual one.
    pub state: Option<PathBuf>,
}

/// Where to look for addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// For IPv4, in order of preference; none: IPv4 is left alone.
    pub ipv4: Vec<Source>,
    /// For IPv6, in order of preference; none: IPv6 is left alone.
    pub ipv6: Vec<Source>,
    /// The URLs of echoes, in order of preference.
    pub echo: Vec<String>,
    /// The interface; `None`: that of the default route.
    pub interface: Option<String>,
    /// Whether private addresses may be published.
    pub allow_private: bool,
}

/// A way of finding the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Servers that say from which address they were asked.
    Echo,
    /// The addresses that the kernel knows.
    Interface,
}

/// What is wrong with a configuration. Never repeats a value: it might be the token.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("line {line} is not TOML: {why}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// The reader's words, without the text.
        why: String,
    },
    /// There is no such option.
    #[error("there is no option `{key}`")]
    Unknown {
        /// As it was written.
        key: String,
        /// The option that looks most like it.
        nearest: Option<&'static str>,
    },
    /// An option has a value that it cannot have.
    #[error("`{key}`: {why}")]
    Value {
        /// The option, or the variable.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// An option without a default is not set.
    #[error("`{key}` is not set")]
    Missing {
        /// Which.
        key: &'static str,
    },
    /// Two options that exclude each other are set in one place.
    #[error("`{0}` and `{1}` are both set")]
    Both(&'static str, &'static str),
    /// Others can read the file and the token in it.
    #[error("`{}` holds a token and others can read it", path.display())]
    Readable {
        /// Which file.
        path: PathBuf,
    },
}

impl ConfigError {
    /// What to do about it, if it is more than the message says.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::Unknown { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            ConfigError::Missing { key } => Some(format!(
                "write `{key} = …` into the file, or set the variable `{}`",
                key::variable(key)
            )),
            ConfigError::Both(..) => Some("remove one of them".to_owned()),
            ConfigError::Readable { path } => Some(format!("chmod 600 {}", path.display())),
            ConfigError::Read { .. }
            | ConfigError::Syntax { .. }
            | ConfigError::Unknown { nearest: None, .. }
            | ConfigError::Value { .. } => None,
        }
    }
}

/// Where options come from, in rising order of weight.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// A configuration file.
    pub file: Option<PathBuf>,
    /// Variables of the environment, with their whole names. Those that are no option are ignored:
    /// the service's begin alike.
    pub environment: Vec<(String, String)>,
    /// Options of the command line, by the names that they have in the file.
    pub arguments: Vec<(&'static str, String)>,
}

impl Config {
    /// Reads all places and judges the whole.
    ///
    /// # Errors
    /// The first [`ConfigError`] that was found.
    pub fn load(places: &Places) -> Result<Config, ConfigError> {
        finish(draft(places)?)
    }
}

impl Sources {
    /// Reads of all places what is needed to look for addresses. Without a service and without
    /// URLs there is no echo to ask; the interface is asked in its stead.
    ///
    /// # Errors
    /// The first [`ConfigError`] that was found.
    pub fn load(places: &Places) -> Result<(Sources, HttpSettings), ConfigError> {
        let draft = draft(places)?;
        let http = HttpSettings { timeout: draft.timeout, trust: draft.trust };
        let mut sources = sources(&draft, draft.server.as_ref());
        if sources.echo.is_empty() {
            sources.ipv4 = vec![Source::Interface];
            sources.ipv6 = vec![Source::Interface];
        }
        Ok((sources, http))
    }
}

fn draft(places: &Places) -> Result<Draft, ConfigError> {
    let mut draft = Draft::default();
    if let Some(path) = &places.file {
        let (text, others_read) = read(path)?;
        let layer = from_file(&text)?;
        if others_read && layer.iter().any(|(key, _)| key.name == "token") {
            return Err(ConfigError::Readable { path: path.clone() });
        }
        apply(&mut draft, layer, |key| key.name.to_owned())?;
    }
    let variables = places.environment.iter().filter_map(|(name, text)| {
        let key = KEYS.iter().find(|key| key::variable(key.name) == *name)?;
        Some((key, text.as_str()))
    });
    apply(&mut draft, from_texts(variables)?, |key| key::variable(key.name))?;
    let arguments = places.arguments.iter().filter_map(|(name, text)| {
        Some((KEYS.iter().find(|key| key.name == *name)?, text.as_str()))
    });
    apply(&mut draft, from_texts(arguments)?, |key| format!("--{}", key.name))?;
    Ok(draft)
}

type Layer = Vec<(&'static Key, Value)>;

fn from_file(text: &str) -> Result<Layer, ConfigError> {
    // The reader's own display quotes the line, and with it perhaps the token.
    let table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        ConfigError::Syntax { line, why: error.message().to_owned() }
    })?;
    let mut layer = Layer::new();
    for (name, value) in &table {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(ConfigError::Unknown { key: name.clone(), nearest: key::nearest(name) });
        };
        let value = key.kind.of_toml(value);
        layer.push((key, value.map_err(|why| ConfigError::Value { key: name.clone(), why })?));
    }
    Ok(layer)
}

fn from_texts<'a>(
    texts: impl Iterator<Item = (&'static Key, &'a str)>,
) -> Result<Layer, ConfigError> {
    texts
        .map(|(key, text)| match key.kind.of_text(text) {
            Ok(value) => Ok((key, value)),
            Err(why) => Err(ConfigError::Value { key: key::variable(key.name), why }),
        })
        .collect()
}

/// Puts one place's options over what other places have said.
fn apply(draft: &mut Draft, layer: Layer, name: fn(&Key) -> String) -> Result<(), ConfigError> {
    let has = |wanted: &str| layer.iter().any(|(key, _)| key.name == wanted);
    for (one, other) in EXCLUSIVE {
        if has(one) && has(other) {
            return Err(ConfigError::Both(one, other));
        }
    }
    for (key, value) in layer {
        (key.put)(draft, value).map_err(|why| ConfigError::Value { key: name(key), why })?;
    }
    Ok(())
}

fn finish(draft: Draft) -> Result<Config, ConfigError> {
    let server = draft.server.clone().ok_or(ConfigError::Missing { key: "server" })?;
    if draft.hosts.is_empty() {
        return Err(ConfigError::Missing { key: "host" });
    }
    let sources = sources(&draft, Some(&server));
    let token = match draft.secret.ok_or(ConfigError::Missing { key: "token" })? {
        Secret::Token(token) => token,
        Secret::File(path) => {
            let (text, _) = read(&path)?;
            let wrong =
                |why: &str| ConfigError::Value { key: "token_file".into(), why: why.into() };
            Token::parse(&text).map_err(wrong)?
        }
    };
    Ok(Config {
        server,
        hosts: draft.hosts,
        token,
        sources,
        interval: draft.interval,
        refresh: draft.refresh,
        when_gone: draft.when_gone,
        http: HttpSettings { timeout: draft.timeout, trust: draft.trust },
        allow_http: draft.allow_http,
        state: draft.state,
    })
}

fn sources(draft: &Draft, server: Option<&Server>) -> Sources {
    let own = || server.map(|server| server.url("/ip")).into_iter().collect();
    Sources {
        ipv4: draft.ipv4_sources.clone(),
        ipv6: draft.ipv6_sources.clone(),
        echo: if draft.echo.is_empty() { own() } else { draft.echo.clone() },
        interface: draft.interface.clone(),
        allow_private: draft.allow_private,
    }
}

/// The text of a file, and whether people other than its owner can read it.
fn read(path: &Path) -> Result<(String, bool), ConfigError> {
    let mut text = String::new();
    let mut read = || -> io::Result<u32> {
        let file = File::open(path)?;
        let mode = file.metadata()?.permissions().mode();
        file.take(FILE_OCTETS_MAX).read_to_string(&mut text)?;
        Ok(mode)
    };
    match read() {
        Ok(mode) => Ok((text, mode & OTHERS_READ != 0)),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}

impl Default for Draft {
    fn default() -> Draft {
        Draft {
            server: None,
            hosts: Vec::new(),
            secret: None,
            ipv4_sources: vec![Source::Echo],
            ipv6_sources: vec![Source::Interface, Source::Echo],
            echo: Vec::new(),
            interface: None,
            allow_private: false,
            interval: Duration::from_secs(key::INTERVAL_S),
            refresh: Duration::from_secs(key::REFRESH_S),
            timeout: Duration::from_secs(key::TIMEOUT_S),
            when_gone: WhenGone::Preserve,
            trust: Trust::System,
            allow_http: false,
            state: None,
        }
    }
}

/// Two ways of saying one thing: in one place only one of them, and a place of more weight
/// replaces either.
const EXCLUSIVE: [(&str, &str); 2] = [("host", "hosts"), ("token", "token_file")];
const FILE_OCTETS_MAX: u64 = 1024 * 1024;
/// Read or write for the group or for all.
const OTHERS_READ: u32 = 0o066;

#[cfg(test)]
mod tests;
