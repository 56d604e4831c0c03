//! Foreign programs for the end-to-end tests: Debian's packages, unpacked under `target/tools`.
//!
//! Nothing is installed on the machine: packages are downloaded and unpacked with what they need
//! and the machine lacks, no maintainer script runs, so no service is ever started or enabled,
//! and no root is needed. Deleting `target/tools` undoes everything.
//!
//! The layout is read by the `e2e` crate: `root` is the tree of unpacked packages, `unpacked`
//! holds one empty file per package that is there as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fast::write;
use crate::run::{Failure, Step};
use crate::workspace;

/// Makes every program of [`PROGRAMS`] available; does nothing, also offline, when all are there.
pub(crate) fn install() -> Result<(), Failure> {
    let tools = workspace::load()?.target.join("tools");
    let missing = missing(&tools);
    if missing.is_empty() {
        println!("tools: all {} programs are there", PROGRAMS.len());
        return Ok(());
    }
    if !Step::new(&workspace::root(), "apt-get", &["--version"]).works() {
        let wanted: Vec<&str> = PROGRAMS.iter().map(|(program, _)| *program).collect();
        return Err(format!(
            "this is no Debian-like system; install these programs yourself and run again: {}",
            wanted.join(", ")
        ));
    }
    println!("tools: unpacking {} under {}", missing.join(", "), tools.display());
    let system = unpack(&tools, &missing, &Lists::System);
    let result = system.or_else(|failure| {
        println!("tools: {failure}\ntools: trying again with package lists of our own");
        let lists = Lists::Own(tools.join("apt"));
        lists.update(&tools)?;
        unpack(&tools, &missing, &lists)
    });
    result.map_err(|failure| {
        let hint = format!("hint: `apt-get install {}` by hand works too", missing.join(" "));
        format!("{failure}\n{hint} (disable the services that it starts)")
    })
}

/// Packages of which the program is neither on the machine nor unpacked as a whole.
fn missing(tools: &Path) -> Vec<&'static str> {
    PROGRAMS
        .iter()
        .filter(|(program, package)| !on_machine(program) && !is_unpacked(tools, program, package))
        .map(|(_, package)| *package)
        .collect()
}

fn on_machine(program: &str) -> bool {
    if program.starts_with('/') {
        return Path::new(program).is_file();
    }
    let path = option_env_path();
    std::env::split_paths(&path)
        .chain(SYSTEM_FOLDERS.iter().map(PathBuf::from))
        .any(|folder| folder.join(program).is_file())
}

#[expect(clippy::disallowed_methods, reason = "a program is looked up as a shell would")]
fn option_env_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

fn is_unpacked(tools: &Path, program: &str, package: &str) -> bool {
    let inside = |path: &Path| {
        let path = path.strip_prefix("/").unwrap_or(path);
        tools.join("root").join(path).is_file()
    };
    // A path joined to a folder is that path.
    tools.join("unpacked").join(package).is_file()
        && SYSTEM_FOLDERS.iter().any(|folder| inside(&Path::new(folder).join(program)))
}

/// Downloads the packages with everything that they need and the machine lacks, and unpacks all.
fn unpack(tools: &Path, packages: &[&str], lists: &Lists) -> Result<(), Failure> {
    let (archives, root, stamps) =
        (tools.join("archives"), tools.join("root"), tools.join("unpacked"));
    for folder in [&archives, &root, &stamps] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let plan =
        lists.apt(&archives, &["install", "--simulate", "--no-install-recommends"], packages);
    let wanted = planned(&plan.output()?);
    let exact: Vec<&str> = wanted.iter().map(String::as_str).collect();
    lists.apt(&archives, &["download"], &exact).output()?;
    for archive in archives_in(&archives)? {
        let (from, to) = (archive.to_string_lossy(), root.to_string_lossy());
        Step::new(&archives, "dpkg-deb", &["--extract", &from, &to]).output()?;
        fs::remove_file(&archive).map_err(|error| format!("{from}: {error}"))?;
    }
    for package in packages {
        write(&stamps.join(package), "")?;
    }
    println!("tools: unpacked {} packages", wanted.len());
    Ok(())
}

/// `name=version` of every package that apt would install: lines `Inst name (version …`.
fn planned(simulation: &str) -> Vec<String> {
    let lines = simulation.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines
        .filter_map(|line| {
            let (name, rest) = line.split_once(' ')?;
            // An upgrade reads `Inst name [old] (new …`.
            let version = rest.split_once('(')?.1.split(' ').next()?;
            Some(format!("{name}={version}"))
        })
        .collect()
}

fn archives_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "deb"));
    Ok(found)
}

