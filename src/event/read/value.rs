//! Single values and products: the types and names that the platform takes.

use super::{
    super::{
        Kind, MAX_NAME, MAX_TEXT,
        schema::{Field, MAX_IDENTIFIER, Rule},
    },
    GIVE_AN_OBJECT, GIVE_TEXT, GOES_ALONG, LEFT_OUT, Reader, Rest, WRITTEN_AS_DOCUMENTED, entry,
    find_in, join, length,
};
use crate::{
    problem::Code,
    value::{Members, Value, is_blank, parse_whole},
};

impl<const KEEP: bool> Reader<KEEP> {
    pub(super) fn products(&mut self, items: &[Value], fields: &[Field], path: &str) {
        let mut products = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = entry(path, index);
            match item {
                Value::Object(members) => {
                    products.push(self.fields(members.iter().collect(), fields, &path));
                }
                _ => self.fail(Code::WrongType, &path, GIVE_AN_OBJECT),
            }
        }
        if items.is_empty() && self.event.kind != Kind::StatusCart {
            self.fail(Code::MissingField, path, "give at least one product");
        }
        self.event.products = Some(products);
    }

    /// The fields of one product, category or search, under the names that are written.
    pub(super) fn fields(&mut self, mut rest: Rest<'_>, fields: &[Field], path: &str) -> Members {
        let mut out = Members::new();
        for field in fields {
            let found = |name: &&'static str| Some((*name, find_in(&rest, name)?));
            if let Some((name, value)) = field.names.iter().find_map(found) {
                rest.retain(|(known, _)| {
                    let same = field.names.contains(&known.as_str());
                    if KEEP && same && known != name {
                        // Under a second name the platform would refuse the whole event.
                        self.warn(Code::IgnoredMember, &join(path, known), LEFT_OUT);
                    }
                    !same
                });
                let path = join(path, name);
                // `currency`, `price` and `productKey` are the plain form's own words.
                if name != field.name() && !matches!(name, "currency" | "price" | "productKey") {
                    self.warn(Code::Alias, &path, WRITTEN_AS_DOCUMENTED);
                }
                let before = self.errors.len();
                if let Some(value) = self.value(value, field.rule, &path) {
                    if KEEP {
                        out.push((field.name().into(), value));
                    }
                    continue;
                }
                if self.errors.len() > before {
                    continue;
                }
            }
            if field.required {
                let fix = "the platform requires it";
                self.fail(Code::MissingField, &join(path, field.name()), fix);
            }
        }
        for (name, value) in rest {
            let at = join(path, name);
            if name.starts_with("tag_") {
                if let Some(values) = self.texts(value, &at) {
                    self.name_limit(name, &at);
                    if KEEP {
                        let values = values.into_iter().map(Value::Text).collect();
                        out.push((name.clone(), Value::List(values)));
                    }
                }
            } else {
                self.limits(name, value, &at);
                self.warn(Code::UnknownMember, &at, GOES_ALONG);
                if KEEP {
                    out.push((name.clone(), value.clone()));
                }
            }
        }
        out
    }

    /// The value as the platform takes it; `None` if there is none or it cannot be read.
    pub(super) fn value(&mut self, value: &Value, rule: Rule, path: &str) -> Option<Value> {
        match rule {
            Rule::Text => self.text(value, path).map(Value::Text),
            Rule::Price => self.price(value, path).map(Value::Text),
            Rule::Texts => {
                let values = self.texts(value, path)?;
                Some(Value::List(values.into_iter().map(Value::Text).collect()))
            }
            Rule::TextOrTexts => match value {
                Value::List(_) => self.value(value, Rule::Texts, path),
                _ => self.value(value, Rule::Text, path),
            },
            Rule::Whole | Rule::Flag => self.number(value, rule, path),
        }
    }

    fn number(&mut self, value: &Value, rule: Rule, path: &str) -> Option<Value> {
        let fix = if rule == Rule::Flag { "give 1 or 0" } else { "give a whole number, 0 or more" };
        let number = match value {
            Value::Null => return None,
            Value::Text(text) if is_blank(text) => {
                self.warn(Code::EmptyValue, path, LEFT_OUT);
                return None;
            }
            Value::Text(text) => {
                self.warn(Code::TextForNumber, path, "read as a number");
                parse_whole(text)
            }
            Value::Number(text) => parse_whole(text),
            Value::Bool(flag) if rule == Rule::Flag => {
                self.warn(Code::BoolForFlag, path, "read as 1 or 0");
                Some((*flag).into())
            }
            _ => None,
        };
        let Some(number) = number else {
            self.fail(Code::WrongType, path, fix);
            return None;
        };
        if rule == Rule::Flag && number > 1 {
            self.fail(Code::OutOfRange, path, fix);
        }
        Some(Value::whole(number))
    }

    /// Text, also from a number; `None` if it is empty, absent or no text.
    pub(super) fn text(&mut self, value: &Value, path: &str) -> Option<String> {
        let text = match value {
            Value::Null => return None,
            Value::Text(text) => text,
            Value::Number(text) => {
                self.warn(Code::NumberForText, path, "written as text");
                text
            }
            _ => {
                self.fail(Code::WrongType, path, GIVE_TEXT);
                return None;
            }
        };
        if is_blank(text) {
            self.warn(Code::EmptyValue, path, LEFT_OUT);
            return None;
        }
        if text.len() > MAX_TEXT {
            self.fail(Code::TooLong, path, GIVE_TEXT);
        }
        Some(text.clone())
    }

    /// The text of a price, as it came: the platform takes "754" and "754 USD".
    fn price(&mut self, value: &Value, path: &str) -> Option<String> {
        let fix = "give an amount, with or without a currency: \"754\", \"754.00\", \"754 USD\"";
        let text = self.text(value, path)?;
        if !text.chars().any(|character| character.is_ascii_digit()) {
            self.fail(Code::WrongType, path, fix);
        } else if text.chars().find(|character| !character.is_whitespace()) == Some('-') {
            self.fail(Code::OutOfRange, path, "give an amount that is not negative");
        } else if length(&text) > 40 {
            self.fail(Code::TooLong, path, fix);
        }
        Some(text)
    }

    /// A list of text; a single value is taken as a list of one.
    pub(super) fn texts(&mut self, value: &Value, path: &str) -> Option<Vec<String>> {
        let Value::List(items) = value else {
            let text = self.scalar(value, path)?;
            self.warn(Code::ValueForList, path, "written as a list of one");
            return Some(vec![text]);
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = entry(path, index);
            texts.extend(self.scalar(item, &path));
        }
        Some(texts)
    }

    fn scalar(&mut self, value: &Value, path: &str) -> Option<String> {
        match value {
            Value::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
            _ => self.text(value, path),
        }
    }

    /// Text that names a person, a visitor, a site or an order; `None` if there is none.
    pub(super) fn identifier(&mut self, value: &Value, path: &str) -> Option<String> {
        let text = self.text(value, path)?;
        if length(&text) > MAX_IDENTIFIER {
            self.fail(Code::TooLong, path, "give at most 300 characters");
        }
        if text.chars().any(char::is_control) {
            self.fail(Code::ForbiddenCharacter, path, "leave out control characters");
        }
        Some(text)
    }

    pub(super) fn name_limit(&mut self, name: &str, path: &str) {
        if length(name) > MAX_NAME {
            self.fail(Code::TooLong, path, "give a name of at most 100 characters");
        }
    }

    pub(super) fn limits(&mut self, name: &str, value: &Value, path: &str) {
        self.name_limit(name, path);
        match value {
            Value::Text(text) if text.len() > MAX_TEXT => {
                self.fail(Code::TooLong, path, GIVE_TEXT);
            }
            Value::List(items) => {
                for item in items {
                    self.limits("", item, path);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    self.limits(name, value, path);
                }
            }
            _ => {}
        }
    }
}
