//! Orders: over the socket and directly they come to the same; a caller that hangs harms nobody.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use node::Node;
use node::admin::{
    self, CallError, Command, HostSettings, KeyAction, KeySettings, SecretText, ZoneSettings,
};
use serde_json::Value;

use crate::playground::{Playground, ZONE, add_host, order, publish, rows, shown};

/// Orders that change nothing and those that do, in an order that makes sense.
fn story() -> Vec<Command> {
    let (zone, host) = (ZONE.to_owned(), format!("nas.{ZONE}"));
    vec![
        Command::ZoneAdd {
            zone: "b.example".to_owned(),
            ns: vec!["ns.b.example".to_owned()],
            settings: ZoneSettings { suffix: true, host_ttl_s: Some(30), account: None },
        },
        Command::HostSet {
            host: host.clone(),
            settings: HostSettings {
                ttl_s: Some(120),
                private_ok: Some(true),
                ..HostSettings::default()
            },
        },
        Command::HostShow { host: host.clone() },
        Command::HostList { zone: Some(zone.clone()) },
        Command::HostList { zone: None },
        Command::ZoneList,
        Command::ZoneShow { zone },
        Command::AccountAdd { account: "alice".to_owned() },
        Command::AccountFreeze { account: "alice".to_owned() },
        Command::AccountUnfreeze { account: "alice".to_owned() },
        Command::AccountList,
        Command::KeyAdd {
            key: format!("upd.{ZONE}"),
            algorithm: "hmac-sha256".to_owned(),
            secret: Some(SecretText("c2VjcmV0".to_owned())),
            zones: vec![ZONE.to_owned()],
            update: true,
            transfer: false,
            settings: KeySettings {
                names: vec!["self".to_owned(), format!("*.{ZONE}")],
                types: vec!["A".to_owned()],
                actions: vec![KeyAction::Add],
                ..KeySettings::default()
            },
        },
        Command::KeyList,
        Command::KeyRemove { key: format!("upd.{ZONE}") },
        Command::TokenList,
        Command::HostRemove { host: host.clone() },
        Command::HostShow { host },
        Command::ZoneRemove { zone: "b.example".to_owned() },
        Command::ZoneExport { zone: "nowhere.example".to_owned() },
        Command::TokenRevoke { id: 999 },
    ]
}

#[test]
fn orders_over_the_socket_and_directly_come_to_the_same() {
    let (direct, served) = (Playground::new(), Playground::new());
    for playground in [&direct, &served] {
        playground.with(|node| add_host(node, "nas"));
    }
    let directly = |command: &Command| {
        let mut out = Vec::new();
        let done = admin::direct(&direct.options(), command, &mut io::empty(), &mut out);
        done.map(|value| seen(value, &out)).map_err(|why| why.to_string())
    };
    let node = Arc::new(Node::open(&served.options()).expect("a node"));
    let _socket = admin::serve(Arc::clone(&node)).expect("a socket");
    for command in story() {
        let over = call(&served, &command).map_err(|why| why.to_string());
        assert_eq!(without_moments(over), without_moments(directly(&command)), "{command:?}");
    }
    node.stop();
}

#[test]
fn export_can_be_imported_and_is_the_same_again() {
    let playground = Playground::new();
    playground.with(|node| {
        for (host, address) in [("a", "198.51.100.1"), ("b", "2001:db8::1")] {
            let token = add_host(node, host);
            assert!(publish(node, host, &token, address));
        }
        let export = |node: &Node| {
            let answer = order(node, &Command::ZoneExport { zone: ZONE.to_owned() });
            let mut text = Vec::new();
            answer.follows.expect("a zone file").write(&mut text).expect("memory");
            text
        };
        let text = export(node);
        let import = Command::ZoneImport {
            zone: "DYN.example.".to_owned(),
            settings: ZoneSettings::default(),
        };
        let serial = |text: &[u8]| {
            let text = String::from_utf8_lossy(text).into_owned();
            let soa = text.lines().next().map(str::to_owned).unwrap_or_default();
            let serial = soa.split(' ').nth(6).and_then(|field| field.parse::<u32>().ok());
            (serial.expect("a serial"), text.replace(&soa, ""))
        };
        admin::execute(node, &import, &mut text.as_slice()).expect("an import");
        let (before, after) = (serial(&text), serial(&export(node)));
        assert_eq!(before.1, after.1);
        assert!(after.0 > before.0, "an import is news for secondaries");
    });
}

