//! The state on a real disk.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

use agent::plan::Target;
use agent::state::State;
use agent::state::file::{StateFile, peek};
use tempfile::TempDir;

fn sample() -> State {
    let mut state = State::default();
    state.record("nas.dyn.example", "https://dyn.example", &Target("1".to_owned()));
    state
}

#[test]
fn a_state_is_there_after_a_restart_and_only_its_owner_can_read_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("new/state.json");
    let opened = StateFile::open(&path).unwrap();
    assert_eq!(opened.state, State::default());
    assert!(opened.damaged.is_none());
    opened.file.save(&sample()).unwrap();
    drop(opened);
    let opened = StateFile::open(&path).unwrap();
    assert_eq!(opened.state, sample());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_state_is_told_and_replaced() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.json");
    for damage in ["", "{", "\u{0}\u{0}", "{\"version\":9}", "[]"] {
        fs::write(&path, damage).unwrap();
        let opened = StateFile::open(&path).unwrap();
        assert_eq!(opened.state, State::default(), "{damage:?}");
        assert!(opened.damaged.is_some(), "{damage:?}");
        assert!(peek(&path).unwrap().1.is_some(), "{damage:?}");
        opened.file.save(&sample()).unwrap();
        assert_eq!(peek(&path).unwrap().0, sample());
    }
}

#[test]
fn a_crash_while_writing_leaves_the_old_state() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.json");
    StateFile::open(&path).unwrap().file.save(&sample()).unwrap();
    fs::write(folder.path().join("state.json.new"), "{\"vers").unwrap();
    let opened = StateFile::open(&path).unwrap();
    assert_eq!((opened.state, opened.damaged.is_none()), (sample(), true));
    opened.file.save(&State::default()).unwrap();
    assert_eq!(peek(&path).unwrap().0, State::default());
}

#[test]
fn one_agent_at_a_time_uses_a_state() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.json");
    let opened = StateFile::open(&path).unwrap();
    let other = File::open(folder.path().join("state.json.lock")).unwrap();
    assert!(other.try_lock().is_err());
    drop(opened);
    other.try_lock().unwrap();
}

#[test]
fn a_state_that_cannot_be_kept_is_an_error() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = StateFile::open(&file.join("state.json")).unwrap_err();
    assert!(error.to_string().starts_with("cannot use the state file"), "{error}");
}
