//! What webhooks are told: small JSON, one message for each name that an event is about.

use std::collections::BTreeMap;
use std::net::IpAddr;

use account::{Timestamp, TokenId};
use serde_json::{Value, json};

use crate::history::{By, Changed, Entry, Kind, Source, moment};

/// A kind of message, by its number in a webhook's entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Records changed.
    Change,
    /// A token was used from a network from which it was not used before.
    NewNetwork,
    /// An update was refused.
    Refused,
    /// Nothing is heard of a host: its addresses were withdrawn.
    Silent,
    /// It is heard of again.
    Back,
}

impl EventKind {
    /// All kinds: number and word.
    pub const ALL: [(EventKind, u8, &str); 5] = [
        (EventKind::Change, 1, "change"),
        (EventKind::NewNetwork, 2, "new-network"),
        (EventKind::Refused, 3, "refused"),
        (EventKind::Silent, 4, "silent"),
        (EventKind::Back, 5, "back"),
    ];

    /// Its word: the `type` of a message.
    pub fn word(self) -> &'static str {
        EventKind::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(.., word)| word)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        EventKind::ALL.iter().find(|(kind, ..)| *kind == self).map_or(0, |(_, number, _)| *number)
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<EventKind> {
        EventKind::ALL.iter().find(|(.., known)| *known == word).map(|(kind, ..)| *kind)
    }

    /// Whether a webhook with these kinds is told it; without any it is told all.
    pub fn is_wanted(self, by: &[u8]) -> bool {
        by.is_empty() || by.contains(&self.number())
    }
}

/// One call of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Number by which a repetition is known.
    pub id: String,
    /// What is said.
    pub body: Value,
}

impl Message {
    /// What an owner sends to see whether it arrives.
    pub fn test(id: &str, at: Timestamp) -> Message {
        let body = json!({ "type": "test", "id": id, "at": moment(at) });
        Message { id: id.to_owned(), body }
    }

    /// An update of a host was refused, and why.
    pub fn refused(id: &str, at: Timestamp, (host, token, why): (&str, TokenId, &str)) -> Message {
        let body = json!({
            "type": EventKind::Refused.word(),
            "id": id,
            "at": moment(at),
            "host": host,
            "by": { "kind": "token", "id": token.0 },
            "why": why,
        });
        Message { id: id.to_owned(), body }
    }
}

/// What is said of an entry of the history, in the order of `EventKind::ALL` but for networks.
pub(super) fn messages(entry: &Entry, kinds: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    if EventKind::Change.is_wanted(kinds) {
        for (host, sides) in sides(entry) {
            let mut body = begun(entry, EventKind::Change, messages.len());
            body["host"] = json!(host);
            body["zone"] = json!(sides.zone);
            body["before"] = Value::Object(sides.before);
            body["after"] = Value::Object(sides.after);
            body["serial"] = json!(entry.serial.map(|serial| serial.0));
            messages.push(body);
        }
    }
    for changed in &entry.changes {
        let Changed::Settings { kind: Kind::Host, name, before, after } = changed else { continue };
        // Settings that do not say it, of a host that is made or goes, say nothing of silence.
        let parked = |side: &Value| side.get("parked").map(|parked| !parked.is_null());
        let kind = match (parked(before), parked(after)) {
            (Some(false), Some(true)) => EventKind::Silent,
            (Some(true), Some(false)) => EventKind::Back,
            _ => continue,
        };
        if kind.is_wanted(kinds) {
            let mut body = begun(entry, kind, messages.len());
            body["host"] = json!(name);
            messages.push(body);
        }
    }
    messages.into_iter().map(finished).collect()
}

/// A token was used from a network for the first time, but not for the first time at all.
pub(super) fn new_network(entry: &Entry, network: &str) -> Message {
    let mut body = begun(entry, EventKind::NewNetwork, 0);
    body["id"] = json!(format!("evt_{}_network", entry.pos.0));
    body["network"] = json!(network);
    let host = sides(entry).into_keys().next();
    body["host"] = json!(host);
    finished(body)
}

/// The token and the network that an entry tells of. For addresses that change, a network is as large
/// as those of a provider are: 16 bits of IPv4, 32 of IPv6.
pub(super) fn network(entry: &Entry) -> Option<(TokenId, String)> {
    let (By::Token { id, .. }, Source::Known(address)) = (&entry.by, entry.source) else {
        return None;
    };
    let network = match account::address::unmapped(address) {
        IpAddr::V4(v4) => {
            let [a, b, _, _] = v4.octets();
            format!("{a}.{b}.0.0/16")
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            format!("{}/32", std::net::Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0))
        }
    };
    Some((*id, network))
}

/// Records of one name before and after, by type.
#[derive(Default)]
struct Sides {
    zone: String,
    before: serde_json::Map<String, Value>,
    after: serde_json::Map<String, Value>,
}

fn sides(entry: &Entry) -> BTreeMap<String, Sides> {
    let mut names: BTreeMap<String, Sides> = BTreeMap::new();
    for changed in &entry.changes {
        let Changed::Records { .. } = changed else { continue };
        let told = changed.json();
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        let sides = names.entry(text("name")).or_default();
        sides.zone = text("zone");
        sides.before.insert(text("type"), told["before"]["data"].clone());
        sides.after.insert(text("type"), told["after"]["data"].clone());
    }
    names
}

fn begun(entry: &Entry, kind: EventKind, number: usize) -> Value {
    json!({
        "type": kind.word(),
        // The same whenever it is told.
        "id": format!("evt_{}_{number}", entry.pos.0),
        "at": moment(entry.at),
        "by": entry.by.json(),
        "pos": entry.pos.0,
    })
}

fn finished(body: Value) -> Message {
    Message { id: body["id"].as_str().unwrap_or_default().to_owned(), body }
}

#[cfg(test)]
mod tests {
    use store::{Hash, Pos};

    use super::*;

    fn parked(before: Option<&str>, after: Option<&str>) -> Entry {
        let side = |parked: Option<&str>| json!({ "ttl_s": 60, "parked": parked });
        let changed = Changed::Settings {
            kind: Kind::Host,
            name: "nas.dyn.example".to_owned(),
            before: side(before),
            after: side(after),
        };
        Entry {
            pos: Pos(7),
            at: Timestamp(0),
            by: By::System,
            source: Source::None,
            serial: None,
            changes: vec![changed],
            hash: Hash::default(),
        }
    }

    #[test]
    fn hosts_that_go_silent_and_come_back_are_told() {
        for (before, after, told) in [
            (None, Some("then"), Some("silent")),
            (Some("then"), None, Some("back")),
            (None, None, None),
            (Some("then"), Some("later"), None),
        ] {
            let entry = parked(before, after);
            let messages = messages(&entry, &[]);
            let kinds: Vec<&str> =
                messages.iter().filter_map(|message| message.body["type"].as_str()).collect();
            assert_eq!(kinds, told.into_iter().collect::<Vec<_>>());
            let only_changes = [EventKind::Change.number()];
            assert_eq!(super::messages(&entry, &only_changes), Vec::new());
        }
        let told = &messages(&parked(None, Some("then")), &[])[0];
        assert_eq!((told.id.as_str(), &told.body["host"]), ("evt_7_0", &json!("nas.dyn.example")));
    }

    #[test]
    fn kinds_keep_their_numbers() {
        let known = EventKind::ALL.map(|(kind, number, word)| (kind.number(), number, word));
        let words = ["change", "new-network", "refused", "silent", "back"];
        let numbers: Vec<_> = (1..).zip(words).map(|(n, word)| (n, n, word)).collect();
        assert_eq!(known.to_vec(), numbers);
    }
}
