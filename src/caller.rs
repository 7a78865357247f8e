//! The visitor's address, as what comes from it is counted.

/// Under what it is counted that comes from an address, given as its bytes, and how much may come: `own`
/// of one address of IPv4, or of the /64 of IPv6, which one household has; and `network` of the /24 or the
/// /48 around it, which many may share.
///
/// Without an address everybody counts as one network.
#[must_use]
pub fn counted(address: &[u8], own: u32, network: u32) -> Vec<(&[u8], u32)> {
    // Addresses of IPv4 can be written as some of IPv6.
    let address = address.strip_prefix(b"\0\0\0\0\0\0\0\0\0\0\xff\xff").unwrap_or(address);
    let (one, around) = match address.len() {
        4 => (address.get(..4), address.get(..3)),
        16 => (address.get(..8), address.get(..6)),
        _ => (None, Some(address)),
    };
    let one = one.map(|one| (one, own));
    one.into_iter().chain(around.map(|around| (around, network))).collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn parts(address: &str) -> Vec<(Vec<u8>, u32)> {
        let bytes = match address.parse().expect("an address") {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        counted(&bytes, 1, 2).into_iter().map(|(part, most)| (part.to_vec(), most)).collect()
    }

    #[test]
    fn an_address_of_ipv4_and_its_network_are_counted() {
        let both = [(vec![203, 0, 113, 7], 1), (vec![203, 0, 113], 2)];
        assert_eq!(parts("203.0.113.7"), both);
        assert_eq!(parts("::ffff:203.0.113.7"), both);
    }

    #[test]
    fn a_household_of_ipv6_is_one_and_its_network_too() {
        let (house, around) =
            (vec![0x20, 1, 0xd, 0xb8, 0, 1, 0, 2], vec![0x20, 1, 0xd, 0xb8, 0, 1]);
        assert_eq!(parts("2001:db8:1:2:3:4:5:6"), [(house, 1), (around, 2)]);
        assert_eq!(parts("2001:db8:1:2::ffff"), parts("2001:db8:1:2:3:4:5:6"));
        let (one, other) = (parts("2001:db8:1:2::1"), parts("2001:db8:1:3::1"));
        assert_ne!(one[0], other[0]);
        assert_eq!(one[1], other[1]);
    }

    #[test]
    fn without_an_address_everybody_is_one_network() {
        assert_eq!(counted(&[], 1, 2), [(&[][..], 2)]);
    }
}
