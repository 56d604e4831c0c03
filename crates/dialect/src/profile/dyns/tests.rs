use super::super::check::{CHALLENGE, answered, get, good, plain, refusals, told};
use crate::{Code, Outcome};

#[test]
fn requests_of_real_clients_are_understood() {
    // HPE Comware, from its template, and FreshTomato.
    let comware = "GET /postscript.php?host=home.dyn.example&ip=192.0.2.1 HTTP/1.0\r\n\
                   Host: www.dyns.cx\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\r\n";
    let tomato = "GET /postscript011.php?username=user&password=t0ken&host=home.dyn.example\
                  &ip=192.0.2.1 HTTP/1.0\r\nHost: www.dyns.net\r\n\r\n";
    for octets in [comware, tomato] {
        let meaning = "dyns user:t0ken home.dyn.example A=192.0.2.1 AAAA=keep []";
        assert_eq!(told(octets), meaning, "{octets}");
    }
}

#[test]
fn answers_begin_with_a_number() {
    let said = |outcome| answered(get("/postscript.php?host=h.example"), &[outcome]);
    let done = said(good("h.example", &[], &["192.0.2.1"]));
    assert_eq!(done, plain("200 OK", "", "200 host updated\n"));
    assert_eq!(
        said(Outcome::whole(Code::Badauth)),
        plain("401 Unauthorized", CHALLENGE, "401 not authenticated\n")
    );
    for refusal in refusals("h.example") {
        let said = said(refusal);
        let (_, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(body.starts_with("40"), "{body}");
    }
}
