use super::super::check::{CHALLENGE, answered, get, good, nochg, plain, post, refusals, told};
use crate::{Code, Outcome};

/// A digest as a challenge has it.
const VALUE: &str = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";

/// What lego 4 sends.
fn lego(path: &str, json: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: d.example\r\nUser-Agent: Go-http-client/1.1\r\n\
         Content-Length: {}\r\nAccept: application/json\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\
         Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n{json}",
        json.len()
    )
}

#[test]
fn requests_of_lego_are_understood() {
    let default =
        format!("{{\"fqdn\":\"_acme-challenge.home.dyn.example.\",\"value\":\"{VALUE}\"}}\n");
    let raw = "{\"domain\":\"home.dyn.example\",\"token\":\"token\",\"keyAuth\":\"key\"}\n";
    // SHA-256 of `key`, by hand: `printf key | openssl sha256 -binary | basenc --base64url`.
    let digest = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";
    let name = "home.dyn.example A=keep AAAA=keep TXT _acme-challenge";
    for (octets, meaning) in [
        (lego("/present", &default), format!("{name}+{VALUE} of 8")),
        (lego("/cleanup", &default), format!("{name}-{VALUE}")),
        (lego("/present", raw), format!("{name}+{digest} of 8")),
        (lego("/cleanup", raw), format!("{name}-{digest}")),
    ] {
        assert_eq!(told(&octets), format!("httpreq user:t0ken {meaning} []"), "{octets}");
    }
}

#[test]
fn names_and_values_are_taken_as_they_come() {
    let long = "x".repeat(1021);
    let with_long = format!("{{\"fqdn\":\"h.example.\",\"value\":\"{long}\"}}");
    for (json, meaning) in [
        // A CNAME has led lego elsewhere.
        (
            r#"{"fqdn":"home.dyn.example.","value":"v"}"#,
            "home.dyn.example A=keep AAAA=keep TXT +v of 8 []",
        ),
        (
            r#"{"fqdn":"_ACME-Challenge.h.example","value":"v"}"#,
            "h.example A=keep AAAA=keep TXT _acme-challenge+v of 8 []",
        ),
        (
            r#"{"domain":"*.h.example","keyAuth":"key"}"#,
            "h.example A=keep AAAA=keep TXT _acme-challenge+LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM of 8 []",
        ),
        (r#"{"fqdn":"h.example.","value":""}"#, "dnserr [TextUnusable]"),
        (r#"{"domain":"h.example"}"#, "dnserr [TextUnusable]"),
        (r#"{"keyAuth":"key"}"#, "dnserr [TextUnusable]"),
        ("{}", "dnserr [TextUnusable]"),
        (&with_long, "dnserr [TextUnusable]"),
        (r#"{"fqdn":1}"#, "notfqdn [JsonUnreadable]"),
        ("", "notfqdn [JsonUnreadable]"),
    ] {
        let said = told(post("/present", "", json));
        assert_eq!(said.strip_prefix("httpreq nobody "), Some(meaning), "{json}");
    }
    assert_eq!(told(get("/present")), "nothing");
}

#[test]
fn any_status_of_200_is_success_and_nothing_else_is() {
    let asked = lego("/present", "{}");
    for outcome in [good("h.example", &[], &[]), nochg("h.example", &[])] {
        assert_eq!(answered(&asked, &[outcome]), plain("200 OK", "", ""));
    }
    assert_eq!(
        answered(&asked, &[Outcome::whole(Code::Badauth)]),
        plain("401 Unauthorized", CHALLENGE, "HTTPREQ_PASSWORD is not a token of this service\n")
    );
    for refusal in refusals("h.example") {
        let said = answered(&asked, &[refusal]);
        assert!(!said.starts_with("HTTP/1.1 2"), "{said}");
    }
}
