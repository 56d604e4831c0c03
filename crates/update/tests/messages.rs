//! Messages octet by octet, and what comes of them: section by section of RFC 2136, and as the clients
//! of the world send them.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a step that fails is a failed test"
)]

#[path = "messages/acme.rs"]
mod acme;
#[path = "messages/dhcpd.rs"]
mod dhcpd;
#[path = "messages/kea.rs"]
mod kea;
#[path = "messages/kit.rs"]
mod kit;
#[path = "messages/kubernetes.rs"]
mod kubernetes;
#[path = "messages/mangled.rs"]
mod mangled;
#[path = "messages/rfc2136.rs"]
mod rfc2136;
#[path = "messages/windows.rs"]
mod windows;
