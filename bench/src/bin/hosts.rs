//! Fills a zone with hosts, serves it, and asks it over its socket.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bench::asker::{self, Figures, Plan};
use bench::{hosts, process};
use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use server::{Served, Server, Settings};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::{Delta, Zone, Zones};

/// How much, how long.
#[derive(Debug, Parser)]
struct Options {
    /// Number of hosts, each with an A and an AAAA record.
    #[arg(long, default_value_t = 1_000_000)]
    hosts: u32,
    /// Seconds to ask.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Of a hundred questions, how many are for names that do not exist.
    #[arg(long, default_value_t = 0)]
    missing: u64,
    /// Questions for each second, for latencies; without it as many as are answered.
    #[arg(long)]
    rate: Option<u64>,
    /// Address changes for each second.
    #[arg(long)]
    changes: Option<u64>,
    /// Commits that those changes come in, for each second.
    #[arg(long, default_value_t = 2000)]
    commits: u64,
    /// Times that it is done.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Measures how long single changes take while the zone grows from nothing and is emptied again,
    /// instead of asking.
    #[arg(long)]
    pauses: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let apex = Name::parse("dyn.example")?;
    if options.pauses {
        return pauses(&apex, options.hosts);
    }
    // The server has one processor, everybody else the other.
    process::pin(1)?;
    let begun = Instant::now();
    let zone = Arc::new(hosts::fill(&apex, options.hosts)?);
    let filled = begun.elapsed().as_secs_f64();
    let zones = Arc::new(Zones::new());
    zones.insert(Arc::clone(&zone));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let settings =
        Settings { addresses: vec!["127.0.0.1:0".parse()?], workers: 1, ..Settings::default() };
    process::pin(0)?;
    let server = Server::start(&settings, &Served::new(zones), runtime.handle())?;
    process::pin(1)?;
    let address = server.addresses().first().copied().ok_or("no address")?;
    println!(
        "hosts,fill_s,rss_octets,rss_per_host,zone_octets_per_host,qps,user_us,sys_us,wrong,lost,p50_us,p99_us,p999_us,changes_per_s"
    );
    for _ in 0..options.rounds {
        let plan = Plan {
            server: address,
            apex: apex.clone(),
            hosts: options.hosts,
            missing: options.missing,
            time: Duration::from_secs(options.seconds),
            rate: options.rate,
            changing: options.changes.is_some(),
        };
        let before = process::run_time(SERVER_THREAD);
        let (figures, changed) =
            ask(&plan, &zone, options.changes.map(|rate| (rate, options.commits)))?;
        let after = process::run_time(SERVER_THREAD);
        let (resident, count) = (process::resident(), u64::from(options.hosts));
        let each = |seconds: f64| seconds * 1e6 / figures.answered.max(1) as f64;
        println!(
            "{count},{filled:.2},{resident},{:.1},{:.1},{:.0},{:.3},{:.3},{},{},{:.1},{:.1},{:.1},{changed:.0}",
            resident as f64 / count as f64,
            zone.octets() as f64 / count as f64,
            figures.answered as f64 / figures.seconds,
            each(after.0 - before.0),
            each(after.1 - before.1),
            figures.wrong,
            figures.lost,
            figures.latency_us(500),
            figures.latency_us(990),
            figures.latency_us(999),
        );
    }
    Ok(())
}

/// Asks, and changes addresses meanwhile; also how many were changed for each second.
fn ask(
    plan: &Plan,
    zone: &Zone,
    changes: Option<(u64, u64)>,
) -> Result<(Figures, f64), Box<dyn Error>> {
    let Some(changes) = changes else { return Ok((asker::ask(plan)?, 0.0)) };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let named = std::thread::Builder::new().name("writer".to_owned());
        let writer = named.spawn_scoped(scope, || change(zone, plan.hosts, changes, &stop))?;
        let figures = asker::ask(plan);
        stop.store(true, Ordering::Relaxed);
        let changed = writer.join().map_err(|_| "the writer panicked")??;
        Ok((figures?, changed))
    })
}

/// Changes addresses of hosts at random at a rate until it is stopped; how many for each second.
fn change(
    zone: &Zone,
    hosts: u32,
    (rate, commits): (u64, u64),
    stop: &AtomicBool,
) -> Result<f64, wire::NameError> {
    let begun = Instant::now();
    let mut done = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        let due = begun.elapsed().as_micros() as u64 * rate / 1_000_000;
        let together = (rate / commits.max(1)).max(1);
        if due < done + together {
            std::thread::park_timeout(Duration::from_micros(100));
            continue;
        }
        let deltas: Result<Vec<Delta>, wire::NameError> = (done..due)
            .map(|number| {
                let host = (hosts::scramble(number) % u64::from(hosts)) as u32;
                address_of(zone.apex(), host, number as u32)
            })
            .collect();
        for commit in deltas?.chunks(together as usize) {
            zone.apply(Serial(due as u32), commit);
        }
        done = due;
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

/// The change that gives a host an address.
fn address_of(apex: &Name, host: u32, address: u32) -> Result<Delta, wire::NameError> {
    let mut label = Vec::new();
    hosts::label(host, &mut label);
    let owner = apex.child(label.get(1..).unwrap_or_default())?;
    let rrset = Rrset { ttl_s: 60, rdata: vec![Rdata::a(address.into())] };
    Ok(Delta { owner, rtype: Rtype::A, before: None, after: Some(rrset) })
}

/// Adds hosts one by one and removes them again; how long each took.
fn pauses(apex: &Name, hosts: u32) -> Result<(), Box<dyn Error>> {
    let zone = Zone::new(apex, Serial(1));
    println!("clock,what,hosts,mean_ns,p99_99_us,longest_us,over_1_ms,zone_octets");
    for (what, gone) in [("grow", false), ("empty", true)] {
        let mut took = Vec::with_capacity(hosts as usize);
        let mut worked = Vec::with_capacity(hosts as usize);
        for host in 0..hosts {
            let mut delta = address_of(apex, host, host)?;
            delta.after = delta.after.filter(|_| !gone);
            let (begun, work) = (Instant::now(), own_time());
            zone.apply(Serial(host), &[delta]);
            worked.push((own_time() - work).as_nanos() as u64);
            took.push(begun.elapsed().as_nanos() as u64);
        }
        show("wall", what, &mut took, &zone);
        show("own", what, &mut worked, &zone);
    }
    Ok(())
}

/// One line of [`pauses`].
fn show(clock: &str, what: &str, took: &mut [u64], zone: &Zone) {
    took.sort_unstable();
    let count = took.len();
    let mean = took.iter().sum::<u64>() / count.max(1) as u64;
    let at = |place: usize| took.get(place.min(count - 1)).copied().unwrap_or(0) / 1000;
    let over = took.iter().filter(|&&ns| ns > 1_000_000).count();
    let (high, longest) = (at(count / 10_000 * 9_999), at(count));
    println!("{clock},{what},{count},{mean},{high},{longest},{over},{}", zone.octets());
}

/// What this thread has worked so far: without the times when the machine ran something else.
fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The name of the threads that answer.
const SERVER_THREAD: &str = "dns-udp";
