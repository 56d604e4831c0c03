use super::super::check::{CHALLENGE, answered, get, good, nochg, plain, refusals, told};
use crate::{Code, Outcome};

#[test]
fn requests_of_real_clients_are_understood() {
    for (octets, meaning) in [
        // The crontab line of FreeDNS itself.
        (
            "GET /u/t0ken/ HTTP/1.1\r\nHost: sync.afraid.org\r\nUser-Agent: curl/8.5.0\r\n\
             Accept: */*\r\n\r\n",
            ":t0ken only A=source AAAA=source",
        ),
        // OpenWrt.
        (
            "GET /u/t0ken/?address=192.0.2.1 HTTP/1.1\r\nUser-Agent: Wget/1.21.4\r\nAccept: */*\r\n\
             Accept-Encoding: identity\r\nHost: sync.afraid.org\r\nConnection: Keep-Alive\r\n\r\n",
            ":t0ken only A=192.0.2.1 AAAA=keep",
        ),
        (
            "GET /u/?h=home.dyn.example&ip=2001:db8::1 HTTP/1.1\r\nUser-Agent: Wget/1.21.4\r\n\
             Accept: */*\r\nAccept-Encoding: identity\r\nHost: v6.sync.afraid.org\r\n\
             Authorization: Basic dXNlcjp0MGtlbg==\r\n\r\n",
            "user:t0ken home.dyn.example A=keep AAAA=2001:db8::1",
        ),
        // An ESP32.
        (
            "GET /u/t0ken HTTP/1.1\r\nHost: v6.sync.afraid.org\r\nUser-Agent: ESP32HTTPClient\r\n\
             Connection: keep-alive\r\nAccept-Encoding: identity;q=1,chunked;q=0.1,*;q=0\r\n\r\n",
            ":t0ken only A=source AAAA=source",
        ),
    ] {
        assert_eq!(told(octets), format!("freedns2 {meaning} []"), "{octets}");
    }
    for (target, meaning) in [
        (
            "/u/t/?myip=192.0.2.1&hostname=h.example",
            "freedns2 :t h.example A=192.0.2.1 AAAA=keep []",
        ),
        ("/u/t/?ip=garbage", "freedns2 :t dnserr [NotAnAddress]"),
        ("/u/?h=h.example", "freedns2 nobody h.example A=source AAAA=source []"),
        ("/u/a/b", "nothing"),
        ("/users/t", "nothing"),
    ] {
        assert_eq!(told(get(target)), meaning, "{target}");
    }
}

#[test]
fn answers_are_those_that_clients_quote() {
    let said = |outcome| answered(get("/u/t0ken/"), &[outcome]);
    assert_eq!(
        said(good("h.example", &["192.0.2.9", "2001:db8::9"], &["2001:db8::1"])),
        plain("200 OK", "", "Updated h.example from 2001:db8::9 to 2001:db8::1\n")
    );
    assert_eq!(
        said(good("h.example", &[], &["192.0.2.1"])),
        plain("200 OK", "", "Updated h.example from NULL to 192.0.2.1\n")
    );
    assert_eq!(
        said(nochg("h.example", &["192.0.2.1"])),
        plain(
            "200 OK",
            "",
            "No IP change detected for h.example with IP 192.0.2.1, skipping update\n"
        )
    );
    assert_eq!(
        said(Outcome::whole(Code::Badauth)),
        plain("401 Unauthorized", CHALLENGE, "ERROR: Could not authenticate.\n")
    );
    for refusal in refusals("192.0.2.1") {
        let said = said(refusal);
        let success = ["HTTP/1.1 2", "Updated", "No IP change"];
        assert!(!success.iter().any(|word| said.contains(word)), "{said}");
    }
}
