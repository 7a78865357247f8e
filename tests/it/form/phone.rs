//! Phone numbers that people type, held against the library that knows them all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

use esputnik_kit::form::phone::{self, PhoneError};
use proptest::prelude::*;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
};

use crate::rig::cases;

const ANY: [&str; 0] = [];

/// Ways to dial that the library does not know: 8, and then the national prefix, as it was in the
/// Soviet Union. Many in Ukraine still write their number like this.
const MORE_PREFIXES: [(&str, &str); 1] = [("UA", "80")];

/// The kinds of numbers that people have. Lengths of the others would let many a number pass that lacks
/// digits.
const KINDS: [PhoneNumberType; 4] = [
    PhoneNumberType::FixedLine,
    PhoneNumberType::Mobile,
    PhoneNumberType::VoIP,
    PhoneNumberType::PersonalNumber,
];

fn all_regions() -> Vec<Region> {
    let mut regions: Vec<_> = PHONE_NUMBER_UTIL.get_supported_regions().collect();
    regions.sort_by_key(|region| region.as_region_str().as_str().to_owned());
    regions
}

fn read(typed: &str, region: Option<Region>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL.parse(typed, region).ok()
}

fn e164(number: &PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).into_owned()
}

/// A number of each kind that the region has.
fn examples(region: Region) -> Vec<PhoneNumber> {
    let example =
        |kind| PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind).ok();
    KINDS.into_iter().filter_map(example).collect()
}

/// What can be dialled before every number of the region, the longest first.
fn prefixes(region: Region) -> Vec<String> {
    let examples = examples(region);
    let mut prefixes = Vec::new();
    for prefix in (0..110).map(|n| if n < 10 { n.to_string() } else { format!("{:02}", n - 10) }) {
        let is_dialled = |number: &PhoneNumber| {
            let code = number.country_code.to_string();
            let e164 = e164(number);
            let national = e164.strip_prefix('+').unwrap().strip_prefix(&code).unwrap();
            read(&format!("{prefix}{national}"), Some(region)).is_some_and(|read| read == *number)
        };
        if examples.iter().filter(|number| is_dialled(number)).count() * 2 > examples.len() {
            prefixes.push(prefix);
        }
    }
    prefixes
}

/// How many digits numbers of the region have.
fn lengths(region: Region) -> Vec<u8> {
    let has = |length: &u8| {
        let number = PhoneNumber {
            country_code: PHONE_NUMBER_UTIL.get_country_code_for_region(region).unwrap(),
            national_number: 10_u64.pow(u32::from(*length) - 1),
            ..PhoneNumber::default()
        };
        let check = |kind| PHONE_NUMBER_UTIL.is_possible_number_for_type_with_reason(&number, kind);
        KINDS.into_iter().any(|kind| check(kind) == Ok(NumberLengthType::IsPossible))
    };
    (1..=17).filter(has).collect()
}

/// Whether this is a number that a person can have.
fn is_somebodys(number: &PhoneNumber) -> bool {
    let kind = PHONE_NUMBER_UTIL.get_number_type(number);
    KINDS.contains(&kind) || kind == PhoneNumberType::FixedLineOrMobile
}

/// The table, as the library's metadata make it.
fn rows() -> String {
    let mut codes: BTreeMap<String, Vec<Region>> = BTreeMap::new();
    for code in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
        let regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(code);
        let is_region = |region: &Region| *region != Region::World;
        let regions: Vec<_> = regions.into_iter().flatten().filter(is_region).collect();
        if !regions.is_empty() {
            codes.insert(code.to_string(), regions);
        }
    }
    let mut rows = String::new();
    for (code, regions) in codes {
        let mut found: Vec<String> = regions.iter().flat_map(|region| prefixes(*region)).collect();
        for (region, prefix) in MORE_PREFIXES {
            if regions.iter().any(|own| own.as_region_str().as_str() == region) {
                found.push(prefix.to_owned());
            }
        }
        // The calling code itself is no prefix, but in North America, where it is dialled at home too.
        found.retain(|prefix| !prefix.starts_with(&code) || prefix == "1");
        found.sort_by_key(|prefix| (std::cmp::Reverse(prefix.len()), prefix.clone()));
        found.dedup();
        rows.push_str(&code);
        for prefix in found {
            write!(rows, ".{prefix}").unwrap();
        }
        let lengths: BTreeSet<u8> = regions.iter().flat_map(|region| lengths(*region)).collect();
        rows.extend(lengths.into_iter().map(|length| char::from(b'a' + length - 1)));
        for region in regions {
            rows.push_str(region.as_region_str().as_str());
        }
        rows.push('\n');
    }
    rows
}

#[test]
fn the_table_is_what_the_librarys_metadata_make() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/form/phone/table.rs");
    let stored = fs::read_to_string(path).unwrap();
    let (start, _) = stored.split_once("\"\\\n").unwrap();
    let made = format!("{start}\"\\\n{}\";\n", rows());
    if std::env::var_os("KIT_WRITE_TABLE").is_some() {
        fs::write(path, &made).unwrap();
    }
    assert_eq!(stored, made, "run this test once with KIT_WRITE_TABLE=1");
}

