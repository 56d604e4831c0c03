//! `byname detect`: what each source says, and what follows from it.

use agent::address::Family;
use agent::config::Sources;
use agent::observe::{self, Observation, Observed};
use agent::sources::{Asker, Reading, verdict};
use serde_json::{Value, json};

use crate::cli::ConfigArguments;
use crate::output::{self, Exit};
use crate::{places, start};

/// Asks all sources and prints what they say. Changes nothing.
pub(crate) fn run(arguments: &ConfigArguments, as_json: bool) -> Exit {
    let loaded = places::places(arguments).and_then(|places| Sources::load(&places));
    let (sources, http) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return start::wrong(&error, as_json),
    };
    let readings = Asker::new(sources, http).readings();
    let verdict = verdict(&readings);
    if as_json {
        output::result(&json(&readings, &verdict).to_string());
    } else {
        output::result(&table(&readings, &verdict));
    }
    output::exit_of_observation(&verdict)
}

fn json(readings: &[Reading], verdict: &Observation) -> Value {
    let sources: Vec<Value> = readings
        .iter()
        .map(|reading| {
            let mut told = output::observed(&reading.observed);
            told["family"] = json!(reading.family.to_string());
            told["source"] = json!(reading.place.to_string());
            told
        })
        .collect();
    let of = |family| {
        let mut told = output::observed(verdict.of(family));
        let (agree, asked) = agreement(readings, verdict, family);
        told["agree"] = json!(agree);
        told["asked"] = json!(asked);
        told["disagree"] = json!(disagree(readings, family));
        told
    };
    json!({ "sources": sources, "ipv4": of(Family::V4), "ipv6": of(Family::V6) })
}

fn table(readings: &[Reading], verdict: &Observation) -> String {
    let width = readings.iter().map(|reading| reading.place.to_string().len()).max().unwrap_or(0);
    let width = width.max("verdict".len());
    let mut text = format!("family  {:width$}  result", "source");
    for Reading { family, place, observed } in readings {
        let place = place.to_string();
        text += &format!("\n{family}    {place:width$}  {}", output::observed_text(observed));
    }
    for family in Family::BOTH {
        let observed = verdict.of(family);
        let (agree, asked) = agreement(readings, verdict, family);
        text += &format!("\n{family}    {:width$}  {}", "verdict", output::observed_text(observed));
        if matches!(observed, Observed::Known(_)) {
            text += &format!(" ({agree} of {asked} sources)");
        }
        if disagree(readings, family) {
            text += "; the sources disagree, the first decides";
        }
    }
    text
}

/// How many sources of a family say what the verdict says, and how many were asked.
fn agreement(readings: &[Reading], verdict: &Observation, family: Family) -> (usize, usize) {
    let own: Vec<_> = readings.iter().filter(|reading| reading.family == family).collect();
    let agree = own.iter().filter(|reading| reading.observed == *verdict.of(family));
    (agree.count(), own.len())
}

fn disagree(readings: &[Reading], family: Family) -> bool {
    let said: Vec<_> =
        readings.iter().map(|reading| (reading.family, reading.observed.clone())).collect();
    observe::disagree(&said, family)
}
