//! `bynamed demo`: a service to play with, on this machine only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use node::Node;
use node::admin::{self, Command, HostSettings, ZoneSettings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command_line::Everywhere;
use crate::configuration::{self, Settings};
use crate::doors::{self, Chosen};
use crate::fault::Fault;
use crate::options::Flags;
use crate::output::Output;
use crate::serve::{self, Doors, Running};
use crate::{log, measure};

/// Serves a fresh zone with a host and its token until asked to stop.
///
/// Neither a configuration file nor the environment counts: a demo does not touch anything real.
pub(crate) fn run(everywhere: &Everywhere, flags: &Flags, output: Output) -> Result<(), Fault> {
    let read = configuration::from_flags(everywhere, flags);
    let mut settings = read.map_err(|problems| problems.into_fault())?.settings;
    let quiet = !flags.0.iter().any(|(option, _)| option.key == "log_level");
    if quiet {
        // The lines to copy are what matters.
        settings.log_level = "warn".to_owned();
    }
    log::start(&settings);
    serve::prepare();
    let folder = match &everywhere.data {
        Some(_) => None,
        None => Some(temporary()?),
    };
    if let Some(folder) = &folder {
        settings.data = folder.path().to_owned();
    }
    let running = start(&settings)?;
    let demo = Demo::set_up(&running, folder.is_some(), &settings)?;
    if output.is_json() {
        output.value(&demo.json())?
    } else {
        output.text(&demo.lines())?
    }
    serve::wait(running);
    Ok(())
    // The folder goes away with its owner.
}

fn temporary() -> Result<TempDir, Fault> {
    let made = tempfile::Builder::new().prefix("byname-demo-").tempdir();
    made.map_err(|why| {
        let fault = Fault::failed(format!("cannot make a temporary directory: {why}"));
        fault.hint("give a directory for the data with `--data DIR`")
    })
}

/// Opens the doors at the demo's ports, or at free ones where those are taken and nobody asked for
/// them.
fn start(settings: &Settings) -> Result<Running, Fault> {
    let recorder = measure::start()?;
    let mut dns = settings.dns.is_none().then_some(doors::DNS_FALLBACK);
    let mut http = settings.http.is_none().then_some(doors::HTTP_FALLBACK);
    loop {
        let doors = Doors {
            dns: chosen(settings.dns.as_deref(), dns),
            http: chosen(settings.http.as_deref(), http),
            https: doors::https(settings),
        };
        let fault = match Running::start(settings, &doors, recorder.clone()) {
            Ok(running) => return Ok(running),
            Err(fault) => fault,
        };
        // The next attempt lets the system choose the port that is taken.
        match fault.taken {
            Some("--dns") if dns.is_some_and(|port| port != 0) => dns = Some(0),
            Some("--http") if http.is_some_and(|port| port != 0) => http = Some(0),
            _ => return Err(fault),
        }
    }
}

fn chosen(asked: Option<&[SocketAddr]>, port: Option<u16>) -> Chosen {
    let usual = || vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.unwrap_or(0))];
    Chosen { addresses: asked.map_or_else(usual, <[SocketAddr]>::to_vec), why: None }
}

/// What there is to play with.
struct Demo {
    token: String,
    dns: Option<SocketAddr>,
    http: Option<SocketAddr>,
    data: String,
    temporary: bool,
}

impl Demo {
    fn set_up(running: &Running, temporary: bool, settings: &Settings) -> Result<Demo, Fault> {
        Ok(Demo {
            token: host_with_token(running.node())?,
            dns: running.dns().first().copied(),
            http: running.http().first().copied(),
            data: settings.data.display().to_string(),
            temporary,
        })
    }

    fn json(&self) -> Value {
        json!({
            "zone": ZONE,
            "host": HOST,
            "token": self.token,
            "dns": self.dns,
            "http": self.http,
            "data": self.data,
        })
    }

    /// Lines that work when they are copied.
    fn lines(&self) -> String {
        let Demo { token, data, .. } = self;
        let agent = agent();
        let mut text = format!("byname demo: zone {ZONE}, host {HOST}\ntoken: {token}\n");
        let end = if self.temporary { ", deleted at the end" } else { "" };
        text.push_str(&format!("data: {data}{end}\n"));
        if let Some(http) = self.http {
            text.push_str(&format!(
                "\nchange the address:\n  \
                 curl -u {HOST}:{token} 'http://{http}/nic/update?hostname={HOST}&myip={ADDRESS}'\n"
            ));
        }
        if let Some(dns) = self.dns {
            let (ip, port) = (dns.ip(), dns.port());
            text.push_str(&format!("\nask for it:\n  dig @{ip} -p {port} {HOST} A +short\n"));
        }
        if let Some(http) = self.http {
            text.push_str(&format!(
                "\nwith our own agent:\n  \
                 {agent} update --server http://{http} --host {HOST} --token {token} --ip {ADDRESS}\n\
                 \nwith ddclient: these lines in a file with mode 600, then `ddclient -daemon=0 -file FILE`\n  \
                 ssl=no\n  cache=/tmp/ddclient-demo.cache\n  use=web, web=http://{http}/ip\n  \
                 protocol=dyndns2\n  server={http}\n  script=/nic/update\n  login={HOST}\n  \
                 password='{token}'\n  {HOST}\n"
            ));
        }
        text.push_str("\nstop with Ctrl-C\n");
        text
    }
}

/// How the agent is run by whoever runs us: from the same place, or through cargo in a checkout.
fn agent() -> String {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.with_file_name("byname");
    match (beside.is_file(), own.components().any(|part| part.as_os_str() == "target")) {
        (true, _) => beside.display().to_string(),
        (false, true) => "cargo run --release -p byname --".to_owned(),
        (false, false) => "byname".to_owned(),
    }
}

/// The host's token; zone and host are made unless an earlier demo has left them.
fn host_with_token(node: &Node) -> Result<String, Fault> {
    let is_there = |command: Command| admin::execute(node, &command, &mut io::empty()).is_ok();
    if !is_there(Command::ZoneShow { zone: ZONE.to_owned() }) {
        let (zone, settings) = (ZONE.to_owned(), ZoneSettings::default());
        order(node, &Command::ZoneAdd { zone, ns: Vec::new(), settings })?;
    }
    let host = HOST.to_owned();
    let made = if is_there(Command::HostShow { host: host.clone() }) {
        order(node, &Command::HostRotate { host, overlap_s: 0 })?
    } else {
        order(node, &Command::HostAdd { host, account: None, settings: HostSettings::default() })?
    };
    let token = made["token"].as_str().map(str::to_owned);
    token.ok_or_else(|| Fault::failed("the demo's host got no token"))
}

fn order(node: &Node, command: &Command) -> Result<Value, Fault> {
    let answer = admin::execute(node, command, &mut io::empty());
    answer.map(|answer| answer.value).map_err(Fault::failed)
}

const ZONE: &str = "demo.example";
const HOST: &str = "home.demo.example";
/// An address for documentation (RFC 5737).
const ADDRESS: &str = "198.51.100.7";
