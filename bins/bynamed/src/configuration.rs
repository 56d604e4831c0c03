//! Putting the settings together: defaults, file, environment, flags. The environment is read here
//! and nowhere else.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::{Table, Value};

use crate::command_line::Everywhere;
use crate::fault::{Exit, Fault};
use crate::options::{self, Definition, Flags};

/// Settings that hold together.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) settings: Settings,
}

/// Every setting at the value that counts.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// Where DNS is answered; `None`: at the usual places.
    pub(crate) dns: Option<Vec<std::net::SocketAddr>>,
    /// Where updates are taken; `None`: at the usual places; empty: nowhere.
    pub(crate) http: Option<Vec<std::net::SocketAddr>>,
    /// The same over HTTPS; at the usual places only when there is a certificate.
    pub(crate) https: Option<Vec<std::net::SocketAddr>>,
    /// Files of certificates.
    pub(crate) certificates: Vec<PathBuf>,
    /// Files of their keys, in the same order.
    pub(crate) certificate_keys: Vec<PathBuf>,
    /// The certificate that the service obtains by itself, when it has names.
    pub(crate) acme: acme::Settings,
    /// Workers and limits of the DNS doors; its addresses are not used.
    pub(crate) server: server::Settings,
    /// Interface whose queries are answered past the kernel.
    pub(crate) xdp: Option<String>,
    /// Limits and trust of the doors for updates; its addresses are not used.
    pub(crate) gateway: gateway::HttpSettings,
    /// From where DNS updates are taken.
    pub(crate) updates: gateway::UpdateSettings,
    /// Name of this node.
    pub(crate) node: String,
    /// Filter of the log.
    pub(crate) log_level: String,
    /// Form of the log.
    pub(crate) log_format: LogFormat,
    /// How long history is kept; `None`: for ever.
    pub(crate) log_retention: Option<Duration>,
    /// How long source addresses are kept in it; `None`: as long as it is.
    pub(crate) origin_retention: Option<Duration>,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Settings {
    /// The settings when nothing is said.
    pub(crate) fn usual() -> Settings {
        let root = rustix::process::geteuid().is_root();
        Settings {
            data: PathBuf::from(if root { "/var/lib/byname" } else { "byname-data" }),
            dns: None,
            http: None,
            https: None,
            certificates: Vec::new(),
            certificate_keys: Vec::new(),
            acme: acme::Settings {
                directory: ACME_DIRECTORY.to_owned(),
                contact: Vec::new(),
                names: Vec::new(),
                ca_file: None,
            },
            server: server::Settings::default(),
            xdp: None,
            gateway: gateway::HttpSettings::default(),
            updates: gateway::UpdateSettings::default(),
            node: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            log_level: "info".to_owned(),
            log_format: LogFormat::Text,
            log_retention: None,
            origin_retention: Some(ORIGIN_RETENTION),
        }
    }

    /// Whether there is, or will be, a certificate for HTTPS.
    pub(crate) fn has_certificate(&self) -> bool {
        !self.certificates.is_empty() || !self.acme.names.is_empty()
    }

    /// What does not go together.
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let (certificates, keys) = (self.certificates.len(), self.certificate_keys.len());
        if certificates != keys {
            found.push(format!(
                "each certificate needs its key: `certificate` names {certificates} files, \
                 `certificate_key` {keys}"
            ));
        }
        let listens = self.https.as_ref().is_some_and(|addresses| !addresses.is_empty());
        if listens && !self.has_certificate() {
            found.push("`https` needs a certificate: set `certificate` or `acme_names`".to_owned());
        }
        found
    }

    /// How the node is run.
    pub(crate) fn node_options(&self) -> node::Options {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        node::Options {
            data: self.data.clone(),
            name: self.node.clone(),
            log_ms: self.log_retention.map(ms),
            origins_ms: self.origin_retention.map(ms),
        }
    }
}

/// What is wrong with a configuration: all of it, so that nobody has to try again and again.
#[derive(Debug)]
pub(crate) struct Problems {
    /// One for each mistake, in words.
    pub(crate) list: Vec<String>,
    /// The settings that are right, the others at their defaults.
    pub(crate) settings: Settings,
    exit: Exit,
}

impl Problems {
    /// The problems as the reason why the program ends.
    pub(crate) fn into_fault(self) -> Fault {
        let fault = Fault { exit: self.exit, ..Fault::failed(self.list.join("\n       ")) };
        fault.hint("`bynamed config` prints all settings with their defaults")
    }
}

/// Reads file, environment and flags.
pub(crate) fn read(everywhere: &Everywhere, flags: &Flags) -> Result<Configuration, Box<Problems>> {
    let mut reading = Reading::new();
    let environment = environment();
    if let Some(file) = &everywhere.config {
        reading.file(file);
    }
    reading.environment(&environment);
    reading.flags(everywhere, flags);
    reading.end()
}

