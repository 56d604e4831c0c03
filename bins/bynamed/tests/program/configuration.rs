//! Flags win over the environment, the environment over the file; mistakes are told.

use crate::bynamed::{Ended, Place, ZONE, bare, end, write};

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let place = Place::new();
    let file = place.beside("byname.toml");
    let at = |name: &str| place.beside(name);
    write(&file, &format!("data = {:?}\n", at("from-file")));
    let run = |environment: bool, flag: bool| {
        let mut command = bare(&["zone", "add", ZONE, "--config"]);
        command.arg(&file);
        if environment {
            command.env("BYNAME_DATA", at("from-environment"));
        }
        if flag {
            command.arg("--data").arg(at("from-flag"));
        }
        let ended = end(&mut command);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    let there = || {
        ["from-file", "from-environment", "from-flag"].map(|name| at(name).join("log.db").exists())
    };
    run(true, true);
    assert_eq!(there(), [false, false, true]);
    run(true, false);
    assert_eq!(there(), [false, true, true]);
    run(false, false);
    assert_eq!(there(), [true, true, true]);
}

#[test]
fn lists_are_replaced_as_a_whole() {
    let place = Place::new();
    let file = place.beside("byname.toml");
    write(&file, "http = \"none\"\ndns = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n");
    let mut command = place.command(&["serve", "--json"]);
    command.arg("--config").arg(&file).env("BYNAME_HTTP", "127.0.0.1:0, 127.0.0.1:0");
    let service = place.start(command);
    assert_eq!(service.ready["dns"].as_array().map(Vec::len), Some(2), "{}", service.ready);
    assert_eq!(service.ready["http"].as_array().map(Vec::len), Some(2), "{}", service.ready);
    assert!(service.stop().success());
    let mut command = place.command(&["serve", "--json", "--http", "none"]);
    command.args(["--dns", "127.0.0.1:0"]).arg("--config").arg(&file);
    let service = place.start(command);
    assert_eq!(service.ready["dns"].as_array().map(Vec::len), Some(1), "{}", service.ready);
    assert_eq!(service.ready["http"].as_array().map(Vec::len), Some(0), "{}", service.ready);
}

#[test]
fn mistakes_in_the_file_are_told_all_at_once_with_suggestions() {
    let place = Place::new();
    let file = place.beside("byname.toml");
    write(&file, "worker = 2\nlog_format = \"xml\"\nrubbish = 1\ntcp_idle = \"soon\"\n");
    let ended = check(&place, &file.to_string_lossy());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for words in [
        "`worker` is not a setting; did you mean `workers`?",
        "`log_format`: `xml` is neither `text` nor `json`",
        "`rubbish` is not a setting\n",
        "`tcp_idle`: `soon` is not a time",
    ] {
        assert!(ended.err.contains(words), "no {words} in {}", ended.err);
    }
    let served = end(place.command(&["serve"]).arg("--config").arg(&file));
    assert_eq!(served.code, Some(1), "{served:?}");
    assert!(served.err.contains("did you mean `workers`?"), "{served:?}");
    assert!(!place.data().exists(), "nothing was made");
}

#[test]
fn file_that_is_no_toml_or_not_there_is_told() {
    let place = Place::new();
    let file = place.beside("byname.toml");
    write(&file, "workers = = 2\n");
    let ended = check(&place, &file.to_string_lossy());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("line 1"), "{ended:?}");
    let ended = check(&place, "/no/such/file");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("/no/such/file"), "{ended:?}");
}

#[test]
fn slip_in_the_environment_is_told_and_other_variables_are_not_ours() {
    let place = Place::new();
    let run = |name: &str, value: &str| end(place.command(&["check"]).env(name, value));
    let slip = run("BYNAME_WORKER", "2");
    assert_eq!(slip.code, Some(1), "{slip:?}");
    assert!(slip.err.contains("did you mean `BYNAME_WORKERS`?"), "{slip:?}");
    let wrong = run("BYNAME_WORKERS", "many");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.err.contains("`BYNAME_WORKERS`: `many` is not a number"), "{wrong:?}");
    // Of our agent, or of a test.
    for name in ["BYNAME_HOST", "BYNAME_TOKEN", "BYNAME_SERVER", "BYNAME_CONFIG", "BYNAME_E2E"] {
        assert_eq!(run(name, "x").code, Some(0), "{name}");
    }
}

#[test]
fn sample_is_a_configuration_that_changes_nothing() {
    let place = Place::new();
    let sample = end(&mut bare(&["config"]));
    assert_eq!(sample.code, Some(0), "{sample:?}");
    let file = place.beside("byname.toml");
    write(&file, &sample.out);
    assert_eq!(check(&place, &file.to_string_lossy()).code, Some(0));
    // And with everything switched on.
    let on: String = sample
        .out
        .lines()
        .filter_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')))
        .map(|line| format!("{line}\n"))
        .collect();
    // The certificate that it names is looked at.
    write(&file, &on);
    let ended = check(&place, &file.to_string_lossy());
    assert!(ended.err.contains("/etc/byname/fullchain.pem: No such file"), "{ended:?}");
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["update.example.com".to_owned()]);
    let certificate = certificate.unwrap().self_signed(&key).unwrap();
    write(&place.beside("fullchain.pem"), &certificate.pem());
    write(&place.beside("privkey.pem"), &key.serialize_pem());
    let folder = file.parent().unwrap().to_string_lossy().into_owned();
    let on = on
        .replace("/etc/byname/fullchain", &format!("{folder}/fullchain"))
        .replace("/etc/byname/privkey", &format!("{folder}/privkey"));
    write(&file, &on);
    let ended = check(&place, &file.to_string_lossy());
    assert_eq!(ended.code, Some(0), "{ended:?}\n{on}");
}

#[test]
fn check_changes_nothing() {
    let (place, _) = Place::with_host();
    let state = || {
        let read = |name: &str| std::fs::read(place.data().join(name)).expect("a file");
        (read("log.db"), read("state.db"))
    };
    let before = state();
    let ended = place.run(&["check"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "all is well\n"));
    assert!(state() == before, "a check leaves the data as they are");
}

#[test]
fn check_finds_damaged_data() {
    let (place, _) = Place::with_host();
    let path = place.data().join("log.db");
    let mut octets = std::fs::read(&path).expect("the log");
    let host = octets.windows(3).rposition(|three| three == b"nas").expect("the host in the log");
    octets[host] = b'N';
    std::fs::write(&path, octets).expect("the log");
    let ended = place.run(&["check"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("position"), "{ended:?}");
}

fn check(place: &Place, file: &str) -> Ended {
    place.run(&["check", "--config", file])
}
