//! Opening the door past the kernel, and closing it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use server::{Counters, Served};

use crate::interface::Interface;
use crate::kernel::{self, Map, MapKind};
use crate::places::Places;
use crate::program::{self, Wanted};
use crate::socket::XdpSocket;
use crate::worker::{Passed, Worker};

/// What is served past the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name of the interface.
    pub interface: String,
    /// Where the sockets listen: queries to these addresses are taken. A wildcard address stands
    /// for all that the interface has.
    pub addresses: Vec<SocketAddr>,
}

/// How packets get from the interface to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The device writes into our memory.
    ZeroCopy,
    /// The program runs in the driver, packets are copied.
    Driver,
    /// The program runs behind the driver: works everywhere, gains least.
    Generic,
}

/// Why the door stays closed. The sockets are open all the same.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such interface.
    #[error("there is no interface `{0}`")]
    NoInterface(String),
    /// It is another kind of interface.
    #[error("`{0}` is not an Ethernet interface")]
    NotEthernet(String),
    /// The interface takes no packets that are as long as our answers may be.
    #[error("the MTU of `{0}` is {1}, which is below 1280")]
    Narrow(String, u32),
    /// The kernel refused a step.
    #[error("{0}: {1}")]
    Refused(&'static str, io::Error),
}

impl OpenError {
    /// What to do about it, for people.
    pub fn hint(&self) -> &'static str {
        match self {
            OpenError::NoInterface(_) | OpenError::NotEthernet(_) => {
                "`ip link` lists the interfaces; name the one that queries come in by"
            }
            OpenError::Narrow(..) => "raise the MTU, or go without AF_XDP",
            OpenError::Refused(_, why) => match why.kind() {
                io::ErrorKind::PermissionDenied => {
                    "it needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF"
                }
                io::ErrorKind::ResourceBusy | io::ErrorKind::AlreadyExists => {
                    "another program has this interface; `ip link` shows its XDP program"
                }
                io::ErrorKind::OutOfMemory => {
                    "4 MiB for each queue must be allowed to be locked: `ulimit -l`, `LimitMEMLOCK=`"
                }
                _ => "it needs Linux 5.9 or later with XDP sockets, and an interface that is up",
            },
        }
    }

    pub(crate) fn at(step: &'static str) -> impl Fn(io::Error) -> OpenError + Copy {
        move |why| {
            // ENOBUFS: what may be locked in memory is used up.
            let is_full = why.raw_os_error() == Some(nix::libc::ENOBUFS);
            let why = if is_full { io::ErrorKind::OutOfMemory.into() } else { why };
            OpenError::Refused(step, why)
        }
    }
}

/// An open door. Dropping it closes it, and so does the end of the process.
#[derive(Debug)]
pub struct Door {
    /// The program stays attached as long as this is open.
    link: Option<OwnedFd>,
    mode: Mode,
    places: usize,
    counters: Vec<Arc<Counters>>,
    passed: Vec<Arc<Passed>>,
    stop: Arc<OwnedFd>,
    threads: Vec<JoinHandle<()>>,
}

impl Door {
    /// Opens the door: one worker for each queue of the interface.
    pub fn open(settings: &Settings, served: &Served) -> Result<Door, OpenError> {
        let interface = Interface::find(&settings.interface)?;
        let maps = OpenError::at("making a BPF map");
        let mut places = Places::new(interface.index, &settings.addresses).map_err(maps)?;
        places.refresh().map_err(OpenError::at("listing the addresses of this machine"))?;
        let by_queue = Map::<4>::create(MapKind::Sockets, interface.queues).map_err(maps)?;
        let wanted = Wanted { mac: interface.mac, places: places.raw(), sockets: by_queue.raw() };
        let program = kernel::load_program(&program::assemble(&wanted))
            .map_err(OpenError::at("loading the BPF program"))?;
        let (link, in_driver) = attach(&program, interface.index)?;
        let sockets = sockets(&interface, !in_driver)?;
        let zero_copy = sockets.iter().all(XdpSocket::is_zero_copy);
        let mode = match in_driver {
            true if zero_copy => Mode::ZeroCopy,
            true => Mode::Driver,
            false => Mode::Generic,
        };
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let stop = Arc::new(stop.map_err(|why| OpenError::at("making an event")(why.into()))?);
        let mut door = Door {
            link: Some(link),
            mode,
            places: places.count(),
            counters: Vec::new(),
            passed: Vec::new(),
            stop,
            threads: Vec::new(),
        };
        let threads = OpenError::at("starting a thread");
        for (socket, queue) in sockets.into_iter().zip(0_u32..) {
            let raw = kernel::raw(socket.fd());
            door.start(socket, served).map_err(threads)?;
            // From now on the kernel gives us the packets of this queue.
            by_queue.set(&queue.to_ne_bytes(), raw).map_err(OpenError::at("taking a queue"))?;
        }
        let stop = Arc::clone(&door.stop);
        let thread = std::thread::Builder::new().name("dns-xdp-places".to_owned());
        door.threads.push(thread.spawn(move || keep(places, &stop)).map_err(threads)?);
        Ok(door)
    }