/// Only what the command line says: neither file nor environment.
pub(crate) fn from_flags(
    everywhere: &Everywhere,
    flags: &Flags,
) -> Result<Configuration, Box<Problems>> {
    let mut reading = Reading::new();
    reading.flags(everywhere, flags);
    reading.end()
}

struct Reading {
    settings: Settings,
    problems: Vec<String>,
    exit: Exit,
}

impl Reading {
    fn new() -> Reading {
        Reading { settings: Settings::usual(), problems: Vec::new(), exit: Exit::Failed }
    }

    fn file(&mut self, file: &Path) {
        let place = file.display().to_string();
        let table = match read_file(file).and_then(|text| {
            text.parse::<Table>().map_err(|why| why.to_string().trim_end().to_owned())
        }) {
            Ok(table) => table,
            Err(why) => return self.problems.push(format!("{place}: {why}")),
        };
        for (key, value) in table {
            let Some(option) = options::find(&key) else {
                let suggestion = suggestion(&key, |key| key.to_owned());
                self.problems.push(format!("{place}: `{key}` is not a setting{suggestion}"));
                continue;
            };
            match values(&value) {
                Some(values) => self.set(option, &values, &format!("{place}: `{key}`")),
                None => self.problems.push(format!("{place}: `{key}`: not a value for a setting")),
            }
        }
    }

    fn environment(&mut self, variables: &[(String, String)]) {
        for (key, value) in variables {
            let variable = format!("{}{}", options::PREFIX, key.to_uppercase());
            match options::find(key) {
                Some(option) if option.many => {
                    let values: Vec<String> =
                        value.split(',').map(|part| part.trim().to_owned()).collect();
                    self.set(option, &values, &format!("`{variable}`"));
                }
                Some(option) => {
                    self.set(option, std::slice::from_ref(value), &format!("`{variable}`"));
                }
                // Our other programs have variables with this prefix too, so only what looks like
                // a slip is one.
                None => {
                    let meant =
                        suggestion(key, |key| format!("{}{}", options::PREFIX, key.to_uppercase()));
                    if !meant.is_empty() {
                        self.problems.push(format!("`{variable}` is not a setting{meant}"));
                    }
                }
            }
        }
    }

    fn flags(&mut self, everywhere: &Everywhere, flags: &Flags) {
        let before = self.problems.len();
        if let Some(data) = &everywhere.data {
            self.settings.data.clone_from(data);
        }
        for (option, values) in &flags.0 {
            let values: Vec<String> = if option.many {
                values.iter().flat_map(|value| value.split(',')).map(str::to_owned).collect()
            } else {
                values.clone()
            };
            self.set(option, &values, &format!("`--{}`", option.flag()));
        }
        if before == 0 && !self.problems.is_empty() {
            self.exit = Exit::Usage;
        }
    }

    fn set(&mut self, option: &Definition, values: &[String], place: &str) {
        if let Err(why) = (option.set)(&mut self.settings, values) {
            self.problems.push(format!("{place}: {why}"));
        }
    }

    fn end(self) -> Result<Configuration, Box<Problems>> {
        let Reading { settings, mut problems, exit } = self;
        if problems.is_empty() {
            problems = settings.contradictions();
        }
        if problems.is_empty() {
            Ok(Configuration { settings })
        } else {
            Err(Box::new(Problems { list: problems, settings, exit }))
        }
    }
}

fn read_file(file: &Path) -> Result<String, String> {
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|why| why.to_string())?;
    let read = opened.take(FILE_OCTETS_MAX + 1).read_to_string(&mut text);
    read.map_err(|why| why.to_string())?;
    if text.len() as u64 > FILE_OCTETS_MAX {
        return Err("it is larger than 1 MiB, so it is not a configuration".to_owned());
    }
    Ok(text)
}

/// The values of a setting as texts; `None` for what no setting takes.
fn values(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Boolean(yes) => Some(vec![yes.to_string()]),
        Value::Array(list) => {
            let texts = list.iter().map(values).collect::<Option<Vec<_>>>()?;
            texts
                .into_iter()
                .map(|mut each| if each.len() == 1 { each.pop() } else { None })
                .collect()
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn suggestion(unknown: &str, show: impl Fn(&str) -> String) -> String {
    match options::suggest(unknown) {
        Some(key) => format!("; did you mean `{}`?", show(key)),
        None => String::new(),
    }
}

/// Our variables, by key; values that are not text are read as nothing that a setting takes.
fn environment() -> Vec<(String, String)> {
    let ours = std::env::vars_os().filter_map(|(name, value)| {
        let key = name.to_str()?.strip_prefix(options::PREFIX)?.to_lowercase();
        Some((key, value.to_string_lossy().into_owned()))
    });
    let mut ours: Vec<_> = ours.collect();
    ours.sort();
    ours
}

/// How long source addresses are kept when nothing is said.
const ORIGIN_RETENTION: Duration = Duration::from_secs(90 * 86_400);
/// Let's Encrypt.
const ACME_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";
const FILE_OCTETS_MAX: u64 = 1024 * 1024;
