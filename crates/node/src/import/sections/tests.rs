use std::collections::BTreeMap;

use super::*;

/// RRsets by owner and type, or what the error says.
type Seen = Result<BTreeMap<(String, u16), (u32, Vec<String>)>, String>;

fn seen(text: &str, cut: (usize, usize)) -> Seen {
    let apex = Name::parse("dyn.example").unwrap();
    let hasher = RandomState::new();
    let reader = Reader { apex: &apex, hasher: &hasher, cut };
    let content = reader.read_all(text.as_bytes()).map_err(|why| why.to_string())?;
    let mut seen = BTreeMap::new();
    let rrsets = content.parts.iter().flat_map(|part| part.rrsets(&apex));
    for (owner, rtype, rrset) in rrsets {
        let shown = rrset.rdata.iter().map(|rdata| rdata.display(rtype).to_string());
        let set = (rrset.ttl_s, shown.collect());
        assert_eq!(seen.insert((owner.to_string(), rtype.0), set), None, "{owner} {rtype} twice");
    }
    assert_eq!(seen.len(), content.rrsets);
    Ok(seen)
}

/// However a text is cut, it says the same; what it says as a whole comes back.
fn check(text: &str) -> Seen {
    let whole = seen(text, (usize::MAX, usize::MAX));
    for head in [0, 1, 10, 30, 100] {
        for section in [0, 1, 2, 7, 30, 100, 300] {
            assert_eq!(seen(text, (head, section)), whole, "cut at {head} and {section}: {text}");
        }
    }
    whole
}

fn ok(text: &str, expected: &[(&str, u16, u32, &[&str])]) {
    let told = expected.iter().map(|(owner, rtype, ttl_s, records)| {
        let records = records.iter().map(|&record| record.to_owned()).collect();
        (((*owner).to_owned(), *rtype), (*ttl_s, records))
    });
    assert_eq!(check(text), Ok(told.collect()), "{text}");
}

fn refused(text: &str, told: &str) {
    assert_eq!(check(text), Err(told.to_owned()), "{text}");
}

#[test]
fn directives_count_for_all_that_follows_them() {
    ok(
        "a 5 A 192.0.2.1\nb A 192.0.2.2\n$TTL 60\nc A 192.0.2.3\n$ORIGIN sub.dyn.example.\n\
         d A 192.0.2.4\n$TTL 70\ne A 192.0.2.5\n$ORIGIN dyn.example.\nf A 192.0.2.6\n",
        &[
            ("a.dyn.example.", 1, 5, &["192.0.2.1"]),
            ("b.dyn.example.", 1, 5, &["192.0.2.2"]),
            ("c.dyn.example.", 1, 60, &["192.0.2.3"]),
            ("d.sub.dyn.example.", 1, 60, &["192.0.2.4"]),
            ("e.sub.dyn.example.", 1, 70, &["192.0.2.5"]),
            ("f.dyn.example.", 1, 70, &["192.0.2.6"]),
        ],
    );
}

#[test]
fn a_record_without_a_ttl_has_that_of_the_record_before() {
    ok(
        "a A 192.0.2.1\nb 7 A 192.0.2.2\nc A 192.0.2.3\nd 9 A 192.0.2.4\n  TXT x\ne A 192.0.2.5\n",
        &[
            ("a.dyn.example.", 1, 3600, &["192.0.2.1"]),
            ("b.dyn.example.", 1, 7, &["192.0.2.2"]),
            ("c.dyn.example.", 1, 7, &["192.0.2.3"]),
            ("d.dyn.example.", 1, 9, &["192.0.2.4"]),
            ("d.dyn.example.", 16, 9, &["\"x\""]),
            ("e.dyn.example.", 1, 9, &["192.0.2.5"]),
        ],
    );
}

#[test]
fn parentheses_may_hold_what_looks_like_the_beginning_of_a_record() {
    ok(
        "$TTL 60\na TXT ( x\nb TXT y\n) ; a ( comment\nc TXT \"(\"\nd TXT (\nz )\ne TXT w\n",
        &[
            ("a.dyn.example.", 16, 60, &["\"x\" \"b\" \"TXT\" \"y\""]),
            ("c.dyn.example.", 16, 60, &["\"(\""]),
            ("d.dyn.example.", 16, 60, &["\"z\""]),
            ("e.dyn.example.", 16, 60, &["\"w\""]),
        ],
    );
    refused("$TTL 60\na TXT ( x\nb TXT y\nc TXT z\n", "line 5: a parenthesis is not closed");
}

#[test]
fn a_name_may_stand_in_several_places_and_in_any_case() {
    ok(
        "$TTL 60\na A 192.0.2.1\nb A 192.0.2.2\nA 70 A 192.0.2.3\na.DYN.example. A 192.0.2.1\n\
         b AAAA 2001:db8::1\nc CNAME B\nb A 192.0.2.9\n\tTXT x\nc 9 CNAME b\n",
        &[
            ("a.dyn.example.", 1, 60, &["192.0.2.1", "192.0.2.3"]),
            ("b.dyn.example.", 1, 60, &["192.0.2.2", "192.0.2.9"]),
            ("b.dyn.example.", 16, 60, &["\"x\""]),
            ("b.dyn.example.", 28, 60, &["2001:db8::1"]),
            ("c.dyn.example.", 5, 60, &["B.dyn.example."]),
        ],
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    refused(
        "$TTL 60\na A 192.0.2.1\n\nb A 192.0.2.2 ; is right\nc A 192.0.2\nd A\n",
        "line 5: the text is not A data: an IPv4 address is expected",
    );
    refused(
        "$TTL 60\na TXT (\n x )\nb.example. A 192.0.2.2\n",
        "line 4: b.example. lies outside the zone",
    );
    refused(
        "$TTL 60\na A 192.0.2.1\nb CNAME a\n  A 192.0.2.1\n",
        "line 3: b.dyn.example. has a CNAME record and other data, or several CNAME records",
    );
    refused(
        "$TTL 60\nb CNAME a\na A 192.0.2.1\nb A 192.0.2.1\n",
        "b.dyn.example. has a CNAME record and other data, or several CNAME records",
    );
    refused(
        "$TTL 60\n$ORIGIN sub\na A 192.0.2.1\n$INCLUDE x\n",
        "line 4: `$INCLUDE` is not followed: put everything into one file",
    );
}

#[test]
fn many_names_of_which_some_come_again() {
    let mut text = "$TTL 60\n".to_owned();
    for n in 0..2000 {
        text += &format!("h{n} A 192.0.2.{}\n", n % 250);
    }
    for n in (0..2000).step_by(7) {
        text += &format!("h{n} AAAA 2001:db8::{n:x}\nh{n} A 192.0.2.255\n");
    }
    let whole = seen(&text, (100, 500)).unwrap();
    assert_eq!(whole.len(), 2000 + 286);
    let (_, records) = &whole[&("h14.dyn.example.".to_owned(), 1)];
    assert_eq!(records, &["192.0.2.14", "192.0.2.255"]);
}
