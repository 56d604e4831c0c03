use super::*;

/// One owner with these values.
struct Standing(&'static [&'static str]);

impl View for Standing {
    fn rrset(&self, _: &Name, rtype: Rtype) -> Option<Rrset> {
        assert_eq!(rtype, Rtype::TXT);
        let rdata: Vec<Rdata> = self.0.iter().map(|value| rdata(value).unwrap()).collect();
        (!rdata.is_empty()).then_some(Rrset { ttl_s: 60, rdata })
    }

    fn types(&self, _: &Name) -> Vec<Rtype> {
        Vec::new()
    }
}

fn told(standing: &'static [&'static str], action: &TxtAction) -> Vec<String> {
    let host = Name::parse("h.example").unwrap();
    let edits = edits(&Standing(standing), &host, 60, action).unwrap();
    let value = |rdata: &Rdata| String::from_utf8_lossy(&rdata.as_wire()[1..]).into_owned();
    let word = |edit: &Edit| match edit {
        Edit::Add { rdata, .. } => format!("+{}", value(rdata)),
        Edit::DeleteRecord { rdata, .. } => format!("-{}", value(rdata)),
        Edit::Replace { rrset, .. } => format!("={}", value(&rrset.rdata[0])),
        Edit::DeleteRrset { .. } => "--".to_owned(),
        other => format!("{other:?}"),
    };
    edits.iter().map(word).collect()
}

#[test]
fn a_set_of_values_has_a_limit_and_the_oldest_go() {
    let add = |value: &str, keep| TxtAction::Add { value: value.to_owned(), keep };
    for (standing, action, expected) in [
        (&[][..], add("a", 2), &["+a"][..]),
        (&["a"], add("b", 2), &["+b"]),
        (&["a", "b"], add("c", 2), &["-a", "+c"]),
        (&["a", "b"], add("b", 2), &["+b"]),
        (&["a", "b", "c"], add("d", 2), &["-a", "-b", "+d"]),
        (&["a"], add("b", 1), &["-a", "+b"]),
        (&["a"], add("b", 0), &["-a", "+b"]),
        (&["a", "b"], TxtAction::Replace("c".to_owned()), &["=c"]),
        (&["a", "b"], TxtAction::Remove("a".to_owned()), &["-a"]),
        (&["a", "b"], TxtAction::Clear, &["--"]),
    ] {
        assert_eq!(told(standing, &action), expected, "{standing:?} {action:?}");
    }
}

#[test]
fn labels_stand_in_front_of_the_host() {
    let host = Name::parse("h.example").unwrap();
    for (below, expected) in [
        ("", "h.example."),
        ("_acme-challenge", "_acme-challenge.h.example."),
        ("_a._b", "_a._b.h.example."),
    ] {
        let edit = TxtEdit { below, action: TxtAction::Clear };
        assert_eq!(owner(&host, &edit).unwrap().to_string(), expected);
    }
}

/// RFC 1035 §3.3: 255 octets a string.
#[test]
fn rfc1035_3_3_a_long_value_is_several_strings() {
    let long = rdata(&"x".repeat(600)).unwrap();
    assert_eq!(long.as_wire().len(), 603);
    assert_eq!((long.as_wire()[0], long.as_wire()[256], long.as_wire()[512]), (255, 255, 90));
    assert!(rdata("").is_none());
}
