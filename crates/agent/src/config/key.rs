//! The options, each once: name, kind, default, documentation, reader and check.

use std::path::PathBuf;
use std::time::Duration;

use super::Source;
use crate::desired::WhenGone;
use crate::http::Trust;
use crate::secret::Token;
use crate::server::Server;

/// What the places have said so far.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) server: Option<Server>,
    pub(super) hosts: Vec<String>,
    pub(super) secret: Option<Secret>,
    pub(super) ipv4_sources: Vec<Source>,
    pub(super) ipv6_sources: Vec<Source>,
    pub(super) echo: Vec<String>,
    pub(super) interface: Option<String>,
    pub(super) allow_private: bool,
    pub(super) interval: Duration,
    pub(super) refresh: Duration,
    pub(super) timeout: Duration,
    pub(super) when_gone: WhenGone,
    pub(super) trust: Trust,
    pub(super) allow_http: bool,
    pub(super) state: Option<PathBuf>,
}

/// The token, or where it is.
#[derive(Debug)]
pub(super) enum Secret {
    Token(Token),
    File(PathBuf),
}

/// One option.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// As it would stand in the file: the default, or an example where there is none.
    pub(super) shown: &'static str,
    pub(super) docs: &'static str,
    pub(super) put: fn(&mut Draft, Value) -> Result<(), String>,
}

/// Which values an option takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    List,
    Switch,
    /// Seconds within these bounds.
    Seconds(u64, u64),
}

/// A value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Switch(bool),
    Seconds(u64),
}

impl Kind {
    /// The value of an option in the file.
    pub(super) fn of_toml(self, value: &toml::Value) -> Result<Value, String> {
        match (self, value) {
            (Kind::Text, toml::Value::String(text)) => Ok(Value::Text(text.clone())),
            (Kind::Switch, toml::Value::Boolean(on)) => Ok(Value::Switch(*on)),
            (Kind::Seconds(..), toml::Value::Integer(seconds)) => {
                self.bounded(u64::try_from(*seconds).ok())
            }
            (Kind::List, toml::Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map(Value::List).ok_or_else(|| self.wanted())
            }
            _ => Err(self.wanted()),
        }
    }

    /// The value of an option in a variable or on the command line.
    pub(super) fn of_text(self, text: &str) -> Result<Value, String> {
        match self {
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::List => {
                let items = text.split([',', ' ']).filter(|item| !item.is_empty());
                Ok(Value::List(items.map(str::to_owned).collect()))
            }
            Kind::Switch => match text {
                "true" => Ok(Value::Switch(true)),
                "false" => Ok(Value::Switch(false)),
                _ => Err(self.wanted()),
            },
            Kind::Seconds(..) => self.bounded(text.trim().parse().ok()),
        }
    }

    fn bounded(self, seconds: Option<u64>) -> Result<Value, String> {
        match (self, seconds) {
            (Kind::Seconds(least, most), Some(seconds)) if (least..=most).contains(&seconds) => {
                Ok(Value::Seconds(seconds))
            }
            _ => Err(self.wanted()),
        }
    }

    fn wanted(self) -> String {
        match self {
            Kind::Text => "is a text in quotes".to_owned(),
            Kind::List => "is a list of texts".to_owned(),
            Kind::Switch => "is `true` or `false`".to_owned(),
            Kind::Seconds(least, most) => format!("is a number of seconds from {least} to {most}"),
        }
    }
}

/// The variable of an option.
pub(super) fn variable(name: &str) -> String {
    format!("BYNAME_{}", name.to_ascii_uppercase())
}

/// The option whose name looks most like `name`.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let ranked = KEYS.iter().map(|key| (distance(name, key.name), key.name));
    ranked.min().filter(|(distance, _)| *distance <= SLIPS_MAX).map(|(_, name)| name)
}

