//! What somebody filled in, read against the definition, and what the platform gets of it.

use super::{Definition, Field, Kind};
use crate::{
    form::{
        check::{self, Kind as Asks, Wrong},
        date::Date,
    },
    problem::{Code, Problem},
    value::{Members, Value, find},
};

/// What somebody filled in, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Submission {
    /// The e-mail address, as typed.
    pub email: Option<String>,
    /// The phone number, in E.164.
    pub phone: Option<String>,
    /// Every field that was filled in, by its name, as it goes on.
    pub values: Vec<(String, Vec<String>)>,
}

/// Why something that was filled in is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// What is wrong with each field, by its name.
    Fields(Vec<(String, Wrong)>),
    /// What no person types: a name that the form does not have, a value of another type.
    Shape(Problem),
}

/// Most values of one field, and most bytes of one: more than any form has.
const MAX_VALUES: usize = 50;

/// Reads what was filled in: an object of texts, or of lists of texts, by the fields' names.
///
/// `today` is the last day that has begun anywhere.
///
/// # Errors
///
/// Why it is not taken.
pub fn read(
    definition: &Definition,
    step: u32,
    data: &Value,
    today: Date,
) -> Result<Submission, Refusal> {
    let Value::Object(members) = data else {
        return Err(shape(Code::WrongType, "", "give an object of texts by the fields' names"));
    };
    let asked: Vec<&Field> =
        definition.fields().filter(|(own, _)| *own == step).map(|(_, field)| field).collect();
    // Whose further answers they are, the second step says again.
    let repeats = |name: &str| step > 1 && matches!(name, "email" | "phone");
    for (name, _) in members {
        if !repeats(name) && !asked.iter().any(|field| field.name() == *name) {
            let fix = "leave it out: the form has no such field";
            return Err(shape(Code::UnknownValue, name, fix));
        }
    }
    let mut submission = Submission::default();
    let mut wrong = Vec::new();
    let mut take = |field: &check::Field, submission: &mut Submission| -> Result<(), Refusal> {
        let given = find(members, &field.name).map_or_else(|| Ok(Vec::new()), texts);
        let given = given.map_err(|fix| shape(Code::WrongType, &field.name, fix))?;
        match check::check(field, &given, today) {
            Ok(values) if values.is_empty() => {}
            Ok(values) => {
                match field.kind {
                    Asks::Email => submission.email = values.first().cloned(),
                    Asks::Phone => submission.phone = values.first().cloned(),
                    _ => {}
                }
                submission.values.push((field.name.clone(), values));
            }
            Err(reason) => wrong.push((field.name.clone(), reason)),
        }
        Ok(())
    };
    for field in &asked {
        take(&field.checked(), &mut submission)?;
    }
    if step > 1 {
        for (_, first) in definition
            .fields()
            .filter(|(own, field)| *own == 1 && matches!(field.kind, Asks::Email | Asks::Phone))
        {
            take(&first.checked(), &mut submission)?;
        }
    }
    let must_reach = definition.kind == Kind::Subscribe || definition.open_to_all;
    if wrong.is_empty() && must_reach && submission.email.is_none() && submission.phone.is_none() {
        let at = asked.iter().find(|field| matches!(field.kind, Asks::Email | Asks::Phone));
        wrong.push((
            at.map_or_else(|| "email".to_owned(), |field| field.name()),
            Wrong::Unreachable,
        ));
    }
    if wrong.is_empty() { Ok(submission) } else { Err(Refusal::Fields(wrong)) }
}

fn shape(code: Code, name: &str, fix: &'static str) -> Refusal {
    let field = if name.is_empty() { "data".to_owned() } else { ["data.", name].concat() };
    Refusal::Shape(Problem::new(code, field, fix))
}

