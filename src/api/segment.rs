//! Segments of contacts, and workflows.

use super::{
    answer::Text,
    contact::{Contact, check_page},
    macros::{choice, endpoint, shape},
    shape::Reader,
};
use crate::problem::Code;

/// Most contacts that one call puts into a segment or takes out.
pub const MAX_IDS: usize = 500;

choice! {
    /// How a segment is made up.
    SegmentKind {
        /// Contacts are put into it.
        Static = "Static",
        /// Contacts are in it while they fulfil a condition.
        Dynamic = "Dynamic",
        /// Out of other segments.
        Combined = "Combined",
    }
}

shape! {
    /// A segment of contacts.
    Segment {
        /// Its id.
        opt id: i32 = "id",
        /// Its name.
        opt name: String = "name",
        /// How it is made up.
        opt kind: SegmentKind = "type",
    }
}

shape! {
    /// The contacts that are put into a segment or taken out, by one of two ids.
    ContactIds check check_ids {
        /// The platform's ids, at most 500.
        opt contact_ids: Vec<i64> = "contactIds",
        /// The shop's own ids, at most 500.
        opt external_customer_ids: Vec<String> = "externalCustomerIds",
    }
}

fn check_ids(ids: &ContactIds, reader: &mut Reader) {
    let contacts = ids.contact_ids.as_deref().unwrap_or_default();
    let external = ids.external_customer_ids.as_deref().unwrap_or_default();
    let fix = "send at most 500 ids at a time";
    reader.most("contactIds", contacts.len(), MAX_IDS, fix);
    reader.most("externalCustomerIds", external.len(), MAX_IDS, fix);
    if !contacts.is_empty() && !external.is_empty() {
        let fix = "give contactIds or externalCustomerIds, not both";
        reader.fail_at("externalCustomerIds", Code::Conflict, fix);
    }
}

/// The ids in parts that one call takes.
fn split_ids(ids: &ContactIds) -> Option<Vec<ContactIds>> {
    let none =
        ContactIds { contact_ids: None, external_customer_ids: None, other: ids.other.clone() };
    if let Some(list) = ids.contact_ids.as_deref().filter(|list| list.len() > MAX_IDS) {
        let part = |part: &[i64]| ContactIds { contact_ids: Some(part.to_vec()), ..none.clone() };
        return Some(list.chunks(MAX_IDS).map(part).collect());
    }
    let list = ids.external_customer_ids.as_deref().filter(|list| list.len() > MAX_IDS)?;
    let part =
        |part: &[String]| ContactIds { external_customer_ids: Some(part.to_vec()), ..none.clone() };
    Some(list.chunks(MAX_IDS).map(part).collect())
}

choice! {
    /// Whether a workflow runs.
    WorkflowStatus {
        /// It runs.
        Active = "active",
        /// It does not.
        Inactive = "inactive",
    }
}

shape! {
    /// A workflow.
    Workflow {
        /// Its id.
        opt id: i32 = "id",
        /// Its name.
        opt name: String = "name",
        /// Whether it runs.
        opt status: WorkflowStatus = "status",
        /// Its tags.
        opt tags: Vec<String> = "tags",
    }
}

endpoint! {
    /// Lists the contacts of a segment, 500 at a time.
    SegmentContacts = "getGroupContacts", Segments, Get "/v1/group/{id}/contacts", Shared, Reads => Vec<Contact> {
        /// The segment's id.
        path id: i32 = "id",
        /// The first row, from 1.
        query start_index: i32 = "startindex",
        /// How many rows, at most 500.
        query max_rows: i32 = "maxrows",
        /// Whether the time of joining orders them.
        query order_by_time: bool = "orderByTs",
        /// Whether the first comes first.
        query ascending: bool = "asc",
    }
    ; check check_segment_contacts
}

fn check_segment_contacts(call: &SegmentContacts, reader: &mut Reader) {
    check_page(call.start_index, call.max_rows, 500, reader);
}

endpoint! {
    /// Takes contacts out of a static segment; without any ids, all of them.
    DetachContacts = "detachContactsFromGroup", Segments, Post "/v1/group/{id}/contacts/detach", Shared, Same => Text {
        /// The segment's id.
        path id: i32 = "id",
        /// The contacts.
        body ids: ContactIds,
    }
    ; check check_detach
    ; split split_detach
}

fn check_detach(call: &DetachContacts, reader: &mut Reader) {
    let ContactIds { contact_ids, external_customer_ids, .. } = &call.ids;
    let given = contact_ids.as_ref().map_or(0, Vec::len)
        + external_customer_ids.as_ref().map_or(0, Vec::len);
    if given == 0 {
        reader.warn(Code::EmptiesSegment, "without ids the platform takes all contacts out");
    }
}

fn split_detach(call: &DetachContacts) -> Option<Vec<DetachContacts>> {
    let part = |ids| DetachContacts { id: call.id, ids };
    Some(split_ids(&call.ids)?.into_iter().map(part).collect())
}

endpoint! {
    /// Puts contacts into a static segment.
    AttachContacts = "attachContactsToGroup", Segments, Post "/v1/group/{id}/contacts/attach", Shared, Same => Text {
        /// The segment's id.
        path id: i32 = "id",
        /// The contacts.
        body ids: ContactIds,
    }
    ; split split_attach
}

fn split_attach(call: &AttachContacts) -> Option<Vec<AttachContacts>> {
    let part = |ids| AttachContacts { id: call.id, ids };
    Some(split_ids(&call.ids)?.into_iter().map(part).collect())
}

endpoint! {
    /// Lists segments.
    SearchSegments = "searchGroups", Segments, Get "/v1/groups", Shared, Reads => Vec<Segment> {
        /// A part of the name.
        query name: String = "name",
        /// The first row, from 1.
        query start_index: i32 = "startindex",
        /// How many rows, at most 500.
        query max_rows: i32 = "maxrows",
    }
    ; check check_segments
}

fn check_segments(call: &SearchSegments, reader: &mut Reader) {
    check_page(call.start_index, call.max_rows, 500, reader);
}

endpoint! {
    /// Lists workflows.
    SearchWorkflows = "searchWorkflows", Segments, Get "/v1/workflows", Shared, Reads => Vec<Workflow> {
        /// A part of the name.
        query name: String = "name",
        /// The first row, from 1.
        query start_index: i32 = "startindex",
        /// How many rows, at most 500.
        query max_rows: i32 = "maxrows",
    }
    ; check check_workflows
}

fn check_workflows(call: &SearchWorkflows, reader: &mut Reader) {
    check_page(call.start_index, call.max_rows, 500, reader);
}