    /// How packets get here.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// How many addresses queries were taken at when the door was opened.
    pub fn places(&self) -> usize {
        self.places
    }

    /// How many queues are served.
    pub fn queues(&self) -> usize {
        self.counters.len()
    }

    /// What was asked and answered here, to be counted together with the sockets' answers.
    pub fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// Publishes what was counted as metrics; to be called when they are read.
    pub fn publish(&self) {
        let sum = |pick: &dyn Fn(&Passed) -> u64| self.passed.iter().map(|each| pick(each)).sum();
        metrics::counter!("byname_dns_xdp_answers_total")
            .absolute(sum(&|each| each.answers.load(Ordering::Relaxed)));
        metrics::counter!("byname_dns_xdp_dropped_total")
            .absolute(sum(&|each| each.dropped.load(Ordering::Relaxed)));
        metrics::counter!("byname_dns_xdp_lost_total")
            .absolute(sum(&|each| each.lost.load(Ordering::Relaxed)));
    }

    /// Leaves the packets to the kernel again, answers what was taken, and ends.
    pub fn stop(&mut self) {
        drop(self.link.take());
        signal(&self.stop);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker for AF_XDP panicked");
            }
        }
    }

    fn start(&mut self, socket: XdpSocket, served: &Served) -> io::Result<()> {
        let (counters, passed) = (Arc::new(Counters::new()), Arc::new(Passed::default()));
        let worker = Worker {
            socket,
            served: served.clone(),
            stop: Arc::clone(&self.stop),
            counters: Arc::clone(&counters),
            passed: Arc::clone(&passed),
        };
        let thread = std::thread::Builder::new().name("dns-xdp".to_owned());
        self.threads.push(thread.spawn(move || worker.run())?);
        self.counters.push(counters);
        self.passed.push(passed);
        Ok(())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.stop();
    }
}

/// In the driver when it can, else behind it; and whether it could.
fn attach(program: &OwnedFd, interface: u32) -> Result<(OwnedFd, bool), OpenError> {
    let refuse = OpenError::at("attaching the BPF program");
    match kernel::attach(program, interface, IN_DRIVER) {
        Ok(link) => return Ok((link, true)),
        Err(why) if why.kind() == io::ErrorKind::ResourceBusy => return Err(refuse(why)),
        Err(why) => tracing::debug!(%why, "the driver cannot run the program"),
    }
    Ok((kernel::attach(program, interface, BEHIND_DRIVER).map_err(refuse)?, false))
}

fn sockets(interface: &Interface, copy: bool) -> Result<Vec<XdpSocket>, OpenError> {
    let open = |queue| XdpSocket::open(interface.index, queue, copy);
    let all: io::Result<Vec<_>> = (0..interface.queues).map(open).collect();
    all.map_err(OpenError::at("opening an AF_XDP socket"))
}

/// Keeps the map of places in step until it shall stop.
fn keep(mut places: Places, stop: &OwnedFd) {
    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
    let mut failed = false;
    loop {
        let mut stops = [PollFd::new(stop, PollFlags::IN)];
        if poll(&mut stops, Some(&second)).is_ok_and(|ready| ready > 0) {
            return;
        }
        match places.refresh() {
            Ok(true) => failed = false,
            Ok(false) => {
                // The sockets of its queues do not tell their workers.
                tracing::warn!("the interface of AF_XDP went away; all is answered over sockets");
                return signal(stop);
            }
            Err(why) if !failed => {
                tracing::warn!(%why, "new addresses of this machine are served over sockets only");
                failed = true;
            }
            Err(_) => {}
        }
    }
}

/// Tells all threads to stop. It is never read, so that it stays readable for each.
fn signal(stop: &OwnedFd) {
    // It fails when it is full, so readable, already.
    let _ = rustix::io::write(stop, &1_u64.to_ne_bytes());
}

// linux/if_link.h: `XDP_FLAGS_DRV_MODE` and `XDP_FLAGS_SKB_MODE`.
const IN_DRIVER: u32 = 1 << 2;
const BEHIND_DRIVER: u32 = 1 << 1;
