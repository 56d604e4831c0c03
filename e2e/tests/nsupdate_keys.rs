//! Who may send DNS UPDATE: keys in the hands of `nsupdate`, `knsupdate`, `dnssec-keygen` and `dig`.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use e2e::dns::{self, Asker, Over, serial, short};
use e2e::update::{Key, Sender, Signed, WAYS, counted, send};
use e2e::{Finished, Service, admin, namespace, new_folder, ours, program};

const ZONE: &str = "t.example";
const ALL: [&str; 4] = ["--zone", ZONE, "--allow", "update"];

#[test]
fn rfc8945_6_every_algorithm_by_nsupdate_and_knsupdate_and_dig_accepts_our_signature() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let service = Service::serve(&data);
    for algorithm in ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] {
        let weak: &[&str] = if algorithm == "md5" { &["--allow-md5"] } else { &[] };
        let name = format!("{algorithm}.key");
        let key = Key::add(&data, &name, &format!("hmac-{algorithm}"), &[&ALL[..], weak].concat());
        for (number, way) in WAYS.into_iter().enumerate() {
            let add = format!("update add {algorithm}.{ZONE} 60 TXT {number}");
            let lines = ["zone t.example", "update delete x.t.example", &add];
            let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&key), way);
            assert_eq!(rcode, "NOERROR", "{algorithm} {way:?}: {said}");
            // Both check our signature and say so when it is not good.
            assert!(!said.said().to_lowercase().contains("tsig error"), "{said}");
            assert_eq!(said.code, Some(0), "{algorithm} {way:?}: {said}");
        }
        assert_eq!(short(service.dns, &format!("{algorithm}.{ZONE}"), "TXT").len(), 4);
        for over in [Over::Udp, Over::Tcp] {
            let file = key.bind.to_str().expect("a path");
            let said = dns::run(service.dns, &["-k", file, ZONE, "SOA"], (Asker::Dig, over)).ok();
            for text in ["status: NOERROR", "TSIG PSEUDOSECTION", "SOA\tns1.t.example."] {
                assert!(said.out.contains(text), "no `{text}`: {said}");
            }
            assert!(!said.said().to_lowercase().contains("verify"), "{said}");
        }
    }
}

#[test]
fn rfc8945_5_2_2_1_truncated_signatures_of_nsupdate_where_the_key_says_so() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let service = Service::serve(&data);
    for (name, rest, expected) in
        [("whole.key", &[][..], "NOTAUTH"), ("cut.key", &["--allow-truncated"][..], "NOERROR")]
    {
        let key = Key::add(&data, name, "hmac-sha256", &[&ALL[..], rest].concat());
        let cut = Key::foreign(&data, name, "hmac-sha256-128", &key.secret);
        for way in WAYS.into_iter().filter(|(sender, _)| *sender == Sender::Nsupdate) {
            let lines = ["zone t.example", "update add cut.t.example 60 TXT yes"];
            let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&cut), way);
            assert_eq!(rcode, expected, "{name} {way:?}: {said}");
        }
        let published = short(service.dns, "cut.t.example", "TXT");
        assert_eq!(published.is_empty(), expected != "NOERROR", "{name}");
    }
    assert!(service.talk().contains("badtrunc"), "{}", service.talk());
}

