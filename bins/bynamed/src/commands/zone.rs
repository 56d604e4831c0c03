//! `bynamed zone`: zones that are served.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use node::admin::{Command, Quarantine, Scavenging, ZoneChange, ZoneSettings};
use serde_json::{Value, json};

use crate::configuration::{self, Configuration};
use crate::fault::{self, Fault};
use crate::options::parse;
use crate::order::{self, Print};
use crate::output::Output;
use crate::progress::Progress;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Serve a new zone
    Add {
        /// Its apex
        zone: String,
        /// A name server; may be given several times [default: ns1.ZONE]
        #[arg(long, value_name = "NAME")]
        ns: Vec<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// List the zones
    List,
    /// Show one zone
    Show {
        /// Its apex
        zone: String,
    },
    /// Change settings of a zone; what is not given stays
    Set {
        /// Its apex
        zone: String,
        #[command(flatten)]
        change: Change,
    },
    /// Make a zone file the content of a zone, in place of all that it holds, hosts' addresses too
    Import {
        /// Its apex
        zone: String,
        /// The zone file; `-` for standard input
        file: PathBuf,
        #[command(flatten)]
        settings: Settings,
    },
    /// Write a zone as a zone file
    Export {
        /// Its apex
        zone: String,
        /// Where to; standard output when not given
        file: Option<PathBuf>,
    },
    /// Stop serving a zone and forget it, its hosts included
    ///
    /// Its serial is forgotten as well. A zone that is added or imported anew under this name begins
    /// with the seconds of the clock or the serial of its file: secondaries that hold a newer one
    /// have to fetch it afresh.
    Remove {
        /// Its apex
        zone: String,
    },
}

/// Settings of a zone.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// Name of the account that owns it [default: the operator's]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Other accounts may have hosts in it
    #[arg(long)]
    suffix: bool,
    /// TTL of hosts that set none, in seconds [default: 60]
    #[arg(long = "host-ttl", value_name = "SECONDS")]
    host_ttl_s: Option<u32>,
}

/// What changes of a zone.
#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// Records that keys add without a lease go when nobody repeats them
    ///
    /// Two times, like `7d,7d`: during the first one repetitions are not written, during the second
    /// one the next is waited for. Records that are there already stay as they are, and those of the
    /// operator always do.
    #[arg(long, value_name = "TIME,TIME", value_parser = scavenging)]
    scavenge: Option<Scavenging>,
    /// Records that keys add stay; those that are there keep the time that they have
    #[arg(long, conflicts_with = "scavenge")]
    no_scavenge: bool,
    /// Labels that only the operator gives to a host, like `shop,corp-*`, beside those that always are
    /// reserved on a suffix; they replace those that were said before, and `-` stands for none
    #[arg(long, value_name = "LABELS", value_delimiter = ',')]
    reserve: Option<Vec<String>>,
    /// For so long no other account gets the name of a host that was removed, like `30d`; `usual` is
    /// 30 days on a suffix, and not at all elsewhere
    #[arg(long, value_name = "TIME", value_parser = quarantine)]
    quarantine: Option<Quarantine>,
    /// Least TTL of records that tokens write, in seconds
    #[arg(long = "ttl-min", value_name = "SECONDS")]
    ttl_min_s: Option<u32>,
}

impl Change {
    fn read(self) -> ZoneChange {
        let is_none = |labels: &Vec<String>| labels.as_slice() == ["-"];
        ZoneChange {
            scavenge: self.no_scavenge.then_some(Scavenging::Off).or(self.scavenge),
            reserve: self.reserve.map(|labels| if is_none(&labels) { Vec::new() } else { labels }),
            quarantine: self.quarantine,
            ttl_min_s: self.ttl_min_s,
        }
    }
}

fn quarantine(text: &str) -> Result<Quarantine, String> {
    match text {
        "usual" => Ok(Quarantine::Usual),
        _ => parse::seconds(text).map(Quarantine::Seconds),
    }
}

fn scavenging(text: &str) -> Result<Scavenging, String> {
    let (no_refresh, refresh) =
        text.split_once(',').ok_or("it takes two times with a comma between them, like `7d,7d`")?;
    let (no_refresh_s, refresh_s) = (parse::seconds(no_refresh)?, parse::seconds(refresh)?);
    Ok(Scavenging::After { no_refresh_s, refresh_s })
}

impl Settings {
    fn read(self) -> ZoneSettings {
        let Settings { account, suffix, host_ttl_s } = self;
        ZoneSettings { account, suffix, host_ttl_s }
    }
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let (command, print) = match self {
            Order::Add { zone, ns, settings } => {
                (Command::ZoneAdd { zone, ns, settings: settings.read() }, ONE)
            }
            Order::List => {
                (Command::ZoneList, Print::Table(&["zone", "serial", "rrsets", "scavenge"]))
            }
            Order::Show { zone } => (Command::ZoneShow { zone }, ONE),
            Order::Set { zone, change } => {
                (Command::ZoneSet { zone, settings: change.read() }, ONE)
            }
            Order::Remove { zone } => (Command::ZoneRemove { zone }, ONE),
            Order::Import { zone, file, settings: given } => {
                let command = Command::ZoneImport { zone, settings: given.read() };
                let mut body = Progress::of(open(&file)?);
                let value = order::deliver(settings, &command, &mut body, &mut io::sink());
                drop(body);
                let value = value?;
                return ONE.value(&value, output);
            }
            Order::Export { zone, file } => return export(settings, zone, file.as_deref(), output),
        };
        order::run(settings, &command, print, output)
    }
}

fn open(file: &Path) -> Result<Box<dyn Read>, Fault> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(fault::open(file)?))
}

fn export(
    settings: &configuration::Settings,
    zone: String,
    file: Option<&Path>,
    output: Output,
) -> Result<(), Fault> {
    let command = Command::ZoneExport { zone };
    let Some(file) = file else {
        if !output.is_json() {
            let mut out = BufWriter::new(io::stdout());
            order::deliver(settings, &command, &mut io::empty(), &mut out)?;
            return out.flush().map_err(|why| Fault::failed(format!("standard output: {why}")));
        }
        let mut text = Vec::new();
        let mut value = order::deliver(settings, &command, &mut io::empty(), &mut text)?;
        value["zonefile"] = Value::String(String::from_utf8_lossy(&text).into_owned());
        return output.value(&value);
    };
    // The file appears whole or not at all.
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut out = BufWriter::new(File::create(&new).map_err(|why| fault::of_file(&new, &why))?);
    let written =
        order::deliver(settings, &command, &mut io::empty(), &mut out).and_then(|value| {
            let made = out.flush().and_then(|()| std::fs::rename(&new, file));
            made.map(|()| value).map_err(|why| fault::of_file(file, &why))
        });
    match written {
        Ok(mut value) => {
            value["file"] = json!(file);
            ONE.value(&value, output)
        }
        Err(fault) => {
            // Best effort: the fault that is told is the one that matters.
            let _ = std::fs::remove_file(&new);
            Err(fault)
        }
    }
}

const ONE: Print = Print::Lines(&["zone", "serial", "rrsets"]);
