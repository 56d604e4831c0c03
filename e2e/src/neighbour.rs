//! A second machine at the other end of a cable: a network namespace beside our own.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::{Finished, program};

/// Our end of the cable.
pub const OUR_END: &str = "sv0";
/// The other end.
pub const ITS_END: &str = "cl0";
/// Our addresses on it.
pub const OUR_ADDRESSES: [&str; 2] = ["10.9.0.1", "fd09::1"];
/// The addresses of the neighbour.
pub const ITS_ADDRESSES: [&str; 2] = ["10.9.0.2", "fd09::2"];

/// The neighbour. Dropping it takes the cable away. Only to be used inside of
/// [`crate::namespace::enter`].
pub struct Neighbour {
    child: Child,
}

impl Neighbour {
    /// Sets up the neighbour and the cable.
    pub fn connect() -> Neighbour {
        Neighbour::connect_by(1)
    }

    /// The same with so many queues in each direction.
    pub fn connect_by(queues: u32) -> Neighbour {
        // It says something once it is in its own network, and lives until its input ends.
        let mut command: Command = program("unshare");
        command.args(["--net", "--", "sh", "-c", "echo up; cat"]);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let out = child.stdout.as_mut().expect("a pipe");
        out.read_exact(&mut [0; 3]).expect("a namespace of its own");
        let neighbour = Neighbour { child };
        let pid = neighbour.child.id().to_string();
        let queues = queues.to_string();
        let queues = ["numtxqueues", &queues, "numrxqueues", &queues];
        let ours = [&["link", "add", OUR_END][..], &queues, &["type", "veth", "peer"]].concat();
        ip(&[&ours[..], &["name", ITS_END], &queues, &["netns", &pid]].concat());
        for (ours, its) in OUR_ADDRESSES.into_iter().zip(ITS_ADDRESSES) {
            let flags: &[&str] = if ours.contains(':') { &["nodad"] } else { &[] };
            let width = if ours.contains(':') { 64 } else { 24 };
            let ours = format!("{ours}/{width}");
            ip(&[&["addr", "add", &ours, "dev", OUR_END], flags].concat());
            let its = format!("{its}/{width}");
            neighbour.ip(&[&["addr", "add", &its, "dev", ITS_END], flags].concat());
        }
        ip(&["link", "set", OUR_END, "up"]);
        neighbour.ip(&["link", "set", ITS_END, "up"]);
        neighbour
    }

    /// Does something as the neighbour: sockets that are made there stay there.
    pub fn here<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = format!("/proc/{}/ns/net", self.child.id());
        let there = File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        std::thread::scope(|scope| {
            let thread = scope.spawn(move || {
                move_into_link_name_space(there.as_fd(), Some(LinkNameSpaceType::Network))
                    .expect("another network");
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A foreign program there.
    pub fn command(&self, name: &str) -> Command {
        let pid = self.child.id().to_string();
        let inner = program(name);
        let mut command = program("nsenter");
        command.args(["-t", &pid, "-n"]).arg(inner.get_program()).args(inner.get_args());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    /// Runs `ip` there.
    pub fn ip(&self, arguments: &[&str]) {
        Finished::run(self.command("ip").args(arguments)).ok();
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `ip` at our end.
pub fn ip(arguments: &[&str]) {
    Finished::run(program("ip").args(arguments)).ok();
}
