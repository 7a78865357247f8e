//! A field with its label, its hint and the place of its message.

use super::{Filled, Node, linked};
use crate::{
    definition::{Field, Select, Words},
    form::check::Kind,
};

/// A field on its way to be drawn.
pub(super) struct Drawing<'a> {
    pub(super) field: &'a Field,
    pub(super) words: &'a Words<'a>,
    pub(super) filled: &'a Filled,
    /// Whether its step asks for this alone, so that nobody has to be told that it is needed.
    pub(super) alone: bool,
    name: String,
    /// The id of its input, with which all of its ids begin.
    id: String,
}

impl<'a> Drawing<'a> {
    pub(super) fn new(
        form: &str,
        field: &'a Field,
        words: &'a Words<'a>,
        filled: &'a Filled,
        alone: bool,
    ) -> Self {
        let name = field.name();
        let id = ["es-", form, "-", &name].concat();
        Self { field, words, filled, alone, name, id }
    }

    pub(super) fn draw(&self) -> Node {
        let field = self.field;
        match field.kind {
            Kind::Email => {
                let email = self.typed("email").with("autocomplete", "email");
                self.simple(email.with("inputmode", "email").with("maxlength", "254"))
            }
            Kind::Phone => {
                let country = field.country.as_deref().unwrap_or_default();
                let phone = self.typed("tel").with("autocomplete", "tel").with("inputmode", "tel");
                self.simple(phone.with_if(!country.is_empty(), "data-es-country", country))
            }
            Kind::FirstName => self.simple(self.typed("text").with("autocomplete", "given-name")),
            Kind::LastName => self.simple(self.typed("text").with("autocomplete", "family-name")),
            Kind::Number => {
                let mut number = self.typed("number").with("inputmode", "numeric");
                for (name, limit) in [("min", field.min), ("max", field.max)] {
                    if let Some(limit) = limit {
                        number = number.with(name, limit.to_string());
                    }
                }
                self.simple(number)
            }
            Kind::Birthday => self.simple(self.typed("date").with("autocomplete", "bday")),
            Kind::Date => self.simple(self.typed("date")),
            Kind::Select => self.simple(self.select()),
            Kind::Radio => self.group("radio"),
            Kind::Subscriptions => self.group("checkbox"),
            Kind::Checkbox | Kind::Consent => self.lone(),
            _ => {
                let text = self.typed("text");
                self.simple(match field.max_length {
                    Some(most) => text.with("maxlength", most.to_string()),
                    None => text,
                })
            }
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        self.filled.wrong(&self.name)
    }

    fn class(&self) -> String {
        ["es-field es-", self.field.kind.as_str()].concat()
    }

    fn label_text(&self) -> &'a str {
        self.words.text_or(&self.field.label, self.field.kind.as_str())
    }

    fn error_id(&self) -> String {
        [&self.id, "-error"].concat()
    }

    fn hint_id(&self) -> String {
        [&self.id, "-hint"].concat()
    }

    /// The ids of what is said about it.
    fn described(&self) -> String {
        if self.words.text(&self.field.hint).is_empty() {
            return self.error_id();
        }
        [&self.hint_id(), " ", &self.error_id()].concat()
    }

    /// What stands below it: its hint, and the place of its message.
    fn notes(&self) -> Vec<Node> {
        let hint = self.words.text(&self.field.hint);
        let hint = (!hint.is_empty())
            .then(|| Node::of("p", "es-hint").with("id", self.hint_id()).any_direction())
            .map(|node| node.children(linked(hint)));
        let error = Node::of("p", "es-error").with("id", self.error_id()).any_direction();
        let error = error.text(self.wrong().map_or("", |code| self.words.wrong(code)));
        hint.into_iter().chain([error]).collect()
    }

    fn input(&self, tag: &'static str, kind: &str) -> Node {
        Node::new(tag)
            .with("id", self.id.as_str())
            .with("name", self.name.as_str())
            .with_if(!kind.is_empty(), "type", kind)
            .with_if(self.field.required, "required", "")
            .with("aria-describedby", self.described())
            .with_if(self.wrong().is_some(), "aria-invalid", "true")
    }

    fn typed(&self, kind: &str) -> Node {
        let value = self.filled.value(&self.name);
        let placeholder = self.words.text(&self.field.placeholder);
        self.input("input", kind)
            // Of the rest browsers know how they run.
            .with_if(matches!(kind, "text" | "email"), "dir", "auto")
            .with_if(!value.is_empty(), "value", value)
            .with_if(!placeholder.is_empty(), "placeholder", placeholder)
    }

    fn simple(&self, input: Node) -> Node {
        let label = Node::new("label").with("for", self.id.as_str()).any_direction();
        let mut label = label.text(self.label_text());
        if !self.field.required && !self.alone {
            let optional = Node::of("span", "es-optional").any_direction();
            let optional = optional.text(self.words.word("optional"));
            label = label.text(" ").child(optional);
        }
        Node::of("div", &self.class()).child(label).child(input).children(self.notes())
    }

    /// Whether an option is chosen: as it was when the form comes back, else as it is from the start.
    fn is_chosen(&self, option: &Select) -> bool {
        if self.filled.values.is_empty() {
            return option.checked;
        }
        self.filled.has(&self.name, &option.value)
    }

    fn select(&self) -> Node {
        let blank = Node::new("option").with("value", "").text(self.words.word("choose"));
        let options = self.field.options.iter().map(|option| {
            Node::new("option")
                .with("value", option.value.as_str())
                .with_if(self.is_chosen(option), "selected", "")
                .text(self.words.text_or_plain(&option.label, &option.value))
        });
        self.input("select", "").child(blank).children(options)
    }

    fn group(&self, kind: &str) -> Node {
        let required = self.field.required && kind == "radio";
        let options = self.field.options.iter().enumerate().map(|(number, option)| {
            let text = self.words.text_or_plain(&option.label, &option.value);
            let input = Node::new("input")
                .with("type", kind)
                .with("name", self.name.as_str())
                .with("id", [&self.id, "-", &number.to_string()].concat())
                .with("value", option.value.as_str())
                .with_if(self.is_chosen(option), "checked", "")
                .with_if(required, "required", "");
            let label = Node::of("label", "es-choice").child(input);
            label.child(Node::new("span").any_direction().text(text))
        });
        Node::of("fieldset", &self.class())
            .with("aria-describedby", self.described())
            .child(Node::new("legend").any_direction().text(self.label_text()))
            .children(options)
            .children(self.notes())
    }

    fn lone(&self) -> Node {
        let checked = self.filled.has(&self.name, "1");
        let input = self.input("input", "checkbox").with("value", "1");
        let text = Node::new("span").any_direction().children(linked(self.label_text()));
        let label = Node::of("label", "es-choice");
        Node::of("div", &self.class())
            .child(label.child(input.with_if(checked, "checked", "")).child(text))
            .children(self.notes())
    }
}
