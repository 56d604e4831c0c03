//! Rounds of `kill -9` under load, judged by an outside ledger of acknowledgements.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use e2e::dns::{serial, short};
use e2e::{DEADLINE, Service, admin, eventually, http, new_folder};

/// What the outside world knows of one host: each change carries the next number as its address.
struct Ledger {
    host: String,
    token: String,
    /// The last number that we began to send.
    sent: AtomicU32,
    /// The last number that was acknowledged.
    acknowledged: AtomicU32,
}

/// Serves, changes [`HOSTS`] hosts at once, kills, serves again, compares; as often as asked.
pub(crate) fn kill_and_look(rounds: u32) {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let mut service = Service::serve(&data);
    let ledgers: Vec<Ledger> = (0..HOSTS).map(|n| Ledger::new(&service, n)).collect();
    let mut serial_seen = serial(service.dns, ZONE);
    for round in 0..rounds {
        // Another moment each time; the number of acknowledgements is the clock.
        let stop_after = 20 + (round * 97) % 400;
        serial_seen = serial_seen.max(load_until(service, &ledgers, stop_after));
        service = Service::serve(&data);
        let serial_now = serial(service.dns, ZONE);
        assert!(serial_now >= serial_seen, "round {round}: serial {serial_now} < {serial_seen}");
        serial_seen = serial_now;
        for ledger in &ledgers {
            ledger.compare(service.dns, round);
        }
    }
}

/// Changes all hosts at once until so many changes were acknowledged, then kills the service in
/// the middle of the rest. Returns the last serial that anybody saw.
fn load_until(service: Service, ledgers: &[Ledger], acknowledgements: u32) -> u32 {
    let total = || ledgers.iter().map(|l| l.acknowledged.load(Ordering::SeqCst)).sum::<u32>();
    let goal = total() + acknowledgements;
    thread::scope(|scope| {
        let (http, dns) = (service.http, service.dns);
        for ledger in ledgers {
            scope.spawn(move || ledger.write_until_cut_off(http));
        }
        let mut seen = serial(dns, ZONE);
        eventually("load", DEADLINE, || {
            seen = seen.max(serial(dns, ZONE));
            let total = total();
            if total >= goal { Ok(()) } else { Err(format!("{total} of {goal} acknowledged")) }
        });
        service.kill_hard();
        seen
    })
}

impl Ledger {
    fn new(service: &Service, number: u32) -> Ledger {
        let host = format!("h{number}.{ZONE}");
        let token = service.add_host(&host);
        Ledger { host, token, sent: AtomicU32::new(0), acknowledged: AtomicU32::new(0) }
    }

    /// Sends the next number again and again; ends when an answer does not come.
    fn write_until_cut_off(&self, server: SocketAddr) {
        loop {
            let next = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
            let address = address(next).to_string();
            let Ok(answer) = http::update(server, &self.host, &self.token, &address) else {
                return;
            };
            assert_eq!(answer, format!("good {address}"), "{}", self.host);
            self.acknowledged.store(next, Ordering::SeqCst);
        }
    }

    /// What is served is the last acknowledged change or the one that was cut off, never older.
    fn compare(&self, dns: SocketAddr, round: u32) {
        let served = short(dns, &self.host, "A");
        let number = match served.first().map(|address| address.parse::<Ipv4Addr>()) {
            Some(Ok(address)) => u32::from(address) - u32::from(FIRST),
            Some(Err(_)) => u32::MAX,
            None => 0,
        };
        let (low, high) =
            (self.acknowledged.load(Ordering::SeqCst), self.sent.load(Ordering::SeqCst));
        let host = &self.host;
        assert!(
            (low..=high).contains(&number),
            "round {round}: {host} serves {number}, acknowledged {low}, sent {high}"
        );
        // From here on, what is served counts as known.
        self.acknowledged.store(number, Ordering::SeqCst);
        self.sent.store(number.max(high), Ordering::SeqCst);
    }
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(FIRST) + number)
}

const ZONE: &str = "dyn.example";
const HOSTS: u32 = 8;
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
