//! Each profile against what its provider documents: raw requests and what they are taken for, and
//! whole answers, octet for octet. The header fields that are ours in every answer are in [`trial`].

mod desec;
mod dyn_inc;
mod google;
mod he;
mod noip;
mod nsupdate;
mod trial;
