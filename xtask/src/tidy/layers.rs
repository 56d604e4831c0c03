//! Imports go down only: the rings of ARCHITECTURE.md against what the packages link.

use std::collections::BTreeSet;

use super::{Finding, Tree};
use crate::workspace::Package;

/// Every edge between our packages goes to a lower ring, or sideways where it is listed; what a
/// package with a closed world reaches stays within its list; foreign packages that bring a
/// runtime, sockets, files or randomness stay out of rings 0 to 3.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        let mut say = |message: String| findings.push(Finding::new(&manifest, 0, message));
        match ring(&package.name) {
            Some(own) => {
                edges(package, own, tree, &mut say);
                foreign(package, own, &mut say);
            }
            None if BESIDE.contains(&package.name.as_str()) => {}
            None => say(format!("`{}` has no ring; add it to the layer table", package.name)),
        }
        closure(package, tree, &mut say);
    }
    findings
}

fn edges(package: &Package, own: u8, tree: &Tree, say: &mut impl FnMut(String)) {
    for link in package.links.iter().filter(|link| is_ours(link, tree)) {
        let from = &package.name;
        match ring(link) {
            Some(ring) if ring < own => {}
            Some(_) if SIDEWAYS.contains(&(from, link)) => {}
            Some(ring) => say(format!(
                "`{from}` (ring {own}) imports `{link}` (ring {ring}); imports go down only"
            )),
            None => say(format!("`{from}` imports `{link}`, which stands beside the rings")),
        }
    }
}

fn foreign(package: &Package, own: u8, say: &mut impl FnMut(String)) {
    for link in package.links.iter().filter(|link| own <= PURE && IMPURE.contains(&link.as_str())) {
        say(format!("`{}` is pure (ring {own}) and must not link `{link}`", package.name));
    }
}

/// Everything of ours that `package` reaches must be on its list.
fn closure(package: &Package, tree: &Tree, say: &mut impl FnMut(String)) {
    let Some((_, allowed)) = CLOSED.iter().find(|(name, _)| *name == package.name) else { return };
    for reached in reach(package, tree) {
        if !allowed.contains(&reached.as_str()) {
            say(format!(
                "`{}` reaches `{reached}`; it closes over {{{}}} only",
                package.name,
                allowed.join(", ")
            ));
        }
    }
}

fn reach(package: &Package, tree: &Tree) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Package> = vec![package];
    while let Some(at) = open.pop() {
        for next in tree.packages.iter().filter(|next| at.links.contains(&next.name)) {
            if reached.insert(next.name.clone()) {
                open.push(next);
            }
        }
    }
    reached
}

fn is_ours(link: &str, tree: &Tree) -> bool {
    ring(link).is_some() || tree.packages.iter().any(|package| package.name == link)
}

/// The ring of a package; `None` for what stands beside them and for what is not ours.
pub(crate) fn ring(name: &str) -> Option<u8> {
    RINGS.iter().zip(0u8..).find(|(names, _)| names.contains(&name)).map(|(_, ring)| ring)
}

/// Rings up to this one know no clock, environment, socket, thread, file or randomness.
pub(crate) const PURE: u8 = 3;

/// The layer table, lowest ring first. ARCHITECTURE.md shows the same one to people.
const RINGS: &[&[&str]] = &[
    &["wire"],
    &["zone", "account", "tsig", "dialect", "dhcp"],
    &["update", "transfer", "dnssec", "abuse", "store"],
    &["engine"],
    &[
        "datagram",
        "memory",
        "server",
        "xdp",
        "tls",
        "gateway",
        "acme",
        "node",
        "api",
        "dashboard",
        "agent",
        "store-sqlite",
        "store-postgres",
        "identity",
    ],
    &["bynamed", "byname"],
];

/// What is not shipped.
const BESIDE: &[&str] = &["scenarios", "e2e", "sim", "fuzz", "bench", "xtask", "powercut"];

/// Edges inside one ring. `node` is the one that puts the doors and the store together; `xdp` is
/// another way for packets to `server`'s answers; `api` is another language at `gateway`'s door.
const SIDEWAYS: &[(&str, &str)] = &[
    ("server", "datagram"),
    ("gateway", "server"),
    ("gateway", "tls"),
    ("acme", "gateway"),
    ("acme", "tls"),
    ("xdp", "server"),
    ("node", "memory"),
    ("node", "server"),
    ("node", "gateway"),
    ("node", "dashboard"),
    ("node", "identity"),
    ("node", "store-sqlite"),
    ("node", "store-postgres"),
    ("api", "gateway"),
    ("api", "node"),
];

/// Packages with a closed world, and the whole of it.
const CLOSED: &[(&str, &[&str])] = &[
    ("account", &["wire"]),
    ("tsig", &["wire"]),
    ("dialect", &[]),
    ("store", &["wire", "zone", "account"]),
    // The data plane has no path to accounts, tokens or the store.
    ("datagram", &[]),
    ("memory", &[]),
    ("server", &["datagram", "wire", "zone", "tsig", "dnssec", "transfer"]),
    ("xdp", &["server", "datagram", "wire", "zone", "tsig", "dnssec", "transfer"]),
    // The agent never links the service.
    ("agent", &["dialect", "dhcp", "tsig", "wire"]),
    ("byname", &["agent", "dialect", "dhcp", "tsig", "wire"]),
];

/// Foreign packages that bring what rings 0 to 3 must not have.
const IMPURE: &[&str] = &[
    "async-std",
    "axum",
    "clap",
    "crossbeam-channel",
    "fastrand",
    "getrandom",
    "hyper",
    "libc",
    "metrics",
    "mio",
    "netlink-sys",
    "nix",
    "parking_lot",
    "rand",
    "rayon",
    "reqwest",
    "rusqlite",
    "rustix",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
    "tracing",
    "ureq",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn said(packages: &[(&str, &str, &[&str])]) -> Vec<String> {
        let tree = Tree::sample_with(&[], packages);
        check(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn imports_go_down_only() {
        assert!(
            said(&[("zone", "crates/zone", &["wire"]), ("wire", "crates/wire", &[])]).is_empty()
        );
        let up = said(&[("wire", "crates/wire", &["zone"]), ("zone", "crates/zone", &[])]);
        assert_eq!(up, ["`wire` (ring 0) imports `zone` (ring 1); imports go down only"]);
        let sideways = said(&[("identity", "i", &["server"]), ("server", "s", &[])]);
        assert_eq!(sideways.len(), 1);
        assert!(said(&[("node", "n", &["server"]), ("server", "s", &[])]).is_empty());
    }

    #[test]
    fn closed_worlds_are_closed_through_others_too() {
        let through = said(&[
            ("server", "s", &["transfer"]),
            ("transfer", "t", &["account"]),
            ("account", "a", &[]),
        ]);
        assert_eq!(through.len(), 1);
        assert!(through[0].starts_with("`server` reaches `account`"), "{through:?}");
        let agent = said(&[("agent", "a", &["zone"]), ("zone", "z", &[])]);
        assert!(agent[0].starts_with("`agent` reaches `zone`"), "{agent:?}");
    }

    #[test]
    fn pure_rings_link_no_runtime_and_every_package_has_a_ring() {
        assert_eq!(said(&[("engine", "e", &["tokio"])]).len(), 1);
        assert!(said(&[("gateway", "g", &["tokio"])]).is_empty());
        assert_eq!(said(&[("misc", "m", &[])]).len(), 1);
        assert_eq!(said(&[("node", "n", &["e2e"]), ("e2e", "e", &[])]).len(), 1);
    }
}
