//! A form on the page: passes what happens to its session and does what the session asks for.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Date as JsDate;
use serde::Serialize;
use wasm_bindgen::prelude::{Closure, JsCast, JsValue, wasm_bindgen};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, FocusEvent, HtmlFormElement, HtmlInputElement};

use super::{
    context::Context,
    dom::{self, Surface},
    plain,
    request::{post, sleep},
    view::View,
};
use crate::{
    form::{
        check::Kind,
        date::Date,
        phone,
        session::{Asked, Output, Place, Session, Setup},
        typed,
    },
    value::Value,
};

/// What a form listens to.
const EVENTS: [&str; 6] = ["input", "focusin", "focusout", "pointerdown", "click", "submit"];

/// How long a token is waited for, in milliseconds.
const TOKEN_LIMIT: u32 = 15_000;

/// How long the answer to a submission is waited for.
const ANSWER_LIMIT: u32 = 40_000;

/// How long somebody has stopped typing for before something is offered instead.
const PAUSE: u32 = 700;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = location)]
    static LOCATION: web_sys::Location;
}

/// What goes with a report.
#[derive(Serialize)]
struct Detail {
    #[serde(skip_serializing_if = "String::is_empty")]
    code: String,
}

/// Who the person is, as the platform's own calls say it.
#[derive(Serialize)]
struct Identity {
    #[serde(rename = "user_email", skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(rename = "user_phone", skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

/// What takes time.
enum Job {
    Token(String),
    Submit(String),
    Wait(u64),
    /// Nothing more was typed in this field, if as much was typed in all.
    Pause(String, u32),
}

/// A form and its session.
pub(super) struct Form {
    surface: Surface,
    view: View,
    context: Context,
    base: String,
    /// Where it is sent to, below the base.
    address: String,
    names: Vec<String>,
    session: RefCell<Session>,
    /// Whether a button is being pressed: a message that came between would move it away.
    pressing: Cell<bool>,
    /// Counts what was typed, so that a pause is noticed.
    typed: Cell<u32>,
}

impl Form {
    /// Takes a form over.
    pub(super) fn attach(
        form: HtmlFormElement,
        view: View,
        context: Context,
    ) -> Result<(), JsValue> {
        let surface = Surface::new(form, &view.id);
        let fields = view.fields(|name| surface.page_of(name));
        let fields = fields.ok_or("a field of another version")?;
        let names: Vec<String> = fields.iter().map(|asked| asked.field.name.clone()).collect();
        for Asked { field, .. } in &fields {
            match field.kind {
                Kind::Email => drop(surface.prepare_offer(&field.name)),
                Kind::Phone => {
                    let Some(input) = surface.input(&field.name) else { continue };
                    let chosen = field.region.as_deref().unwrap_or_default();
                    let rows = countries(&field.regions);
                    // Without the list people write the code themselves.
                    let _ =
                        context.countries(&input, view.word("country"), chosen, &rows, &view.lang);
                }
                _ => {}
            }
        }
        let setup = Setup {
            id: view.id.clone(),
            fields,
            pages: [surface.page_count("1"), surface.page_count("2")],
            subscribes: view.text("kind") == "subscribe",
            challenge: !view.text("turnstile").is_empty(),
            today: today(),
        };
        let mut session = Session::new(setup);
        let page = surface.page_in_focus();
        session.handle_shown(page);
        surface.show_page(1, page, false);
        let base = context.base().unwrap_or_default();
        let address = ["forms/", &view.id].concat();
        let form = Rc::new(Self {
            surface,
            view,
            context,
            base,
            address,
            names,
            session: RefCell::new(session),
            pressing: Cell::new(false),
            typed: Cell::new(0),
        });
        form.read();
        let own = Rc::clone(&form);
        let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| own.handle(&event));
        let listener = listener.into_js_value();
        for name in EVENTS {
            form.surface.form.add_event_listener_with_callback(name, listener.unchecked_ref())?;
        }
        if form.surface.has_focus() {
            form.act(Session::handle_touch);
        }
        // The network may take longer than a person with a field.
        for name in form.names.iter().filter(|name| form.surface.is_typed(name)) {
            let values = form.surface.values(name);
            let is_left = !form.surface.is_focused(name);
            form.act(|session| {
                session.handle_typed(name, values);
                if is_left {
                    session.handle_leave(name);
                }
            });
        }
        Ok(())
    }

