//! `kill -9` while many senders have more than a thousand updates under way over TCP, each with a
//! prerequisite that rests on the one before.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tsig::Client;

use crate::bynamed::{DEADLINE, Place, Service, ZONE};
use crate::dice::Dice;
use crate::keys::Signer;
use crate::lane::{next, rcode};
use crate::model::{A, CLASS_ANY, CLASS_NONE, IN, Message, NOERROR, Record, SOA, Zone};
use crate::{bynamed, look, octets};

/// What a round was like.
#[derive(Debug)]
#[expect(dead_code, reason = "the long run shows it")]
pub(crate) struct Toll {
    acknowledged: u32,
    /// Sent and not answered when it was killed.
    under_way: u32,
    /// RRsets that were there after it.
    rrsets: usize,
    /// From the start of the process until it said that it is ready.
    restart: Duration,
}

/// A sender and its hosts. Change `n` gives host `n % HOSTS` the address `n`, where it has the one
/// before: what is there tells how far it came.
struct Stream {
    number: u32,
    /// The last change that was made, as far as the outside knows.
    made: u32,
    sent: AtomicU32,
    acknowledged: AtomicU32,
}

/// Kills a service that has so many names beside so many times under load; `tell` hears of each round.
pub(crate) fn kill(seed: u64, (names, rounds): (u32, u32), mut tell: impl FnMut(&Toll)) {
    let place = Place::new();
    import(&place, names);
    let signers = Signer::add_all(&place);
    let mut dice = Dice::new(seed);
    let mut streams: Vec<Stream> = (0..STREAMS).map(Stream::new).collect();
    let mut service = place.serve(&[]);
    let mut serial = look::exported(&place).serial();
    for round in 0..rounds {
        let goal = 1 + dice.below((STREAMS * CHANGES) as usize / 2) as u32;
        let (acknowledged, under_way) = run(service, &streams, &signers[0], goal);
        let begun = Instant::now();
        service = place.serve(&[]);
        let restart = begun.elapsed();
        let zone = look::exported(&place);
        for stream in &mut streams {
            stream.judge(&zone, &format!("seed {seed}, round {round}"));
        }
        assert!(zone.serial().wrapping_sub(serial) < 1 << 31, "the serial went back");
        serial = zone.serial();
        tell(&Toll { acknowledged, under_way, rrsets: zone.sets.len(), restart });
        assert!(under_way >= 1000, "{under_way} under way are no load");
    }
    drop(service);
    assert_eq!(place.json(&["check"])["problems"], serde_json::json!([]));
}

/// A zone with so many names.
fn import(place: &Place, names: u32) {
    let mut text = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\n".to_owned();
    for name in 0..names {
        text.push_str(&format!("n{name} A 192.0.2.1\n"));
    }
    let file = place.beside("zone");
    bynamed::write(&file, &text);
    place.json(&["zone", "import", ZONE, &file.to_string_lossy()]);
}

/// Lets all streams send and kills the service after so many answers: answers that came, and messages
/// that had none then.
fn run(service: Service, streams: &[Stream], signer: &Signer, goal: u32) -> (u32, u32) {
    let dns = service.dns();
    let sum = |count: fn(&Stream) -> &AtomicU32| {
        streams.iter().map(|one| count(one).load(Ordering::SeqCst) - one.made).sum::<u32>()
    };
    std::thread::scope(|scope| {
        for stream in streams {
            let (messages, clients): (Vec<_>, Vec<_>) = stream.sign(signer).into_iter().unzip();
            let mut reading = TcpStream::connect(dns).expect("a connection");
            reading.set_read_timeout(Some(DEADLINE)).expect("a timeout");
            let mut writing = reading.try_clone().expect("a clone");
            scope.spawn(move || {
                for message in messages {
                    stream.sent.fetch_add(1, Ordering::SeqCst);
                    if writing.write_all(&message).is_err() {
                        return;
                    }
                }
            });
            scope.spawn(move || stream.read(&mut reading, &clients));
        }
        let until = Instant::now() + DEADLINE;
        while sum(|one| &one.acknowledged) < goal {
            assert!(Instant::now() < until, "fewer than {goal} answers\n{}", service.log());
            std::thread::yield_now();
        }
        let under_way = sum(|one| &one.sent) - sum(|one| &one.acknowledged);
        // SIGKILL.
        drop(service);
        (sum(|one| &one.acknowledged), under_way)
    })
}