fn texts(value: &Value) -> Result<Vec<String>, &'static str> {
    let one = |value: &Value| match value {
        Value::Text(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bool(true) => Ok("1".to_owned()),
        Value::Bool(false) | Value::Null => Ok(String::new()),
        _ => Err("give a text, or a list of texts"),
    };
    match value {
        Value::List(values) if values.len() > MAX_VALUES => Err("give at most 50 values"),
        Value::List(values) => values.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

impl Submission {
    /// The body of the platform's subscription.
    #[must_use]
    pub fn subscription(&self, definition: &Definition, language: &str) -> Value {
        let channel = |kind: &str, value: &Option<String>| {
            value.as_ref().map(|value| {
                Value::Object(vec![
                    ("type".to_owned(), Value::text(kind)),
                    ("value".to_owned(), Value::text(value.as_str())),
                ])
            })
        };
        let channels = [channel("email", &self.email), channel("sms", &self.phone)];
        let mut contact: Members =
            vec![("channels".to_owned(), Value::List(channels.into_iter().flatten().collect()))];
        for name in ["firstName", "lastName"] {
            if let Some(value) = self.value(name) {
                contact.push((name.to_owned(), Value::text(value)));
            }
        }
        let fields = self.values.iter().filter_map(|(name, values)| {
            let id: u32 = name.parse().ok()?;
            Some(Value::Object(vec![
                ("id".to_owned(), Value::whole(id.into())),
                ("value".to_owned(), Value::text(values.join(","))),
            ]))
        });
        let fields: Vec<Value> = fields.collect();
        if !fields.is_empty() {
            contact.push(("fields".to_owned(), Value::List(fields)));
        }
        if !language.is_empty() {
            contact.push(("languageCode".to_owned(), Value::text(language)));
        }
        let mut body: Members = vec![("contact".to_owned(), Value::Object(contact))];
        let chosen = self.values.iter().find(|(name, _)| name == "subscriptions");
        let chosen = chosen.map(|(_, values)| values.as_slice()).unwrap_or_default();
        let lists = [
            ("groups", definition.segments.as_slice(), &[][..]),
            ("subscriptions", definition.subscriptions.as_slice(), chosen),
        ];
        for (name, always, chosen) in lists {
            let extra = chosen.iter().filter(|one| !always.contains(one));
            let all: Vec<Value> =
                always.iter().chain(extra).map(|one| Value::text(one.as_str())).collect();
            if !all.is_empty() {
                body.push((name.to_owned(), Value::List(all)));
            }
        }
        if let Some(form_type) = &definition.form_type {
            body.push(("formType".to_owned(), Value::text(form_type.as_str())));
        }
        Value::Object(body)
    }

    /// The body of a request's event: whose it is, and what was filled in.
    ///
    /// Whose it is says `proven`, what a proof names; without one what was typed does, else the
    /// browser's web id.
    #[must_use]
    pub fn event(
        &self,
        definition: &Definition,
        proven: &[(&str, &str)],
        web_id: Option<&str>,
    ) -> Value {
        let mut whose = proven.to_vec();
        if whose.is_empty() {
            whose.extend(self.email.iter().map(|email| ("email", email.as_str())));
            whose.extend(self.phone.iter().map(|phone| ("phone", phone.as_str())));
            if whose.is_empty() {
                whose.extend(web_id.map(|web_id| ("webId", web_id)));
            }
        }
        let own =
            self.values.iter().filter(|(name, _)| !matches!(name.as_str(), "email" | "phone"));
        let own: Vec<(&str, String)> =
            own.map(|(name, values)| (name.as_str(), values.join(","))).collect();
        let param = |name: &str, value: &str| {
            Value::Object(vec![
                ("name".to_owned(), Value::text(name)),
                ("value".to_owned(), Value::text(value)),
            ])
        };
        let mut params: Vec<Value> = whose.iter().map(|(name, value)| param(name, value)).collect();
        params.extend(own.iter().map(|(name, value)| param(name, value)));
        let mut event: Members = vec![(
            "eventTypeKey".to_owned(),
            Value::text(definition.event.as_deref().unwrap_or_default()),
        )];
        if let Some((_, key)) = whose.first() {
            event.push(("keyValue".to_owned(), Value::text(*key)));
        }
        event.push(("params".to_owned(), Value::List(params)));
        Value::Object(event)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let (_, values) = self.values.iter().find(|(own, _)| own == name)?;
        values.first().map(String::as_str)
    }
}
