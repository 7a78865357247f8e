//! Everything about a definition that the types do not say.

use std::collections::BTreeSet;

use super::{Definition, Field, Kind, Layout, MAX_FIELDS, MAX_PAGES, Page, Rules, THEME, words};
use crate::{
    api::{event::writes_orders, text::EventTypeKey},
    form::check::Kind as Asks,
    node::is_link,
};

/// Something in a definition that cannot be used: where it stands, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the settings' errors are made out of it")]
pub struct Mistake {
    /// Where: `pages[0].fields[1].options`.
    pub place: String,
    /// What to do about it.
    pub fix: String,
}

const KEY_FIX: &str = "leave out < > ; \\ / | \" ` ' ’ ^ ? ! and commas; give 1 to 100 characters";

/// What to do about heights that cannot be kept.
pub const RESERVE_FIX: &str =
    "give widths from 0 upwards, each with a height: [[0, 900], [600, 500]]";

/// Whether heights can be kept: each from a width of the window on, the first one from none.
#[must_use]
pub fn is_reserve(heights: &[(u32, u32)]) -> bool {
    let rising = heights.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0));
    let possible = heights.iter().all(|(_, height)| (1..=10_000).contains(height));
    let starts = heights.first().is_none_or(|(width, _)| *width == 0);
    rising && possible && starts && heights.len() <= 10
}

/// The mistakes found so far.
struct Found(Vec<Mistake>);

impl Found {
    fn wrong(&mut self, place: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Mistake { place: place.into(), fix: fix.into() });
    }

    fn when(&mut self, is_wrong: bool, place: &str, fix: &str) {
        if is_wrong {
            self.wrong(place, fix);
        }
    }

    fn link(&mut self, place: &str, address: Option<&String>) {
        let wrong = address.is_some_and(|address| !is_link(address));
        self.when(wrong, place, "give an address: \"https://shop.example/thanks\", or \"/thanks\"");
    }

    fn event(&mut self, place: &str, key: &str) {
        if is_no_key(key) {
            self.wrong(place, KEY_FIX);
        } else if writes_orders(key) {
            self.wrong(place, "choose another one, the platform writes orders out of it");
        }
    }
}

fn is_no_key(key: &str) -> bool {
    key.is_empty() || EventTypeKey::parse(key).is_err()
}

