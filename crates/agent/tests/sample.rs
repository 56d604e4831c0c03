//! The sample configuration in docs is the one that the options give.

use std::fs;
use std::path::Path;

#[test]
fn the_sample_file_is_what_the_options_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let kept = fs::read_to_string(root.join("docs/byname.example.toml")).unwrap_or_default();
    let fresh = agent::config::sample();
    if kept != fresh {
        let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("byname.example.toml");
        fs::write(&beside, &fresh).unwrap();
        panic!("docs/byname.example.toml is out of step; copy {} there", beside.display());
    }
}
