//! help.dyn.com: "Perform Update" and "Return Codes".

use dialect::Profile;

use crate::trial::{OK, check, check_answers, get};

#[test]
fn requests_are_those_of_the_document() {
    check(
        Profile::Dyn,
        &[
            ("/v3/update?hostname=h.example&myip=192.0.2.1", "h.example: 192.0.2.1 keep"),
            (
                "/v3/update?hostname=a.example,b.example&myip=192.0.2.1,2001:db8::1",
                "a.example,b.example: 192.0.2.1 2001:db8::1",
            ),
            (
                "/nic/update?hostname=h.example&myip=192.0.2.1&wildcard=NOCHG&mx=NOCHG&backmx=NOCHG",
                "h.example: 192.0.2.1 keep",
            ),
            (
                "/nic/update?system=statdns&hostname=h.example&myip=192.0.2.1&wildcard=ON&mx=m.example&backmx=YES",
                "h.example: 192.0.2.1 keep",
            ),
            ("/nic/update?hostname=h.example", "h.example: source source"),
            ("/nic/update?hostname=h.example&offline=YES", "h.example: delete delete"),
            ("/nic/update?hostname=h.example&offline=NO", "h.example: source source"),
            ("u /nic/update", "the only one: source source"),
        ],
    );
}

#[test]
fn each_host_has_a_line_and_the_account_only_one() {
    let asked = get("/v3/update");
    check_answers(
        Profile::Dyn,
        &asked,
        &[
            (&["good 192.0.2.1"], &format!("{OK}good 192.0.2.1\n")),
            (&["nochg 192.0.2.1"], &format!("{OK}nochg 192.0.2.1\n")),
            (
                &["good 192.0.2.1", "nohost", "notfqdn", "abuse"],
                &format!("{OK}good 192.0.2.1\nnohost\nnotfqdn\nabuse\n"),
            ),
            (&["nohost", "nohost"], &format!("{OK}nohost\nnohost\n")),
            (&["dnserr", "dnserr", "dnserr"], &format!("{OK}dnserr\n")),
            (&["numhost"], &format!("{OK}numhost\n")),
            (&["badagent"], &format!("{OK}badagent\n")),
            (
                &["badauth", "badauth"],
                "HTTP/1.1 401 Unauthorized\nContent-Type: text/plain; charset=utf-8\n\
                 WWW-Authenticate: Basic realm=\"byname\", charset=\"UTF-8\"\n\nbadauth\n",
            ),
            (
                &["!donator", "!donator"],
                "HTTP/1.1 403 Forbidden\nContent-Type: text/plain; charset=utf-8\n\n!donator\n",
            ),
            (
                &["911", "911"],
                "HTTP/1.1 503 Service Unavailable\nContent-Type: text/plain; charset=utf-8\n\
                 Retry-After: 300\n\n911\n",
            ),
        ],
    );
}
