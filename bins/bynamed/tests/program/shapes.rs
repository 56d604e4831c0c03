//! The shape of every command's JSON: scripts rely on it.

use serde_json::Value;

use crate::bynamed::{HOST, Place, ZONE, write};

/// What a command prints, told by its keys.
enum Shape {
    /// One object with these keys.
    One(&'static str),
    /// A list of objects with these keys.
    Many(&'static str),
}

use Shape::{Many, One};

const ZONE_KEYS: &str = "account created host_ttl_s ns quarantine_s reserved rrsets scavenge serial suffix ttl_min_s zone";
const HOST_KEYS: &str = "a aaaa created dialect expiry host last_seen parked private_ok ttl_s zone";
const HOST_AND_TOKENS: &str = "a aaaa account created dialect expiry frozen host last_seen parked private_ok tokens ttl_s zone";
const TOKEN_KEYS: &str =
    "account created ends exposed from hosts id label last_used revoked role rules";
const ACCOUNT_KEYS: &str = "account created frozen id limits tokens_void_until";
const KEY_KEYS: &str =
    "actions algorithm created key names transfer truncated_ok types update zones";

fn table() -> Vec<(Vec<&'static str>, Shape)> {
    let words = |line: &'static str| line.split(' ').collect::<Vec<_>>();
    [
        ("zone list", Many("")),
        ("zone add dyn.example --ns ns1.dyn.example --host-ttl 30", One(ZONE_KEYS)),
        ("zone add b.example --suffix", One(ZONE_KEYS)),
        ("zone list", Many("rrsets scavenge serial zone")),
        ("zone set dyn.example --scavenge 7d,12h", One(ZONE_KEYS)),
        ("zone show dyn.example", One(ZONE_KEYS)),
        ("zone export dyn.example", One("rrsets serial zone zonefile")),
        ("zone remove b.example", One("removed zone")),
        ("host add nas.dyn.example --ttl 60 --private", One("host id token")),
        ("host list", Many(HOST_KEYS)),
        ("host list dyn.example", Many(HOST_KEYS)),
        ("host show nas.dyn.example", One(HOST_AND_TOKENS)),
        ("host set nas.dyn.example --private false", One(HOST_AND_TOKENS)),
        ("host set nas.dyn.example --expire-after 7d --then park=9.9.9.9", One(HOST_AND_TOKENS)),
        ("host rotate nas.dyn.example", One("host id token")),
        ("token add nas.dyn.example --label cron", One("hosts id token")),
        ("token list", Many(TOKEN_KEYS)),
        ("token revoke ID", One("id revoked")),
        ("key list", Many("")),
        (
            "key add k --zone dyn.example --allow update,transfer",
            One("algorithm key knsupdate nsupdate secret"),
        ),
        ("key add given --secret c2VjcmV0 --zone dyn.example --allow update", One("algorithm key")),
        ("key remove given", One("key removed")),
        ("key list", Many(KEY_KEYS)),
        ("key remove k", One("key removed")),
        ("account add alice", One("account id")),
        ("account list", Many(ACCOUNT_KEYS)),
        ("account set alice --limit hosts=3", One(ACCOUNT_KEYS)),
        ("webhook list", Many("")),
        ("account freeze alice", One("account frozen")),
        ("account unfreeze alice", One("account frozen")),
        ("host remove nas.dyn.example", One("host removed")),
        ("check", One("data problems")),
        ("config", Many("default doc environment flag key list")),
    ]
    .into_iter()
    .map(|(line, shape)| (words(line), shape))
    .collect()
}

#[test]
fn json_of_every_command_has_its_shape_without_a_service() {
    let place = Place::new();
    // There is something to look at.
    place.json(&["account", "add", "first"]);
    check(&place);
}

#[test]
fn json_of_every_command_has_its_shape_with_a_service() {
    let place = Place::new();
    place.json(&["account", "add", "first"]);
    let service = place.serve(&[]);
    check(&place);
    assert_eq!(keys(&service.ready), "dns http https ready");
    assert!(service.stop().success());
}

#[test]
fn account_that_was_always_there_has_no_date() {
    let place = Place::new();
    place.json(&["account", "add", "alice"]);
    let accounts = place.json(&["account", "list"]);
    assert!(accounts[0]["created"].is_null(), "{accounts}");
    assert!(accounts[1]["created"].is_string(), "{accounts}");
}

#[test]
fn json_of_files_has_its_shape() {
    let (place, _) = Place::with_host();
    let (copy, text) = (place.beside("copy"), place.beside("zone"));
    let (copy, text) = (copy.to_string_lossy(), text.to_string_lossy());
    assert_eq!(keys(&place.json(&["backup", &copy])), "events file position");
    let exported = place.json(&["zone", "export", ZONE, &text]);
    assert_eq!(keys(&exported), "file rrsets serial zone");
    let other = Place::new();
    assert_eq!(keys(&other.json(&["restore", &copy])), "data events position");
    let imported = other.json(&["zone", "import", ZONE, &text]);
    assert_eq!(keys(&imported), "rrsets serial zone");
    assert_eq!(other.json(&["host", "show", HOST])["host"], HOST);
}

#[test]
fn lists_of_many_rows_are_one_json_array() {
    let place = Place::new();
    let mut text = String::from("@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\n");
    for number in 0..3000 {
        text.push_str(&format!("h{number} 60 IN A 198.51.100.1\n"));
    }
    let file = place.beside("zone");
    write(&file, &text);
    let imported = place.json(&["zone", "import", ZONE, &file.to_string_lossy()]);
    assert_eq!(imported["rrsets"], 3002);
    for number in 0..1100 {
        // Zones are quicker to make than hosts are to type.
        text.push_str(&format!("x{number} 60 IN A 198.51.100.1\n"));
    }
    let service = place.serve(&[]);
    let exported = place.json(&["zone", "export", ZONE]);
    assert_eq!(exported["zonefile"].as_str().map(|text| text.lines().count()), Some(3003));
    assert!(service.stop().success());
}

fn check(place: &Place) {
    let mut id = String::new();
    for (arguments, shape) in table() {
        let arguments: Vec<&str> = arguments
            .into_iter()
            .map(|word| if word == "ID" { id.as_str() } else { word })
            .collect();
        let value = place.json(&arguments);
        match shape {
            One(wanted) => assert_eq!(keys(&value), wanted, "{arguments:?}: {value}"),
            Many(wanted) => {
                let rows = value.as_array().expect("a list");
                assert_eq!(rows.is_empty(), wanted.is_empty(), "{arguments:?}: {value}");
                for row in rows {
                    assert_eq!(keys(row), wanted, "{arguments:?}: {value}");
                }
            }
        }
        if let Some(made) = value["id"].as_u64() {
            id = made.to_string();
        }
    }
}

fn keys(value: &Value) -> String {
    let mut keys: Vec<&str> =
        value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys.join(" ")
}