fn name(region: Region) -> String {
    region.as_region_str().as_str().to_owned()
}

/// Where people dial a shorter number at home that the library completes, and the table does not know
/// with what: the islands of North America and of the Channel, and some more.
const LOCAL: [&str; 29] = [
    "AC", "AG", "AI", "AS", "BB", "BM", "BS", "CC", "CX", "DM", "GD", "GG", "GU", "IM", "JE", "KN",
    "KY", "LC", "MG", "MP", "MS", "NF", "SM", "SX", "TC", "TT", "VC", "VG", "VI",
];

/// Whether a number that the library reads may be read otherwise here, or not at all.
fn is_exception(typed: &str, region: Region, number: &PhoneNumber) -> bool {
    let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region).unwrap();
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let behind_code = digits.strip_prefix(&number.country_code.to_string()).unwrap_or(&digits);
    let sharing = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(number.country_code);
    let is_local = |region: Region| LOCAL.contains(&&*name(region));
    if (sharing.into_iter().flatten().any(is_local) && behind_code.len() < 9)
        // Older numbers of Gabon are completed.
        || number.country_code == 241
    {
        return true;
    }
    if typed.starts_with('+') {
        // Nobody has a calling code with a zero.
        return digits.starts_with('0');
    }
    // Dialled abroad, over one of the many exits that only few dial.
    (number.country_code != code && !digits.starts_with("00"))
        // The own calling code without a plus: whether these digits are a number without it too,
        // only the patterns of the library tell.
        || digits.starts_with(&code.to_string())
        // A mobile number is dialled at home with a 15 in its middle, and abroad with a 9 before it.
        || (name(region) == "AR" && digits.contains("15"))
}

#[test]
fn numbers_of_every_region_are_read_as_the_library_writes_them() {
    let mut count = 0;
    for region in all_regions() {
        for number in examples(region) {
            for format in [
                PhoneNumberFormat::E164,
                PhoneNumberFormat::International,
                PhoneNumberFormat::National,
            ] {
                let typed = PHONE_NUMBER_UTIL.format(&number, format);
                if is_exception(&typed, region, &number) {
                    continue;
                }
                let read = phone::parse(&typed, Some(&name(region)), &ANY);
                assert_eq!(read.map(String::from), Ok(e164(&number)), "{typed} in {region:?}");
                count += 1;
            }
            let typed = e164(&number).replacen('+', "00", 1);
            let read = phone::parse(&typed, None, &[name(region)]);
            assert_eq!(read.map(String::from), Ok(e164(&number)), "{typed}");
        }
    }
    assert!(count > 1200, "{count}");
}

#[test]
fn every_region_is_listed_once_with_its_calling_code() {
    let listed: Vec<(String, String)> =
        phone::regions().map(|(region, code)| (region.to_owned(), code.to_owned())).collect();
    let mut sorted = listed.clone();
    sorted.sort();
    let code = |region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).unwrap();
    let known: Vec<_> =
        all_regions().into_iter().map(|region| (name(region), code(region).to_string())).collect();
    assert_eq!(sorted, known);
    let main = listed.iter().find(|(_, code)| code == "1").unwrap();
    assert_eq!(main.0, "US");
}

fn ua(typed: &str) -> Result<String, PhoneError> {
    phone::parse(typed, Some("UA"), &ANY).map(String::from)
}

#[test]
fn one_number_has_many_spellings() {
    for typed in [
        "0501234567",
        "501234567",
        "050 123 45 67",
        "(050) 123-45-67",
        "[050] 123.45.67",
        "050/123/45/67",
        "8 (050) 123-45-67",
        "380501234567",
        "38 050 123 45 67",
        "+380501234567",
        "+38 (050) 123-45-67",
        "+380 (0) 50 123 45 67",
        "+380 0501234567",
        "00380501234567",
        "00 380 50 123 45 67",
        "(+380) 50 123 45 67",
        "＋３８０５０１２３４５６７",
        "（０５０）１２３－４５－６７",
        "٠٥٠١٢٣٤٥٦٧",
        "+۳۸۰۵۰۱۲۳۴۵۶۷",
        "050–123–45–67",
        "\u{202a}+380 50 123 45 67\u{202c}",
        "\u{a0}050\u{2009}123\u{202f}4567\n",
        "+380-50\u{2011}123\u{2212}45~67",
    ] {
        assert_eq!(ua(typed).as_deref(), Ok("+380501234567"), "{typed:?}");
    }
}

