//! Elements and texts: trees that pages build, and that the Worker writes out as HTML.

use crate::value::{Members, Value};

/// Something in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all that a page is made of")]
pub enum Node {
    /// An element.
    Element {
        /// Its tag.
        tag: &'static str,
        /// Its attributes.
        attributes: Vec<(&'static str, String)>,
        /// What is in it.
        children: Vec<Self>,
    },
    /// Text.
    Text(String),
}

impl Node {
    /// An element without attributes and content.
    #[must_use]
    pub fn new(tag: &'static str) -> Self {
        Self::Element { tag, attributes: Vec::new(), children: Vec::new() }
    }

    /// An element of this class.
    #[must_use]
    pub fn of(tag: &'static str, class: &str) -> Self {
        Self::new(tag).with("class", class)
    }

    /// With an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Element { attributes, .. } = &mut self {
            attributes.push((name, value.into()));
        }
        self
    }

    /// With an attribute that is there or not.
    #[must_use]
    pub fn with_if(self, is_there: bool, name: &'static str, value: impl Into<String>) -> Self {
        if is_there { self.with(name, value) } else { self }
    }

    /// With text that may be in another language than the form's, and so run the other way.
    #[must_use]
    pub fn any_direction(self) -> Self {
        self.with("dir", "auto")
    }

    /// With something in it, behind what is there.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        if let Self::Element { children, .. } = &mut self {
            children.push(child);
        }
        self
    }

    /// With all of these in it.
    #[must_use]
    pub fn children(self, children: impl IntoIterator<Item = Self>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    /// With a text in it, unless it is empty.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        if text.is_empty() { self } else { self.child(Self::Text(text.to_owned())) }
    }

    /// With a heading of the first rank, as a page of its own has one: the first heading that is in view, or
    /// this title where there is none.
    #[must_use]
    pub(crate) fn headed(mut self, title: &str) -> Self {
        if !self.raise()
            && let Self::Element { children, .. } = &mut self
        {
            children.insert(0, Self::of("h1", "es-title").text(title));
        }
        self
    }

    /// Raises the first heading that is in view; whether there is one.
    fn raise(&mut self) -> bool {
        let Self::Element { tag, attributes, children } = self else { return false };
        if attributes.iter().any(|(name, _)| *name == "hidden") {
            return false;
        }
        if matches!(*tag, "h1" | "h2") {
            *tag = "h1";
            return true;
        }
        children.iter_mut().any(Self::raise)
    }

    /// As pages take it: `["tag", {"name": "value"}, child, …]`, a text as itself.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::text(text.as_str()),
            Self::Element { tag, attributes, children } => {
                let attributes: Members = attributes
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), Value::text(value.as_str())))
                    .collect();
                let start = [Value::text(*tag), Value::Object(attributes)];
                Value::List(start.into_iter().chain(children.iter().map(Self::to_value)).collect())
            }
        }
    }

    /// As HTML. Whatever its texts hold, nothing of them becomes an element.
    pub fn write_html(&self, out: &mut String) {
        match self {
            Self::Text(text) => escape(text, out),
            Self::Element { tag, attributes, children } => {
                out.push('<');
                out.push_str(tag);
                for (name, value) in attributes {
                    out.push(' ');
                    out.push_str(name);
                    if !value.is_empty() {
                        out.push_str("=\"");
                        escape(value, out);
                        out.push('"');
                    }
                }
                out.push('>');
                if matches!(*tag, "br" | "img" | "input" | "link" | "meta") {
                    return;
                }
                for child in children {
                    child.write_html(out);
                }
                out.push_str("</");
                out.push_str(tag);
                out.push('>');
            }
        }
    }
}

/// Whether something may stand in a link: what runs script may not.
#[must_use]
pub fn is_link(address: &str) -> bool {
    let web = is_address(address);
    let clean = !address.contains(|sign: char| sign.is_whitespace() || sign.is_control());
    web || clean && (address.starts_with("mailto:") || address.starts_with("tel:"))
}

/// Whether something is an address of the web, or one on the same host: what a picture can have.
#[must_use]
pub fn is_address(address: &str) -> bool {
    let web = address.starts_with("https://") || address.starts_with("http://");
    // Browsers read a backslash as a slash.
    let own = address.starts_with('/') && !address.starts_with("//") && !address.starts_with("/\\");
    let clean = !address.contains(|sign: char| sign.is_whitespace() || sign.is_control());
    clean && (web || own)
}

fn escape(text: &str, out: &mut String) {
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(sign),
        }
    }
}
