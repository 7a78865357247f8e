//! What is posted.

use super::{Place, Session, Token};
use crate::{
    form::check::Kind,
    value::{Members, Value},
};

impl Session {
    /// The address and the number that are given: kind, name and value of each field.
    pub(super) fn reached(&self) -> Vec<(Kind, String, String)> {
        let reaching = self.entries.iter().filter(|entry| entry.asked.step == 1 && entry.reaches());
        let reached = reaching.filter_map(|entry| {
            let value = entry.check(self.setup.today).ok()?.into_iter().next()?;
            Some((entry.asked.field.kind, entry.name(), value))
        });
        reached.collect()
    }

    /// The body of a submission of the present step.
    pub(super) fn body(&self, token: &str) -> String {
        let mut data = Members::new();
        if self.step > 1 {
            let whose = self.whose.iter();
            data.extend(whose.map(|(_, name, value)| (name.clone(), Value::text(value.as_str()))));
        }
        for entry in self.entries.iter().filter(|entry| entry.asked.step == self.step) {
            let Ok(mut values) = entry.check(self.setup.today) else { continue };
            if values.is_empty() {
                continue;
            }
            // What people chose a region for needs none any more; the rest goes as it was given.
            if entry.asked.field.kind != Kind::Phone {
                values.clone_from(&entry.given);
            }
            let mut values: Vec<Value> = values.into_iter().map(Value::Text).collect();
            let is_list = values.len() > 1 || entry.asked.field.kind == Kind::Subscriptions;
            let value = if is_list { Some(Value::List(values)) } else { values.pop() };
            data.extend(value.map(|value| (entry.name(), value)));
        }
        let Place { url, referrer, language, web_id, trap } = &self.place;
        let text = |text: &String| Value::text(text.as_str());
        if !trap.is_empty() {
            data.push(("company_site".to_owned(), text(trap)));
        }
        let page = [("url", url), ("ref", referrer), ("lang", language)];
        let page = page.map(|(name, value)| (name.to_owned(), text(value)));
        let mut body = vec![
            ("token".to_owned(), Value::text(token)),
            ("data".to_owned(), Value::Object(data)),
            ("page".to_owned(), Value::Object(page.into())),
        ];
        if let Token::Here(passed) = &self.passed {
            body.push(("turnstile".to_owned(), text(passed)));
        }
        if !web_id.is_empty() {
            body.push(("sc".to_owned(), text(web_id)));
        }
        if self.step > 1 {
            body.push(("step".to_owned(), Value::whole(self.step.into())));
        }
        Value::Object(body).to_json()
    }
}