#[test]
fn import_that_fails_leaves_the_zone_as_it_was() {
    let playground = Playground::new();
    playground.with(|node| {
        let before = shown(node, &Command::ZoneShow { zone: ZONE.to_owned() });
        for bad in [
            "@ 60 IN A 192.0.2.1\n",
            "$INCLUDE /etc/passwd\n",
            "@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\nother.example. 60 IN A 192.0.2.1\n",
            "@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\nx 60 IN CNAME y\nx 60 IN A 192.0.2.1\n",
            "not a zone file",
        ] {
            let (zone, settings) = (ZONE.to_owned(), ZoneSettings::default());
            let import = Command::ZoneImport { zone, settings };
            let refused = admin::execute(node, &import, &mut bad.as_bytes());
            assert!(refused.is_err(), "{bad}");
        }
        assert_eq!(shown(node, &Command::ZoneShow { zone: ZONE.to_owned() }), before);
    });
}

#[test]
fn rfc4035_2_5_what_an_import_takes_beside_a_cname() {
    let sig =
        |covered: &str| format!("{covered} 13 3 60 20300101000000 20200101000000 7 {ZONE}. AQID");
    // What signs the alias, and the key by which it may be updated.
    let secures = [
        ("RRSIG", sig("CNAME")),
        ("NSEC", format!("y.{ZONE}. CNAME KEY RRSIG NSEC")),
        ("KEY", "512 3 13 AwEAAQ==".to_owned()),
    ];
    let records = |all: &[(&str, String)]| -> String {
        all.iter().map(|(rtype, data)| format!("x.{ZONE}. 60 IN {rtype} {data}\n")).collect()
    };
    for (all, is_taken) in [
        (secures.to_vec(), true),
        (vec![("TXT", "\"text\"".to_owned())], false),
        (vec![("CNAME", format!("z.{ZONE}."))], false),
        // RFC 4035 §2.5 leaves no place for what RRSIG came after.
        (vec![("SIG", sig("CNAME"))], false),
        ([secures.to_vec(), vec![("TXT", "\"text\"".to_owned())]].concat(), false),
    ] {
        let beside = records(&all);
        let alias = records(&[("CNAME", format!("y.{ZONE}."))]);
        // Whichever comes first.
        for names in [format!("{alias}{beside}"), format!("{beside}{alias}")] {
            let playground = Playground::new();
            playground.with(|node| {
                let (zone, settings) = (ZONE.to_owned(), ZoneSettings::default());
                let import = Command::ZoneImport { zone: zone.clone(), settings };
                let text = format!("@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\n{names}");
                let done = admin::execute(node, &import, &mut text.as_bytes());
                assert_eq!(done.is_ok(), is_taken, "{names}");
                let mut out = Vec::new();
                let answer = order(node, &Command::ZoneExport { zone });
                answer.follows.expect("a zone file").write(&mut out).expect("memory");
                let out = String::from_utf8(out).expect("text");
                for line in names.lines() {
                    assert_eq!(out.contains(line), is_taken, "{line} in {out}");
                }
            });
        }
    }
}

#[test]
fn rfc6672_2_4_an_import_takes_one_dname_for_a_name() {
    let playground = Playground::new();
    playground.with(|node| {
        for (more, is_taken) in
            [("", true), ("x 60 IN DNAME b\n", false), ("x 60 IN DNAME A\n", true)]
        {
            let (zone, settings) = (ZONE.to_owned(), ZoneSettings::default());
            let import = Command::ZoneImport { zone, settings };
            let head = "@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\nx 60 IN DNAME a\n";
            let text = format!("{head}{more}");
            let done = admin::execute(node, &import, &mut text.as_bytes());
            assert_eq!(done.is_ok(), is_taken, "{text}");
            if let Err(why) = done {
                assert!(why.to_string().contains("x.dyn.example. has several DNAME"), "{why}");
            }
        }
    });
}

