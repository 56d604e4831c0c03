//! Updates over HTTP: makes hosts for them, sends them, and serves the bare echo beside them.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bench::caller::{self, Plan, Workload};
use bench::{echo, process, updates};
use clap::{Args, Parser};

/// What to do.
#[derive(Debug, Parser)]
enum Order {
    /// Make a data directory with hosts.
    Prepare {
        /// The directory.
        #[arg(long)]
        data: PathBuf,
        /// Number of hosts.
        #[arg(long, default_value_t = 10_000)]
        hosts: u32,
    },
    /// Answer every request with the same.
    Echo {
        /// Where.
        #[arg(long)]
        at: SocketAddr,
    },
    /// Give every host its own address, so that `nochg` is the answer.
    Settle {
        /// Where.
        #[arg(long)]
        server: SocketAddr,
        /// Number of hosts.
        #[arg(long, default_value_t = 10_000)]
        hosts: u32,
    },
    /// Send updates and print what came of it as one line.
    Send(Sending),
}

#[derive(Debug, Args)]
struct Sending {
    /// Where.
    #[arg(long)]
    server: SocketAddr,
    /// The server's process, whose time is measured.
    #[arg(long)]
    process: u32,
    /// Number of hosts.
    #[arg(long, default_value_t = 10_000)]
    hosts: u32,
    /// What is asked for.
    #[arg(long)]
    workload: Workload,
    /// Connections at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Each request has a connection of its own.
    #[arg(long)]
    closing: bool,
    /// How long.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    match Order::parse() {
        Order::Prepare { data, hosts } => updates::prepare(&data, hosts),
        Order::Echo { at } => {
            // The runtime of the service.
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            Ok(runtime.block_on(echo::serve(at, |at| println!("{at}")))?)
        }
        Order::Settle { server, hosts } => Ok(caller::settle(server, hosts)?),
        Order::Send(sending) => send(&sending),
    }
}

fn send(sending: &Sending) -> Result<(), Box<dyn Error>> {
    let plan = Plan {
        server: sending.server,
        hosts: sending.hosts,
        workload: sending.workload,
        connections: sending.connections,
        closing: sending.closing,
        time: Duration::from_secs_f64(sending.seconds),
    };
    let before = process::ran_ns(sending.process);
    let figures = caller::call(&plan)?;
    let ran_ns = process::ran_ns(sending.process).saturating_sub(before);
    println!(
        "{:.0} {:.2} {:.2} {} {} {} {:.2}",
        figures.answered as f64 / figures.seconds,
        ran_ns as f64 / 1000.0 / figures.answered.max(1) as f64,
        ran_ns as f64 / 1e9 / figures.seconds,
        figures.latency_us(500),
        figures.latency_us(990),
        figures.wrong,
        figures.idle,
    );
    Ok(())
}
