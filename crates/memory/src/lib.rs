//! Memory that is free goes back to the system.
//!
//! # What
//! [`give_back`] returns what was freed in the middle of the heap. Reading a million names from the
//! tables frees as much as a fifth of what they take, in holes that the allocator keeps to itself.
//!
//! # Not here
//! No allocator of our own: the system's is as good as any for what is allocated here (decision 0011).
//!
//! # Flow
//! `a zone was loaded, replaced or dropped → give_back`.
//!
//! # Start reading at
//! [`give_back`].

/// Returns free memory to the system; nothing happens where the allocator has no call for it.
///
/// It looks at everything that is free, and whoever allocates meanwhile waits: for after much was freed.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    trim();
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "there is no safe call for it, and it saves a fifth of the memory")]
fn trim() {
    // SAFETY: it touches only memory that is free, under the allocator's own locks. Whether anything was
    // given back is of no use to anybody.
    let _ = unsafe { nix::libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests;