/// The package lists that apt consults.
enum Lists {
    /// The machine's; read only.
    System,
    /// A copy of our own below the target directory, for when the machine's are old or empty.
    Own(PathBuf),
}

impl Lists {
    fn apt(&self, at: &Path, command: &[&str], packages: &[&str]) -> Step {
        let own = self.options();
        let options = own.iter().flat_map(|option| ["-o", option.as_str()]);
        let arguments: Vec<&str> =
            options.chain(command.iter().copied()).chain(packages.iter().copied()).collect();
        Step::new(at, "apt-get", &arguments).env("LC_ALL", "C")
    }

    fn options(&self) -> Vec<String> {
        let mut options =
            vec!["Debug::NoLocking=1".to_owned(), "APT::Sandbox::User=root".to_owned()];
        if let Lists::Own(folder) = self {
            options.push(format!("Dir::State::Lists={}", folder.join("lists").display()));
            options.push(format!("Dir::Cache={}", folder.join("cache").display()));
        }
        options
    }

    fn update(&self, tools: &Path) -> Result<(), Failure> {
        if let Lists::Own(folder) = self {
            for part in ["lists/partial", "cache/archives/partial"] {
                let made = fs::create_dir_all(folder.join(part));
                made.map_err(|error| format!("{}: {error}", folder.display()))?;
            }
        }
        self.apt(tools, &["update"], &[]).output().map(drop)
    }
}

const SYSTEM_FOLDERS: &[&str] =
    &["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// The one list of foreign programs, and of files that they need besides, with the Debian packages
/// that hold them.
const PROGRAMS: &[(&str, &str)] = &[
    // What ddclient needs for HTTPS; its package only recommends it.
    ("/usr/share/perl5/IO/Socket/SSL.pm", "libio-socket-ssl-perl"),
    // Only of use with its plugin for DNS UPDATE, which brings it.
    ("certbot", "python3-certbot-dns-rfc2136"),
    ("curl", "curl"),
    ("ddclient", "ddclient"),
    ("dhclient", "isc-dhcp-client"),
    ("dhcpd", "isc-dhcp-server"),
    ("dig", "bind9-dnsutils"),
    // Makes SIG(0) keys.
    ("dnssec-keygen", "bind9-utils"),
    ("inadyn", "inadyn"),
    // Turns on the loopback device in a network namespace of our own.
    ("ip", "iproute2"),
    // Reads JSON in the scripts of docs/recipes.
    ("jq", "jq"),
    ("kdig", "knot-dnsutils"),
    ("kea-dhcp-ddns", "kea-dhcp-ddns-server"),
    ("knsupdate", "knot-dnsutils"),
    // An ACME client that speaks acme-dns and `httpreq`.
    ("lego", "lego"),
    // A small disk of our own, in a mount namespace.
    ("mount", "mount"),
    // A set that follows a host.
    ("nft", "nftables"),
    // Serves the root zone of our own that unbound starts from.
    ("nsd", "nsd"),
    // Sets up the other end of a cable.
    ("nsenter", "util-linux"),
    ("nsupdate", "bind9-dnsutils"),
    // Makes the certificate of pebble.
    ("openssl", "openssl"),
    // An ACME service for certbot.
    ("pebble", "pebble"),
    ("perl", "perl"),
    // Takes capabilities away.
    ("setpriv", "util-linux"),
    ("unbound", "unbound"),
    ("unshare", "util-linux"),
    // A peer that follows a host, without the kernel's help.
    ("wg", "wireguard-tools"),
    ("wireguard-go", "wireguard-go"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_would_install_is_read_from_its_plan() {
        let simulation = "NOTE: This is only a simulation!\n\
            Inst libfoo1 (1:2.3-4+deb12u1 Debian:12.1/stable [amd64])\n\
            Inst bar [1.0] (1.1 Debian:12/stable [amd64]) []\n\
            Conf libfoo1 (1:2.3-4+deb12u1 Debian:12.1/stable [amd64])\n";
        assert_eq!(planned(simulation), ["libfoo1=1:2.3-4+deb12u1", "bar=1.1"]);
    }

    #[test]
    fn a_package_counts_only_when_it_was_unpacked_as_a_whole() {
        let tools = std::env::temp_dir().join(format!("byname-tools-{}", std::process::id()));
        let bin = tools.join("root/usr/sbin");
        fs::create_dir_all(&bin).expect("a folder");
        fs::write(bin.join("nsd"), "").expect("a file");
        assert!(!is_unpacked(&tools, "nsd", "nsd"));
        fs::create_dir_all(tools.join("unpacked")).expect("a folder");
        fs::write(tools.join("unpacked/nsd"), "").expect("a file");
        assert!(is_unpacked(&tools, "nsd", "nsd"));
        fs::remove_dir_all(&tools).expect("our own folder");
    }
}
