//! The checksum of the Internet protocols (RFC 1071).

/// A sum in progress. What is added begins at an even place.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    /// Adds octets; an odd one at the end counts as if a zero followed.
    pub(crate) fn octets(mut self, octets: &[u8]) -> Sum {
        // Words of four octets: the carries of the sum come out the same (RFC 1071 §2 (C)).
        let (words, rest) = octets.as_chunks::<4>();
        for word in words {
            self.0 += u64::from(u32::from_be_bytes(*word));
        }
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.0 += u64::from(u32::from_be_bytes(last));
        self
    }

    /// Adds a number of 16 bits.
    pub(crate) fn number(self, number: u16) -> Sum {
        Sum(self.0 + u64::from(number))
    }

    /// The checksum: the complement of the sum.
    pub(crate) fn checksum(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Word for word, as the definition says it.
    fn slow(octets: &[u8]) -> u16 {
        let mut sum = 0_u32;
        for pair in octets.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap()
    }

    proptest! {
        #[test]
        fn wide_sums_come_to_the_same(octets in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(Sum::default().octets(&octets).checksum(), slow(&octets));
        }
    }
}
