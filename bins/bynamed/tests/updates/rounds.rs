//! Rounds of random messages, one by one and many at once, with `kill -9` in between; everything that
//! can be looked at is compared with the model.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::bynamed::{DEADLINE, Place, Service, ZONE};
use crate::dice::Dice;
use crate::keys::Signer;
use crate::lane::{Field, Lane, Told, mark, rcode};
use crate::model::{A, AAAA, CNAME, KEY, MX, NOTAUTH, NS, REFUSED, SOA, TXT, Zone};
use crate::{look, octets, wishes};

/// So many rounds by this seed; the response codes that were said.
pub(crate) fn play(seed: u64, rounds: u32) -> BTreeSet<u8> {
    let place = Place::new();
    place.json(&["zone", "add", ZONE]);
    let signers = Signer::add_all(&place);
    let zone = look::exported(&place);
    let mut play =
        Play { dice: Dice::new(seed), place, signers, zone, compared: 0, said: BTreeSet::new() };
    for round in 0..rounds {
        play.round(&format!("seed {seed}, round {round}"), round);
    }
    assert!(play.compared > 50 * rounds as usize, "{} answers say little", play.compared);
    play.said
}

struct Play {
    dice: Dice,
    place: Place,
    signers: Vec<Signer>,
    /// What the model says that there is.
    zone: Zone,
    /// Answers that were compared.
    compared: usize,
    said: BTreeSet<u8>,
}

impl Play {
    fn round(&mut self, about: &str, round: u32) {
        let service = self.place.serve(&[]);
        for _ in 0..ALONE {
            self.one(service.dns(), about);
        }
        // The index, by a dump and by queries.
        assert_eq!(look::exported(&self.place), self.zone, "{about}");
        self.ask(&service);
        let contested: Vec<String> =
            (0..4).map(|number| format!("race{number}-{round}.{}", self.zone.apex)).collect();
        let lanes = self.lanes(&contested);
        let answers = self.dice.below(LANES * FLYING);
        let told = fly(service, &lanes, answers);
        // The store, and the history without what is folded.
        assert_eq!(self.place.json(&["check"])["problems"], serde_json::json!([]), "{about}");
        let stored = look::exported(&self.place);
        assert_eq!(look::replayed(&self.place), stored, "{about}: not what the history says");
        self.judge(stored, (&lanes, &told), &contested, about);
        let service = self.place.serve(&[]);
        assert_eq!(look::exported(&self.place), self.zone, "{about}: after the start");
        self.ask(&service);
    }

    /// One message, and what comes of it.
    fn one(&mut self, server: SocketAddr, about: &str) {
        let names = names(&self.zone);
        let message = wishes::message(&mut self.dice, &self.zone, &names);
        let mut octets = octets::message(self.dice.below(65_536) as u16, &message);
        let signer = self.dice.below(self.signers.len());
        let signer = &self.signers[signer];
        let (wanted, client) = match self.dice.below(20) {
            0 => (REFUSED, None),
            1 => {
                signer.forged().sign(&mut octets);
                (NOTAUTH, None)
            }
            _ => {
                let client = signer.sign(&mut octets);
                (self.zone.update(&signer.policy, &message), Some(client))
            }
        };
        let answer = match self.dice.once_in(2) {
            true => over_udp(server, &octets),
            false => over_tcp(server, &octets),
        };
        let told = client.map_or(answer[3] & 0x0f, |client| rcode(&answer, client));
        assert_eq!(told, wanted, "{about}: {message:?} by {:?}", signer.policy);
        self.said.insert(told);
    }

    fn ask(&mut self, service: &Service) {
        let mut keys: BTreeSet<(String, u16)> = self.zone.sets.keys().cloned().collect();
        for name in names(&self.zone) {
            keys.extend([A, AAAA, TXT, CNAME, MX, NS, KEY].map(|rtype| (name.clone(), rtype)));
        }
        self.compared += look::compare(service.dns(), &self.zone, &keys);
    }