    /// Something has happened to the form.
    fn handle(self: &Rc<Self>, event: &Event) {
        let Some(target) = event.target() else { return };
        let target: Element = target.unchecked_into();
        match event.type_().as_str() {
            "input" => self.changed(&target),
            "focusin" => self.act(Session::handle_touch),
            "focusout" => self.left(&target, event.unchecked_ref()),
            "pointerdown" => {
                self.pressing.set(closest(&target, "button,[type=submit],a").is_some());
            }
            "click" => self.clicked(&target),
            "submit" => {
                self.read();
                let place = self.place();
                self.act(|session| session.handle_submit(place));
                // Last: should all of this fail, the form goes its plain way.
                event.prevent_default();
            }
            _ => {}
        }
    }

    fn changed(self: &Rc<Self>, target: &Element) {
        if let Some(name) = target.get_attribute("data-es-country-of") {
            let list: &HtmlInputElement = target.unchecked_ref();
            let region = list.value();
            return self.act(|session| session.handle_region(&name, &region));
        }
        let Some(name) = self.field_of(target) else { return };
        let values = self.surface.values(&name);
        self.act(|session| session.handle_input(&name, values));
        let typed = self.typed.get().wrapping_add(1);
        self.typed.set(typed);
        self.spawn(Job::Pause(name, typed));
    }

    fn left(self: &Rc<Self>, target: &Element, event: &FocusEvent) {
        if self.pressing.get() {
            return;
        }
        let Some(name) = self.field_of(target) else { return };
        // Between the choices of one field, and between a number and its country, nothing is left.
        if let Some(next) = event.related_target() {
            let next: &Element = next.unchecked_ref();
            let country = next.get_attribute("data-es-country-of");
            if self.field_of(next).as_ref() == Some(&name) || country.as_ref() == Some(&name) {
                return;
            }
        }
        let values = self.surface.values(&name);
        let is_typed = self.surface.is_typed(&name);
        self.act(|session| {
            if is_typed {
                session.handle_typed(&name, values);
            } else {
                session.handle_given(&name, values);
            }
            session.handle_leave(&name);
        });
    }

    fn clicked(self: &Rc<Self>, target: &Element) {
        self.pressing.set(false);
        self.act(|session| {
            session.handle_touch();
            session.handle_click();
        });
        if closest(target, "[data-es-back]").is_some() {
            self.act(Session::handle_back);
        } else if let Some(button) = closest(target, "[data-es-take]")
            && let Some(name) = button.get_attribute("data-es-take")
            && let Some(value) = button.get_attribute("value")
        {
            // It counts as typed.
            self.surface.fill(&name, &value);
            self.act(|session| session.handle_leave(&name));
            self.surface.focus(&name);
        }
    }

    /// The field that an input is of.
    fn field_of(&self, input: &Element) -> Option<String> {
        let name = input.get_attribute("name")?;
        self.names.contains(&name).then_some(name)
    }

    /// Tells the session what all fields hold: browsers fill them in without a word.
    fn read(self: &Rc<Self>) {
        for name in &self.names {
            let values = self.surface.values(name);
            self.act(|session| session.handle_given(name, values));
        }
    }

    fn place(&self) -> Place {
        Place {
            url: LOCATION.with(|location| location.href().unwrap_or_default()),
            referrer: dom::referrer(),
            language: self.view.lang.clone(),
            web_id: dom::cookie("sc"),
            trap: self.surface.values("company_site").into_iter().next().unwrap_or_default(),
        }
    }

    /// Passes something to the session and does what it asks for.
    ///
    /// Doing so may cause further events, such as those of the focus: these come in between.
    fn act(self: &Rc<Self>, act: impl FnOnce(&mut Session)) {
        if let Ok(mut session) = self.session.try_borrow_mut() {
            act(&mut session);
        }
        loop {
            let output = self.session.try_borrow_mut().ok().and_then(|mut own| own.poll_output());
            let Some(output) = output else { return };
            self.perform(output);
        }
    }

