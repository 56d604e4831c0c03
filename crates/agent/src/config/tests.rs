use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

const COMPLETE: &str = "server = \"https://dyn.example\"\nhost = \"nas.dyn.example\"\n\
                        token = \"byn_sesame\"\n";

struct Case {
    folder: TempDir,
    places: Places,
}

fn case(text: &str) -> Case {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("byname.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    Case { folder, places: Places { file: Some(path), ..Places::default() } }
}

fn load(text: &str) -> Result<Config, ConfigError> {
    Config::load(&case(text).places)
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn three_lines_are_a_configuration() {
    let config = load(COMPLETE).unwrap();
    assert_eq!(config.server.to_string(), "https://dyn.example");
    assert_eq!(config.hosts, ["nas.dyn.example"]);
    assert_eq!(config.token.reveal(), "byn_sesame");
    assert_eq!(config.sources.ipv4, [Source::Echo]);
    assert_eq!(config.sources.ipv6, [Source::Interface, Source::Echo]);
    assert_eq!(config.sources.echo, ["https://dyn.example/ip"]);
    assert_eq!(config.interval, Duration::from_secs(300));
    assert_eq!(config.refresh, Duration::from_secs(86_400));
    assert_eq!(config.when_gone, WhenGone::Preserve);
    assert!(!config.sources.allow_private && !config.allow_http);
}

#[test]
fn every_option_can_be_set_in_a_file() {
    let config = load(
        "server='http://10.0.0.1:8053'\nhosts=['A.dyn.example.','b.dyn.example']\ntoken='t'\n\
         ipv4_sources=['interface']\nipv6_sources=[]\necho=['https://e.example/']\n\
         interface='eth0'\nallow_private=true\nwhen_gone='remove'\ninterval_s=60\n\
         refresh_s=3600\ntimeout_s=5\ntrust='bundled'\nallow_http=true\nstate='/tmp/s.json'\n",
    )
    .unwrap();
    assert_eq!(config.hosts, ["a.dyn.example", "b.dyn.example"]);
    let sources = Sources {
        ipv4: vec![Source::Interface],
        ipv6: vec![],
        echo: vec!["https://e.example/".to_owned()],
        interface: Some("eth0".to_owned()),
        allow_private: true,
    };
    assert_eq!(config.sources, sources);
    assert_eq!(config.when_gone, WhenGone::Remove);
    assert_eq!(config.interval.as_secs() + config.refresh.as_secs(), 3660);
    let http = HttpSettings { timeout: Duration::from_secs(5), trust: Trust::Bundled };
    assert_eq!(config.http, http);
    assert!(config.allow_http);
    assert_eq!(config.state, Some(PathBuf::from("/tmp/s.json")));
}

#[test]
fn arguments_win_over_variables_and_variables_over_the_file() {
    let mut case = case(&format!("{COMPLETE}interval_s = 60\nstate = '/file'\n"));
    case.places.environment = variables(&[
        ("BYNAME_INTERVAL_S", "120"),
        ("BYNAME_STATE", "/variable"),
        ("BYNAME_HOSTS", "a.dyn.example, b.dyn.example"),
        ("BYNAME_TOKEN", "other"),
        ("BYNAME_ALLOW_PRIVATE", "true"),
        ("BYNAME_DATA", "an option of the service"),
        ("PATH", "/bin"),
    ]);
    case.places.arguments = vec![("state", "/argument".to_owned())];
    let config = Config::load(&case.places).unwrap();
    assert_eq!(config.interval, Duration::from_secs(120));
    assert_eq!(config.state, Some(PathBuf::from("/argument")));
    assert_eq!(config.hosts, ["a.dyn.example", "b.dyn.example"]);
    assert_eq!(config.token.reveal(), "other");
    assert!(config.sources.allow_private);
}

#[test]
fn the_environment_alone_is_a_configuration() {
    let environment = variables(&[
        ("BYNAME_SERVER", "dyn.example"),
        ("BYNAME_HOST", "nas.dyn.example"),
        ("BYNAME_TOKEN", "t"),
    ]);
    let places = Places { environment, ..Places::default() };
    assert_eq!(Config::load(&places).unwrap().hosts, ["nas.dyn.example"]);
}

#[test]
fn an_unknown_option_is_an_error_with_a_suggestion() {
    for (key, nearest) in [
        ("tokn", Some("token")),
        ("Server", Some("server")),
        ("ipv6_source", Some("ipv6_sources")),
        ("colour", None),
    ] {
        let error = load(&format!("{COMPLETE}{key} = 'x'\n")).unwrap_err();
        let hint = nearest.map(|nearest| format!("did you mean `{nearest}`?"));
        assert_eq!(
            (error.to_string(), error.hint()),
            (format!("there is no option `{key}`"), hint)
        );
    }
}

#[test]
fn a_value_that_cannot_be_is_an_error_that_names_the_option() {
    for (line, expected) in [
        ("interval_s = 1", "`interval_s`: is a number of seconds from 10 to 86400"),
        ("interval_s = -1", "`interval_s`: is a number of seconds from 10 to 86400"),
        ("interval_s = '60'", "`interval_s`: is a number of seconds from 10 to 86400"),
        ("allow_http = 'yes'", "`allow_http`: is `true` or `false`"),
        ("ipv4_sources = ['stun']", "`ipv4_sources`: knows `echo` and `interface`"),
        ("ipv4_sources = 'echo'", "`ipv4_sources`: is a list of texts"),
        ("when_gone = 'maybe'", "`when_gone`: is `preserve` or `remove`"),
        ("trust = 'me'", "`trust`: is `system` or `bundled`"),
        ("echo = ['e.example']", "`echo`: takes URLs that begin with `https://` or `http://`"),
        ("state = ''", "`state`: is empty"),
    ] {
        assert_eq!(
            load(&format!("{COMPLETE}{line}\n")).unwrap_err().to_string(),
            expected,
            "{line}"
        );
    }
}

#[test]
fn a_host_is_a_whole_name() {
    for host in ["nas", "", "nas..example", "bücher.example", &"a".repeat(300)] {
        let text = format!("server = 'dyn.example'\ntoken = 't'\nhost = '{host}'\n");
        assert!(matches!(load(&text), Err(ConfigError::Value { .. })), "{host}");
    }
}

#[test]
fn what_is_missing_is_named_with_its_variable() {
    for (gone, key, variable) in
        [(0, "server", "BYNAME_SERVER"), (1, "host", "BYNAME_HOST"), (2, "token", "BYNAME_TOKEN")]
    {
        let mut lines: Vec<&str> = COMPLETE.lines().collect();
        lines.remove(gone);
        let error = load(&lines.join("\n")).unwrap_err();
        assert_eq!(error.to_string(), format!("`{key}` is not set"));
        assert!(error.hint().unwrap().contains(variable));
    }
}

#[test]
fn two_ways_of_saying_one_thing_are_not_both_taken() {
    let error = load(&format!("{COMPLETE}hosts = ['b.dyn.example']\n")).unwrap_err();
    assert!(matches!(error, ConfigError::Both("host", "hosts")), "{error}");
    let error = load(&format!("{COMPLETE}token_file = '/x'\n")).unwrap_err();
    assert!(matches!(error, ConfigError::Both("token", "token_file")), "{error}");
}

#[test]
fn a_token_comes_from_a_file_of_its_own() {
    let mut case = case("server = 'dyn.example'\nhost = 'nas.dyn.example'\n");
    let path = case.folder.path().join("token");
    fs::write(&path, "byn_sesame\n").unwrap();
    case.places.arguments = vec![("token_file", path.display().to_string())];
    assert_eq!(Config::load(&case.places).unwrap().token.reveal(), "byn_sesame");
    fs::write(&path, "\n").unwrap();
    assert_eq!(
        Config::load(&case.places).unwrap_err().to_string(),
        "`token_file`: the token is empty"
    );
    fs::remove_file(&path).unwrap();
    assert!(matches!(Config::load(&case.places), Err(ConfigError::Read { .. })));
}

#[test]
fn a_file_with_a_token_is_refused_when_others_can_read_it() {
    let case = case(COMPLETE);
    let path = case.places.file.clone().unwrap();
    for mode in [0o640, 0o604, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = Config::load(&case.places).unwrap_err();
        assert!(matches!(error, ConfigError::Readable { .. }), "{mode:o}: {error}");
        assert_eq!(error.hint(), Some(format!("chmod 600 {}", path.display())));
    }
    fs::write(&path, "server = 'dyn.example'\nhost = 'nas.dyn.example'\ntoken_file = '/x'\n")
        .unwrap();
    let error = Config::load(&case.places).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }), "no token in it: {error}");
}