impl Stream {
    fn new(number: u32) -> Stream {
        Stream { number, made: 0, sent: AtomicU32::new(0), acknowledged: AtomicU32::new(0) }
    }

    /// The next changes, framed and signed.
    fn sign(&self, signer: &Signer) -> Vec<(Vec<u8>, Client)> {
        let sign = |change: u32| {
            let mut message = octets::message(change as u16, &self.change(change));
            let client = signer.sign(&mut message);
            let length = u16::try_from(message.len()).expect("a short message");
            ([&length.to_be_bytes()[..], &message].concat(), client)
        };
        (self.made + 1..=self.made + CHANGES).map(sign).collect()
    }

    fn change(&self, change: u32) -> Message {
        let owner = self.host(change % HOSTS);
        let record =
            |class, ttl_s, data| Record { owner: owner.clone(), rtype: A, class, ttl_s, data };
        let before = match change.checked_sub(HOSTS) {
            Some(before @ 1..) => record(IN, 0, address(before)),
            Some(0) | None => record(CLASS_NONE, 0, vec![]),
        };
        let updates = vec![record(CLASS_ANY, 0, vec![]), record(IN, 60, address(change))];
        Message { zone: (format!("{ZONE}."), SOA, IN), prerequisites: vec![before], updates }
    }

    fn read(&self, stream: &mut TcpStream, clients: &[Client]) {
        while let Some(answer) = next(stream) {
            let id = u16::from_be_bytes(*answer.first_chunk().expect("a header"));
            let number = id.wrapping_sub((self.made + 1) as u16);
            let client = clients.get(usize::from(number)).expect("an answer to what was asked");
            assert_eq!(rcode(&answer, client.clone()), NOERROR, "change {number}");
            let change = self.made + 1 + u32::from(number);
            let last = self.acknowledged.swap(change, Ordering::SeqCst);
            assert_eq!(change, last + 1, "answers come in the order of the log");
        }
    }

    /// Every host has the address of the last change up to one: not before the last that was
    /// acknowledged, and not after the last that was sent.
    fn judge(&mut self, zone: &Zone, about: &str) {
        let there: Vec<Vec<Vec<u8>>> = (0..HOSTS)
            .map(|host| {
                let set = zone.sets.get(&(self.host(host), A));
                set.map(|(_, data)| data.iter().cloned().collect()).unwrap_or_default()
            })
            .collect();
        let (low, high) = (*self.acknowledged.get_mut(), *self.sent.get_mut());
        let expected = |last: u32| {
            let of_host =
                move |host| (1..=last).rev().take(HOSTS as usize).find(|n| n % HOSTS == host);
            (0..HOSTS).map(move |host| of_host(host).map(address).into_iter().collect::<Vec<_>>())
        };
        let made = (low..=high).find(|last| expected(*last).eq(there.iter().cloned()));
        let Some(made) = made else {
            unreachable!(
                "{about}: stream {} has {there:?}; {low} was acknowledged, {high} sent",
                self.number
            )
        };
        self.made = made;
        (*self.acknowledged.get_mut(), *self.sent.get_mut()) = (made, made);
    }

    fn host(&self, host: u32) -> String {
        format!("h{host}.s{}.{ZONE}.", self.number)
    }
}

fn address(change: u32) -> Vec<u8> {
    (0x0a00_0000 + change).to_be_bytes().to_vec()
}

/// Senders, hosts of each, and the messages that each sends in a round without waiting.
const STREAMS: u32 = 8;
const HOSTS: u32 = 50;
const CHANGES: u32 = 1000;
