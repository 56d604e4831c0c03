use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::certificates::Certificates;
use crate::watch::watch;

fn write(files: &Files, name: &str) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    fs::write(&files.certificate, certificate.self_signed(&key).unwrap().pem()).unwrap();
}

fn files(folder: &Path) -> Files {
    Files { certificate: folder.join("chain.pem"), key: folder.join("key.pem") }
}

#[test]
fn the_file_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let missing = files.read().unwrap_err().to_string();
    assert!(missing.contains("chain.pem") && missing.contains("No such file"), "{missing}");
    write(&files, "a.example");
    assert_eq!(files.read().unwrap().names(), ["a.example"]);
    fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let wrong = files.read().unwrap_err();
    assert!(wrong.to_string().contains("key.pem: the private key does not belong"), "{wrong}");
    assert!(wrong.hint().is_some());
    fs::write(&files.certificate, vec![b'x'; 2 * 1024 * 1024]).unwrap();
    assert!(files.read().unwrap_err().to_string().contains("larger"));
}

#[test]
fn a_key_that_everybody_can_read_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    write(&files, "a.example");
    for (mode, open) in [(0o600, false), (0o640, false), (0o644, true)] {
        fs::set_permissions(&files.key, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(files.is_key_open(), open, "{mode:o}");
    }
}

#[test]
fn changed_files_are_taken_over_and_broken_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    write(&files, "a.example");
    let certificates = Arc::new(Certificates::new(vec!["a".to_owned()]));
    certificates.put(0, files.read().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let pause = Duration::from_millis(5);
    let watcher = watch(vec![files.clone()], Arc::clone(&certificates), pause, runtime.handle());
    let wait_for = |name: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while certificates.get(0).unwrap().names() != [name] {
            assert!(Instant::now() < until, "{name} is not taken over");
            std::thread::yield_now();
        }
    };
    write(&files, "b.example");
    wait_for("b.example");
    fs::write(&files.certificate, "no certificate").unwrap();
    watcher.look();
    // Replaced as a whole, by another file of that name.
    let new = folder.path().join("new.pem");
    let other = Files { certificate: new.clone(), key: files.key.clone() };
    write(&other, "c.example");
    assert_eq!(certificates.get(0).unwrap().names(), ["b.example"], "what was good stays");
    fs::rename(&new, &files.certificate).unwrap();
    wait_for("c.example");
}