impl Definition {
    /// What cannot be used of it; nothing if all is well.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Found(Vec::new());
        self.check_kind(&mut found);
        self.check_looks(&mut found);
        self.check_pages(&mut found);
        if let Some(show) = &self.show {
            check_rules(show, &mut found);
        }
        found.0
    }

    fn check_kind(&self, found: &mut Found) {
        let asks = |kind: Asks| self.fields().any(|(step, field)| step == 1 && field.kind == kind);
        let reaches = asks(Asks::Email) || asks(Asks::Phone);
        let subscribes = self.kind == Kind::Subscribe;
        if !subscribes {
            let fix = "leave it out: only subscriptions have it";
            found.when(self.form_type.is_some(), "form_type", fix);
            found.when(!self.segments.is_empty(), "segments", fix);
            found.when(!self.subscriptions.is_empty(), "subscriptions", fix);
            found.when(self.promo_code.is_some(), "promo_code", fix);
            found.when(self.reveal_status, "reveal_status", fix);
            found.when(!self.second_step.is_empty(), "second_step", fix);
        }
        if self.kind != Kind::Request {
            let fix = "leave it out: only requests have it";
            found.when(self.event.is_some(), "event", fix);
            found.when(self.open_to_all, "open_to_all", fix);
        }
        match self.kind {
            Kind::Subscribe => {
                let fix = "ask for an \"email\" or a \"phone\": a contact must be reachable";
                found.when(!reaches, "pages[0].fields", fix);
            }
            Kind::Request => {
                match &self.event {
                    Some(key) => found.event("event", key),
                    None => found.wrong("event", "name the type of its events: \"callRequested\""),
                }
                let fix = "ask for an \"email\" or a \"phone\", so that it can be answered";
                found.when(self.open_to_all && !reaches, "pages[0].fields", fix);
            }
            Kind::Informer => {
                let fix = "leave fields out, or make it a \"subscribe\" or a \"request\"";
                found.when(self.fields().next().is_some(), "pages[0].fields", fix);
            }
        }
        let wrong = self.form_type.as_ref().is_some_and(|key| is_no_key(key));
        found.when(wrong, "form_type", KEY_FIX);
        for (name, list) in [("segments", &self.segments), ("subscriptions", &self.subscriptions)] {
            found.when(list.iter().any(|one| one.trim().is_empty()), name, "leave empty ones out");
        }
        if let Some(promo) = &self.promo_code {
            let fix = "name the type of the platform's codes: \"WELCOME\"";
            found.when(promo.kind.trim().is_empty(), "promo_code.kind", fix);
            found.event("promo_code.event", &promo.event);
        }
        let empty = self.turnstile.as_ref().is_some_and(|one| one.site_key.trim().is_empty());
        found.when(empty, "turnstile.site_key", "give the widget's site key");
        let contact = self.turnstile.as_ref().and_then(|one| one.contact.as_ref());
        let wrong = contact.is_some_and(|address| !is_link(address));
        let fix =
            "give a link: \"mailto:hello@shop.example\", or \"https://shop.example/contacts\"";
        found.when(wrong, "turnstile.contact", fix);
        let limits = &self.limits;
        let none = [
            limits.contact_per_day,
            limits.address_per_ten_minutes,
            limits.network_per_ten_minutes,
            limits.domain_per_minute,
            limits.all_per_minute,
        ];
        found.when(none.contains(&0), "limits", "allow at least 1 of each");
        found.when(self.min_seconds > 60, "min_seconds", "give at most 60 seconds");
    }

    fn check_looks(&self, found: &mut Found) {
        let inline = self.layout == Layout::Inline;
        found.when(
            inline && self.launcher.is_some(),
            "launcher",
            "leave it out, or make the layout \"popup\" or \"box\"",
        );
        found.when(
            !inline && self.place.is_some(),
            "place",
            "leave it out: only inline forms stand in a place",
        );
        found.when(
            !inline && !self.reserve.is_empty(),
            "reserve",
            "leave it out: only inline forms stand in a place",
        );
        found.when(!is_reserve(&self.reserve), "reserve", RESERVE_FIX);
        let empty = self.place.as_ref().is_some_and(|place| place.selector.trim().is_empty());
        found.when(empty, "place.selector", "give a CSS selector: \"#news\"");
        found.link("redirect", self.redirect.as_ref());
        for (name, value) in &self.theme {
            let place = ["theme.", name].concat();
            if !THEME.contains(&name.as_str()) {
                found.wrong(place, ["give one of ", &THEME.join(", ")].concat());
            } else if value.len() > 100 || value.contains([';', '{', '}', '\\', '<']) {
                found.wrong(place, "give one CSS value of at most 100 characters");
            }
        }
        for (language, own) in &self.languages {
            let place = ["languages.", language].concat();
            if !is_language(language) {
                found.wrong(place.as_str(), "name a language as in \"pl\" or \"pt-BR\"");
            }
            for key in own.keys().filter(|key| !words::WORDS.iter().any(|(own, _)| own == key)) {
                let keys: Vec<&str> = words::WORDS.iter().map(|(key, _)| *key).collect();
                found.wrong(
                    [&place, ".", key].concat(),
                    ["give one of ", &keys.join(", ")].concat(),
                );
            }
        }
        let odd = self.default_language.as_ref().is_some_and(|language| !is_language(language));
        found.when(odd, "default_language", "name a language as in \"pl\" or \"pt-BR\"");
        if let Some(split) = &self.split {
            found.when(split.test.trim().is_empty(), "split.test", "name the test");
            let fix = "give a share within 0 and 100: from 0 to 50";
            found.when(split.from >= split.to || split.to > 100, "split.to", fix);
        }
    }

    fn check_pages(&self, found: &mut Found) {
        found.when(self.pages.is_empty(), "pages", "describe at least one page");
        let count = self.pages.len() + self.second_step.len();
        found.when(count > MAX_PAGES, "pages", "describe at most 20 pages");
        found.when(self.fields().count() > MAX_FIELDS, "pages", "ask for at most 50 things");
        let mut names = BTreeSet::new();
        for (step, pages) in [("pages", &self.pages), ("second_step", &self.second_step)] {
            for (index, page) in pages.iter().enumerate() {
                self.check_page(page, &format!("{step}[{index}]"), &mut names, found);
            }
        }
    }

    fn check_page(
        &self,
        page: &Page,
        place: &str,
        names: &mut BTreeSet<String>,
        found: &mut Found,
    ) {
        found.link(&[place, ".link"].concat(), page.link.as_ref());
        let informs = self.kind == Kind::Informer;
        found.when(
            page.link.is_some() && !informs,
            &[place, ".link"].concat(),
            "leave it out: only the button of an informer leads somewhere",
        );
        if let Some(image) = &page.image {
            found.link(&[place, ".image.url"].concat(), Some(&image.url));
            let fix = "give width and height in pixels, so that the page does not jump";
            found.when(
                image.width == 0 || image.height == 0,
                &[place, ".image.width"].concat(),
                fix,
            );
        }
        let empty = page.fields.is_empty() && !informs;
        found.when(empty, &[place, ".fields"].concat(), "ask for something");
        for (index, field) in page.fields.iter().enumerate() {
            let place = format!("{place}.fields[{index}]");
            self.check_field(field, &place, found);
            if !names.insert(field.name()) {
                found.wrong(place, "ask for it once, or give each its own id");
            }
        }
    }

    fn check_field(&self, field: &Field, place: &str, found: &mut Found) {
        let at = |name: &str| [place, ".", name].concat();
        let own = matches!(
            field.kind,
            Asks::Email | Asks::Phone | Asks::FirstName | Asks::LastName | Asks::Subscriptions
        );
        let request = self.kind == Kind::Request;
        if own {
            let fix = "leave it out: this has a place of its own at the platform";
            found.when(field.field.is_some(), &at("field"), fix);
            found.when(field.param.is_some(), &at("param"), fix);
        } else if request {
            let fix = "name the event's parameter that it fills: \"size\"";
            let missing = field.param.is_none() && field.kind != Asks::Consent;
            found.when(missing, &at("param"), fix);
            found.when(field.field.is_some(), &at("field"), "leave it out, and give `param`");
        } else {
            let fix = "give the id of the contact's additional field: 12345";
            let missing = field.field.is_none_or(|id| id == 0 || id > i32::MAX as u32);
            found.when(missing && field.kind != Asks::Consent, &at("field"), fix);
            found.when(field.param.is_some(), &at("param"), "leave it out, and give `field`");
        }
        if let Some(param) = &field.param {
            let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
            let wrong = param.is_empty() || param.len() > 64 || !param.chars().all(plain);
            found.when(wrong, &at("param"), "use Latin letters, digits and underscores");
            let taken = ["email", "phone", "firstName", "lastName", "subscriptions", "webId"];
            let taken = taken.iter().any(|name| name.eq_ignore_ascii_case(param))
                || param.to_ascii_lowercase().contains("contact")
                || param.to_ascii_lowercase().contains("customer");
            found.when(taken, &at("param"), "choose another name, this says whose it is");
        }
        found.when(
            request && field.kind == Asks::Subscriptions,
            &at("kind"),
            "leave it out: a request subscribes nobody",
        );
        let chooses = matches!(field.kind, Asks::Select | Asks::Radio | Asks::Subscriptions);
        found.when(
            chooses && field.options.is_empty(),
            &at("options"),
            "list what there is to choose",
        );
        found.when(!chooses && !field.options.is_empty(), &at("options"), "leave it out here");
        let mut values = BTreeSet::new();
        for (index, option) in field.options.iter().enumerate() {
            let value = option.value.trim();
            let wrong = value.is_empty() || value != option.value || !values.insert(value);
            let fix = "give each a value of its own, without blanks around it";
            found.when(wrong, &at(&format!("options[{index}].value")), fix);
        }
        let consent = field.kind == Asks::Consent && field.label.is_empty();
        found.when(consent, &at("label"), "say what people agree to");
        let asked = matches!(
            field.kind,
            Asks::Text | Asks::Number | Asks::Date | Asks::Select | Asks::Radio | Asks::Checkbox
        );
        found.when(asked && field.label.is_empty(), &at("label"), "say what is asked");
        let range = field.min.zip(field.max).is_some_and(|(min, max)| min > max);
        found.when(range, &at("max"), "give at least `min`");
        let countries = field.country.iter().chain(&field.countries);
        let odd = |code: &String| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase());
        found.when(countries.clone().any(odd), &at("country"), "name countries as in \"UA\"");
        let foreign = field.country.as_ref().is_some_and(|country| {
            !field.countries.is_empty() && !field.countries.contains(country)
        });
        found.when(foreign, &at("country"), "give one of `countries`");
        found.when(
            countries.count() > 0 && field.kind != Asks::Phone,
            &at("country"),
            "leave it out: only phone numbers have one",
        );
    }
}