#[test]
fn rfc8945_5_2_keys_that_are_not_accepted_by_nsupdate_and_knsupdate() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let key = Key::add(&data, "good.key", "hmac-sha256", &ALL);
    let gone = Key::add(&data, "gone.key", "hmac-sha256", &ALL);
    admin(&data, &["key", "remove", "gone.key"]);
    let service = Service::serve(&data);
    let before = serial(service.dns, ZONE);
    let wrong = Key::foreign(&data, "good.key", "hmac-sha256", &gone.secret);
    let other = Key::foreign(&data, "good.key", "hmac-sha512", &key.secret);
    let unknown = Key::foreign(&data, "unknown.key", "hmac-sha256", &key.secret);
    for (row, signed, rcode, outcome) in [
        ("the secret is another", Signed::Tsig(&wrong), "NOTAUTH", "badsig"),
        ("the algorithm is another", Signed::Tsig(&other), "NOTAUTH", "badkey"),
        ("no such key", Signed::Tsig(&unknown), "NOTAUTH", "badkey"),
        ("the key was removed", Signed::Tsig(&gone), "NOTAUTH", "badkey"),
        ("unsigned", Signed::No, "REFUSED", "unsigned"),
    ] {
        let counted = counted(&service, outcome);
        for way in WAYS {
            let lines = ["zone t.example", "update add www.t.example 60 A 192.0.2.9"];
            let (told, said) = send(service.dns, &lines, signed, way);
            // knsupdate shows the error of TSIG in its place.
            let as_knot = told == outcome.to_uppercase() && way.0 == Sender::Knsupdate;
            assert!(told == rcode || as_knot, "{row} {way:?}: {said}");
            if rcode == "NOTAUTH" {
                // Both name the error of TSIG, not the response code alone.
                assert!(said.said().to_lowercase().contains(outcome), "{row} {way:?}: {said}");
            }
        }
        assert!(counted_since(&service, outcome, counted) >= 4, "{row}");
        assert!(logged(&service, &[outcome, rcode]), "{row}: {}", service.talk());
    }
    assert_eq!(serial(service.dns, ZONE), before);
    assert!(short(service.dns, "www.t.example", "A").is_empty());
    for secret in [&key.secret, &gone.secret] {
        assert!(!service.talk().contains(secret.as_str()));
    }
}

#[test]
fn rfc8914_2_dig_is_told_why_an_unsigned_update_is_refused() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let service = Service::serve(&data);
    for over in [Over::Udp, Over::Tcp] {
        let said = dns::run(service.dns, &["+opcode=update", ZONE, "SOA"], (Asker::Dig, over)).ok();
        for text in ["opcode: UPDATE, status: REFUSED", "EDE: 18 (Prohibited): (updates must be"] {
            assert!(said.out.contains(text), "no `{text}`: {said}");
        }
    }
}