/// How many letters have to be added, removed or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.bytes().take(NAME_OCTETS_MAX).enumerate() {
        let mut above_left = at;
        let mut left = at + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(other.bytes()) {
            let above = *cell;
            let replaced = above_left + usize::from(a != b);
            left = replaced.min(above + 1).min(left + 1);
            *cell = left;
            above_left = above;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

macro_rules! key {
    ($name:literal, $kind:expr, $shown:expr, $put:expr, $docs:literal) => {
        Key { name: $name, kind: $kind, shown: $shown, docs: $docs, put: $put }
    };
}

/// Every option, in the order of the sample file.
pub(super) const KEYS: &[Key] = &[
    key!("server", Kind::Text, "\"https://dyn.example\"", put_server, "The service. Required."),
    key!(
        "host",
        Kind::Text,
        "\"nas.dyn.example\"",
        |draft, value| put_hosts(draft, vec![text(value)?]),
        "The host to keep up to date. This or `hosts` is required."
    ),
    key!(
        "hosts",
        Kind::List,
        "[\"nas.dyn.example\", \"cam.dyn.example\"]",
        |draft, value| put_hosts(draft, list(value)?),
        "Several hosts with the same addresses and the same token."
    ),
    key!(
        "token",
        Kind::Text,
        "\"byn_…\"",
        |draft, value| {
            draft.secret = Some(Secret::Token(Token::parse(&text(value)?).map_err(str::to_owned)?));
            Ok(())
        },
        "The token of the host. A file with a token in it has to be readable by its owner only.\n\
         This or `token_file` is required."
    ),
    key!(
        "token_file",
        Kind::Text,
        "\"/run/credentials/byname.service/token\"",
        |draft, value| put(&mut draft.secret, Some(Secret::File(path(value)?))),
        "A file that holds the token and nothing else."
    ),
    key!(
        "ipv4_sources",
        Kind::List,
        "[\"echo\"]",
        |draft, value| put(&mut draft.ipv4_sources, sources(value)?),
        "Where to look for the IPv4 address, in order of preference: `echo` (a server that says\n\
         from which address it was asked), `interface` (the addresses of this machine). The first\n\
         that knows decides. With an empty list IPv4 is left alone."
    ),
    key!(
        "ipv6_sources",
        Kind::List,
        "[\"interface\", \"echo\"]",
        |draft, value| put(&mut draft.ipv6_sources, sources(value)?),
        "The same for IPv6. An echo sees the address that connections go out from, which is often\n\
         a temporary one; so the interface comes first."
    ),
    key!(
        "echo",
        Kind::List,
        "[\"https://dyn.example/ip\"]",
        put_echo,
        "The URLs of echoes, in order of preference. By default the service's own, `/ip`."
    ),
    key!(
        "interface",
        Kind::Text,
        "\"eth0\"",
        |draft, value| put(&mut draft.interface, Some(text(value)?)),
        "The interface whose address to publish. By default the one with the default route."
    ),
    key!(
        "allow_private",
        Kind::Switch,
        "false",
        |draft, value| put(&mut draft.allow_private, switch(value)?),
        "Whether private addresses may be published: for a service inside the same network."
    ),
    key!(
        "when_gone",
        Kind::Text,
        "\"preserve\"",
        put_when_gone,
        "What to do when a family surely has no address any more: `preserve` what is published, or\n\
         `remove` it. When it is not known whether there is one, nothing is ever changed. An echo\n\
         never knows that there is none; only `interface` does."
    ),
    key!(
        "interval_s",
        Kind::Seconds(10, 86_400),
        "300",
        |draft, value| put(&mut draft.interval, seconds(value)?),
        "How often to look, in seconds. A change of this machine's own addresses is seen at once."
    ),
    key!(
        "refresh_s",
        Kind::Seconds(600, 30 * 86_400),
        "86400",
        |draft, value| put(&mut draft.refresh, seconds(value)?),
        "After how many seconds an unchanged address is published again. A record that somebody\n\
         else has changed is put right within a day, and no service minds one request a day."
    ),
    key!(
        "timeout_s",
        Kind::Seconds(1, 120),
        "20",
        |draft, value| put(&mut draft.timeout, seconds(value)?),
        "How long to wait for an answer, in seconds."
    ),
    key!(
        "trust",
        Kind::Text,
        "\"system\"",
        put_trust,
        "Which certificate authorities to believe: those of the `system`, or the `bundled` ones."
    ),
    key!(
        "allow_http",
        Kind::Switch,
        "false",
        |draft, value| put(&mut draft.allow_http, switch(value)?),
        "Send the token in clear over a network without a warning."
    ),
    key!(
        "state",
        Kind::Text,
        "\"/var/lib/byname-agent/state.json\"",
        |draft, value| put(&mut draft.state, Some(path(value)?)),
        "The file that remembers what is published. By default in the state directory of the user."
    ),
];

fn put<T>(place: &mut T, value: T) -> Result<(), String> {
    *place = value;
    Ok(())
}

fn put_server(draft: &mut Draft, value: Value) -> Result<(), String> {
    let server = Server::parse(&text(value)?).map_err(|error| error.to_string())?;
    put(&mut draft.server, Some(server))
}

fn put_hosts(draft: &mut Draft, hosts: Vec<String>) -> Result<(), String> {
    if hosts.is_empty() || hosts.len() > HOSTS_MAX {
        return Err(format!("takes 1 to {HOSTS_MAX} hosts"));
    }
    let mut names = Vec::new();
    for host in hosts {
        let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
        if !host.is_ascii() {
            return Err("is not ASCII; write the `xn--` form".to_owned());
        }
        let name = wire::Name::parse(&host).map_err(|error| error.to_string())?;
        if name.label_count() < 2 {
            return Err("is not a whole name; write it like `nas.dyn.example`".to_owned());
        }
        if names.contains(&host) {
            return Err("names a host twice".to_owned());
        }
        names.push(host);
    }
    put(&mut draft.hosts, names)
}

fn put_echo(draft: &mut Draft, value: Value) -> Result<(), String> {
    let urls = list(value)?;
    if urls.len() > ECHOES_MAX {
        return Err(format!("takes at most {ECHOES_MAX} URLs"));
    }
    let scheme = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    if !urls.iter().all(scheme) {
        return Err("takes URLs that begin with `https://` or `http://`".to_owned());
    }
    put(&mut draft.echo, urls)
}

fn put_when_gone(draft: &mut Draft, value: Value) -> Result<(), String> {
    let when_gone = match text(value)?.as_str() {
        "preserve" => WhenGone::Preserve,
        "remove" => WhenGone::Remove,
        _ => return Err("is `preserve` or `remove`".to_owned()),
    };
    put(&mut draft.when_gone, when_gone)
}

fn put_trust(draft: &mut Draft, value: Value) -> Result<(), String> {
    let trust = match text(value)?.as_str() {
        "system" => Trust::System,
        "bundled" => Trust::Bundled,
        _ => return Err("is `system` or `bundled`".to_owned()),
    };
    put(&mut draft.trust, trust)
}

fn sources(value: Value) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    for word in list(value)? {
        let source = match word.as_str() {
            "echo" => Source::Echo,
            "interface" => Source::Interface,
            _ => return Err("knows `echo` and `interface`".to_owned()),
        };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    Ok(sources)
}

// The kind has made sure of the variant; a row of the table that contradicts itself is refused.
fn text(value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::List(_) | Value::Switch(_) | Value::Seconds(_) => Err(Kind::Text.wanted()),
    }
}

