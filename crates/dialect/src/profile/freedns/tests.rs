use super::super::check::{answered, get, good, nochg, plain, refusals, told};
use crate::{Code, Outcome};

#[test]
fn requests_of_real_clients_are_understood() {
    for (octets, meaning) in [
        // inadyn 2.10, after it has been told the key, and ddclient.
        (
            "GET /dynamic/update.php?t0ken&address=192.0.2.1 HTTP/1.0\r\nHost: freedns.afraid.org\r\n\
             User-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
            "only A=192.0.2.1 AAAA=keep",
        ),
        (
            "GET /dynamic/update.php?t0ken&host=home.dyn.example&address=2001:db8::1 HTTP/1.0\r\n\
             Host: d.example\r\nUser-Agent: ddclient/3.10.0\r\nConnection: close\r\n\r\n",
            "home.dyn.example A=keep AAAA=2001:db8::1",
        ),
        // The crontab line of FreeDNS itself.
        (
            "GET /dynamic/update.php?t0ken HTTP/1.1\r\nHost: freedns.afraid.org\r\n\
             User-Agent: Wget/1.21.4\r\nAccept: */*\r\n\r\n",
            "only A=source AAAA=source",
        ),
        // FreshTomato.
        (
            "GET /dynamic/update.php?t0ken&address=192.0.2.1 HTTP/1.0\r\nHost: freedns.afraid.org\r\n\
             User-Agent: MDU\r\nCache-Control: no-cache\r\n\r\n",
            "only A=192.0.2.1 AAAA=keep",
        ),
        // The list, as inadyn and ddclient ask for it.
        (
            "GET /api/?action=getdyndns&v=2&sha=t0ken HTTP/1.0\r\nHost: freedns.afraid.org\r\n\
             User-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
            "all list",
        ),
    ] {
        assert_eq!(told(octets), format!("freedns :t0ken {meaning} []"), "{octets}");
    }
    for (target, meaning) in [
        ("/dynamic/update.php", "freedns nobody only A=source AAAA=source []"),
        ("/dynamic/update.php?address=192.0.2.1", "freedns nobody only A=192.0.2.1 AAAA=keep []"),
        ("/dynamic/update.php?t&address=800.0.0.1", "freedns :t dnserr [NotAnAddress]"),
        ("/api/?action=getdyndns", "freedns nobody all list []"),
        ("/api/?action=other", "nothing"),
        ("/api/", "nothing"),
        ("/api/v1/servers", "nothing"),
    ] {
        assert_eq!(told(get(target)), meaning, "{target}");
    }
}

const UPDATE: &str = "/dynamic/update.php?t0ken&address=192.0.2.1";
const LOCATE: &str = "ERROR: Unable to locate this record (changed password recently? deleted and \
                      re-created this dns entry?)\n";

#[test]
fn answers_are_those_that_clients_quote() {
    let said = |outcome| answered(get(UPDATE), &[outcome]);
    let ok = |body| plain("200 OK", "", body);
    assert_eq!(
        said(good("home.dyn.example", &["192.0.2.9"], &["192.0.2.1"])),
        ok("Updated 1 host(s) home.dyn.example to 192.0.2.1 in 0.001 seconds\n")
    );
    assert_eq!(
        said(nochg("home.dyn.example", &["192.0.2.1"])),
        ok("ERROR: Address 192.0.2.1 has not changed.\n")
    );
    assert_eq!(said(Outcome::whole(Code::Badauth)), ok(LOCATE));
    assert_eq!(said(Outcome::bare("home.dyn.example", Code::Nohost)), ok(LOCATE));
    assert_eq!(said(Outcome::whole(Code::Notfqdn)), ok("ERROR: Invalid update URL (2)\n"));
}

/// inadyn takes any answer for success that has its address in it, FreshTomato `Updated`.
#[test]
fn no_refusal_can_be_taken_for_success() {
    for refusal in refusals("192.0.2.1") {
        let said = answered(get(UPDATE), &[refusal]);
        assert!(said.contains("ERROR: "), "{said}");
        assert!(!said.contains("Updated") && !said.contains("192.0.2.1"), "{said}");
    }
}

#[test]
fn the_list_has_a_line_for_each_record() {
    let list = get("/api/?action=getdyndns&v=2&sha=t0ken");
    let hosts = [
        nochg("a.dyn.example", &["192.0.2.1", "2001:db8::1"]),
        nochg("b.dyn.example", &["2001:db8::2"]),
        nochg("c.dyn.example", &[]),
    ];
    let url = "https://d.example/dynamic/update.php?t0ken&host=";
    let body = format!(
        "a.dyn.example|192.0.2.1|{url}a.dyn.example\na.dyn.example|2001:db8::1|{url}a.dyn.example\n\
         b.dyn.example|NULL|{url}b.dyn.example\nb.dyn.example|2001:db8::2|{url}b.dyn.example\n\
         c.dyn.example|NULL|{url}c.dyn.example\n"
    );
    assert_eq!(answered(&list, &hosts), plain("200 OK", "", &body));
    let refused = answered(&list, &[Outcome::whole(Code::Badauth)]);
    assert_eq!(refused, plain("200 OK", "", "ERROR: Could not authenticate.\n"));
}
