//! pebble, an ACME service of our own that looks for records at ours.

use std::net::SocketAddr;
use std::path::Path;

use crate::Background;
use crate::authority::{ACME, Pebble};

/// Where it listens. Two cannot run at once but in networks of their own.
pub const ADDRESS: &str = ACME;

/// Starts it in a folder of the caller's; it looks for records at this service. The authority of its
/// own server is `ca.pem` there.
pub fn start(folder: &Path, dns: SocketAddr) -> Background {
    Pebble::start(folder, dns, VALID_S).program
}

/// How long certificates are valid: longer than any test.
const VALID_S: u32 = 86_400;
