//! What pages may hand in beside events.

use std::net::IpAddr;

use esputnik_kit::page_call::counted;

#[test]
fn calls_are_counted_by_network() {
    let bytes = |address: &str| match address.parse::<IpAddr>().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let names = |address: &str| -> Vec<Vec<u8>> {
        counted(&bytes(address)).iter().map(|(part, _)| part.to_vec()).collect()
    };
    assert_eq!(names("203.0.113.7"), [&[203, 0, 113, 7][..], &[203, 0, 113]]);
    assert_eq!(names("::ffff:203.0.113.7"), names("203.0.113.7"));
    assert_eq!(names("203.0.113.8")[1], names("203.0.113.7")[1]);
    assert_ne!(names("203.0.114.7")[1], names("203.0.113.7")[1]);
    assert_eq!(names("2001:db8:1:2:3:4:5:6"), [[0x20, 1, 0xd, 0xb8, 0, 1, 0, 2]]);
    assert_eq!(names("2001:db8:1:2::ffff"), names("2001:db8:1:2:3:4:5:6"));
    assert_ne!(names("2001:db8:1:3::1"), names("2001:db8:1:2::1"));
    let v4 = bytes("203.0.113.7");
    let most: Vec<u32> = counted(&v4).iter().map(|(_, most)| *most).collect();
    assert!(most[0] < most[1], "neighbours share what a network may do: {most:?}");
    // Local runs name no address.
    for other in [vec![], bytes("2001:db8::1")] {
        assert_eq!(counted(&other).iter().map(|(_, most)| *most).collect::<Vec<_>>(), most[..1]);
    }
}
