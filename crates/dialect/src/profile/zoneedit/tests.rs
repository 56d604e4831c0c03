use super::super::check::{CHALLENGE, answered, get, good, nochg, plain, refusals, told};
use crate::{Code, Outcome};

#[test]
fn requests_of_real_clients_are_understood() {
    for (octets, meaning) in [
        // HPE Comware, from its template.
        (
            "GET /auth/dynamic.html?host=home.dyn.example&dnsto=192.0.2.1 HTTP/1.0\r\n\
             Host: dynamic.zoneedit.com\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=keep",
        ),
        // ddclient 3.10, several hosts in one request.
        (
            "GET /auth/dynamic.html?host=a.example,b.example&dnsto=192.0.2.1&zone=example HTTP/1.0\r\n\
             Host: d.example\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\
             User-Agent: ddclient/3.10.0\r\nConnection: close\r\n\r\n",
            "a.example,b.example A=192.0.2.1 AAAA=keep",
        ),
        // wget without an address.
        (
            "GET /auth/dynamic.html?host=home.dyn.example HTTP/1.1\r\nHost: dynamic.zoneedit.com\r\n\
             User-Agent: Wget/1.21.4\r\nAccept: */*\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\r\n",
            "home.dyn.example A=source AAAA=source",
        ),
    ] {
        assert_eq!(told(octets), format!("zoneedit user:t0ken {meaning} []"), "{octets}");
    }
    let garbage = told(get("/auth/dynamic.html?host=h.example&dnsto=800.0.0.1"));
    assert_eq!(garbage, "zoneedit nobody dnserr [NotAnAddress]");
}

#[test]
fn answers_are_those_that_clients_quote() {
    let said = |outcomes: &[Outcome]| {
        answered(get("/auth/dynamic.html?host=www.test123.example&dnsto=192.0.2.4"), outcomes)
    };
    let updated = "<SUCCESS CODE=\"200\" TEXT=\"Update succeeded.\" ZONE=\"test123.example\" \
                   HOST=\"www.test123.example\" IP=\"192.0.2.4\">\n";
    let same =
        "<SUCCESS CODE=\"201\" TEXT=\"No records need updating.\" ZONE=\"test123.example\">\n";
    let changed = good("www.test123.example", &[], &["192.0.2.4"]);
    let unchanged = nochg("www.test123.example", &["192.0.2.4"]);
    assert_eq!(said(std::slice::from_ref(&changed)), plain("200 OK", "", updated));
    assert_eq!(said(std::slice::from_ref(&unchanged)), plain("200 OK", "", same));
    assert_eq!(said(&[changed, unchanged]), plain("200 OK", "", &[updated, same].concat()));
    assert_eq!(
        said(&[Outcome::whole(Code::Badauth)]),
        plain(
            "401 Unauthorized",
            CHALLENGE,
            "<ERROR CODE=\"708\" TEXT=\"Login/authorization error\">\n"
        )
    );
    let unknown = "<ERROR CODE=\"701\" TEXT=\"Zone is not set up in this account.\" ZONE=\"test123.example\">\n";
    assert_eq!(
        said(&[Outcome::bare("www.test123.example", Code::Nohost)]),
        plain("200 OK", "", unknown)
    );
    for refusal in refusals("x\"><b>.example") {
        let said = said(&[refusal]);
        // 707 is success for ddclient.
        assert!(said.contains("<ERROR CODE=\"70") && !said.contains("707"), "{said}");
        assert!(!said.contains("SUCCESS") && !said.contains("<b>"), "{said}");
    }
}
