use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn patterns_are_shown_as_they_are_read() {
    for (text, pattern, shown) in [
        ("self", NamePattern::SelfName, "self"),
        ("self-subtree", NamePattern::SelfSubtree, "self-subtree"),
        ("Host.Dyn.Example", NamePattern::Exact(name("host.dyn.example")), "host.dyn.example."),
        ("self.", NamePattern::Exact(name("self")), "self."),
        ("*.sub.dyn.example.", NamePattern::Below(name("sub.dyn.example")), "*.sub.dyn.example."),
        (r"\*.dyn.example", NamePattern::Exact(name("*.dyn.example")), r"\*.dyn.example."),
        (r"*.\*.dyn.example", NamePattern::Below(name("*.dyn.example")), r"*.*.dyn.example."),
    ] {
        assert_eq!(NamePattern::parse(text), Ok(pattern.clone()), "{text}");
        assert_eq!(pattern.to_string(), shown);
        assert_eq!(NamePattern::parse(shown), Ok(pattern), "{shown}");
    }
    for text in ["", "*.", "a..b", ".x"] {
        assert!(NamePattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn no_secret_of_a_credential_is_shown() {
    let secret = b"do not show me".to_vec();
    let shared = Credential::Shared { algorithm: TsigAlgorithm::HmacSha256, secret };
    let shown = format!("{shared:?}");
    assert!(shown.contains("HmacSha256") && !shown.contains("100") && !shown.contains("do not"));
}
