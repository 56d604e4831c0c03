//! Rings 0 to 3 are pure: no clock, environment, socket, thread, file, randomness or runtime.

use super::layers::{PURE, ring};
use super::source::is_word;
use super::{Finding, Tree};

/// No line of a pure package that is built for use names something from outside. Network
/// addresses (`std::net::IpAddr` and kin) are values and fine; so are locks and atomics, because
/// an index is shared.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pure = tree.packages.iter().filter(|p| ring(&p.name).is_some_and(|ring| ring <= PURE));
    for source in pure.flat_map(|package| tree.sources_of(package)) {
        for (line, code) in source.used_lines() {
            for (word, instead) in IMPURE {
                if names(code, word) {
                    let message = format!("`{word}` in a pure crate; {instead}");
                    findings.push(Finding::new(&source.path, line, message));
                }
            }
        }
    }
    findings
}

/// Whether the code has the word, not as a part of a longer one.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|i| code.as_bytes().get(i));
        let after = code.as_bytes().get(at + word.len());
        !before.is_some_and(|o| is_word(*o)) && !after.is_some_and(|o| is_word(*o))
    })
}

/// What may not be named, and what to do instead.
const IMPURE: &[(&str, &str)] = &[
    ("SystemTime", "take the moment as an argument"),
    ("Instant", "take the moment as an argument"),
    ("std::env", "take the setting as an argument"),
    ("std::fs", "take the octets as an argument"),
    ("File", "take `impl Read` or octets as an argument"),
    ("std::thread", "threads live in ring 4"),
    ("thread::spawn", "threads live in ring 4"),
    ("std::process", "processes live in ring 4 and above"),
    ("TcpStream", "sockets live in ring 4"),
    ("TcpListener", "sockets live in ring 4"),
    ("UdpSocket", "sockets live in ring 4"),
    ("UnixStream", "sockets live in ring 4"),
    ("ToSocketAddrs", "names are resolved in ring 4"),
    ("std::os", "system calls live in ring 4"),
    ("tokio", "the runtime lives in ring 4"),
    ("SystemRandom", "take random octets as an argument"),
    ("RandomState", "it is seeded by chance; take the hasher as an argument"),
    ("thread_local", "state is owned by its caller"),
    ("async", "pure code does not wait"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(package: &str, text: &str) -> Vec<usize> {
        let path = format!("crates/{package}/src/a.rs");
        let folder = format!("crates/{package}");
        let tree = Tree::sample_with(&[(&path, text)], &[(package, &folder, &[])]);
        check(&tree).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn pure_crates_name_no_clock_environment_or_socket() {
        for bad in
            ["let t = Instant::now();", "use std::env;", "std::fs::read(p)", "async fn x() {}"]
        {
            assert_eq!(lines("engine", &format!("//! Why.\n{bad}\n")), [2], "{bad}");
            assert!(lines("gateway", bad).is_empty(), "{bad} is fine in ring 4");
        }
        for fine in ["use std::net::IpAddr;", "// no Instant here", "struct Instants;", "\"tokio\""]
        {
            assert!(lines("engine", fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn tests_of_pure_crates_may_use_the_world() {
        assert!(lines("zone", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n").is_empty());
    }
}
