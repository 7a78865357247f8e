//! Any text as a page's call and as a server's body: no panic, and what is read can be written,
//! and is then read as the same event.
#![no_main]

use esputnik_kit::{
    event::{Envelope, Event, Kind, Reading},
    json,
    value::Value,
};
use libfuzzer_sys::fuzz_target;

fn encode(reading: &Reading) -> Value {
    let event = &reading.event;
    event.encode(&Envelope {
        site_id: "8A412DC",
        web_id: Some("W"),
        datetime: Some(0),
        identity: &event.identity,
    })
}

fuzz_target!(|text: &str| {
    let Ok(value) = json::parse(text) else { return };
    let arguments = value.as_list().map_or_else(|| vec![value.clone()], <[Value]>::to_vec);
    let mut readings = vec![Event::from_rest(&value)];
    for command in ["sendEvent", "sendEventWithTags", "identify"] {
        readings.push(Event::from_call(command, &arguments));
        for kind in Kind::ALL {
            let data = Value::Object(vec![(kind.key().into(), value.clone())]);
            readings.push(Event::from_call(command, &[Value::text(kind.key()), data]));
        }
    }
    for reading in readings {
        match reading {
            Ok(reading) => {
                let text = encode(&reading).to_json();
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
            }
            Err(problems) => assert!(!problems.is_empty()),
        }
    }
});