fn check_rules(rules: &Rules, found: &mut Found) {
    if let Some(when) = &rules.when {
        let none = when.time_on_page.is_none()
            && when.time_on_site.is_none()
            && when.scroll.is_none()
            && when.pages.is_none()
            && when.inactive.is_none()
            && !when.exit
            && when.click.is_none();
        found.when(none, "show.when", "give at least one condition: {\"time_on_page\": 20}");
        let far = when.scroll.is_some_and(|scroll| scroll > 100);
        found.when(far, "show.when.scroll", "give per cent, 0 to 100");
        let empty = when.click.as_ref().is_some_and(|selector| selector.trim().is_empty());
        found.when(empty, "show.when.click", "give a CSS selector: \".open-news\"");
    }
    let pages = &rules.who.pages;
    for (name, list) in [("include", &pages.include), ("exclude", &pages.exclude)] {
        let odd = list.iter().any(|page| !page.starts_with(['/', '*']));
        let place = ["show.who.pages.", name].concat();
        found.when(odd, &place, "give paths: \"/catalog/*\"");
    }
    for (name, values) in &rules.who.utm {
        let known = ["source", "medium", "campaign", "term", "content"];
        let place = ["show.who.utm.", name].concat();
        found.when(
            !known.contains(&name.as_str()),
            &place,
            "give source, medium, campaign, term or content",
        );
        found.when(values.is_empty(), &place, "list the values that count");
    }
    if let super::Frequency::Every(seconds) = rules.frequency {
        found.when(seconds == 0, "show.frequency.every", "give seconds, or \"always\"");
    }
}

/// Whether this is a language as HTML names it: `uk`, `pt-BR`.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let main = parts.next().unwrap_or_default();
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    (2..=3).contains(&main.len())
        && main.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| letters(part) && part.len() <= 8)
}