#[test]
fn what_is_no_number_says_why() {
    for (typed, error) in [
        ("", PhoneError::Malformed),
        ("+", PhoneError::Malformed),
        ("() -", PhoneError::Malformed),
        ("phone", PhoneError::Malformed),
        ("050 CALL NOW", PhoneError::Malformed),
        ("050 123 45 67 ext. 5", PhoneError::Malformed),
        ("050 123 45 67 x5", PhoneError::Malformed),
        ("050 123 45 67 дод. 5", PhoneError::Malformed),
        ("050 123 45 67 #5", PhoneError::Malformed),
        ("050 123 45 67;ext=5", PhoneError::Malformed),
        ("tel:0501234567", PhoneError::Malformed),
        ("*100#", PhoneError::Malformed),
        ("050 123 45 67, 050 123 45 68", PhoneError::Malformed),
        ("0501234567\0", PhoneError::Malformed),
        ("050 123 45 67\r\nX: y", PhoneError::Malformed),
        ("++380501234567", PhoneError::Malformed),
        ("380+501234567", PhoneError::Malformed),
        ("050 123 45 6", PhoneError::Short),
        ("123 45 67", PhoneError::Short),
        ("+380 50 123 45", PhoneError::Short),
        ("050 123 45 67 8", PhoneError::Long),
        ("+380 50 123 45 67 8", PhoneError::Long),
        (&"5".repeat(25), PhoneError::Long),
        (&"5".repeat(10_000), PhoneError::Long),
        ("+999 123 456 789", PhoneError::Country),
        ("+0 123 456 789", PhoneError::Country),
        ("00", PhoneError::Country),
        ("+800 1234 5678", PhoneError::Country),
    ] {
        assert_eq!(ua(typed), Err(error), "{typed:?}");
    }
}

#[test]
fn a_number_without_its_country_is_of_the_region_that_is_given() {
    let read = |region| phone::parse("0201234567", region, &ANY).map(String::from);
    assert_eq!(read(Some("SE")).as_deref(), Ok("+46201234567"));
    assert_eq!(read(Some("se")).as_deref(), Ok("+46201234567"));
    assert_eq!(read(None), Err(PhoneError::Country));
    assert_eq!(read(Some("ZZ")), Err(PhoneError::Country));
    assert_eq!(read(Some("")), Err(PhoneError::Country));
}

#[test]
fn only_numbers_of_the_given_regions_are_taken() {
    let read = |typed, regions: &[&str]| phone::parse(typed, Some("UA"), regions).map(String::from);
    assert!(read("+48512345678", &["UA", "PL"]).is_ok());
    assert_eq!(read("+48512345678", &["UA"]), Err(PhoneError::Region));
    assert_eq!(read("0501234567", &["PL"]), Err(PhoneError::Region));
    // One calling code, one answer.
    assert!(read("+1 613 555 0123", &["US"]).is_ok());
}

#[test]
fn the_exit_of_the_own_country_is_known_beside_00() {
    for (region, typed) in
        [("US", "011 380 50 123 45 67"), ("KZ", "8-10 380 50 123 45 67"), ("JP", "010380501234567")]
    {
        let read = phone::parse(typed, Some(region), &ANY).map(String::from);
        assert_eq!(read.as_deref(), Ok("+380501234567"), "{typed}");
    }
}

/// A number of some region, with some of its last digits changed, as it is dialled at home or abroad; or
/// any digits.
fn typed() -> impl Strategy<Value = (Region, String)> {
    let numbers: Vec<(Region, String)> = all_regions()
        .into_iter()
        .flat_map(|region| examples(region).into_iter().map(move |number| (region, number)))
        .flat_map(|(region, number)| {
            [PhoneNumberFormat::National, PhoneNumberFormat::International]
                .map(|format| (region, PHONE_NUMBER_UTIL.format(&number, format).into_owned()))
        })
        .collect();
    let changed = (proptest::sample::select(numbers), "[0-9]{0,6}").prop_map(
        |((region, mut typed), digits)| {
            let kept = typed.len() - digits.len().min(typed.len() - 3);
            typed.truncate(kept);
            (region, typed + &digits)
        },
    );
    let any = (proptest::sample::select(all_regions()), "\\+?[0-9]{4,15}");
    prop_oneof![4 => changed, 1 => any]
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn what_the_library_calls_a_persons_number_is_read_as_the_same((region, typed) in typed()) {
        if let Some(number) = read(&typed, Some(region))
            && is_somebodys(&number)
            && !is_exception(&typed, region, &number)
        {
            let read = phone::parse(&typed, Some(&name(region)), &ANY).map(String::from);
            prop_assert_eq!(read, Ok(e164(&number)), "{} in {:?}", typed, region);
        }
    }

    #[test]
    fn what_is_read_is_written_in_e164_and_read_again(
        typed in prop_oneof![any::<String>(), "[+0-9() .-]{1,20}", "(00|\\+)[0-9]{5,18}"],
        region in proptest::option::of(proptest::sample::select(all_regions())),
    ) {
        if let Ok(number) = phone::parse(&typed, region.map(name).as_deref(), &ANY) {
            let text = number.as_str();
            let digits = text.strip_prefix('+').unwrap();
            prop_assert!(!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
            prop_assert!((6..=18).contains(&digits.len()), "{}", text);
            let again = phone::parse(text, None, &ANY);
            prop_assert_eq!(again.as_ref(), Ok(&number));
        }
    }
}