/// What a key may, one update, and what is said to it.
type Policy<'a> = (&'a [&'a str], &'a str, &'a str);

const POLICIES: &[Policy<'_>] = &[
    (&["--name", "nas.t.example"], "add nas.t.example 60 A 192.0.2.9", "NOERROR"),
    (&["--name", "nas.t.example"], "add a.nas.t.example 60 A 192.0.2.9", "REFUSED"),
    (&["--name", "nas.t.example"], "add www.t.example 60 A 192.0.2.9", "REFUSED"),
    (&["--name", "*.nas.t.example"], "add a.nas.t.example 60 A 192.0.2.9", "NOERROR"),
    (&["--name", "*.nas.t.example"], "add nas.t.example 60 A 192.0.2.9", "REFUSED"),
    (&["--name", "self"], "add NAME 60 A 192.0.2.9", "NOERROR"),
    (&["--name", "self"], "add a.NAME 60 A 192.0.2.9", "REFUSED"),
    (&["--name", "self-subtree"], "add a.NAME 60 A 192.0.2.9", "NOERROR"),
    (&["--name", "self-subtree"], "add www.t.example 60 A 192.0.2.9", "REFUSED"),
    (&["--type", "TXT"], "add www.t.example 60 TXT yes", "NOERROR"),
    (&["--type", "TXT"], "add www.t.example 60 A 192.0.2.9", "REFUSED"),
    (&["--type", "TXT"], "delete ns1.t.example A", "REFUSED"),
    (&["--action", "add"], "add www.t.example 60 A 192.0.2.8", "NOERROR"),
    (&["--action", "add"], "delete www.t.example A", "REFUSED"),
    (&["--type", "TXT"], "delete www.t.example", "REFUSED"),
    (&["--action", "delete"], "add www.t.example 60 A 192.0.2.9", "REFUSED"),
    (&["--action", "delete"], "delete www.t.example A", "NOERROR"),
];

#[test]
fn a_key_may_do_what_its_policy_says_and_nothing_else_by_nsupdate_and_knsupdate() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    admin(&data, &["zone", "add", "other.example"]);
    let service = Service::serve(&data);
    for (row, (policy, update, expected)) in POLICIES.iter().enumerate() {
        let name = format!("key-{row}.{ZONE}");
        let key = Key::add(&data, &name, "hmac-sha256", &[&ALL[..], policy].concat());
        let update = format!("update {}", update.replace("NAME", &name));
        for way in WAYS {
            let before = (serial(service.dns, ZONE), counted(&service, "denied"));
            let (rcode, said) =
                send(service.dns, &["zone t.example", &update], Signed::Tsig(&key), way);
            assert_eq!(rcode, *expected, "{policy:?} {update} {way:?}: {said}");
            if rcode == "REFUSED" {
                assert_eq!(serial(service.dns, ZONE), before.0, "{policy:?} {update} {way:?}");
                assert_eq!(counted_since(&service, "denied", before.1), 1, "{policy:?} {update}");
                assert!(
                    logged(&service, &["denied", &name, "REFUSED", ZONE]),
                    "{}",
                    service.talk()
                );
            }
        }
    }
    // A key of another zone, and one that may not send updates at all.
    for (name, rest) in [
        ("other.key", ["--zone", "other.example", "--allow", "update"]),
        ("transfer.key", ["--zone", ZONE, "--allow", "transfer"]),
    ] {
        let key = Key::add(&data, name, "hmac-sha256", &rest);
        for way in WAYS {
            let lines = ["zone t.example", "update add www.t.example 60 A 192.0.2.9"];
            let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&key), way);
            assert_eq!(rcode, "REFUSED", "{name} {way:?}: {said}");
            assert!(logged(&service, &["denied", name]), "{}", service.talk());
        }
    }
    assert!(short(service.dns, "www.t.example", "A").is_empty());
}

#[test]
fn rfc2931_3_nsupdate_signs_with_keys_of_dnssec_keygen() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let key = Key::add(&data, "publisher", "hmac-sha256", &ALL);
    let service = Service::serve(&data);
    for algorithm in ["ECDSAP256SHA256", "ED25519", "RSASHA256"] {
        let name = format!("{}.{ZONE}", algorithm.to_lowercase());
        let (public, private) = keygen(folder.path(), algorithm, &name);
        let (_, stranger) = keygen(folder.path(), algorithm, &name);
        service.admin(
            &[&["key", "add", &name, "--algorithm", "sig0", "--name", "self"][..], &ALL].concat(),
        );
        let update = format!("update add {name} 60 A 192.0.2.7");
        let lines = ["zone t.example", &update];
        let nobody = send(service.dns, &lines, Signed::Sig0(&private), WAYS[0]);
        assert_eq!(nobody.0, "NOTAUTH", "there is no KEY record yet: {}", nobody.1);
        assert!(logged(&service, &["badkey", "NOTAUTH"]), "{}", service.talk());
        let published = ["zone t.example", &format!("update add {public}")];
        let (rcode, said) = send(service.dns, &published, Signed::Tsig(&key), WAYS[1]);
        assert_eq!(rcode, "NOERROR", "{said}");
        for way in WAYS.into_iter().filter(|(sender, _)| *sender == Sender::Nsupdate) {
            // The KEY records have a tag each, and none is this one's.
            let before = counted(&service, "badkey");
            let (rcode, said) = send(service.dns, &lines, Signed::Sig0(&stranger), way);
            assert_eq!(rcode, "NOTAUTH", "another's key: {said}");
            assert!(counted_since(&service, "badkey", before) >= 1, "{}", service.talk());
            assert!(short(service.dns, &name, "A").is_empty());
            let (rcode, said) = send(service.dns, &lines, Signed::Sig0(&private), way);
            assert_eq!(rcode, "NOERROR", "{algorithm} {way:?}: {said}");
            assert_eq!(short(service.dns, &name, "A"), ["192.0.2.7"]);
            let outside = ["zone t.example", "update add www.t.example 60 A 192.0.2.7"];
            let (rcode, said) = send(service.dns, &outside, Signed::Sig0(&private), way);
            assert_eq!(rcode, "REFUSED", "not its name: {said}");
            let leave = ["zone t.example", &format!("update delete {name} A")];
            let (rcode, said) = send(service.dns, &leave, Signed::Sig0(&private), way);
            assert_eq!(rcode, "NOERROR", "{said}");
            assert!(short(service.dns, &name, "A").is_empty());
        }
    }
}

