//! support.google.com, answer 6147083, as it stood until 2023.

use dialect::{Code, Profile};

use crate::trial::{OK, check, check_answers, get, outcome, request, told};

#[test]
fn requests_are_those_of_the_document() {
    check(
        Profile::Google,
        &[
            ("u /nic/update?hostname=h.example&myip=192.0.2.1", "h.example: 192.0.2.1 keep"),
            ("u /nic/update?hostname=h.example&myip=2001:db8::1", "h.example: keep 2001:db8::1"),
            ("u /nic/update?hostname=h.example", "h.example: source source"),
            ("u /nic/update?hostname=h.example&offline=yes", "h.example: delete delete"),
        ],
    );
    let post = request(
        b"POST /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: domains.google.com\r\n\
          Authorization: Basic dTpw\r\nUser-Agent: Chrome/41.0 you@example\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(told(Profile::Google, &post), "h.example: 192.0.2.1 keep");
}

#[test]
fn answers_are_words_of_the_document() {
    let asked = get("/nic/update");
    let known = ["nohost", "badauth", "notfqdn", "badagent", "abuse", "911"];
    for code in Code::ALL.into_iter().filter(|code| !code.is_success()) {
        let response = Profile::Google.render(&asked, &[outcome(code.word())]);
        let body = String::from_utf8_lossy(&response.body).into_owned();
        assert!(known.contains(&body.trim_end()), "{code:?} {body}");
    }
    check_answers(
        Profile::Google,
        &asked,
        &[
            (&["good 192.0.2.1"], &format!("{OK}good 192.0.2.1\n")),
            (&["nochg 2001:db8::1"], &format!("{OK}nochg 2001:db8::1\n")),
            (&["nohost"], &format!("{OK}nohost\n")),
            (&["notfqdn"], &format!("{OK}notfqdn\n")),
        ],
    );
}
