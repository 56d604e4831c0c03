//! `byname once`: through the flow one time.

use agent::config::Config;
use agent::cycle::{Cycle, HostReport, Report};
use agent::observe::{Cause, Observation, Observed};
use agent::outcome::{Outcome, Pausing};
use agent::plan::Plan;
use agent::state::file::{StateFile, StateFileError};
use serde_json::{Value, json};

use crate::cli::OnceArguments;
use crate::output::{self, Exit};
use crate::start;

/// Looks, decides, publishes, and prints what came of it.
pub(crate) fn run(arguments: &OnceArguments, as_json: bool) -> Exit {
    let (config, state) = match start::configuration(&arguments.config, as_json) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let report = match go(config, &state, arguments.retry) {
        Ok(report) => report,
        Err(error) => return start::no_state(&error, as_json),
    };
    if as_json {
        output::result(&json(&report).to_string());
    } else {
        for host in &report.hosts {
            output::result(&format!("{} {}", word(host, &report.observation), host.host));
        }
    }
    complain(&report);
    exit(&report)
}

fn go(config: Config, path: &std::path::Path, retry: bool) -> Result<Report, StateFileError> {
    let mut opened = StateFile::open(path)?;
    if let Some(why) = &opened.damaged {
        let message = format!("the state file `{}` is damaged: {why}", path.display());
        output::warning(&message, Some("starting afresh; every host is published once more"));
    }
    let cycle = Cycle::new(config);
    if retry {
        cycle.lift(&mut opened.state);
        opened.file.save(&opened.state)?;
    }
    cycle.go(&opened.file, &mut opened.state, &|| false)
}

fn json(report: &Report) -> Value {
    let hosts: Vec<Value> = report.hosts.iter().map(|host| host_json(host, report)).collect();
    json!({
        "ipv4": output::observed(&report.observation.ipv4),
        "ipv6": output::observed(&report.observation.ipv6),
        "hosts": hosts,
    })
}

fn host_json(host: &HostReport, report: &Report) -> Value {
    let mut told = match (&host.plan, &host.outcome) {
        (_, Some(outcome)) => output::members(outcome),
        (Plan::Stopped(stop), None) => output::members(&Outcome::Stopped(*stop)),
        (Plan::Wait { for_ms, why }, None) => json!({
            "outcome": "waiting",
            "message": why.to_string(),
            "for_ms": for_ms,
        }),
        (Plan::Nothing | Plan::Publish(_), None) => {
            json!({ "outcome": word(host, &report.observation) })
        }
    };
    told["host"] = json!(host.host);
    told
}

fn word(host: &HostReport, observation: &Observation) -> &'static str {
    let is_unknown = |observed| matches!(observed, &Observed::Unknown(_));
    match (&host.plan, &host.outcome) {
        (_, Some(outcome)) => output::word(outcome),
        (Plan::Stopped(_), None) => "stopped",
        (Plan::Wait { .. }, None) => "waiting",
        (Plan::Nothing | Plan::Publish(_), None)
            if is_unknown(&observation.ipv4) && is_unknown(&observation.ipv6) =>
        {
            "unknown"
        }
        (Plan::Nothing | Plan::Publish(_), None) => "current",
    }
}

fn complain(report: &Report) {
    let observation = &report.observation;
    for (family, own, other) in [
        ("IPv4", &observation.ipv4, &observation.ipv6),
        ("IPv6", &observation.ipv6, &observation.ipv4),
    ] {
        let Observed::Unknown(why) = own else { continue };
        let message = format!("{family} is unknown and stays as it is: {why}");
        match other {
            _ if *why == Cause::NoSource => {}
            // Many machines have one family only.
            Observed::Known(_) | Observed::None => output::note(&message),
            Observed::Unknown(_) => output::warning(&message, None),
        }
    }
    for host in &report.hosts {
        match (&host.plan, &host.outcome) {
            (_, Some(outcome)) => output::complain(&host.host, outcome),
            (Plan::Stopped(stop), None) => {
                output::complain(&host.host, &Outcome::Stopped(*stop));
                let message = format!("`{}` was not asked for again", host.host);
                output::warning(&message, Some("when that is done, `byname once --retry`"));
            }
            (Plan::Wait { for_ms, why }, None) => {
                let seconds = for_ms.div_ceil(1000);
                let message = format!("`{}` waits for another {seconds} s: {why}", host.host);
                output::error(&message, Some("`byname once --retry` asks at once"));
            }
            (Plan::Nothing | Plan::Publish(_), None) => {}
        }
    }
}

fn exit(report: &Report) -> Exit {
    let of_host = |host: &HostReport| match (&host.plan, &host.outcome) {
        (_, Some(outcome)) => output::exit(outcome),
        (Plan::Stopped(_), None) => Exit::Refused,
        (Plan::Wait { why: Pausing::Unreachable(_), .. }, None) => Exit::Unreachable,
        (Plan::Wait { .. }, None) => Exit::Failed,
        (Plan::Nothing | Plan::Publish(_), None) => Exit::Ok,
    };
    let observed = output::exit_of_observation(&report.observation);
    report.hosts.iter().map(of_host).fold(observed, Exit::or_worse)
}
