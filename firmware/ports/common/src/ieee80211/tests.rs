use super::*;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

const RSN: [u8; 40] = [
    1, 0, 0, 0x0F, 0xAC, 4, 1, 0, 0, 0x0F, 0xAC, 4, 1, 0, 0, 0x0F, 0xAC, 2, 0xC0, 0, 1, 0, 1, 2, 3, 4, 5, 6,
    7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 0x0F,
];

/// Reads an element as its fields come; `None` when that needs a byte that is not there.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    fn number(&mut self) -> Option<u16> {
        let &[low, high, ..] = self.0 else { return None };
        self.skip(2)?;
        Some(u16::from_le_bytes([low, high]))
    }

    fn read(&mut self, is_wpa: bool) -> Option<()> {
        self.number()?;
        if self.0.is_empty() {
            return Some(());
        }
        self.skip(4)?;
        for _list_of_suites in 0..2 {
            if self.0.is_empty() {
                return Some(());
            }
            for _suite in 0..self.number()? {
                self.skip(4)?;
            }
        }
        if self.0.is_empty() {
            return Some(());
        }
        self.number()?;
        if self.0.is_empty() || is_wpa {
            return Some(());
        }
        for _key in 0..self.number()? {
            self.skip(16)?;
        }
        if self.0.is_empty() { Some(()) } else { self.skip(4) }
    }
}

/// Elements that are nearly right: small counts, a few bytes more or less.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let suites = || prop::collection::vec(any::<[u8; 4]>(), 0..4);
    let count = |right: usize| prop_oneof![4 => Just(right as u16), 1 => 0u16..6, 1 => any::<u16>()];
    let list = move || {
        suites().prop_flat_map(move |suites| {
            count(suites.len())
                .prop_map(move |count| [&count.to_le_bytes()[..], suites.as_flattened()].concat())
        })
    };
    let keys = prop::collection::vec(any::<[u8; 16]>(), 0..3).prop_flat_map(move |keys| {
        count(keys.len()).prop_map(move |count| [&count.to_le_bytes()[..], keys.as_flattened()].concat())
    });
    let whole = (list(), list(), any::<[u8; 2]>(), keys, prop::collection::vec(any::<u8>(), 0..8)).prop_map(
        |(pairs, keys, capabilities, identifiers, rest)| {
            [&[1, 0, 0, 0x0F, 0xAC, 4][..], &pairs, &keys, &capabilities, &identifiers, &rest].concat()
        },
    );
    let cut = (whole.clone(), any::<prop::sample::Index>())
        .prop_map(|(whole, end)| whole[..end.index(whole.len() + 1)].to_vec());
    prop_oneof![whole, cut, prop::collection::vec(any::<u8>(), 0..64)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn whole_is_what_can_be_read_without_leaving_the_element(value in values(), overrides: bool) {
        prop_assume!(!value.starts_with(&RSN_OVERRIDE));
        let expected = Reader(&value).read(false).is_some();
        let prefix = if overrides { &RSN_OVERRIDE[..] } else { &[] };
        prop_assert_eq!(is_rsn_whole(&[prefix, &value].concat()), expected);
        let expected = Reader(&value).read(true).is_some();
        prop_assert_eq!(is_wpa_whole(&[&WPA[..], &value].concat()), expected);
        prop_assert!(!is_wpa_whole(&value[..value.len().min(3)]));
    }

    #[test]
    fn packets_are_whole_if_they_can_be_taken_apart(
        packets in prop::collection::vec((0usize..40, 0usize..8, -3isize..4), 1..5),
        end in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let mut body = Vec::new();
        for (length, wrong, by) in packets {
            body.resize(body.len().next_multiple_of(4), 0);
            body.extend([0x55; 12]);
            let said = if wrong == 0 { length.saturating_add_signed(by) } else { length };
            body.extend((said as u16).to_be_bytes());
            body.resize(body.len() + length, 0);
        }
        if is_cut {
            body.truncate(end.index(body.len()));
        }
        // As the driver does it, byte for byte.
        let mut at = 0;
        let mut expected = true;
        loop {
            let Some(length) = body.get(at + 12..at + 14) else { expected = false; break };
            let next = at + 14 + usize::from(length[0]) * 256 + usize::from(length[1]);
            if next > body.len() { expected = false; break }
            if body.len() - next <= 21 { break }
            at += (next - at).div_ceil(4) * 4;
        }
        prop_assert_eq!(are_packets_whole(&body), expected);
    }

    #[test]
    fn only_management_frames_need_a_header(frame in prop::collection::vec(any::<u8>(), 0..40)) {
        let expected = frame.len() >= 2
            && (frame[0] & 0x0C != 0 || frame.len() >= if frame[1] & 0x80 == 0 { 24 } else { 28 });
        prop_assert_eq!(has_header(&frame), expected);
    }
}

#[test]
fn an_element_may_end_behind_each_field() {
    let management_suite = [&RSN[..38], &[0, 0x0F, 0xAC, 6]].concat();
    for end in 0..=management_suite.len() {
        let legal = [2, 6, 12, 18, 20, 38, 42].contains(&end);
        assert_eq!(is_rsn_whole(&management_suite[..end]), legal, "{end}");
    }
    assert!(is_rsn_whole(&[&management_suite[..], &[7; 3]].concat()), "what comes in later versions");
}

#[test]
fn no_key_identifiers_need_no_room() {
    let mut value = [&RSN[..20], &[0, 0, 0, 0x0F, 0xAC, 6]].concat();
    assert!(is_rsn_whole(&value) && is_rsn_whole(&value[..22]));
    value[20] = 1;
    assert!(!is_rsn_whole(&value) && !is_rsn_whole(&value[..22]));
}

#[test]
fn a_count_that_leaves_the_element_is_refused() {
    for (at, count) in [(6, 0x97), (12, 0x80), (20, 2)] {
        let mut value = RSN[..38].to_vec();
        assert!(is_rsn_whole(&value));
        value[at] = count;
        assert!(!is_rsn_whole(&value), "{at}");
    }
}

#[test]
fn the_shortest_beacon_has_its_header() {
    let mut frame = vec![0; 24];
    frame[0] = 0x80;
    assert!(has_header(&frame) && !has_header(&frame[..23]));
    frame[1] = 0x80;
    assert!(!has_header(&frame));
    // A block acknowledgement and its request are shorter.
    assert!(has_header(&[0x94; 12]) && has_header(&[0xD4, 0, 0, 0]));
}

#[test]
fn packets_may_be_one_or_several_with_and_without_padding() {
    let packet = |length: u16| [&[7; 12][..], &length.to_be_bytes(), &vec![0; length.into()]].concat();
    for last in 0..40 {
        assert!(are_packets_whole(&packet(last)), "one of {last}");
        assert!(are_packets_whole(&[packet(46), packet(last)].concat()), "a second one of {last}");
        assert!(are_packets_whole(&[packet(45), vec![0], packet(last)].concat()), "behind padding, {last}");
    }
    assert!(!are_packets_whole(&packet(20)[..33]) && !are_packets_whole(&[]) && !are_packets_whole(&[0; 13]));
    assert!(!are_packets_whole(&[packet(46), packet(20)[..33].to_vec()].concat()));
}
