//! The body that the tracker takes for an event.

use super::{Event, Identity, Kind, schema::Shape};
use crate::value::{Members, Value};

/// What surrounds an event on its way to the platform's tracker.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "every member must be thought of by who fills it")]
pub struct Envelope<'a> {
    /// The site's id at the platform.
    pub site_id: &'a str,
    /// The web id; ProductUpdate has none.
    pub web_id: Option<&'a str>,
    /// When it happened, Unix time in milliseconds; ProductUpdate has none.
    pub datetime: Option<u64>,
    /// Who the visitor is, as known at the event's moment.
    pub identity: &'a Identity,
}

impl Event {
    /// The body for `POST /api/v2` of the tracker (Y-REST): the tags form below GeneralInfo.
    #[must_use]
    pub fn encode(&self, envelope: &Envelope<'_>) -> Value {
        let mut body: Members = vec![("GeneralInfo".into(), self.general_info(envelope))];
        if let Some(data) = self.data() {
            body.push((self.kind.key().into(), data));
        }
        body.extend(self.beside.iter().cloned());
        Value::Object(body)
    }

    fn general_info(&self, envelope: &Envelope<'_>) -> Value {
        let mut members: Members = vec![
            ("eventName".into(), Value::text(self.kind.event_name())),
            ("siteId".into(), Value::text(envelope.site_id)),
        ];
        if let Some(datetime) = envelope.datetime {
            members.push(("datetime".into(), Value::whole(datetime)));
        }
        for (name, text) in envelope.identity {
            members.push((name.clone(), Value::text(text)));
        }
        if let Some(location) = &self.location {
            members.push(("s_location".into(), Value::text(location)));
        }
        members.extend(self.general_extra.iter().cloned());
        if let Some(web_id) = envelope.web_id {
            let cookies = Value::Object(vec![("sc".into(), Value::text(web_id))]);
            members.push(("cookies".into(), cookies));
        }
        Value::Object(members)
    }

    fn data(&self) -> Option<Value> {
        let mut data = Members::new();
        if self.kind.has_guid()
            && let Some(guid) = &self.guid
        {
            data.push(("GUID".into(), Value::text(guid)));
        }
        let list = || self.products.iter().flatten().cloned().map(Value::Object).collect();
        match self.kind.shape() {
            // The JavaScript page sends PageView with an empty object under its key; the other
            // events without data stand on GeneralInfo alone, as does CustomerData.
            Shape::Nothing if self.kind == Kind::PageView => {}
            Shape::Nothing | Shape::Identity if self.inside.is_empty() && self.tags.is_empty() => {
                return None;
            }
            Shape::Nothing | Shape::Identity => {}
            Shape::One(Some(nest), _) => {
                data.push((nest.into(), Value::Object(self.fields.clone())));
            }
            Shape::One(None, _) => data.extend(self.fields.iter().cloned()),
            Shape::Products(_) => {
                if self.products.is_some() {
                    data.push(("Products".into(), Value::List(list())));
                }
            }
            Shape::Update(_) => return Some(Value::List(list())),
        }
        if let Some(number) = &self.order_number {
            data.push(("OrderNumber".into(), Value::text(number)));
        }
        data.extend(self.inside.iter().cloned());
        if !self.tags.is_empty() {
            data.push(("Tags".into(), tags_value(&self.tags)));
        }
        Some(Value::Object(data))
    }
}

/// Tags as the object that the platform takes.
pub(super) fn tags_value(tags: &[(String, Vec<String>)]) -> Value {
    let list = |values: &[String]| Value::List(values.iter().map(Value::text).collect());
    Value::Object(tags.iter().map(|(name, values)| (name.clone(), list(values))).collect())
}
