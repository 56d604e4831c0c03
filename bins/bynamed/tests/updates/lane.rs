//! A sender that has names of its own: whatever others do meanwhile, what becomes of its messages is
//! known before they are sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tsig::Client;

use crate::bynamed::DEADLINE;
use crate::dice::Dice;
use crate::keys::{Signer, now_s};
use crate::model::{ANY, CLASS_NONE, IN, Message, NOERROR, Record, SOA, Sets, TXT, YXDOMAIN, Zone};
use crate::{octets, wishes};

/// Messages, what the response to each says, and what the names hold before, between and after them.
pub(crate) struct Lane {
    signer: Signer,
    names: Vec<String>,
    over_tcp: bool,
    messages: Vec<Sent>,
    states: Vec<Sets>,
    first_id: u16,
}

struct Sent {
    message: Message,
    /// `None`: it claims a name that others want as well.
    rcode: Option<u8>,
}

/// What a lane was told before the service was gone.
pub(crate) struct Told {
    /// By number of the message.
    rcodes: BTreeMap<usize, u8>,
    /// Messages that may have come to the service.
    sent: usize,
}

/// What all lanes have in common.
pub(crate) struct Field {
    pub(crate) server: SocketAddr,
    /// Answers that came.
    pub(crate) answers: AtomicUsize,
    /// The service was killed.
    pub(crate) is_over: AtomicBool,
}

impl Lane {
    /// So many messages about names that are this lane's alone, and a claim of each of the contested.
    pub(crate) fn plan(
        (dice, number): (&mut Dice, usize),
        signer: Signer,
        zone: &Zone,
        contested: &[String],
        count: usize,
    ) -> Lane {
        let top = format!("lane{number}.{}", zone.apex);
        let names = vec![format!("x.{top}"), format!("y.{top}"), top];
        let mut zone = zone.clone();
        let mut states = vec![only(&zone.sets, &names)];
        let mut messages = Vec::new();
        for at in 0..count {
            let claim = (at * contested.len()).is_multiple_of(count);
            let (message, rcode) = match contested.get(at * contested.len() / count) {
                Some(name) if claim => (claim_of(&zone, name, number), None),
                _ => {
                    let message = wishes::message(dice, &zone, &names);
                    let rcode = zone.update(&signer.policy, &message);
                    (message, Some(rcode))
                }
            };
            messages.push(Sent { message, rcode });
            states.push(only(&zone.sets, &names));
        }
        let first_id = dice.below(60_000) as u16;
        Lane { signer, names, over_tcp: number % 3 != 2, messages, states, first_id }
    }

    /// Sends until the service is gone.
    pub(crate) fn send(&self, field: &Field) -> Told {
        if self.over_tcp { self.send_stream(field) } else { self.send_datagrams(field) }
    }

    /// All at once.
    fn send_stream(&self, field: &Field) -> Told {
        let mut told = Told { rcodes: BTreeMap::new(), sent: self.messages.len() };
        let Ok(mut stream) = TcpStream::connect(field.server) else { return told };
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let signed: Vec<(Vec<u8>, Client)> =
            (0..self.messages.len()).map(|n| self.sign(n)).collect();
        let framed = signed.iter().flat_map(|(message, _)| {
            let length = u16::try_from(message.len()).expect("a short message");
            [&length.to_be_bytes()[..], message].concat()
        });
        // It may be gone already.
        let _ = stream.write_all(&framed.collect::<Vec<u8>>());
        while let Some(answer) = next(&mut stream) {
            let number = usize::from(id_of(&answer).wrapping_sub(self.first_id));
            let (_, client) = signed.get(number).expect("an answer to what was asked");
            told.rcodes.insert(number, rcode(&answer, client.clone()));
            field.answers.fetch_add(1, Ordering::SeqCst);
        }
        told
    }

