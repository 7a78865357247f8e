//! What the Worker says of a form, as far as it matters here.

use crate::{
    form::{
        check::{Field, Kind},
        session::Asked,
    },
    value::{Value, parse_whole},
};

/// A form's view.
#[derive(Debug)]
pub(super) struct View {
    pub(super) id: String,
    pub(super) lang: String,
    whole: Value,
}

impl View {
    /// Reads a view's JSON.
    ///
    /// The reader of JSON is here anyway, for the Worker's answers: what serde adds to read a view out of
    /// JavaScript's objects weighs as much as half of the module, since its errors write all that they
    /// meet.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let whole = Value::from_json(text)?;
        let text = |name: &str| Some(whole.member(name)?.as_text()?.to_owned());
        Some(Self { id: text("id")?, lang: text("lang")?, whole })
    }

    /// A text of the view; an empty one if it has none of this name.
    pub(super) fn text(&self, name: &str) -> &str {
        text(&self.whole, name)
    }

    /// One of the form's words.
    pub(super) fn word(&self, key: &str) -> &str {
        self.whole.member("messages").map_or("", |messages| text(messages, key))
    }

    /// The form ready made.
    pub(super) fn tree(&self) -> &Value {
        self.whole.member("tree").unwrap_or(&Value::Null)
    }

    /// Its fields, each on the page that `page` says; nothing if there is one that is not known here.
    pub(super) fn fields(&self, page: impl Fn(&str) -> u32) -> Option<Vec<Asked>> {
        let fields = self.whole.member("fields")?.as_list()?.iter();
        fields.map(|field| asked(field, &page)).collect()
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.member(name).and_then(Value::as_text).unwrap_or_default()
}

fn asked(value: &Value, page: impl Fn(&str) -> u32) -> Option<Asked> {
    let whole = |name: &str| value.member(name).and_then(Value::as_whole)?.try_into().ok();
    let number = |name: &str| match value.member(name)? {
        Value::Number(text) => {
            let (sign, digits) = text.strip_prefix('-').map_or((1, &**text), |digits| (-1, digits));
            i32::try_from(parse_whole(digits)?).ok()?.checked_mul(sign)
        }
        _ => None,
    };
    let texts = |name: &str| -> Vec<String> {
        let list = value.member(name).and_then(Value::as_list).unwrap_or_default();
        list.iter().filter_map(Value::as_text).map(str::to_owned).collect()
    };
    let name = text(value, "name");
    let field = Field {
        required: matches!(value.member("required"), Some(Value::Bool(true))),
        max: whole("max").unwrap_or(0),
        at_least: number("at_least"),
        at_most: number("at_most"),
        options: texts("options"),
        region: Some(text(value, "region").to_owned()).filter(|region| !region.is_empty()),
        regions: texts("regions"),
        ..Field::new(name, Kind::named(text(value, "kind"))?)
    };
    Some(Asked { page: page(name), step: whole("step").unwrap_or(1), field })
}
