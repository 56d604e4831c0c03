//! The certificates of the service: read, watched, obtained.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acme::{Keeper, Kept};
use gateway::Client;
use tls::{Certificates, Files, Pair, Watcher};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::configuration::Settings;
use crate::fault::Fault;

/// What looks after the certificates; dropping it ends that.
#[derive(Debug, Default)]
pub(super) struct Encryption {
    watcher: Option<Watcher>,
    keeper: Option<Keeper>,
}

/// Reads the certificates; `None` when there are none to be had.
pub(super) fn certificates(settings: &Settings) -> Result<Option<Arc<Certificates>>, Fault> {
    if !settings.has_certificate() {
        return Ok(None);
    }
    let files = files(settings);
    let mut places: Vec<String> =
        files.iter().map(|files| files.certificate.display().to_string()).collect();
    if !settings.acme.names.is_empty() {
        places.push(ACME_PLACE.to_owned());
    }
    let certificates = Certificates::new(places);
    for (place, files) in files.iter().enumerate() {
        let pair = files.read().map_err(|why| {
            let fault = Fault::failed(&why);
            if let Some(hint) = why.hint() { fault.hint(hint) } else { fault }
        })?;
        introduce(files, &pair);
        certificates.put(place, pair);
    }
    if !settings.acme.names.is_empty() {
        match Kept::below(&settings.data).certificate() {
            Ok(Some(pair)) => certificates.put(files.len(), pair),
            Ok(None) => tracing::info!(
                names = settings.acme.names.join(" "),
                "there is no certificate for these names yet; one is obtained"
            ),
            Err(why) => tracing::error!(%why, "the certificate that was obtained is lost"),
        }
    }
    Ok(Some(Arc::new(certificates)))
}

/// What is wrong with the certificates of a configuration, in words.
pub(crate) fn problems(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    for files in files(settings) {
        match files.read() {
            Ok(pair) => found.extend(
                expiry(&pair).map(|what| format!("{}: {what}", files.certificate.display())),
            ),
            Err(why) => found.push(why.to_string()),
        }
    }
    found
}

impl Encryption {
    /// Watches files and keeps the certificate that is obtained; SIGHUP looks at all of it at once.
    pub(super) fn start(
        settings: &Settings,
        certificates: Option<&Arc<Certificates>>,
        client: &Client,
        runtime: &Handle,
    ) -> Result<Arc<Encryption>, Fault> {
        let mut encryption = Encryption::default();
        if let Some(certificates) = certificates {
            let files = files(settings);
            let place = files.len();
            if !files.is_empty() {
                let certificates = Arc::clone(certificates);
                encryption.watcher = Some(tls::watch(files, certificates, PAUSE, runtime));
            }
            if !settings.acme.names.is_empty() {
                let kept = Kept::below(&settings.data);
                let to = (Arc::clone(certificates), place);
                let (wanted, client) = (settings.acme.clone(), client.clone());
                encryption.keeper = Some(acme::keep(wanted, kept, to, client, runtime));
            }
        }
        let encryption = Arc::new(encryption);
        listen(Arc::downgrade(&encryption), runtime)
            .map_err(|why| Fault::failed(format!("signals: {why}")))?;
        Ok(encryption)
    }

    fn look(&self) {
        if let Some(watcher) = &self.watcher {
            watcher.look();
        }
        if let Some(keeper) = &self.keeper {
            keeper.look();
        }
    }
}

/// Takes SIGHUP, which would end the process otherwise.
fn listen(encryption: std::sync::Weak<Encryption>, runtime: &Handle) -> std::io::Result<()> {
    let _inside = runtime.enter();
    let mut hangup = signal(SignalKind::hangup())?;
    runtime.spawn(async move {
        while hangup.recv().await.is_some() {
            let Some(encryption) = encryption.upgrade() else { return };
            tracing::info!("SIGHUP: looking at the certificates; other settings need a restart");
            encryption.look();
        }
    });
    Ok(())
}

fn files(settings: &Settings) -> Vec<Files> {
    let keys = settings.certificate_keys.iter();
    let pairs = settings.certificates.iter().zip(keys);
    pairs
        .map(|(certificate, key)| Files { certificate: certificate.clone(), key: key.clone() })
        .collect()
}

/// Says what a certificate is for, and what is not well with it.
fn introduce(files: &Files, pair: &Pair) {
    let certificate = files.certificate.display();
    tracing::info!(%certificate, names = pair.names().join(" "), "a certificate was read");
    if let Some(what) = expiry(pair) {
        let hint = "clients that check it will refuse it; replace its files, without a restart";
        tracing::error!(%certificate, what, hint, "a certificate is not valid");
    }
    if files.is_key_open() {
        let hint = "take that right away, for example by `chmod o-r`";
        let key = files.key.display();
        tracing::warn!(%key, hint, "every user of this machine can read a private key");
    }
}

/// Whether a certificate is not valid now.
fn expiry(pair: &Pair) -> Option<&'static str> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    if pair.is_valid(now_s) {
        None
    } else if now_s > pair.not_after_s() {
        Some("the certificate has expired")
    } else {
        Some("the certificate is not valid yet; is the clock of this machine right?")
    }
}

/// Name of the certificate that is obtained, in metrics.
const ACME_PLACE: &str = "acme";
/// How often files are looked at.
const PAUSE: Duration = Duration::from_secs(5);
