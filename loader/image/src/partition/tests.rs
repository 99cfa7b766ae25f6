use super::*;
use proptest::prelude::*;
use rstest::rstest;

const MICROPYTHON: &str = "\
# Notes: the offset of the partition table itself is set in sdkconfig
# Name,   Type, SubType, Offset,  Size, Flags
nvs,      data, nvs,     0x9000,  0x6000,
phy_init, data, phy,     0xf000,  0x1000,
factory,  app,  factory, 0x10000, 0x1F0000,
vfs,      data, fat,     0x200000, 0x200000,
";

#[test]
fn micropythons_table_reads_as_the_default_layout() {
    assert_eq!(Table::from_csv(MICROPYTHON).unwrap(), Table::micropython_4mb());
}

#[test]
fn text_and_bytes_round_trip() {
    let table = Table::micropython_4mb();
    assert_eq!(Table::from_csv(&table.to_csv()).unwrap(), table);
    let bytes = table.to_bytes().unwrap();
    assert_eq!(bytes.len(), TABLE_LEN);
    assert_eq!(bytes[..12], [0xAA, 0x50, 1, 2, 0, 0x90, 0, 0, 0, 0x60, 0, 0]);
    assert_eq!(Table::from_bytes(&bytes).unwrap(), table);
}

#[test]
fn a_flipped_bit_is_noticed_by_the_md5_row() {
    let mut bytes = Table::micropython_4mb().to_bytes().unwrap();
    bytes[40] ^= 1;
    assert!(
        matches!(Table::from_bytes(&bytes), Err(ImageError::PartitionTable(text)) if text.contains("MD5"))
    );
}

#[test]
fn blank_flash_is_no_table() {
    assert!(Table::from_bytes(&[0xFF; 0xC00]).is_err());
    assert!(Table::from_bytes(&[]).is_err());
}

#[test]
fn offsets_that_are_left_out_follow_each_other() {
    let table = Table::from_csv("nvs,data,nvs,,0x6000\napp,app,factory,,1M\nd,data,,,4K,readonly").unwrap();
    let offsets: Vec<_> = table.partitions.iter().map(|partition| partition.offset).collect();
    assert_eq!(offsets, [0x9000, 0x1_0000, 0x11_0000]);
    assert_eq!(table.partitions[2].flags, flags::READ_ONLY);
}

#[rstest]
#[case("nvs,data", 1, "a line is: name")]
#[case("\nnvs,dat,nvs,0x9000,0x6000", 2, "unknown type 'dat' (one of: app, data")]
#[case("nvs,data,nsv,0x9000,0x6000", 1, "unknown subtype 'nsv'")]
#[case("nvs,data,nvs,0x9000,lots", 1, "'lots' is no size")]
#[case("a,data,nvs,0x9000,4K\na,data,nvs,0xa000,4K", 2, "used twice")]
#[case("a,data,nvs,0x9000,4K,encryptd", 1, "unknown flag 'encryptd'")]
fn a_wrong_line_says_what_is_wrong(#[case] text: &str, #[case] at: usize, #[case] what: &str) {
    match Table::from_csv(text) {
        Err(ImageError::PartitionCsv { line, problem }) => {
            assert_eq!(line, at);
            assert!(problem.contains(what), "{problem}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn overlaps_and_odd_offsets_are_refused() {
    let overlap = Table::from_csv("a,data,nvs,0x9000,8K\nb,data,phy,0xa000,4K");
    assert!(matches!(overlap, Err(ImageError::Overlap { at: 0xA000, .. })));
    assert!(Table::from_csv("a,app,factory,0x11000,64K").is_err());
}

proptest! {
    #[test]
    fn any_bytes_and_any_text_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..256), text in ".{0,80}") {
        let _ = Table::from_bytes(&bytes);
        let _ = Table::from_csv(&text);
    }
}
