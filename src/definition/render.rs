//! A form ready made, in one language: a tree that pages build and that the Worker writes out as HTML.
//!
//! Class names and attributes are those that `www/forms.js` and `www/forms.css` know.

mod field;

use self::field::Drawing;
use super::{Definition, Kind, Page, Words};
use crate::{
    form::check,
    node::{Node, is_link},
};

/// The name of the field that people do not see: what stands in it, no person has written.
pub const TRAP: &str = "company_site";

/// What a form shows beside what its definition says: nothing at first; what was typed, and what is
/// wrong with it, when it comes back to somebody without script.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Filled {
    /// What was typed, by the fields' names.
    pub values: Vec<(String, String)>,
    /// What is wrong, by the fields' names: keys of words.
    pub wrong: Vec<(String, &'static str)>,
    /// What is wrong with the form as a whole: a key of words.
    pub status: Option<&'static str>,
}

impl Filled {
    /// What was typed, with what is wrong with it.
    #[must_use]
    pub fn again(values: Vec<(String, String)>, wrong: &[(String, check::Wrong)]) -> Self {
        let wrong = wrong.iter().map(|(name, wrong)| (name.clone(), wrong.code())).collect();
        Self { values, wrong, status: Some("look_again") }
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.values.iter().any(|(own, given)| own == name && given == value)
    }

    fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value)
    }

    fn wrong(&self, name: &str) -> Option<&'static str> {
        self.wrong.iter().find(|(own, _)| own == name).map(|(_, key)| *key)
    }
}

/// The form `id`, with all of its pages.
#[must_use]
pub fn form(id: &str, definition: &Definition, words: &Words<'_>, filled: &Filled) -> Node {
    let asks = definition.pages.iter().any(|page| !page.fields.is_empty());
    // Without script only the second step is left out: a form of several pages is one long one. What is
    // disabled is neither posted nor asked for.
    let later = pages(id, definition, 2, words, filled);
    let later = later.into_iter().map(|page| page.with("disabled", "").with("hidden", ""));
    frame(id, words)
        .children(pages(id, definition, 1, words, filled))
        .children(later)
        .children(asks.then(|| trap(id)))
        .child(hidden("_lang", words.language()))
        .child(status(words, filled.status))
        .child(thanks(definition, words))
}

/// The second step alone, for those without script: what they read of the first, what is asked now, and
/// `given`, which goes along.
pub(super) fn second_step(
    (id, definition): (&str, &Definition),
    words: &Words<'_>,
    filled: &Filled,
    read: Option<Node>,
    given: impl IntoIterator<Item = Node>,
) -> Node {
    frame(id, words)
        .children(read)
        .children(pages(id, definition, 2, words, filled))
        .child(trap(id))
        .children(given)
        .child(hidden("_lang", words.language()))
        .child(status(words, filled.status))
}

/// A form without anything in it.
fn frame(id: &str, words: &Words<'_>) -> Node {
    let form = Node::of("form", "es-form").with("data-es-id", id).with("method", "post");
    form.with("lang", words.language()).with("dir", words.direction())
}

/// What is to be said of a form as a whole: a key of words.
pub(super) fn status(words: &Words<'_>, key: Option<&'static str>) -> Node {
    let status = Node::of("p", "es-status").with("role", "status").any_direction();
    status.text(key.map_or("", |key| words.word(key)))
}

/// The pages of a step.
fn pages(
    id: &str,
    definition: &Definition,
    step: u32,
    words: &Words<'_>,
    filled: &Filled,
) -> Vec<Node> {
    let list = definition.step(step);
    let draw = |(index, page): (usize, &Page)| {
        let place = (step, index, index + 1 == list.len());
        render_page(id, definition, page, place, words, filled)
    };
    list.iter().enumerate().map(draw).collect()
}

/// What people read in the end.
#[must_use]
pub fn thanks(definition: &Definition, words: &Words<'_>) -> Node {
    ending(definition, words, None).with("hidden", "").with("tabindex", "-1")
}

/// The same in view; `text` in place of the form's own, for what it cannot say beforehand.
pub(super) fn ending(definition: &Definition, words: &Words<'_>, text: Option<&str>) -> Node {
    let own = &definition.thanks;
    let (title, usual) = if definition.kind == Kind::Request {
        ("request_title", "request_text")
    } else if asks_for(definition, check::Kind::Email) {
        ("thanks_title", "thanks_text")
    } else {
        ("request_title", "thanks_phone_text")
    };
    let code = own.code.as_ref().map(|code| {
        let code = Node::of("output", "es-code").any_direction().text(code);
        Node::new("p").any_direction().text(words.word("code_text")).text(" ").child(code)
    });
    let text = text.unwrap_or_else(|| words.text_or(&own.text, usual));
    Node::of("div", "es-thanks")
        .child(Node::of("h2", "es-title").any_direction().text(words.text_or(&own.title, title)))
        .child(Node::of("p", "es-text").any_direction().text(text))
        .children(code)
}