#[test]
fn callers_that_hang_do_not_keep_others_out_nor_the_service_from_stopping() {
    let playground = Playground::new();
    let node = Arc::new(Node::open(&playground.options()).expect("a node"));
    let socket = admin::serve(Arc::clone(&node)).expect("a socket");
    let path = playground.data().join("admin.sock");
    let mut silent = UnixStream::connect(&path).expect("a connection");
    let mut halfway = UnixStream::connect(&path).expect("a connection");
    halfway.write_all(b"{\"order\":\"zone-li").expect("a socket that takes octets");
    let listed = call(&playground, &Command::ZoneList).expect("an answer");
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    drop(socket);
    node.stop();
    assert!(!path.exists(), "the socket goes with the service");
    let mut rest = Vec::new();
    // The process ends with its connections; until then nobody waits for those who hang.
    silent.set_nonblocking(true).expect("a socket");
    assert!(silent.read_to_end(&mut rest).is_err() || rest.is_empty());
}

#[test]
fn too_many_callers_are_told() {
    let playground = Playground::new();
    let node = Arc::new(Node::open(&playground.options()).expect("a node"));
    let _socket = admin::serve(Arc::clone(&node)).expect("a socket");
    let path = playground.data().join("admin.sock");
    let hanging: Vec<UnixStream> =
        (0..40).map(|_| UnixStream::connect(&path).expect("a connection")).collect();
    let told = call(&playground, &Command::ZoneList).expect_err("a refusal").to_string();
    assert!(told.contains("too many"), "{told}");
    drop(hanging);
    node.stop();
}

#[test]
fn nonsense_on_the_socket_is_answered_with_an_error() {
    let playground = Playground::new();
    let node = Arc::new(Node::open(&playground.options()).expect("a node"));
    let _socket = admin::serve(Arc::clone(&node)).expect("a socket");
    for nonsense in ["", "GET / HTTP/1.1\r\n\r\n", "{\"order\":\"no-such\"}\n", "[]\n", "\0\0\0\n"]
    {
        let mut stream =
            UnixStream::connect(playground.data().join("admin.sock")).expect("a connection");
        stream.write_all(nonsense.as_bytes()).expect("a socket that takes octets");
        stream.shutdown(std::net::Shutdown::Write).expect("a socket");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let answer = answer.lines().last().expect("a line after the greeting");
        let answer: Value = serde_json::from_str(answer).expect("JSON");
        assert_eq!(answer["exit"], 1, "{nonsense:?}: {answer}");
    }
    node.stop();
}

fn call(playground: &Playground, command: &Command) -> Result<Value, CallError> {
    let mut called = admin::call(playground.data(), command, &mut io::empty())?;
    let mut out = Vec::new();
    called.body.read_to_end(&mut out)?;
    Ok(seen(called.value, &out))
}

fn seen(value: Value, follows: &[u8]) -> Value {
    if follows.is_empty() { value } else { rows(&String::from_utf8_lossy(follows)) }
}

/// Two nodes do the same at different moments.
fn without_moments(seen: Result<Value, String>) -> Result<Value, String> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for key in ["created", "serial", "tokens_void_until", "revoked"] {
                    fields.remove(key);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    seen.map(|mut value| {
        strip(&mut value);
        value
    })
}

#[test]
fn orders_and_answers_never_show_their_secrets_for_debugging() {
    let order = story().into_iter().find(|order| matches!(order, Command::KeyAdd { .. }));
    let shown = format!("{:?}", order.expect("an order for a key"));
    assert!(shown.contains("upd") && !shown.contains("c2VjcmV0"), "{shown}");
    let playground = Playground::new();
    playground.with(|node| {
        let answer = admin::execute(node, &key_without_secret(), &mut std::io::empty());
        let answer = answer.expect("a key");
        let secret = answer.value["secret"].as_str().expect("a secret").to_owned();
        assert!(!format!("{answer:?}").contains(&secret));
    });
}

fn key_without_secret() -> Command {
    Command::KeyAdd {
        key: "made".to_owned(),
        algorithm: "hmac-sha256".to_owned(),
        secret: None,
        zones: vec![ZONE.to_owned()],
        update: true,
        transfer: false,
        settings: KeySettings::default(),
    }
}
