//! Serial numbers of zones (RFC 1982).

/// The serial of a zone: a number on a circle of 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Serial(pub u32);

impl Serial {
    /// The next serial. 0 is passed over: some old secondaries take it for "unset".
    pub fn next(self) -> Serial {
        match self.0.wrapping_add(1) {
            0 => Serial(1),
            next => Serial(next),
        }
    }

    /// Whether this serial is newer (RFC 1982 §3.2). Two serials 2^31 apart are not comparable:
    /// then neither is newer.
    pub fn is_newer_than(self, other: Serial) -> bool {
        let ahead = self.0.wrapping_sub(other.0);
        ahead != 0 && ahead < 1 << 31
    }
}

#[cfg(test)]
mod tests {
    use super::Serial;

    #[test]
    fn rfc1982_3_2_comparison() {
        for (new, old, newer) in [
            (2, 1, true),
            (1, 2, false),
            (1, 1, false),
            (0, u32::MAX, true),
            (100, u32::MAX - 100, true),
            (1 << 31, 0, false),
            (0, 1 << 31, false),
            ((1 << 31) - 1, 0, true),
        ] {
            assert_eq!(Serial(new).is_newer_than(Serial(old)), newer, "{new} {old}");
        }
        assert_eq!(Serial(u32::MAX).next(), Serial(1));
    }
}
