//! Whatever is typed into a field: it is taken or refused, and what is taken is taken again.
#![no_main]

use esputnik_kit::form::{
    check::{Field, Kind, check, suggest},
    date::Date,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (u8, bool, &str, Vec<String>)| {
    let (kind, required, region, given) = data;
    let kind = Kind::ALL[usize::from(kind) % Kind::ALL.len()];
    let region = (!region.is_empty()).then(|| region.to_owned());
    let options = vec!["weekly".into(), "a b".into()];
    let field = Field { required, region, options, ..Field::new("x", kind) };
    let today = Date::from_days(20_000);
    for given in &given {
        let _ = suggest(&field, given);
    }
    if let Ok(gone_on) = check(&field, &given, today) {
        assert_eq!(check(&field, &gone_on, today), Ok(gone_on));
    }
});
