//! Forms as pages of their own: for browsers without script, for links and for frames.

use super::{Definition, Field, Kind, Words, render};
use crate::{form::check, node::Node};

/// What a page of a form's own stands in.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever writes a page fills it in")]
pub struct Sheet<'a> {
    /// The form's name.
    pub id: &'a str,
    /// The form.
    pub definition: &'a Definition,
    /// The language.
    pub words: &'a Words<'a>,
    /// The looks: CSS, without a policy of which none is applied.
    pub style: &'a str,
}

/// What is asked once more before it is taken.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks fills it in")]
pub struct Confirmation<'a> {
    /// What was typed, by the fields' names.
    pub typed: &'a [(String, String)],
    /// The token that is good for what is asked.
    pub token: &'a str,
    /// What is to be said about an earlier attempt: a key of words.
    pub status: Option<&'static str>,
}

/// What is asked after the first step was taken.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks fills it in")]
pub struct SecondStep<'a> {
    /// What was typed in the first step, by the fields' names: its addresses go along.
    pub typed: &'a [(String, String)],
    /// The token that is good for what is asked.
    pub token: &'a str,
}

/// Says to a page's style that script runs there, until Cloudflare's has had its time and has not come. The
/// page's policy has to name it.
pub const RUNS: &str = "{const{classList:c}=document.documentElement;c.add(\"es-runs\");\
    addEventListener(\"load\",()=>c.toggle(\"es-runs\",\
    !!window.turnstile||!document.querySelector(\".cf-turnstile\")))}";

/// Where Cloudflare's test comes from.
pub const TURNSTILE: &str = "https://challenges.cloudflare.com";