    fn perform(self: &Rc<Self>, output: Output) {
        let surface = &self.surface;
        match output {
            Output::SetError(name, wrong) => {
                surface.mark(&name, self.view.word(&["wrong_", wrong.code()].concat()));
            }
            Output::ClearError(name) => surface.mark(&name, ""),
            Output::Suggest(name, Some(meant)) => {
                let text = self.view.word("suggestion");
                let (before, behind) = typed::cut(text, b'{').unwrap_or((text, "}"));
                let behind = behind.strip_prefix('}').unwrap_or(behind);
                let text = [before, &meant, behind].concat();
                surface.offer(&name, Some((&meant, &text)));
            }
            Output::Suggest(name, None) => surface.offer(&name, None),
            Output::Fill(name, value) => surface.fill(&name, &value),
            Output::Focus(name) => surface.focus(&name),
            Output::ShowPage(step, index) => surface.show_page(step, index, true),
            Output::Status(key) => surface.status(key, self.view.word(key)),
            Output::AskToken(call) => {
                let call = Value::Object(vec![("call".to_owned(), Value::Text(call))]);
                self.spawn(Job::Token(call.to_json()));
            }
            Output::AskChallenge => self.show_challenge(),
            Output::Submit(body) => self.spawn(Job::Submit(body)),
            Output::Wait(milliseconds) => self.spawn(Job::Wait(milliseconds)),
            Output::Report(action, code) => {
                let detail = plain(&Detail { code });
                // The page's own code is its own affair.
                let _ = self.context.report(action, &detail);
            }
            Output::Identify(email, phone) => {
                let _ = self.context.identify(&plain(&Identity { email, phone }));
            }
            Output::Thanks(key) => {
                surface.thank(self.view.tree(), self.view.word(key));
                let redirect = self.view.text("redirect");
                if !redirect.is_empty() {
                    let _ = LOCATION.with(|location| location.assign(redirect));
                }
            }
        }
    }

    fn spawn(self: &Rc<Self>, job: Job) {
        spawn_local(Rc::clone(self).run(job));
    }

    /// Does what takes time. One function for all of it: each would carry its own copy of a request.
    async fn run(self: Rc<Self>, job: Job) {
        let (address, body, limit) = match &job {
            Job::Token(body) => ("t", body.as_str(), TOKEN_LIMIT),
            Job::Submit(body) => (self.address.as_str(), body.as_str(), ANSWER_LIMIT),
            Job::Wait(milliseconds) => ("", "", u32::try_from(*milliseconds).unwrap_or(u32::MAX)),
            Job::Pause(..) => ("", "", PAUSE),
        };
        let reply = if address.is_empty() {
            sleep(limit).await;
            None
        } else {
            post(&[&self.base, address].concat(), body, limit).await
        };
        self.act(|session| match (job, reply) {
            (Job::Token(_), reply) => {
                let answer = reply.and_then(|reply| Value::from_json(&reply.body));
                let token = answer.as_ref().and_then(|answer| answer.member("token")?.as_text());
                session.handle_token(token.map(str::to_owned));
            }
            (Job::Submit(_), Some(reply)) => {
                session.handle_answer(reply.status, &reply.body, reply.retry_after);
            }
            (Job::Submit(_), None) => session.handle_silence(),
            (Job::Wait(_), _) => session.handle_wake(),
            (Job::Pause(name, typed), _) if self.typed.get() == typed => {
                session.handle_pause(&name);
            }
            _ => {}
        });
    }

    fn show_challenge(self: &Rc<Self>) {
        let Some(place) = self.surface.challenge_place() else { return };
        let action = ["form-", &self.view.id].concat();
        let form = Rc::clone(self);
        let passed = Closure::<dyn Fn(JsValue)>::new(move |token: JsValue| {
            form.act(|session| session.handle_challenge(token.as_string()));
        });
        let (key, language) = (self.view.text("turnstile"), &self.view.lang);
        self.context.challenge(&place, key, &action, language, &passed.into_js_value());
    }
}

/// The countries whose numbers are taken: `UA380 PL48`.
fn countries(taken: &[String]) -> String {
    let mut rows = String::new();
    for (region, code) in phone::regions() {
        if taken.is_empty() || taken.iter().any(|own| own == region) {
            let blank = if rows.is_empty() { "" } else { " " };
            for part in [blank, region, code] {
                rows.push_str(part);
            }
        }
    }
    rows
}

fn closest(element: &Element, selector: &str) -> Option<Element> {
    element.closest(selector).ok().flatten()
}

/// The day where the person is.
fn today() -> Date {
    let now = JsDate::new_0();
    let small = |number: u32| u8::try_from(number).ok();
    let year = u16::try_from(now.get_full_year()).ok();
    let date =
        year.and_then(|year| Date::new(year, small(now.get_month() + 1)?, small(now.get_date())?));
    date.unwrap_or_else(|| Date::from_millis(0))
}
