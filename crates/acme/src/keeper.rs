//! Seeing to it that the certificate is there and never expires.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::{Client, Random};
use instant_acme::Account;
use tls::{Certificates, Pair};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::http::Http;
use crate::kept::Kept;
use crate::order::{self, OrderError};
use crate::proof;
use crate::schedule::{Lifetime, Next, Past};

/// From whom the certificate is, and for which names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Address of the authority's directory (RFC 8555 §7.1.1).
    pub directory: String,
    /// How the authority may reach the operator: `mailto:` addresses.
    pub contact: Vec<String>,
    /// The names, in lower case; `*.` stands for one label.
    pub names: Vec<String>,
    /// Authorities to believe instead of those of the system (PEM), for a private one.
    pub ca_file: Option<PathBuf>,
}

/// Keeps the certificate. Dropping it ends that.
#[derive(Debug)]
pub struct Keeper {
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

/// Begins to keep the certificate of `settings` in a place of `certificates`. The one that is kept
/// on the disk should be there already.
pub fn keep(
    settings: Settings,
    kept: Kept,
    (certificates, place): (Arc<Certificates>, usize),
    client: Client,
    runtime: &Handle,
) -> Keeper {
    let wake = Arc::new(Notify::new());
    let keeping = Keeping {
        subject: format!("{} {}", settings.directory, settings.names.join(" ")),
        settings,
        kept,
        certificates,
        place,
        client,
        random: Random::new(),
        advice: None,
        told: String::new(),
    };
    let task = runtime.spawn(keeping.run(Arc::clone(&wake)));
    Keeper { wake, task }
}

impl Keeper {
    /// Tries at once what failed before.
    pub fn look(&self) {
        self.wake.notify_one();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeping {
    settings: Settings,
    /// Authority and names, as one text.
    subject: String,
    kept: Kept,
    certificates: Arc<Certificates>,
    place: usize,
    client: Client,
    random: Random,
    /// When to renew the present certificate.
    advice: Option<Advice>,
    /// What was told last, so that it is not told again and again.
    told: String,
}

/// When to renew a certificate, as found out at some moment.
struct Advice {
    serial: Vec<u8>,
    due_s: i64,
    /// When to ask again.
    ask_s: i64,
    /// The authority gave it, so that it also knows of certificates that replace others.
    is_given: bool,
}

/// How an attempt ended.
type Attempted = Result<(), (OrderError, bool)>;

impl Keeping {
    async fn run(mut self, wake: Arc<Notify>) {
        let mut asked = false;
        loop {
            let pause_s = self.step(asked).await;
            let pause = Duration::from_secs(u64::try_from(pause_s).unwrap_or(1));
            asked = tokio::select! {
                () = wake.notified() => true,
                () = tokio::time::sleep(pause) => false,
            };
        }
    }

    /// Orders when it is time to; how many seconds to wait then.
    async fn step(&mut self, asked: bool) -> i64 {
        let now_s = now_s();
        let past = match self.kept.past() {
            Ok(past) => past.of(&self.subject),
            Err(why) => {
                self.tell(&OrderError::from(why));
                return PAUSE_S_LOCAL;
            }
        };
        // A name that cannot be proven from here: no authority need be bothered with it.
        let unready =
            self.settings.names.iter().find_map(|name| proof::place(&self.client, name).err());
        if let Some(why) = unready {
            self.tell(&why.into());
            return PAUSE_S_LOCAL;
        }
        let due_s = self.due_s(now_s).await;
        let at_s = match past.next(due_s, now_s, asked) {
            Next::Order => self.attempt(past).await,
            Next::Wait(at_s) => at_s,
        };
        self.gauge(at_s);
        (at_s - self::now_s()).clamp(1, PAUSE_S_MAX)
    }

    /// Orders; when to look again, in seconds since 1970.
    async fn attempt(&mut self, mut past: Past) -> i64 {
        let attempted = self.order(&mut past).await;
        let now_s = now_s();
        let outcome = match attempted {
            Ok(()) => {
                past.succeeded();
                self.told.clear();
                "ok"
            }
            Err((why, ordered)) => {
                past.failed(why.kind(ordered), now_s, self.random());
                self.told.clear();
                self.tell(&why);
                let seconds = past.not_before_s - now_s;
                tracing::info!(
                    seconds,
                    failures = past.failures,
                    "the next attempt for a certificate"
                );
                "failed"
            }
        };
        metrics::counter!("byname_acme_attempts_total", "outcome" => outcome).increment(1);
        if let Err(why) = self.kept.keep_past(&past) {
            tracing::warn!(%why, "what became of an order could not be written down");
        }
        past.not_before_s.max(now_s + 1)
    }

    async fn order(&mut self, past: &mut Past) -> Attempted {
        let outside = |why: OrderError| (why, false);
        let http = self.http().map_err(outside)?;
        let mut issued = self.order_with(&http, past).await;
        if issued.as_ref().is_err_and(|(why, _)| why.is_unknown_account()) {
            tracing::warn!("the authority does not know our account; a new one is made");
            self.kept.forget_account().map_err(|why| outside(why.into()))?;
            issued = self.order_with(&http, past).await;
        }
        let order::Issued { chain, key, pair } = issued?;
        let kept = self.kept.keep_certificate(&chain, &key);
        tracing::info!(
            names = self.settings.names.join(" "),
            days = (pair.not_after_s() - now_s()) / DAY_S,
            "a certificate was obtained"
        );
        self.certificates.put(self.place, pair);
        kept.map_err(|why| (why.into(), true))
    }

    /// One order; on failure, whether it had been made.
    async fn order_with(
        &self,
        http: &Http,
        past: &mut Past,
    ) -> Result<order::Issued, (OrderError, bool)> {
        let account = order::account(&self.settings, &self.kept, http).await;
        let account = account.map_err(|why| (why, false))?;
        // Written down before: a crash in the middle counts.
        past.ordered(now_s());
        self.kept.keep_past(past).map_err(|why| (why.into(), false))?;
        let present = self.certificates.get(self.place);
        // An authority that does not take this word is asked without it the next time.
        let is_known = |pair: &Arc<Pair>| {
            let advice = self.advice.as_ref();
            advice.is_some_and(|advice| advice.is_given && advice.serial == pair.serial())
        };
        let replaces = present.filter(|pair| past.failures == 0 && is_known(pair));
        let names = &self.settings.names;
        let issued = order::obtain(&account, &self.client, names, replaces.as_deref()).await;
        issued.map_err(|why| (why, true))
    }

    /// When a certificate is wanted: at once when there is none for these names.
    async fn due_s(&mut self, now_s: i64) -> i64 {
        let Some(pair) = self.certificates.get(self.place) else { return now_s };
        let has = |name: &String| pair.names().contains(name);
        if !self.settings.names.iter().all(has) || pair.names().len() != self.settings.names.len() {
            return now_s;
        }
        let known = self.advice.as_ref().filter(|advice| advice.serial == pair.serial());
        if let Some(advice) = known
            && now_s < advice.ask_s
        {
            return advice.due_s;
        }
        let lifetime = Lifetime { from_s: pair.not_before_s(), until_s: pair.not_after_s() };
        let random = self.random();
        let (due_s, ask_s, is_given) = match self.suggested(&pair).await {
            Ok((window, again_s)) => {
                let again_s = again_s.clamp(ADVICE_S_MIN, ADVICE_S_MAX);
                (lifetime.within(window, random), now_s + again_s, true)
            }
            Err(why) => {
                tracing::debug!(%why, "the authority gives no advice on renewal");
                // The moment that was found before stays.
                let due_s = known.map_or_else(|| lifetime.renewal_s(random), |advice| advice.due_s);
                (due_s, now_s + ADVICE_S_MAX, false)
            }
        };
        // No advice makes a certificate expire.
        let due_s = due_s.min(lifetime.renewal_s(u32::MAX));
        self.advice = Some(Advice { serial: pair.serial().to_vec(), due_s, ask_s, is_given });
        due_s
    }

    /// The window in which the authority wants the certificate renewed, and when to ask again in
    /// seconds (RFC 9773 §4).
    async fn suggested(&self, pair: &Pair) -> Result<((i64, i64), i64), OrderError> {
        let Some(identifier) = order::identifier(pair) else {
            return Err(
                instant_acme::Error::Unsupported("certificates without an issuer's key").into()
            );
        };
        let account = self.known_account().await?;
        let (found, again) = account.renewal_info(&identifier).await?;
        let window = found.suggested_window;
        let again_s = i64::try_from(again.as_secs()).unwrap_or(ADVICE_S_MAX);
        Ok(((window.start.unix_timestamp(), window.end.unix_timestamp()), again_s))
    }

    /// The account that is there; none is made only to ask for advice.
    async fn known_account(&self) -> Result<Account, OrderError> {
        let known = self.kept.account()?;
        if known.is_none_or(|known| known.directory != self.settings.directory) {
            return Err(instant_acme::Error::Str("there is no account yet").into());
        }
        order::account(&self.settings, &self.kept, &self.http()?).await
    }

    /// Made anew each time: the file of a private authority may have changed.
    fn http(&self) -> Result<Http, OrderError> {
        Http::new(self.settings.ca_file.as_deref()).map_err(OrderError::File)
    }

    fn random(&self) -> u32 {
        let octets = self.random.octets().unwrap_or_default();
        octets.first_chunk().copied().map_or(0, u32::from_be_bytes)
    }

    /// Says why there is no new certificate, once for each reason.
    fn tell(&mut self, why: &OrderError) {
        let text = why.to_string();
        if text == self.told {
            return;
        }
        let hint = why.hint();
        let left_s = self.certificates.get(self.place).map(|pair| pair.not_after_s() - now_s());
        match left_s {
            Some(left_s) if left_s > URGENT_S => {
                tracing::warn!(%why, hint, days_left = left_s / DAY_S, "no new certificate yet");
            }
            Some(left_s) => {
                tracing::error!(%why, hint, hours_left = left_s / 3600, "no new certificate yet");
            }
            None => tracing::error!(%why, hint, "no certificate could be obtained"),
        }
        self.told = text;
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge has 53 bits; seconds take 33")]
    fn gauge(&self, at_s: i64) {
        metrics::gauge!("byname_acme_next_attempt_timestamp_seconds").set(at_s as f64);
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// How long to wait before looking again at what is wrong here and costs nobody anything.
const PAUSE_S_LOCAL: i64 = 15;
/// The clock may be set: it is looked at again at least so often.
const PAUSE_S_MAX: i64 = 600;
/// How often advice is asked for, whatever the authority suggests.
const ADVICE_S_MIN: i64 = 3600;
const ADVICE_S_MAX: i64 = 86_400;
/// With less time left a failure is an error.
const URGENT_S: i64 = 7 * DAY_S;
const DAY_S: i64 = 86_400;
