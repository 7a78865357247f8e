//! What pages get of a form, in one language.

use super::{
    AfterSubscription, Definition, Interval, Kind, Layout, Page, Position, Text, render, words,
};
use crate::{
    form::check::{self, Wrong},
    language,
    value::{Members, Value},
};

/// The version of views and lists; pages of another one reload.
pub const VERSION: u64 = 1;

/// A definition's words in one language.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    definition: &'a Definition,
    language: &'a str,
    default: &'a str,
}

impl<'a> Words<'a> {
    /// The words for whoever wishes these languages, the most wanted first: the first one that the
    /// form speaks, else its default one.
    #[must_use]
    pub fn choose(definition: &'a Definition, wished: &[&str]) -> Self {
        let spoken = definition.spoken();
        let default = definition.default_language.as_deref().unwrap_or(words::LANGUAGES[0]);
        let language = language::choose(&spoken, wished).unwrap_or(default);
        Self { definition, language, default }
    }

    /// The language.
    #[must_use]
    pub fn language(&self) -> &'a str {
        self.language
    }

    /// `rtl` or `ltr`.
    #[must_use]
    pub fn direction(&self) -> &'static str {
        language::direction(self.language)
    }

    /// One of the kit's own words, or the definition's in its stead.
    #[must_use]
    pub fn word(&self, key: &str) -> &'a str {
        let given = |language: &str| self.definition.languages.get(language)?.get(key);
        let main = language::main(self.language);
        given(self.language)
            .or_else(|| given(main))
            .map(String::as_str)
            .or_else(|| words::LANGUAGES.contains(&main).then(|| words::word(key, main)).flatten())
            .or_else(|| given(self.default).map(String::as_str))
            .or_else(|| words::word(key, self.default))
            .unwrap_or_default()
    }

    /// What a person reads of something that is wrong, by its code.
    #[must_use]
    pub fn wrong(&self, code: &str) -> &'a str {
        self.word(&["wrong_", code].concat())
    }

    /// A text of the definition.
    #[must_use]
    pub fn text(&self, text: &'a Text) -> &'a str {
        text.in_language(self.language, self.default)
    }

    /// A text of the definition, or one of the kit's own words where it has none.
    #[must_use]
    pub fn text_or(&self, text: &'a Text, key: &str) -> &'a str {
        let own = self.text(text);
        if own.is_empty() { self.word(key) } else { own }
    }

    /// A text of the definition, or what it stands for.
    #[must_use]
    pub fn text_or_plain(&self, text: &'a Text, plain: &'a str) -> &'a str {
        let own = self.text(text);
        if own.is_empty() { plain } else { own }
    }
}

impl Definition {
    /// The languages in which it can be shown: those of its first title or button and of its own
    /// words, else those of the kit.
    #[must_use]
    pub fn spoken(&self) -> Vec<&str> {
        let texts = self.pages.iter().flat_map(|page| [&page.title, &page.text, &page.button]);
        let texts = texts.chain(self.fields().map(|(_, field)| &field.label));
        let mut spoken: Vec<&str> = texts.flat_map(Text::languages).collect();
        spoken.extend(self.languages.keys().map(String::as_str));
        if spoken.is_empty() {
            spoken.extend(words::LANGUAGES);
        }
        spoken.sort_unstable();
        spoken.dedup();
        spoken
    }

    /// The pages of a step, the first or the second.
    #[must_use]
    pub fn step(&self, step: u32) -> &[Page] {
        if step > 1 { &self.second_step } else { &self.pages }
    }

    /// Its fields, each with its step.
    pub fn fields(&self) -> impl Iterator<Item = (u32, &super::Field)> {
        let of = |step: u32| {
            self.step(step).iter().flat_map(|page| &page.fields).map(move |field| (step, field))
        };
        of(1).chain(of(2))
    }
}

/// What a page gets of the form `id`.
#[must_use]
pub fn view(id: &str, definition: &Definition, words: &Words<'_>) -> Value {
    let mut members = looks(id, definition, words);
    let mut set = |name: &str, value: Value| members.push((name.to_owned(), value));
    set("v", Value::whole(VERSION));
    set("lang", Value::text(words.language()));
    let title = definition.pages.first().map_or("", |page| words.text(&page.title));
    set("title", Value::text(if title.is_empty() { words.word("button") } else { title }));
    set("close", Value::text(words.word("close")));
    if let Some(redirect) = &definition.redirect {
        set("redirect", Value::text(redirect.as_str()));
    }
    if let Some(turnstile) = &definition.turnstile {
        set("turnstile", Value::text(turnstile.site_key.as_str()));
    }
    if let Some(idle) = definition.show.as_ref().and_then(|show| show.stop.idle) {
        let stop = vec![("idle".to_owned(), Value::whole(idle.into()))];
        set("stop", Value::Object(stop));
    }
    set("tree", render::form(id, definition, words, &render::Filled::default()).to_value());
    set("fields", Value::List(definition.fields().map(field_value).collect()));
    set("messages", messages(words));
    Value::Object(members)
}

/// What a form is and how it looks, as far as its view and its entry in the list both say it.
fn looks(id: &str, definition: &Definition, words: &Words<'_>) -> Members {
    let bar = definition.layout == Layout::Bar;
    let usual = if bar { Position::Bottom } else { Position::BottomRight };
    let position = definition.position.unwrap_or(usual);
    let mut members = Members::new();
    let mut set = |name: &str, value: Value| members.push((name.to_owned(), value));
    set("id", Value::text(id));
    set("kind", written(&definition.kind));
    set("layout", written(&definition.layout));
    set("position", written(&position));
    set("dir", Value::text(words.direction()));
    if !definition.theme.is_empty() {
        let theme = definition.theme.iter();
        let property =
            |(name, value): (&String, &String)| (name.clone(), Value::text(value.as_str()));
        set("theme", Value::Object(theme.map(property).collect()));
    }
    members
}

