//! Broadcasts: a stored message to segments, now or later.

use super::{
    answer::Undocumented,
    contact::check_page,
    macros::{choice, endpoint, shape},
    shape::Reader,
    time::DateTime,
};
use crate::problem::Code;

choice! {
    /// How long the pause between two parts of a broadcast is.
    BatchInterval {
        /// A minute.
        Minute = "MINUTE",
        /// An hour.
        Hour = "HOUR",
        /// A day.
        Day = "DAY",
        /// A month.
        Month = "MONTH",
    }
}

shape! {
    /// A broadcast to make.
    NewBroadcast check check_broadcast {
        /// Its title.
        opt title: String = "title",
        /// The stored message's id, as text.
        req message_id: String = "messageId",
        /// Ids of the segments.
        req groups: Vec<i32> = "groups",
        /// Ids of segments to leave out.
        opt excluded_groups: Vec<i32> = "excludedGroups",
        /// When it starts; now if unset.
        opt start_date: DateTime = "startDate",
        /// Messages of one part.
        opt batch_size: i32 = "batchSize",
        /// The pause between parts.
        opt batch_interval_unit: BatchInterval = "batchIntervalUnit",
        /// For web push: the domain.
        opt domain: String = "domain",
        /// For mobile push and Telegram: the application's id.
        opt app_id: String = "appId",
    }
}

fn check_broadcast(broadcast: &NewBroadcast, reader: &mut Reader) {
    if broadcast.groups.is_empty() {
        reader.fail_at("groups", Code::MissingField, "give at least one segment");
    }
}

shape! {
    /// A broadcast.
    Broadcast {
        /// Its id.
        opt id: String = "broadcastId",
        /// Its title.
        opt title: String = "title",
        /// The stored message's id.
        opt message_id: String = "messageId",
        /// The segment's id.
        opt group_id: String = "groupId",
        /// When it starts.
        opt start_date: DateTime = "startDate",
        /// Messages of one part.
        opt batch_size: i32 = "batchSize",
        /// The pause between parts.
        opt batch_interval_unit: BatchInterval = "batchIntervalUnit",
    }
}

endpoint! {
    /// Lists broadcasts.
    ListBroadcasts = "findBroadcasts", Broadcasts, Get "/v1/broadcasts", Shared, Reads => Vec<Broadcast> {
        /// The first row, from 1.
        query start_index: i32 = "startindex",
        /// How many rows, at most 500; 10 if unset.
        query max_rows: i32 = "maxrows",
    }
    ; check check_list
}

fn check_list(call: &ListBroadcasts, reader: &mut Reader) {
    check_page(call.start_index, call.max_rows, 500, reader);
}

endpoint! {
    /// Makes a broadcast to segments, at once or at a time.
    AddBroadcast = "createBroadcast", Broadcasts, Post "/v1/broadcast", Shared, Acts => Broadcast {
        /// The broadcast.
        body broadcast: NewBroadcast,
    }
}

endpoint! {
    /// Reads one broadcast.
    GetBroadcast = "getBroadcast", Broadcasts, Get "/v1/broadcast/{broadcast_id}", Shared, Reads => Broadcast {
        /// Its id.
        path id: String = "broadcast_id",
    }
}

endpoint! {
    /// Cancels a broadcast that has not started.
    CancelBroadcast = "deleteBroadcast", Broadcasts, Delete "/v1/broadcast/{broadcast_id}", Shared, Same => Undocumented {
        /// Its id.
        path id: String = "broadcast_id",
    }
}