    /// One after the other.
    fn send_datagrams(&self, field: &Field) -> Told {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(field.server).expect("loopback");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
        let mut told = Told { rcodes: BTreeMap::new(), sent: 0 };
        let mut buffer = [0; 2048];
        for number in 0..self.messages.len() {
            let (message, client) = self.sign(number);
            told.sent = number + 1;
            loop {
                if field.is_over.load(Ordering::SeqCst) {
                    return told;
                }
                // The same once more: it is not judged twice. Where nobody listens the next look at
                // the flag ends it.
                let _ = socket.send(&message);
                let Ok(length) = socket.recv(&mut buffer) else { continue };
                let answer = buffer.get(..length).expect("no longer");
                if answer.get(..2) == message.get(..2) {
                    told.rcodes.insert(number, rcode(answer, client));
                    field.answers.fetch_add(1, Ordering::SeqCst);
                    break;
                }
            }
        }
        told
    }

    fn sign(&self, number: usize) -> (Vec<u8>, Client) {
        let id = self.first_id.wrapping_add(number as u16);
        let mut message = octets::message(id, &self.messages[number].message);
        let client = self.signer.sign(&mut message);
        (message, client)
    }

    /// Whether what was told is true, and the names hold what they held after some message: one that
    /// is not before the last that was answered. Messages are judged in order.
    pub(crate) fn judge(&self, told: &Told, sets: &Sets) -> Result<(), String> {
        for (number, rcode) in &told.rcodes {
            let sent = &self.messages[*number];
            if sent.rcode.is_some_and(|wanted| wanted != *rcode) {
                let Sent { message, rcode: wanted } = sent;
                return Err(format!("{rcode} in place of {wanted:?} for {message:?}"));
            }
        }
        // What is wrong with a zone section is told at once; all other answers wait for the log.
        let waits = |number: &usize| {
            let (_, rtype, class) = &self.messages[*number].message.zone;
            (*rtype, *class) == (SOA, IN)
        };
        let least = told.rcodes.keys().filter(|number| waits(number)).max();
        let least = least.map_or(0, |number| number + 1);
        let there = only(sets, &self.names);
        let after = (0..self.states.len()).filter(|number| self.states[*number] == there);
        let after: Vec<usize> = after.collect();
        if after.iter().any(|number| (least..=told.sent).contains(number)) {
            return Ok(());
        }
        Err(format!(
            "{} were sent, {least} acknowledged, and what is there is that after {after:?} of them: \
             {there:?}, not {:?}",
            told.sent, self.states[least]
        ))
    }

    /// Whether a name is this lane's.
    pub(crate) fn owns(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// What came of its claim of a name; `None`: nobody knows.
    pub(crate) fn claimed(&self, told: &Told, name: &str) -> Option<bool> {
        let is_it = |sent: &Sent| {
            sent.rcode.is_none() && sent.message.updates.iter().any(|record| record.owner == name)
        };
        let number = self.messages.iter().position(is_it)?;
        let rcode = *told.rcodes.get(&number)?;
        assert!([NOERROR, YXDOMAIN].contains(&rcode), "{rcode} for a claim");
        Some(rcode == NOERROR)
    }
}

/// What a lane writes at a name that it has won.
pub(crate) fn mark(number: usize) -> Vec<u8> {
    let text = format!("lane{number}");
    [&[text.len() as u8][..], text.as_bytes()].concat()
}

fn claim_of(zone: &Zone, name: &str, number: usize) -> Message {
    let record =
        |rtype, class, ttl_s, data| Record { owner: name.to_owned(), rtype, class, ttl_s, data };
    Message {
        zone: (zone.apex.clone(), SOA, IN),
        prerequisites: vec![record(ANY, CLASS_NONE, 0, vec![])],
        updates: vec![record(TXT, IN, 60, mark(number))],
    }
}

fn only(sets: &Sets, names: &[String]) -> Sets {
    let own = sets.iter().filter(|((owner, _), _)| names.contains(owner));
    own.map(|(key, set)| (key.clone(), set.clone())).collect()
}

/// The response code of an answer, whose signature has to be good.
pub(crate) fn rcode(answer: &[u8], mut client: Client) -> u8 {
    assert_eq!(client.verify(answer, now_s()), Ok(()), "{answer:?}");
    answer.get(3).expect("a header") & 0x0f
}

pub(crate) fn next(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    // One that was cut off by the kill is none.
    stream.read_exact(&mut answer).ok()?;
    Some(answer)
}

fn id_of(answer: &[u8]) -> u16 {
    u16::from_be_bytes(*answer.first_chunk().expect("a header"))
}