/// Makes a pair of keys: the KEY record with a TTL, and the file of the private key.
fn keygen(folder: &Path, algorithm: &str, name: &str) -> (String, PathBuf) {
    let mut command = program("dnssec-keygen");
    command.args(["-q", "-a", algorithm, "-T", "KEY", "-n", "HOST", "-K"]).arg(folder);
    if algorithm.starts_with("RSA") {
        command.args(["-b", "2048"]);
    }
    let stem = Finished::run(command.arg(name)).ok().out.trim().to_owned();
    let path = |end: &str| folder.join(format!("{stem}.{end}"));
    let text = fs::read_to_string(path("key")).expect("a file of a public key");
    let record = text.lines().find(|line| line.contains(" KEY ")).expect("a KEY record");
    let (owner, rest) = record.split_once(" IN KEY ").expect("a KEY record");
    (format!("{owner} 60 IN KEY {rest}"), path("private"))
}

#[test]
fn updates_from_another_network_and_to_another_listener_are_refused() {
    let test = "updates_from_another_network_and_to_another_listener_are_refused";
    if !namespace::enter(test) {
        return;
    }
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", ZONE]);
    let key = Key::add(&data, "all.key", "hmac-sha256", &ALL);
    let (open, closed) = ("127.53.0.1:53", "127.53.0.2:53");
    let doors = ["--http", "127.0.0.1:0", "--dns", open, "--dns", closed];
    let lines = ["zone t.example", "update add www.t.example 60 A 192.0.2.9"];
    for (rest, refuse) in [
        (["--update-listeners", open], &[closed][..]),
        (["--update-networks", "192.0.2.0/24"], &[open, closed]),
        (["--update-networks", "127.0.0.0/8"], &[]),
    ] {
        let service = Service::serve_with(ours("bynamed"), &data, &[&doors[..], &rest].concat());
        for at in [open, closed] {
            let at_address = at.parse().expect("an address");
            for way in WAYS {
                let (rcode, said) = send(at_address, &lines, Signed::Tsig(&key), way);
                let expected = if refuse.contains(&at) { "REFUSED" } else { "NOERROR" };
                assert_eq!(rcode, expected, "{rest:?} {at} {way:?}: {said}");
            }
            // Queries are answered everywhere.
            assert_eq!(short(at_address, ZONE, "NS"), ["ns1.t.example."]);
        }
        let refused = counted(&service, "network");
        assert_eq!(refused, 4 * refuse.len() as u64, "{rest:?}");
        // The log is that of all three.
        assert!(logged(&service, &["network", "REFUSED"]), "{}", service.talk());
    }
}

fn counted_since(service: &Service, outcome: &str, before: u64) -> u64 {
    counted(service, outcome) - before
}

/// Whether a line of the log about an update has all of these.
fn logged(service: &Service, texts: &[&str]) -> bool {
    let talk = service.talk();
    let mut updates = talk.lines().filter(|line| line.contains("DNS update"));
    updates.any(|line| texts.iter().all(|text| line.contains(text)))
}