impl Sheet<'_> {
    /// The form.
    #[must_use]
    pub fn form(&self, filled: &render::Filled) -> String {
        let form = render::form(self.id, self.definition, self.words, filled);
        self.document(form.children(self.untested()), &self.hiding())
    }

    /// What those read for whom the form's test cannot run, as it needs script.
    fn untested(&self) -> Option<Node> {
        let turnstile = self.definition.turnstile.as_ref()?;
        let text = Node::new("p").any_direction().text(self.words.word("no_script"));
        let link = turnstile.contact.as_ref().map(|contact| {
            let shown = contact.trim_start_matches("mailto:").trim_start_matches("tel:");
            let link = Node::new("a").with("href", contact.as_str()).text(shown);
            Node::new("p").any_direction().child(link)
        });
        Some(Node::of("div", "es-note").child(text).children(link))
    }

    /// What hides that from all others.
    fn hiding(&self) -> String {
        let is_tested = self.definition.turnstile.is_some();
        if is_tested { ["<script>", RUNS, "</script>"].concat() } else { String::new() }
    }

    /// What was filled in, with a button that sends it.
    #[must_use]
    pub fn confirmation(&self, asked: &Confirmation<'_>) -> String {
        let words = self.words;
        let mut list = Node::of("dl", "es-facts");
        for field in self.definition.pages.iter().flat_map(|page| &page.fields) {
            let name = field.name();
            let texts = asked.typed.iter().filter(|(own, _)| *own == name);
            let texts: Vec<&str> = texts.map(|(_, text)| text.as_str()).collect();
            let is_box = matches!(field.kind, check::Kind::Checkbox | check::Kind::Consent);
            if texts.is_empty() || is_box {
                continue;
            }
            let label = words.text_or(&field.label, field.kind.as_str());
            let shown = texts.iter().map(|text| {
                let option = field.options.iter().find(|option| option.value == **text);
                option.map_or(*text, |option| words.text_or_plain(&option.label, text))
            });
            let shown = shown.collect::<Vec<_>>().join(", ");
            list = list
                .child(Node::new("dt").any_direction().text(label))
                .child(Node::new("dd").any_direction().text(&shown));
        }
        let given = asked.typed.iter().map(|(name, text)| render::hidden(name.as_str(), text));
        let turnstile = self.definition.turnstile.as_ref().map(|turnstile| {
            Node::of("div", "cf-turnstile")
                .with("data-sitekey", turnstile.site_key.as_str())
                .with("data-action", action(self.id))
                .with("data-language", words.language())
                // The others are wider than the smallest windows.
                .with("data-size", "compact")
        });
        let word = match self.definition.kind {
            Kind::Request => "request_button",
            _ => "confirm_button",
        };
        let button = Node::of("button", "es-button").with("type", "submit");
        let form = Node::of("form", "es-form")
            .with("method", "post")
            .child(Node::of("h1", "es-title").any_direction().text(words.word("confirm_title")))
            .child(Node::of("p", "es-text").any_direction().text(words.word("confirm_text")))
            .child(list)
            .children(given)
            .child(render::hidden("_lang", words.language()))
            .child(render::hidden("_token", asked.token))
            .children(turnstile)
            .children(self.untested())
            .child(render::status(words, asked.status))
            .child(button.any_direction().text(words.word(word)));
        let mut script = self.hiding();
        if !script.is_empty() {
            let parts =
                ["<script src=\"", TURNSTILE, "/turnstile/v0/api.js\" async defer></script>"];
            script.push_str(&parts.concat());
        }
        self.document(form, &script)
    }

    /// What people read once the first step was taken, as in the end, with what they are asked then.
    #[must_use]
    pub fn second_step(&self, asked: &SecondStep<'_>, text: Option<&str>) -> String {
        let read = render::ending(self.definition, self.words, text);
        self.later(asked, Some(read), &render::Filled::default())
    }

    /// The second step with what was typed there, and what is wrong with it.
    #[must_use]
    pub fn second_step_again(&self, asked: &SecondStep<'_>, filled: &render::Filled) -> String {
        self.later(asked, None, filled)
    }

    fn later(&self, asked: &SecondStep<'_>, read: Option<Node>, filled: &render::Filled) -> String {
        let reaches =
            |field: &&Field| matches!(field.kind, check::Kind::Email | check::Kind::Phone);
        let first = self.definition.pages.iter().flat_map(|page| &page.fields).filter(reaches);
        let given = first.filter_map(|field| {
            let name = field.name();
            let (_, text) = asked.typed.iter().find(|(own, _)| *own == name)?;
            Some(render::hidden(name, text))
        });
        let own = [render::hidden("_step", "2"), render::hidden("_token", asked.token)];
        let about = (self.id, self.definition);
        let form = render::second_step(about, self.words, filled, read, given.chain(own));
        self.document(form, "")
    }

    /// What people read in the end: the form's own words, or these in place of its text.
    #[must_use]
    pub fn end(&self, text: Option<&str>) -> String {
        self.document(
            Node::of("div", "es-form").child(render::ending(self.definition, self.words, text)),
            "",
        )
    }

    /// What did not work: a key of words.
    #[must_use]
    pub fn trouble(&self, key: &'static str) -> String {
        let text = Node::of("p", "es-status").with("role", "alert").any_direction();
        self.document(Node::of("div", "es-form").child(text.text(self.words.word(key))), "")
    }

    /// What the form is called: as its first page is, or what opens it.
    fn title(&self) -> &str {
        let (form, words) = (self.definition, self.words);
        let usual = if form.kind == Kind::Request { "request_button" } else { "launcher" };
        let opens = form.launcher.as_ref().map_or("", |launcher| words.text(&launcher.text));
        let named = form.pages.first().map_or("", |page| words.text(&page.title));
        [named, opens]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_else(|| words.word(usual))
    }

    fn document(&self, content: Node, head: &str) -> String {
        let words = self.words;
        let title = self.title();
        let viewport = Node::new("meta")
            .with("name", "viewport")
            .with("content", "width=device-width, initial-scale=1");
        let parts = [
            Node::new("meta").with("charset", "utf-8"),
            viewport,
            Node::new("meta").with("name", "robots").with("content", "noindex"),
            Node::new("title").text(title),
        ];
        let mut out = String::from("<!doctype html>");
        let lang = words.language();
        out.push_str("<html lang=\"");
        Node::Text(lang.to_owned()).write_html(&mut out);
        out.push_str(["\" dir=\"", words.direction(), "\"><head>"].concat().as_str());
        for part in parts {
            part.write_html(&mut out);
        }
        out.push_str(["<style>", self.style, "</style>", head, "</head>"].concat().as_str());
        out.push_str("<body class=\"es-document\"><main>");
        content.headed(title).write_html(&mut out);
        out.push_str("</main></body></html>");
        out
    }
}

/// The action under which Cloudflare's test is made for a form.
#[must_use]
pub fn action(id: &str) -> String {
    ["form-", id].concat()
}

/// What hides the field that people do not see, where no script does it, and what is said to those without
/// script.
const UNSEEN: &str = ".es-more{position:absolute;width:1px;height:1px;overflow:hidden;\
    clip-path:inset(50%)}.es-runs .es-note{display:none}";

/// What a form's page has beside the looks of all: its theme. What could end
/// a rule, definitions do not hold.
#[must_use]
pub fn style(definition: &Definition) -> String {
    let line = |(name, value): (&String, &String)| ["--es-", name, ":", value, ";"].concat();
    let lines: String = definition.theme.iter().map(line).collect();
    [UNSEEN, ":root{", &lines, "}"].concat()
}
