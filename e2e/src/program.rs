//! Programs by name: ours from the build, foreign ones from the machine or from `target/tools`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of our own programs, `bynamed` or `byname`, as built beside the test that runs.
///
/// Panics when it is not built; `cargo xtask test` builds it first.
pub fn ours(name: &str) -> Command {
    let path = profile_folder().join(name);
    assert!(
        path.is_file(),
        "{} is not built\nhint: `cargo build --workspace --bins`, or run `cargo xtask test`",
        path.display()
    );
    Command::new(path)
}

/// A foreign program: the machine's, or the one that `cargo xtask tools` unpacked, with its
/// libraries, Perl modules and Python modules.
pub fn program(name: &str) -> Command {
    let system = system_folders().into_iter().map(|folder| folder.join(name));
    if let Some(path) = system.into_iter().find(|path| path.is_file()) {
        return Command::new(path);
    }
    let path = tool_folders()
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no `{name}` here\nhint: run `cargo xtask tools`"));
    let mut command = if is_script(&path, "perl") {
        let mut perl = program("perl");
        perl.arg(&path);
        perl
    } else if is_script(&path, "python3") {
        // The modules are for Debian's, whatever else is called so.
        let unpacked = tools_root().join("usr/bin/python3");
        let systems = Path::new("/usr/bin/python3");
        let mut python = Command::new(if systems.is_file() { systems } else { &unpacked });
        python.arg(&path);
        python
    } else {
        Command::new(&path)
    };
    command.envs(tools_environment());
    command
}

/// `PATH` for a shell that is to find everything that [`program`] finds, and what the programs
/// need besides.
pub fn tools_path(command: &mut Command) {
    let folders = system_folders().into_iter().chain(tool_folders());
    let path = std::env::join_paths(folders).expect("folders without a colon");
    command.env("PATH", path).envs(tools_environment());
}

/// Libraries and modules of what was unpacked.
fn tools_environment() -> Vec<(&'static str, OsString)> {
    let root = tools_root();
    let mut libraries = Vec::new();
    let mut modules = vec![root.join("etc/perl"), root.join("usr/share/perl5")];
    modules.extend(below(&root.join("usr/share/perl")));
    for lib in [root.join("usr/lib"), root.join("lib")] {
        for folder in below(&lib).into_iter().filter(|f| f.to_string_lossy().contains("-linux-")) {
            modules.extend(below(&folder.join("perl5")));
            modules.extend(below(&folder.join("perl")));
            modules.push(folder.join("perl-base"));
            libraries.push(folder);
        }
    }
    let join = |folders: Vec<PathBuf>| {
        std::env::join_paths(folders.into_iter().filter(|folder| folder.is_dir()))
            .expect("folders without a colon")
    };
    let python = vec![root.join("usr/lib/python3/dist-packages")];
    vec![
        ("LD_LIBRARY_PATH", join(libraries)),
        ("PERL5LIB", join(modules)),
        ("PYTHONPATH", join(python)),
    ]
}

/// Whether it is a script for this interpreter.
fn is_script(path: &Path, interpreter: &str) -> bool {
    fs::read(path).is_ok_and(|octets| {
        let first = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
        let mut words = first.windows(interpreter.len());
        first.starts_with(b"#!") && words.any(|word| word == interpreter.as_bytes())
    })
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a program is looked up as a shell would")]
fn system_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(BIN_FOLDERS.iter().map(|folder| Path::new("/").join(folder)));
    folders
}

fn tool_folders() -> Vec<PathBuf> {
    let root = tools_root();
    BIN_FOLDERS.iter().map(|folder| root.join(folder)).collect()
}

/// Where `cargo xtask tools` unpacks: below the target directory.
fn tools_root() -> PathBuf {
    let profile = profile_folder();
    profile.parent().unwrap_or(&profile).join("tools/root")
}

/// `target/debug` or `target/release`: the test itself is in `deps` below it.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a path of the running test");
    test.ancestors().nth(2).expect("a test below the target directory").to_path_buf()
}

const BIN_FOLDERS: &[&str] = &["usr/bin", "usr/sbin", "bin", "sbin"];