#[test]
fn no_error_repeats_the_token() {
    for text in [
        "token = \"byn_sesame\nhost = 'x.example'\n",
        "token = byn_sesame\n",
        "server = 'https://me:byn_sesame@dyn.example'\nhost = 'x.example'\ntoken = 't'\n",
        "server = 'dyn.example'\ntoken = ['byn_sesame']\n",
        "server = 'dyn.example'\ntoken = \"byn_sesame\\u0000x\"\n",
    ] {
        let error = load(text).unwrap_err();
        let said = format!("{error} {error:?} {:?}", error.hint());
        assert!(!said.contains("sesame"), "{said}");
    }
    let debug = format!("{:?}", load(COMPLETE).unwrap());
    assert!(!debug.contains("sesame"), "{debug}");
}

#[test]
fn the_line_of_a_slip_is_told() {
    let error = load("server = 'x'\nhost = = 'y'\n").unwrap_err();
    assert!(matches!(error, ConfigError::Syntax { line: 2, .. }), "{error:?}");
}

#[test]
fn the_sample_is_a_file_that_can_be_read_and_shows_the_defaults() {
    let text: String = sample()
        .lines()
        .filter(|line| !line.starts_with("#hosts") && !line.starts_with("#token_file"))
        .map(|line| match line.strip_prefix('#') {
            Some(option) if !option.starts_with(' ') => format!("{option}\n"),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    let shown = load(&text).unwrap();
    let mut default = load(COMPLETE).unwrap();
    // These have no default that could be written down.
    default.token = shown.token.clone();
    default.sources.interface = shown.sources.interface.clone();
    default.state = shown.state.clone();
    assert_eq!(shown, default);
}
