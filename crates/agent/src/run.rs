//! The daemon: goes through the flow when an address changes, when a wait is over, and every now
//! and then.
//!
//! One thread. It waits for the kernel's word, for a signal or for the time, whichever comes first;
//! so there is no queue and nothing to lock.

mod events;

use std::path::Path;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

pub use events::{Signals, Woken};

use crate::address::Family;
use crate::backoff;
use crate::config::{Config, ConfigError};
use crate::cycle::{self, Cycle, HostReport, Report};
use crate::observe::{Cause, Observation, Observed};
use crate::outcome::{Outcome, Stop};
use crate::plan::Plan;
use crate::state::file::{StateFile, StateFileError};
use events::Events;

/// Runs until it is told to stop.
///
/// `load` reads the configuration again, when the signal for that comes; one that cannot be read
/// changes nothing.
///
/// # Errors
/// The state cannot be kept from the start. Later, for example on a full disk, it publishes nothing
/// until it can be kept again.
pub fn run(
    config: Config,
    load: &dyn Fn() -> Result<Config, ConfigError>,
    state: &Path,
    signals: Signals,
) -> Result<(), StateFileError> {
    let mut events = Events::new(signals);
    let mut cycle = Cycle::new(config);
    let mut told = Told::default();
    info!(server = %cycle.config().server, hosts = ?cycle.config().hosts, "started");
    let mut woken = Woken::Time;
    drop(StateFile::open(state)?);
    loop {
        let mut pause = backoff::jittered(cycle.config().interval, cycle::dice());
        match once(&cycle, state, &events, woken) {
            Ok(report) => {
                told.tell(&report);
                pause = report.wakes_in.map_or(pause, |due| due.min(pause)).max(PAUSE_MIN);
            }
            Err(error) => error!(%error, "nothing is published until the state can be kept"),
        }
        woken = events.wait(Instant::now() + pause);
        match woken {
            Woken::Time => {}
            Woken::AddressChange => info!("an address of this machine has changed"),
            Woken::Reload => match load() {
                Ok(config) => {
                    info!("the configuration was read again");
                    cycle = Cycle::new(config);
                }
                Err(error) => {
                    let hint = error.hint().unwrap_or_default();
                    error!(%error, hint, "the configuration stays as it was");
                }
            },
            Woken::Stop => {
                info!("stopped");
                return Ok(());
            }
        }
    }
}

/// The state is read and written anew each time, so that `byname once` beside the daemon is heard.
fn once(
    cycle: &Cycle,
    state: &Path,
    events: &Events,
    woken: Woken,
) -> Result<Report, StateFileError> {
    let mut opened = StateFile::open(state)?;
    if let Some(why) = &opened.damaged {
        warn!(file = %state.display(), %why, "the state is damaged; starting afresh");
    }
    if woken == Woken::AddressChange {
        cycle.network_has_changed(&mut opened.state);
    }
    cycle.go(&opened.file, &mut opened.state, &|| events.is_stopping())
}

/// What was last said, so that the same is not said every five minutes.
#[derive(Debug, Default)]
struct Told {
    observation: Option<Observation>,
    stops: Vec<(String, Stop)>,
}

impl Told {
    fn tell(&mut self, report: &Report) {
        for family in Family::BOTH {
            let observed = report.observation.of(family);
            let before = self.observation.as_ref().map(|before| before.of(family));
            if before != Some(observed) {
                tell_observed(family, observed);
            }
        }
        self.observation = Some(report.observation.clone());
        for host in &report.hosts {
            self.tell_host(host);
        }
    }

    fn tell_host(&mut self, report: &HostReport) {
        let host = &report.host;
        match (&report.plan, &report.outcome) {
            (_, Some(Outcome::Confirmed { changed: true })) => info!(host, "published"),
            (_, Some(Outcome::Confirmed { changed: false })) => {
                info!(host, "confirmed; it was published before");
            }
            (_, Some(Outcome::Paused(why))) => warn!(host, %why, "not updated; will try again"),
            (Plan::Stopped(stop), _) | (_, Some(Outcome::Stopped(stop))) => {
                let now = (host.clone(), *stop);
                if !self.stops.contains(&now) {
                    let (code, why, hint) = (stop.code(), stop.meaning(), stop.hint());
                    error!(host, code, why, hint, "not updated any more");
                    self.stops.retain(|(of, _)| of != host);
                    self.stops.push(now);
                }
                return;
            }
            (Plan::Nothing | Plan::Wait { .. } | Plan::Publish(_), None) => {}
        }
        self.stops.retain(|(of, _)| of != host);
    }
}

fn tell_observed(family: Family, observed: &Observed) {
    match observed {
        Observed::Known(addresses) => info!(%family, %addresses, "address"),
        Observed::None => info!(%family, "no address"),
        Observed::Unknown(Cause::NoSource) => {}
        Observed::Unknown(why) => info!(%family, %why, "address unknown; what is published stays"),
    }
}

/// No event and no due wait makes it go round faster.
const PAUSE_MIN: Duration = Duration::from_secs(1);