/// The style that keeps the places of inline forms as high as their definitions say, before any of the
/// forms is there; nothing where none does. Whatever the shop's own style says goes before it.
#[must_use]
pub fn reserved<'a>(forms: impl Iterator<Item = (&'a str, &'a Definition)>) -> String {
    let mut style = String::new();
    for (id, definition) in forms {
        let place = [":where(es-form[form=\"", id, "\"],[data-es-form=\"", id, "\"]:not(form))"];
        let place = place.concat();
        if !definition.reserve.is_empty() && style.is_empty() {
            // An element that the browser does not know yet has no height.
            style.push_str(":where(es-form){display:block}");
        }
        for (width, height) in &definition.reserve {
            let (width, height) = (width.to_string(), height.to_string());
            let parts =
                ["@media(min-width:", &width, "px){", &place, "{min-height:", &height, "px}}"];
            style.push_str(&parts.concat());
        }
    }
    style
}

/// A field as pages check it; those of the second step are not asked for at first.
fn field_value((step, field): (u32, &super::Field)) -> Value {
    let check::Field { name, kind, required, max, at_least, at_most, options, region, regions } =
        field.checked();
    let number = |number: i32| Value::Number(number.to_string());
    let list = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::Text).collect());
    let mut members = vec![
        ("name".to_owned(), Value::Text(name)),
        ("kind".to_owned(), Value::text(kind.as_str())),
        ("step".to_owned(), Value::whole(step.into())),
    ];
    let mut set = |name: &str, value: Value| members.push((name.to_owned(), value));
    if required {
        set("required", Value::Bool(true));
    }
    if max > 0 {
        set("max", Value::whole(max.into()));
    }
    if let Some(least) = at_least {
        set("at_least", number(least));
    }
    if let Some(most) = at_most {
        set("at_most", number(most));
    }
    if !options.is_empty() {
        set("options", list(options));
    }
    if let Some(region) = region {
        set("region", Value::Text(region));
    }
    if !regions.is_empty() {
        set("regions", list(regions));
    }
    Value::Object(members)
}

/// What pages tell people, by its key.
fn messages(words: &Words<'_>) -> Value {
    const OWN: [&str; 12] = [
        "already_text",
        "blacklisted_text",
        "failed",
        "human",
        "look_again",
        "offline",
        "sending",
        "stored_text",
        "subscribed_text",
        "suggestion",
        "too_many",
        "country",
    ];
    let own = OWN.iter().map(|key| ((*key).to_owned(), words.word(key)));
    let wrong = Wrong::ALL.into_iter().map(|wrong| {
        let key = ["wrong_", wrong.code()].concat();
        let word = words.word(&key);
        (key, word)
    });
    Value::Object(own.chain(wrong).map(|(key, word)| (key, Value::text(word))).collect())
}

/// Only who is known can be answered.
fn is_for_known(definition: &Definition) -> bool {
    definition.kind == Kind::Request && !definition.open_to_all
}

/// What a page gets to know of all of a site's forms, for whoever wishes these languages. `granted` is
/// whether a visitor who has not chosen counts as having allowed forms; by `links` pages see that a
/// visitor comes by one that names a contact.
#[must_use]
pub fn list<'a>(
    site: &str,
    granted: bool,
    interval: Interval,
    links: &str,
    forms: impl Iterator<Item = (&'a str, &'a Definition)>,
    wished: &[&str],
) -> Value {
    let form = |(id, definition): (&str, &Definition)| {
        let words = Words::choose(definition, wished);
        let mut members = looks(id, definition, &words);
        let mut set = |name: &str, value: Value| members.push((name.to_owned(), value));
        if let Some(launcher) = &definition.launcher {
            set("launcher", Value::text(words.text_or(&launcher.text, "launcher")));
        }
        if let Some(place) = &definition.place {
            set("place", written(place));
        }
        if let Some(split) = &definition.split {
            set("split", written(split));
        }
        let mut show = definition.show.clone();
        if definition.kind != Kind::Subscribe {
            // Who has subscribed may still have a question.
            let stop = &mut show.get_or_insert_default().stop;
            stop.after_subscription.get_or_insert(AfterSubscription::No);
        }
        if is_for_known(definition) {
            show.get_or_insert_default().who.known = Some(true);
        }
        if let Some(show) = &show {
            set("show", written(show));
        }
        Value::Object(members)
    };
    let forms: Vec<(&str, &Definition)> = forms.collect();
    let asks_whether_known = |(_, definition): &(&str, &Definition)| {
        let asked = definition.show.as_ref().and_then(|show| show.who.known);
        asked.is_some() || is_for_known(definition)
    };
    let mut members = vec![
        ("v".to_owned(), Value::whole(VERSION)),
        ("site".to_owned(), Value::text(site)),
        ("consent".to_owned(), Value::Bool(granted)),
        ("interval".to_owned(), interval.to_value()),
    ];
    if forms.iter().any(asks_whether_known) {
        members.push(("links".to_owned(), Value::text(links)));
    }
    let forms = forms.into_iter().map(form).collect();
    members.push(("forms".to_owned(), Value::List(forms)));
    Value::Object(members)
}

/// A part of a definition as pages get it: as it is written there.
fn written(part: &impl serde::Serialize) -> Value {
    let text = serde_json::to_string(part).unwrap_or_default();
    crate::json::parse(&text).unwrap_or_default()
}
