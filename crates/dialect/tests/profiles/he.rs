//! What clients of dns.he.net send and rely on: acme.sh, lexicon, OpenWrt, pfSense.

use dialect::{Code, Hint, Profile, TXT_OCTETS_MAX};

use crate::trial::{OK, check, check_answers, get, read, request, told};

#[test]
fn requests_are_those_of_its_clients() {
    check(
        Profile::He,
        &[
            ("h.example /nic/update", "h.example: source source [HostFromUserName]"),
            (
                "h.example /nic/update?hostname=h.example&myip=192.0.2.1",
                "h.example: 192.0.2.1 keep",
            ),
            (
                "/nic/update?hostname=h.example&password=key&myip=2001:db8::1",
                "h.example: keep 2001:db8::1 [TokenInUrl]",
            ),
        ],
    );
}

#[test]
fn txt_is_for_the_name_that_is_given_and_changes_no_address() {
    let value = "XKrxpRBosdIKFzxW_CT3KLZNf6q0HG9i01zxXp5CPBs";
    let body = format!("hostname=_acme-challenge.h.example&password=key&txt={value}");
    let head = format!(
        "POST /nic/update HTTP/1.1\r\nHost: dyn.dns.he.net\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let acme_sh = request(head.as_bytes());
    assert_eq!(Profile::detect(&acme_sh), Some(Profile::He));
    let expected = format!("_acme-challenge.h.example: keep keep; txt ={value}");
    assert_eq!(told(Profile::He, &acme_sh), expected);
    check(
        Profile::He,
        &[
            (
                "h.example /nic/update?hostname=h.example&myip=192.0.2.1&txt=a%20b%22",
                "h.example: keep keep; txt =a b\"",
            ),
            ("h.example /nic/update?hostname=h.example&txt=", "dnserr [TextUnusable]"),
        ],
    );
    let long = |octets: usize| read(&format!("h.example /nic/update?txt={}", "x".repeat(octets)));
    assert!(Profile::He.parse(&long(TXT_OCTETS_MAX)).is_ok());
    let refusal = Profile::He.parse(&long(TXT_OCTETS_MAX + 1)).unwrap_err();
    assert_eq!(refusal.code, Code::Dnserr);
    assert!(refusal.hints.contains(&Hint::TextUnusable));
}

#[test]
fn addresses_are_answered_with_and_txt_without() {
    let addresses = get("/nic/update?hostname=h.example&myip=192.0.2.1");
    let txt = get("/nic/update?hostname=h.example&txt=x");
    check_answers(
        Profile::He,
        &addresses,
        &[
            (&["good 192.0.2.1"], &format!("{OK}good 192.0.2.1\n")),
            (&["nochg 192.0.2.1"], &format!("{OK}nochg 192.0.2.1\n")),
        ],
    );
    check_answers(
        Profile::He,
        &txt,
        &[
            (&["good"], &format!("{OK}good\n")),
            (&["nochg"], &format!("{OK}nochg\n")),
            (&["nohost"], &format!("{OK}nohost\n")),
            (
                &["badauth"],
                "HTTP/1.1 401 Unauthorized\nContent-Type: text/plain; charset=utf-8\n\
                 WWW-Authenticate: Basic realm=\"byname\", charset=\"UTF-8\"\n\nbadauth\n",
            ),
        ],
    );
}
