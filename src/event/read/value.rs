//! Single values and products: the types and names that the platform takes.

use super::{
    super::{
        Kind, MAX_NAME, MAX_TEXT,
        schema::{Field, MAX_IDENTIFIER, Rule},
    },
    GIVE_AN_OBJECT, GIVE_TEXT, GOES_ALONG, LEFT_OUT, Reader, WRITTEN_AS_DOCUMENTED, join,
};
use crate::{
    problem::Code,
    value::{Members, Value, find, parse_whole},
};

impl Reader {
    pub(super) fn products(&mut self, items: &[Value], fields: &[Field], path: &str) {
        let mut products = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = [path, "[", &index.to_string(), "]"].concat();
            match item {
                Value::Object(members) => products.push(self.fields(members, fields, &path)),
                _ => self.fail(Code::WrongType, path, GIVE_AN_OBJECT),
            }
        }
        if items.is_empty() && self.event.kind != Kind::StatusCart {
            self.fail(Code::MissingField, path.into(), "give at least one product");
        }
        self.event.products = Some(products);
    }

    /// The fields of one product, category or search, under the names that are written.
    pub(super) fn fields(&mut self, members: &Members, fields: &[Field], path: &str) -> Members {
        let mut out = Members::with_capacity(members.len());
        let mut rest: Vec<&(String, Value)> = members.iter().collect();
        for field in fields {
            let mut names = std::iter::once(&field.name).chain(field.also).copied();
            let found = names.find_map(|name| Some((name, find(members, name)?)));
            if let Some((name, value)) = found {
                rest.retain(|(known, _)| known != name);
                let path = join(path, name);
                if name != field.name {
                    // `currency`, `price` and `productKey` are the plain form's own words.
                    let plain = matches!(name, "currency" | "price" | "productKey");
                    if !plain {
                        self.warn(Code::Alias, path.clone(), WRITTEN_AS_DOCUMENTED);
                    }
                }
                let before = self.errors.len();
                if let Some(value) = self.value(value, field.rule, &path) {
                    out.push((field.name.into(), value));
                    continue;
                }
                if self.errors.len() > before {
                    continue;
                }
            }
            if field.required {
                self.fail(Code::MissingField, join(path, field.name), "the platform requires it");
            }
        }
        for (name, value) in rest {
            let at = join(path, name);
            if name.starts_with("tag_") {
                if let Some(values) = self.texts(value, &at) {
                    self.name_limit(name, &at);
                    let values = values.into_iter().map(Value::Text).collect();
                    out.push((name.clone(), Value::List(values)));
                }
            } else {
                self.limits(name, value, &at);
                self.warn(Code::UnknownMember, at, GOES_ALONG);
                out.push((name.clone(), value.clone()));
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
            Value::Text(text) if text.trim().is_empty() => {
                self.warn(Code::EmptyValue, path.into(), LEFT_OUT);
                return None;
            }
            Value::Text(text) => {
                self.warn(Code::TextForNumber, path.into(), "read as a number");
                parse_whole(text)
            }
            Value::Number(text) => parse_whole(text),
            Value::Bool(flag) if rule == Rule::Flag => {
                self.warn(Code::BoolForFlag, path.into(), "read as 1 or 0");
                Some((*flag).into())
            }
            _ => None,
        };
        let Some(number) = number else {
            self.fail(Code::WrongType, path.into(), fix);
            return None;
        };
        if rule == Rule::Flag && number > 1 {
            self.fail(Code::OutOfRange, path.into(), fix);
        }
        Some(Value::whole(number))
    }

    /// Text, also from a number; `None` if it is empty, absent or no text.
    pub(super) fn text(&mut self, value: &Value, path: &str) -> Option<String> {
        let text = match value {
            Value::Null => return None,
            Value::Text(text) => text,
            Value::Number(text) => {
                self.warn(Code::NumberForText, path.into(), "written as text");
                text
            }
            _ => {
                self.fail(Code::WrongType, path.into(), GIVE_TEXT);
                return None;
            }
        };
        if text.trim().is_empty() {
            self.warn(Code::EmptyValue, path.into(), LEFT_OUT);
            return None;
        }
        if text.len() > MAX_TEXT {
            self.fail(Code::TooLong, path.into(), GIVE_TEXT);
        }
        Some(text.clone())
    }

    /// The text of a price, as it came: the platform takes "754" and "754 USD".
    fn price(&mut self, value: &Value, path: &str) -> Option<String> {
        let fix = "give an amount, with or without a currency: \"754\", \"754.00\", \"754 USD\"";
        let text = self.text(value, path)?;
        if !text.chars().any(|character| character.is_ascii_digit()) {
            self.fail(Code::WrongType, path.into(), fix);
        } else if text.trim_start().starts_with('-') {
            self.fail(Code::OutOfRange, path.into(), "give an amount that is not negative");
        } else if text.chars().count() > 40 {
            self.fail(Code::TooLong, path.into(), fix);
        }
        Some(text)
    }

    /// A list of text; a single value is taken as a list of one.
    pub(super) fn texts(&mut self, value: &Value, path: &str) -> Option<Vec<String>> {
        let Value::List(items) = value else {
            let text = self.scalar(value, path)?;
            self.warn(Code::ValueForList, path.into(), "written as a list of one");
            return Some(vec![text]);
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = [path, "[", &index.to_string(), "]"].concat();
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
        if text.chars().count() > MAX_IDENTIFIER {
            self.fail(Code::TooLong, path.into(), "give at most 300 characters");
        }
        if text.chars().any(char::is_control) {
            self.fail(Code::ForbiddenCharacter, path.into(), "leave out control characters");
        }
        Some(text)
    }

    pub(super) fn name_limit(&mut self, name: &str, path: &str) {
        if name.chars().count() > MAX_NAME {
            self.fail(Code::TooLong, path.into(), "give a name of at most 100 characters");
        }
    }

    pub(super) fn limits(&mut self, name: &str, value: &Value, path: &str) {
        self.name_limit(name, path);
        match value {
            Value::Text(text) if text.len() > MAX_TEXT => {
                self.fail(Code::TooLong, path.into(), GIVE_TEXT);
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
