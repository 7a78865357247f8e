//! Any text as a record, an address, a header and a stored state: no panic, and a visitor's state
//! survives being stored.
#![no_main]

use esputnik_kit::{
    identity::{Landing, WebId},
    json,
    retry::parse_retry_after,
    visitor::{Context, Times, Visitor},
    wire::{Record, message_time},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = message_time(text);
    let _ = WebId::parse(text);
    let _ = parse_retry_after(Some(text), 784_111_777_000);
    let _ = Landing::from_address(text, true);
    let mut visitor: Visitor = serde_json::from_str(text).unwrap_or_default();
    let mut times = Times::default();
    let records = json::parse(text).ok();
    for value in records.iter().flat_map(|value| value.as_list().unwrap_or_default()) {
        let Ok(record) = Record::from_value(value, None) else { continue };
        let context = Context {
            site_id: "8A412DC",
            etm_term: true,
            received: 1_579_622_183_208,
            sent_at: 1_579_622_183_208,
        };
        let outcome = visitor.apply(&record, &context, &mut times);
        assert_eq!(outcome.reason.is_none(), outcome.verdict.as_str() == "accepted");
        let stored = serde_json::to_string(&visitor).expect("a state is JSON");
        assert_eq!(serde_json::from_str::<Visitor>(&stored).expect("its own"), visitor);
    }
});
