//! Once through the flow: `Observation → Desired → Plan → Outcome`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::Config;
use crate::desired::{Desired, desired};
use crate::http::Http;
use crate::observe::Observation;
use crate::outcome::Outcome;
use crate::plan::{Plan, Record, Target};
use crate::publish::{Account, publish};
use crate::sources::Asker;
use crate::state::State;
use crate::state::file::{StateFile, StateFileError};

/// A configuration at work.
#[derive(Debug)]
pub struct Cycle {
    config: Config,
    asker: Asker,
    http: Http,
}

/// What one cycle has found and done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What the sources said.
    pub observation: Observation,
    /// What became of each host, in the order of the configuration.
    pub hosts: Vec<HostReport>,
    /// When a host that waits is due, if that is known.
    pub wakes_in: Option<Duration>,
}

/// What became of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReport {
    /// Its name.
    pub host: String,
    /// What was to be done.
    pub plan: Plan,
    /// What came of it, when something was done.
    pub outcome: Option<Outcome>,
}

impl Cycle {
    /// Puts a configuration to work.
    pub fn new(config: Config) -> Cycle {
        let asker = Asker::new(config.sources.clone(), config.http);
        let http = Http::new(config.http, None);
        Cycle { config, asker, http }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Goes once through the flow. The state is saved after each host, so that nothing that a
    /// service has said is forgotten. `stop` is asked between hosts.
    ///
    /// # Errors
    /// The state cannot be saved; nothing is published after that.
    pub fn go(
        &self,
        file: &StateFile,
        state: &mut State,
        stop: &dyn Fn() -> bool,
    ) -> Result<Report, StateFileError> {
        let observation = self.asker.observe();
        let desired = desired(&observation, self.config.when_gone);
        let mut report = Report { observation, hosts: Vec::new(), wakes_in: None };
        for host in &self.config.hosts {
            if stop() {
                break;
            }
            let done = self.one(host, &desired, (file, &mut *state))?;
            let record = self.record(host, state);
            let wakes_in = match (&done.plan, &done.outcome) {
                (Plan::Wait { .. }, _) | (_, Some(_)) => record.wakes_in_ms(now_ms()),
                // A pause of which nothing is wanted any more wakes nobody.
                (Plan::Nothing | Plan::Stopped(_) | Plan::Publish(_), None) => None,
            };
            let wakes_in = wakes_in.map(Duration::from_millis);
            report.wakes_in = [report.wakes_in, wakes_in].into_iter().flatten().min();
            report.hosts.push(done);
        }
        Ok(report)
    }

    /// Lifts the stops and pauses of all hosts of the configuration.
    pub fn lift(&self, state: &mut State) {
        for host in &self.config.hosts {
            self.record(host, state).lift();
        }
    }

    /// Tries at once what only the network has kept from being done.
    pub fn network_has_changed(&self, state: &mut State) {
        for host in &self.config.hosts {
            self.record(host, state).network_has_changed();
        }
    }

    fn one(
        &self,
        host: &str,
        desired: &Desired,
        (file, state): (&StateFile, &mut State),
    ) -> Result<HostReport, StateFileError> {
        let plan = self.record(host, state).plan(desired, self.config.refresh, now_ms());
        let outcome = match &plan {
            Plan::Publish(update) => {
                // What cannot be remembered is not done: every run would ask the service anew.
                file.save(state)?;
                let Config { server, token, .. } = &self.config;
                let outcome = publish(&self.http, Account { server, host, token }, update);
                self.record(host, state).settle(update, &outcome, now_ms(), dice());
                file.save(state)?;
                Some(outcome)
            }
            Plan::Nothing | Plan::Wait { .. } | Plan::Stopped(_) => None,
        };
        Ok(HostReport { host: host.to_owned(), plan, outcome })
    }

    fn record<'a>(&self, host: &str, state: &'a mut State) -> &'a mut Record {
        state.record(host, &self.config.server.to_string(), &target(&self.config, host))
    }
}

/// What a record is about. A token cannot be read from it; half of the digest is plenty to tell two
/// apart.
fn target(config: &Config, host: &str) -> Target {
    let whole = format!("{}\n{host}\n{}", config.server, config.token.reveal());
    let digest = digest(&SHA256, whole.as_bytes());
    Target(HEXLOWER.encode(&digest.as_ref()[..TARGET_OCTETS]))
}

/// The moment, in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A random number. Without a random source it is the middle: nothing but the spread depends on it.
pub(crate) fn dice() -> u64 {
    let mut octets = [0; 8];
    match SystemRandom::new().fill(&mut octets) {
        Ok(()) => u64::from_ne_bytes(octets),
        Err(_) => u64::MAX / 2,
    }
}

const TARGET_OCTETS: usize = 16;
