//! Events of the past. No workflow starts, and the type's segmentation must be switched on.

use super::{Parameters, TextParameters};
use crate::api::{
    answer::Undocumented,
    macros::{choice, endpoint, shape},
    shape::Reader,
    text::{EventKey, EventTypeKey},
    time::DateTime,
};

/// Most past events of one call.
pub const MAX_PAST_EVENTS: usize = 500;

shape! {
    /// A past event whose parameters may hold any JSON.
    PastEvent {
        /// Its type.
        req event_type_key: EventTypeKey = "eventTypeKey",
        /// What tells it apart, or whose it is.
        req key_value: EventKey = "keyValue",
        /// Its parameters.
        opt params: Parameters = "params",
        /// When it happened.
        opt occurred: DateTime = "occurred",
    }
}

shape! {
    /// A past event whose parameters are text (version 1).
    PastTextEvent {
        /// Its type.
        req event_type_key: EventTypeKey = "eventTypeKey",
        /// What tells it apart, or whose it is.
        req key_value: EventKey = "keyValue",
        /// Its parameters.
        opt params: TextParameters = "params",
        /// When it happened.
        opt occurred: DateTime = "occurred",
    }
}

shape! {
    /// Past events.
    PastEvents check check_events {
        /// The events, at most 500.
        req events: Vec<PastEvent> = "events",
    }
}

shape! {
    /// Past events whose parameters are text (version 1).
    PastTextEvents check check_text_events {
        /// The events, at most 500.
        req events: Vec<PastTextEvent> = "events",
    }
}

fn check_events(events: &PastEvents, reader: &mut Reader) {
    check_length(events.events.len(), reader);
}

fn check_text_events(events: &PastTextEvents, reader: &mut Reader) {
    check_length(events.events.len(), reader);
}

fn check_length(length: usize, reader: &mut Reader) {
    reader.most("events", length, MAX_PAST_EVENTS, "send at most 500 past events at a time");
}

choice! {
    /// What became of a past event.
    PastEventStatus {
        /// It was taken.
        Accepted = "ACCEPTED",
        /// It says not when it happened.
        OccurredDateIsRequired = "OCCURRED_DATE_IS_REQUIRED",
        /// It says so in no form that the platform reads.
        IncorrectOccurredDateFormat = "INCORRECT_OCCURRED_DATE_FORMAT",
        /// It is too old.
        OccurredTimeTooDepth = "OCCURRED_TIME_TOO_DEPTH",
        /// It is yet to happen.
        OccurredTimeInFuture = "OCCURRED_TIME_IN_FUTURE",
        /// Segmentation is not switched on for its type.
        EventSegmentationDisabled = "EVENT_SEGMENTATION_DISABLED",
        /// The platform failed.
        ServerError = "SERVER_ERROR",
    }
}

shape! {
    /// What became of past events.
    PastEventResults {
        /// Of each, most likely in their order.
        opt results: Vec<PastEventResult> = "results",
        /// How many were taken.
        opt success_count: i32 = "successCount",
        /// How many were not.
        opt error_count: i32 = "errorCount",
    }
}

shape! {
    /// What became of a past event.
    PastEventResult {
        /// What.
        opt status: PastEventStatus = "status",
    }
}

shape! {
    /// A period whose events are deleted, both ends included.
    Period {
        /// Its start.
        opt from: DateTime = "from",
        /// Its end.
        opt to: DateTime = "to",
    }
}

macro_rules! add_past_events {
    ($(#[doc = $doc:literal])* $call:ident, $id:literal, $path:literal, $pool:ident, $events:ident, $split:ident) => {
        endpoint! {
            $(#[doc = $doc])*
            $call = $id, Events, Post $path, $pool, Acts => PastEventResults {
                /// The events.
                body events: $events,
            }
            ; split $split
        }

        fn $split(call: &$call) -> Option<Vec<$call>> {
            let parts = call.events.events.chunks(MAX_PAST_EVENTS);
            if parts.len() < 2 {
                return None;
            }
            let events = |part: &[_]| $events { events: part.to_vec(), other: call.events.other.clone() };
            Some(parts.map(|part| $call { events: events(part) }).collect())
        }
    };
}

add_past_events! {
    /// Imports up to 500 past events whose parameters are text. Version 2 takes any JSON.
    AddPastEventsV1, "sendHistoryEvents", "/v1/past_events", PastEventsV1, PastTextEvents, split_v1
}

add_past_events! {
    /// Imports up to 500 past events.
    AddPastEventsV2, "sendHistoryEvents_1", "/v2/past_events", PastEventsV2, PastEvents, split_v2
}

add_past_events! {
    /// Imports up to 500 past events. What is documented of version 3 is what version 2 does.
    AddPastEventsV3, "sendHistoryEventsV3", "/v3/past_events", PastEventsV3, PastEvents, split_v3
}

endpoint! {
    /// Deletes the events of a period; the platform's support has to switch it on.
    DeletePastEvents = "removeHistoryEvents", Events, Delete "/v1/past_events", DeletePastEvents, Same => Undocumented {
        /// The period.
        body period: Period,
    }
}
