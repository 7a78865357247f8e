//! What a contact must be beyond its schema.

use std::collections::HashMap;

use serde_json::Value;

use crate::api::{Failure, dates, rules};
use crate::settings::{CustomField, FieldKind, Settings};

/// The most channels of one kind.
const OF_ONE_KIND: usize = 2;

/// Judges a contact whose members are at `place`, which ends with a dot unless it is the body.
///
/// # Errors
///
/// Names the first member that is wrong.
pub(super) fn check(contact: &Value, place: &str, settings: &Settings) -> Result<(), Failure> {
    if let Some(channels) = contact["channels"].as_array() {
        check_channels(channels, &format!("{place}channels"))?;
    }
    for (index, field) in contact["fields"].as_array().into_iter().flatten().enumerate() {
        let place = format!("{place}fields[{index}]");
        let id = field_id(&field["id"]).ok_or_else(|| {
            Failure::field(format!("{place}.id"), "the number of a field is expected")
        })?;
        let known = settings.custom_fields.iter().find(|known| i64::from(known.id) == id);
        let known = known.ok_or_else(|| {
            Failure::field(format!("{place}.id"), format!("no field has the id {id}"))
        })?;
        let value = field["value"].as_str().unwrap_or_default();
        if !fits(known, value) {
            let message = format!("{value:?} is no value of {}", known.name);
            return Err(Failure::field(format!("{place}.value"), message));
        }
    }
    Ok(())
}

fn check_channels(channels: &[Value], place: &str) -> Result<(), Failure> {
    if channels.is_empty() {
        return Err(Failure::field(place, "a contact has at least one channel"));
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (index, channel) in channels.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let kind = channel["type"].as_str();
        let kind =
            kind.ok_or_else(|| Failure::field(format!("{place}.type"), "type is required"))?;
        let value = channel["value"].as_str().unwrap_or_default();
        let right = match kind {
            "email" => rules::is_email(value.trim()),
            "sms" | "viber" => rules::is_phone(value),
            _ => !value.trim().is_empty(),
        };
        if !right {
            let message = format!("{value:?} is not valid {kind}");
            return Err(Failure::field(format!("{place}.value"), message));
        }
        let count = counts.entry(kind).or_default();
        *count += 1;
        if *count > OF_ONE_KIND {
            let message = format!("a contact has at most two channels of the type {kind}");
            return Err(Failure::field(place, message));
        }
    }
    Ok(())
}

/// The number of a custom field, which may come as text.
pub(super) fn field_id(id: &Value) -> Option<i64> {
    id.as_i64().or_else(|| id.as_str()?.trim().parse().ok())
}

fn fits(field: &CustomField, value: &str) -> bool {
    let listed = |value: &str| field.values.iter().any(|known| known == value);
    // An empty value takes the old one away.
    if value.is_empty() {
        return true;
    }
    match field.kind {
        FieldKind::TextField | FieldKind::Tags => value.chars().count() <= 1000,
        FieldKind::TextArea => value.chars().count() <= 5000,
        FieldKind::ComboBox => field.values.is_empty() || listed(value),
        FieldKind::CheckBoxList => {
            field.values.is_empty() || value.split(',').all(|one| listed(one.trim()))
        }
        FieldKind::Number => value.parse::<i32>().is_ok(),
        FieldKind::Decimal => value.parse::<f64>().is_ok_and(f64::is_finite),
        FieldKind::Date => is_day(value),
        FieldKind::DateTime => dates::parse(value).is_some_and(|moment| !moment.day_only),
    }
}

/// yyyy-MM-dd, dd/MM/yyyy, dd.MM.yy or dd.MM.yyyy.
fn is_day(text: &str) -> bool {
    let turned = |separator| {
        let mut parts: Vec<&str> = text.split(separator).collect();
        parts.reverse();
        let year = parts.first().filter(|year| year.len() == 2 && separator == '.');
        let year = year.map(|year| format!("20{year}"));
        parts
            .iter()
            .enumerate()
            .map(|(place, part)| match (&year, place) {
                (Some(year), 0) => year.clone(),
                _ => (*part).to_owned(),
            })
            .collect::<Vec<_>>()
            .join("-")
    };
    [text.to_owned(), turned('/'), turned('.')]
        .iter()
        .any(|text| dates::parse(text).is_some_and(|moment| moment.day_only))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_contact_is_judged_member_by_member() {
        let channel = json!({ "type": "email", "value": "a@b.com" });
        for (contact, field) in [
            (json!({ "channels": [] }), "channels"),
            (json!({ "channels": [{ "value": "a@b.com" }] }), "channels[0].type"),
            (json!({ "channels": [{ "type": "email", "value": "a" }] }), "channels[0].value"),
            (json!({ "channels": [{ "type": "sms", "value": "a" }] }), "channels[0].value"),
            (json!({ "channels": [channel, channel, channel] }), "channels[2]"),
            (json!({ "fields": [{ "value": "x" }] }), "fields[0].id"),
            (json!({ "fields": [{ "id": 1, "value": "x" }] }), "fields[0].id"),
            (json!({ "fields": [{ "id": "12346", "value": "x" }] }), "fields[0].value"),
            (json!({ "fields": [{ "id": 12347, "value": "X" }] }), "fields[0].value"),
            (json!({ "fields": [{ "id": 12348, "value": "1.5" }] }), "fields[0].value"),
        ] {
            let failure = check(&contact, "", &Settings::default()).unwrap_err();
            assert_eq!(failure.refusal.field.as_deref(), Some(field), "{contact}");
        }
    }

    #[test]
    fn days_have_four_forms() {
        for right in ["1990-03-09", "09/03/1990", "09.03.90", "09.03.1990"] {
            assert!(is_day(right), "{right}");
        }
        for wrong in ["1990-03-09T10:00", "09-03-1990", "09/03/90", "31.02.1990"] {
            assert!(!is_day(wrong), "{wrong}");
        }
    }
}