    fn lanes(&mut self, contested: &[String]) -> Vec<Lane> {
        let Play { dice, signers, zone, .. } = self;
        // Those that may do everything, or something below the apex; who claims must be able to.
        let able = [0, 2, 4];
        let lane = |number| {
            let signer = &signers[able[number % able.len()]];
            Lane::plan((dice, number), signer.clone(), zone, contested, FLYING)
        };
        (0..LANES).map(lane).collect()
    }

    /// What is stored is what was acknowledged, what was under way as a whole or not at all, and
    /// nothing else. From here on it is what the model says.
    fn judge(
        &mut self,
        stored: Zone,
        (lanes, told): (&[Lane], &[Told]),
        contested: &[String],
        about: &str,
    ) {
        for (lane, told) in lanes.iter().zip(told) {
            lane.judge(told, &stored.sets).unwrap_or_else(|why| unreachable!("{about}: {why}"));
        }
        for name in contested {
            let claims: Vec<Option<bool>> =
                lanes.iter().zip(told).map(|(lane, told)| lane.claimed(told, name)).collect();
            let won = claims.iter().filter(|claim| **claim == Some(true)).count();
            assert!(won <= 1, "{about}: {name} was given to {won}");
            let there = stored.sets.get(&(name.clone(), TXT));
            let is_winner = |number: usize, claim: &Option<bool>| {
                let has = there.is_some_and(|(_, data)| data.contains(&mark(number)));
                // Who was refused has not won; of whom nobody knows may have.
                has && *claim != Some(false) || !has && *claim != Some(true)
            };
            let is_right =
                claims.iter().enumerate().all(|(number, claim)| is_winner(number, claim));
            assert!(is_right, "{about}: {name} has {there:?} of {claims:?}");
            assert!(there.is_none_or(|(_, data)| data.len() == 1), "{about}: {name} has several");
        }
        let others = |zone: &Zone| {
            let mut sets = zone.sets.clone();
            sets.retain(|(owner, rtype), _| {
                let is_of_lane = lanes.iter().any(|lane| lane.owns(owner));
                !is_of_lane && !contested.contains(owner) && *rtype != SOA
            });
            sets
        };
        assert_eq!(others(&stored), others(&self.zone), "{about}: nobody has asked for that");
        let (before, after) = (self.zone.serial(), stored.serial());
        let went = after.wrapping_sub(before);
        assert!(went < 1 << 31, "{about}: the serial went from {before} back to {after}");
        assert!(went > 0 || stored == self.zone, "{about}: {after} is not newer");
        self.zone = stored;
    }
}

/// Lets all lanes send, and kills the service after so many answers.
fn fly(service: Service, lanes: &[Lane], answers: usize) -> Vec<Told> {
    let (is_over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let field = Field { server: service.dns(), answers: count, is_over };
    std::thread::scope(|scope| {
        let senders: Vec<_> = lanes.iter().map(|lane| scope.spawn(|| lane.send(&field))).collect();
        let until = Instant::now() + DEADLINE;
        while field.answers.load(Ordering::SeqCst) < answers {
            assert!(Instant::now() < until, "fewer than {answers} answers\n{}", service.log());
            std::thread::yield_now();
        }
        // SIGKILL.
        drop(service);
        field.is_over.store(true, Ordering::SeqCst);
        senders.into_iter().map(|sender| sender.join().expect("a sender")).collect()
    })
}

/// Names that messages one by one are about.
fn names(zone: &Zone) -> Vec<String> {
    let below = ["a", "x.a", "b", "c", "below", "*.w", "dname"];
    let below = below.into_iter().map(|name| format!("{name}.{}", zone.apex));
    below.chain([zone.apex.clone()]).collect()
}

fn over_udp(server: SocketAddr, message: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(server).expect("loopback");
    look::exchange(&socket, message)
}

fn over_tcp(server: SocketAddr, message: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(server).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let length = u16::try_from(message.len()).expect("a short message");
    stream.write_all(&[&length.to_be_bytes()[..], message].concat()).expect("loopback");
    crate::lane::next(&mut stream).expect("an answer")
}

/// Messages one by one in each round.
const ALONE: usize = 120;
/// Senders at once, and messages of each.
const LANES: usize = 6;
const FLYING: usize = 80;