fn list(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::List(items) => Ok(items),
        Value::Text(_) | Value::Switch(_) | Value::Seconds(_) => Err(Kind::List.wanted()),
    }
}

fn switch(value: Value) -> Result<bool, String> {
    match value {
        Value::Switch(on) => Ok(on),
        Value::Text(_) | Value::List(_) | Value::Seconds(_) => Err(Kind::Switch.wanted()),
    }
}

fn seconds(value: Value) -> Result<Duration, String> {
    match value {
        Value::Seconds(seconds) => Ok(Duration::from_secs(seconds)),
        Value::Text(_) | Value::List(_) | Value::Switch(_) => Err("is a number".to_owned()),
    }
}

fn path(value: Value) -> Result<PathBuf, String> {
    match text(value)? {
        path if path.is_empty() => Err("is empty".to_owned()),
        path => Ok(PathBuf::from(path)),
    }
}

/// Defaults of the options of time, in seconds.
pub(super) const INTERVAL_S: u64 = 300;
pub(super) const REFRESH_S: u64 = 86_400;
pub(super) const TIMEOUT_S: u64 = 20;

const HOSTS_MAX: usize = 64;
const ECHOES_MAX: usize = 8;
/// A name with more wrong letters is not a slip.
const SLIPS_MAX: usize = 3;
const NAME_OCTETS_MAX: usize = 64;