fn asks_for(definition: &Definition, kind: check::Kind) -> bool {
    definition.pages.iter().flat_map(|page| &page.fields).any(|field| field.kind == kind)
}

/// A field of no use to people: hidden from all of them, tempting for programs.
fn trap(id: &str) -> Node {
    let own = ["es-", id, "-", TRAP].concat();
    let label = Node::new("label").with("for", own.as_str()).text("Company site");
    let input = Node::new("input")
        .with("id", own)
        .with("name", TRAP)
        .with("type", "text")
        .with("tabindex", "-1")
        .with("autocomplete", "off");
    Node::of("div", "es-more").with("aria-hidden", "true").child(label).child(input)
}

/// A field that people do not see and do not fill in.
#[must_use]
pub fn hidden(name: impl Into<String>, value: &str) -> Node {
    Node::new("input").with("type", "hidden").with("name", name).with("value", value)
}

fn render_page(
    id: &str,
    definition: &Definition,
    page: &Page,
    (step, index, last): (u32, usize, bool),
    words: &Words<'_>,
    filled: &Filled,
) -> Node {
    let number = index.to_string();
    let title = words.text(&page.title);
    let heading = ["es-", id, "-", &step.to_string(), "-", &number].concat();
    let title = (!title.is_empty()).then(|| {
        Node::of("h2", "es-title").with("id", heading.as_str()).any_direction().text(title)
    });
    let text = words.text(&page.text);
    let text =
        (!text.is_empty()).then(|| Node::of("p", "es-text").any_direction().children(linked(text)));
    let image = page.image.as_ref().map(|image| {
        let picture = Node::new("img")
            .with("src", image.url.as_str())
            .with("alt", words.text(&image.alt))
            .with("width", image.width.to_string())
            .with("height", image.height.to_string())
            .with("decoding", "async");
        Node::of("div", "es-image").child(picture)
    });
    let fields = {
        let alone = is_alone(definition.step(step));
        page.fields.iter().map(move |field| Drawing::new(id, field, words, filled, alone).draw())
    };
    // As one, a second step is disabled and enabled.
    let later = step > 1;
    let group = Node::of(if later { "fieldset" } else { "div" }, "es-page")
        .with("data-es-step", step.to_string())
        .with("data-es-page", number)
        .with_if(title.is_some(), "aria-labelledby", heading)
        .with_if(title.is_some() && !later, "role", "group");
    let group = group.children(image).children(title).children(text).children(fields);
    let back = (index > 0).then(|| {
        let back = Node::of("button", "es-back").with("type", "button").with("data-es-back", "");
        back.with("hidden", "").any_direction().text(words.word("back"))
    });
    let word = match definition.kind {
        Kind::Request => "request_button",
        _ if last => "button",
        _ => "next",
    };
    let label = words.text_or(&page.button, word);
    let button = match &page.link {
        Some(link) => Node::of("a", "es-button").with("href", link.as_str()),
        None if definition.kind == Kind::Informer => {
            Node::of("button", "es-button").with("type", "button").with("data-es-close", "")
        }
        None => Node::of("button", "es-button").with("type", "submit"),
    };
    let button = button.any_direction().text(label);
    group.child(Node::of("div", "es-actions").children(back).child(button))
}

/// Whether a step asks for one thing alone, which nobody has to be told is needed.
fn is_alone(pages: &[Page]) -> bool {
    pages.iter().map(|page| page.fields.len()).sum::<usize>() < 2
}

/// A text with links, written as `[words](https://address)`. What is no link stays text.
pub(super) fn linked(text: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        let link = after.split_once("](").and_then(|(words, rest)| {
            let (address, rest) = rest.split_once(')')?;
            is_link(address).then_some((words, address, rest))
        });
        if let Some((words, address, behind)) = link {
            if !plain.is_empty() {
                nodes.push(Node::Text(std::mem::take(&mut plain)));
            }
            let link = Node::new("a").with("href", address).with("target", "_blank");
            nodes.push(link.with("rel", "noopener").text(words));
            rest = behind;
        } else {
            plain.push('[');
            rest = after;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        nodes.push(Node::Text(plain));
    }
    nodes
}
