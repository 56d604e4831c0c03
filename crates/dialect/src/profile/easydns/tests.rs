use super::super::check::{CHALLENGE, answered, get, good, nochg, plain, refusals, told};
use crate::{Code, Outcome};

#[test]
fn requests_of_real_clients_are_understood() {
    for (octets, meaning) in [
        // inadyn 2.10.
        (
            "GET /dyn/tomato.php?hostname=home.dyn.example&myip=192.0.2.1&wildcard=OFF HTTP/1.0\r\n\
             Host: members.easydns.com\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\
             User-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=keep",
        ),
        // ddclient 3.10.
        (
            "GET /dyn/generic.php?hostname=home.dyn.example&myip=192.0.2.1&wildcard=OFF HTTP/1.0\r\n\
             Host: d.example\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\
             User-Agent: ddclient/3.10.0\r\nConnection: close\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=keep",
        ),
        // HPE Comware, from its template.
        (
            "GET /dyn/ez-ipupdate.php?action=edit&myip=192.0.2.1&host_id=home.dyn.example HTTP/1.0\r\n\
             Host: members.easydns.com\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=keep",
        ),
        // A client behind NAT, as the specification has it.
        (
            "GET /dyn/dyndns.php?hostname=home.dyn.example&myip=1.1.1.1 HTTP/1.0\r\n\
             Host: members.easydns.com\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\r\n",
            "home.dyn.example A=source AAAA=keep",
        ),
    ] {
        assert_eq!(told(octets), format!("easydns user:t0ken {meaning} []"), "{octets}");
    }
    // What a router sends that has no address yet must not delete anything.
    let down = told(get("/dyn/dyndns.php?hostname=h.example&myip=0.0.0.0"));
    assert_eq!(down, "easydns nobody dnserr [NotAnAddress]");
}

#[test]
fn answers_begin_with_the_words_of_the_specification() {
    let said = |outcome| answered(get("/dyn/generic.php?hostname=h.example"), &[outcome]);
    assert_eq!(said(good("h.example", &[], &["192.0.2.1"])), plain("200 OK", "", "NOERROR\n"));
    assert_eq!(said(nochg("h.example", &["192.0.2.1"])), plain("200 OK", "", "NOERROR\n"));
    assert_eq!(
        said(Outcome::whole(Code::Badauth)),
        plain("401 Unauthorized", CHALLENGE, "NOACCESS\n")
    );
    assert_eq!(said(Outcome::bare("h.example", Code::Nohost)), plain("200 OK", "", "NOACCESS\n"));
    assert_eq!(
        said(Outcome::bare("h.example", Code::Dnserr)),
        plain("200 OK", "", "ILLEGAL INPUT\n")
    );
    for refusal in refusals("h.example") {
        let said = said(refusal);
        assert!(!said.contains("NOERROR") && !said.ends_with("OK\n"), "{said}");
    }
}
