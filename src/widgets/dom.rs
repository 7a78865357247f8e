//! The only file that writes to the page, but for what the scripts in `www` put there: the list of countries and
//! the challenge.

use std::cell::RefCell;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use web_sys::{
    Document, Element, Event, EventInit, HtmlElement, HtmlFormElement, HtmlInputElement, Node,
};

use crate::{
    form::typed,
    value::{Value, parse_whole},
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = document)]
    static DOCUMENT: Document;

    type Cookies;

    /// Documents without an origin of their own throw.
    #[wasm_bindgen(method, getter, catch)]
    fn cookie(this: &Cookies) -> Result<String, JsValue>;
}

/// A form's elements: those of its own, and those that are made where it has none.
#[derive(Debug)]
pub(super) struct Surface {
    pub(super) form: HtmlFormElement,
    id: String,
    /// Elements that were found or made, by what they are for.
    known: RefCell<Vec<(String, Element)>>,
}

/// What takes the focus on a page.
const FOCUSED: &str = "input:not([type=hidden]),select,textarea,button,a";

impl Surface {
    pub(super) fn new(form: HtmlFormElement, id: &str) -> Self {
        // The browser's own messages would come before ours.
        set(&form, "novalidate", "");
        Self { form, id: id.to_owned(), known: RefCell::default() }
    }

    /// The inputs of a field.
    fn inputs(&self, name: &str) -> Vec<Element> {
        let one = ["[name=\"", name, "\"]"].concat();
        find_all(&self.form, &["input", &one, ",select", &one, ",textarea", &one].concat())
    }

    /// The first input of a field.
    pub(super) fn input(&self, name: &str) -> Option<Element> {
        self.inputs(name).into_iter().next()
    }

    /// What a field holds.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        for input in self.inputs(name) {
            let input = as_input(&input);
            let value = input.value();
            values.push(match input.type_().as_str() {
                "checkbox" | "radio" if !input.checked() => continue,
                // What a box without a value stands for.
                "checkbox" if value == "on" => "1".to_owned(),
                // Something was typed that the browser does not hand out.
                "number" | "date" if value.is_empty() && input.validity().bad_input() => {
                    "?".to_owned()
                }
                _ => value,
            });
        }
        values
    }

    /// Writes a value into a field, and tells the page as if it were typed.
    ///
    /// Frameworks that hold what an input has compare with what they have seen written into it, so it is
    /// written by the browser's own setter, past those that they put on the input itself.
    pub(super) fn fill(&self, name: &str, value: &str) {
        let Some(input) = self.input(name) else { return };
        let own = Object::get_prototype_of(&input);
        let _ = Reflect::set_with_receiver(&own, &"value".into(), &value.into(), &input);
        let init = EventInit::new();
        init.set_bubbles(true);
        if let Ok(event) = Event::new_with_event_init_dict("input", &init) {
            let _ = input.dispatch_event(&event);
        }
    }

    /// Puts the focus on a field.
    pub(super) fn focus(&self, name: &str) {
        if let Some(input) = self.input(name) {
            focus(&input);
        }
    }

    /// Says what is wrong with a field; an empty text for nothing.
    pub(super) fn mark(&self, name: &str, text: &str) {
        let Some(note) = self.note(name) else { return };
        note.set_text_content(Some(text));
        for input in self.inputs(name) {
            // A single choice cannot be wrong, only all of them together.
            if text.is_empty() {
                let _ = input.remove_attribute("aria-invalid");
            } else if as_input(&input).type_() != "radio" {
                set(&input, "aria-invalid", "true");
            }
        }
    }

    /// The place of a field's message.
    fn note(&self, name: &str) -> Option<Element> {
        let id = ["es-", &self.id, "-", name, "-error"].concat();
        self.once(&id, || {
            if let Some(note) = find(&self.form, &["[id=\"", &id, "\"]"].concat()) {
                return Some(note);
            }
            // The shop's own markup.
            let inputs = self.inputs(name);
            let last = outermost(inputs.last()?);
            let note = make("p", "es-error")?;
            set(&note, "dir", "auto");
            let mut free = id.clone();
            while find_in_document(&free) {
                free.push('-');
            }
            set(&note, "id", &free);
            insert(&last, &note, true);
            for input in &inputs {
                let other = input.get_attribute("aria-describedby").unwrap_or_default();
                set(input, "aria-describedby", typed::trim(&[&other, " ", &free].concat()));
            }
            Some(note)
        })
    }

    /// Makes the place where something may be offered for a field. It has to be there before, so
    /// that screen readers say what comes into it.
    pub(super) fn prepare_offer(&self, name: &str) -> Option<Element> {
        self.once(&["offer ", name].concat(), || {
            let note = self.note(name)?;
            let place = make("div", "es-offer")?;
            set(&place, "role", "status");
            set(&place, "dir", "auto");
            insert(&note, &place, true);
            Some(place)
        })
    }

    /// Offers a value for a field, as a button with this text; nothing any more without one.
    pub(super) fn offer(&self, name: &str, offered: Option<(&str, &str)>) {
        let Some(place) = self.prepare_offer(name) else { return };
        place.set_text_content(None);
        let Some((value, text)) = offered else { return };
        let Some(button) = make("button", "es-link") else { return };
        set(&button, "type", "button");
        set(&button, "data-es-take", name);
        set(&button, "value", value);
        button.set_text_content(Some(text));
        let _ = place.append_child(&button);
    }

    /// Says something of the form as a whole. `key` lets style sheets tell a failure from a wait.
    pub(super) fn status(&self, key: &str, text: &str) {
        let place = self.once("status", || {
            find(&self.form, ".es-status").or_else(|| {
                let place = make("p", "es-status")?;
                set(&place, "role", "status");
                set(&place, "dir", "auto");
                self.form.append_child(&place).ok()?;
                Some(place)
            })
        });
        let Some(place) = place else { return };
        place.set_text_content(Some(text));
        set(&place, "data-es-status", key);
        let _ =
            self.form.set_attribute("aria-busy", if key == "sending" { "true" } else { "false" });
    }

    /// The number of a field's page within its step.
    pub(super) fn page_of(&self, name: &str) -> u32 {
        let page = self.input(name).and_then(|input| input.closest(".es-page").ok()?);
        page.map_or(0, |page| number(&page, "data-es-page"))
    }

    /// How many pages a step has.
    pub(super) fn page_count(&self, step: &str) -> u32 {
        let pages = find_all(&self.form, &[".es-page[data-es-step=\"", step, "\"]"].concat());
        u32::try_from(pages.len()).unwrap_or(0)
    }

    /// The page that has the focus.
    pub(super) fn page_in_focus(&self) -> u32 {
        let page = find(&self.form, ".es-page:focus-within");
        page.map_or(0, |page| number(&page, "data-es-page"))
    }

    /// Whether somebody has typed into a field, as far as that can be seen of it.
    pub(super) fn is_typed(&self, name: &str) -> bool {
        self.input(name).is_some_and(|input| {
            let typed = as_input(&input);
            // Frameworks may write what is typed into the attribute too; then the browser knows, once the
            // field is left.
            let is_changed = || {
                typed.value() != input.get_attribute("value").unwrap_or_default()
                    || input.matches(":user-valid,:user-invalid").unwrap_or(false)
            };
            let kind = typed.type_();
            !matches!(kind.as_str(), "checkbox" | "radio" | "hidden" | "select-one") && is_changed()
        })
    }

    /// Whether a field has the focus.
    pub(super) fn is_focused(&self, name: &str) -> bool {
        self.inputs(name).iter().any(|input| input.matches(":focus").unwrap_or(false))
    }

    /// Whether the focus is within the form.
    pub(super) fn has_focus(&self) -> bool {
        self.form.matches(":focus-within").unwrap_or(false)
    }

    /// Shows one page alone, and moves the focus there if asked to.
    pub(super) fn show_page(&self, step: u32, index: u32, focus: bool) {
        for page in find_all(&self.form, ".es-page") {
            let shown =
                number(&page, "data-es-step") == step && number(&page, "data-es-page") == index;
            hide(&page, !shown);
            if !shown {
                continue;
            }
            // A second step is, until somebody may fill it in.
            let _ = page.remove_attribute("disabled");
            if let Some(back) = find(&page, "[data-es-back]") {
                hide(&back, index == 0);
            }
            if focus && let Some(first) = find(&page, FOCUSED) {
                self::focus(&first);
            }
        }
    }

    /// Shows that it is done, and nothing else.
    pub(super) fn thank(&self, tree: &Value, text: &str) {
        let thanks = find(&self.form, ".es-thanks").or_else(|| {
            let thanks = build(find_thanks(tree)?)?.dyn_into::<Element>().ok()?;
            self.form.append_child(&thanks).ok()?;
            Some(thanks)
        });
        let Some(thanks) = thanks else { return };
        if !text.is_empty()
            && let Some(place) = find(&thanks, ".es-text")
        {
            place.set_text_content(Some(text));
        }
        for child in find_all(&self.form, ":scope > *") {
            hide(&child, child != thanks);
        }
        focus(&thanks);
    }

    /// The place of the challenge: above the buttons of the last page of the first step.
    pub(super) fn challenge_place(&self) -> Option<Element> {
        self.once("challenge", || {
            let place = make("div", "es-challenge")?;
            let buttons = find_all(&self.form, ".es-page[data-es-step=\"1\"] .es-actions").pop();
            match buttons.or_else(|| find(&self.form, "[type=submit],button:not([type])")) {
                Some(buttons) => insert(&buttons, &place, false),
                None => drop(self.form.append_child(&place)),
            }
            Some(place)
        })
    }

    /// The element for something, found or made at its first use.
    fn once(&self, what: &str, first: impl FnOnce() -> Option<Element>) -> Option<Element> {
        let known = self.known.try_borrow().ok().and_then(|known| {
            known.iter().find(|(own, _)| own == what).map(|(_, element)| element.clone())
        });
        if known.is_some() {
            return known;
        }
        let made = first()?;
        if let Ok(mut known) = self.known.try_borrow_mut() {
            known.push((what.to_owned(), made.clone()));
        }
        Some(made)
    }
}

/// The cookie of this name.
pub(super) fn cookie(name: &str) -> String {
    let all = DOCUMENT.with(|document| document.unchecked_ref::<Cookies>().cookie());
    let all = all.unwrap_or_default();
    let own =
        |pair: &str| Some(typed::trim(pair).strip_prefix(name)?.strip_prefix('=')?.to_owned());
    typed::parts(&all, b';').find_map(own).unwrap_or_default()
}

/// The address of the page before.
pub(super) fn referrer() -> String {
    DOCUMENT.with(Document::referrer)
}

fn find_in_document(id: &str) -> bool {
    DOCUMENT.with(|document| document.get_element_by_id(id)).is_some()
}

fn make(tag: &str, class: &str) -> Option<Element> {
    let element = DOCUMENT.with(|document| document.create_element(tag)).ok()?;
    if !class.is_empty() {
        set(&element, "class", class);
    }
    Some(element)
}

fn set(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}

fn number(element: &Element, name: &str) -> u32 {
    let text = element.get_attribute(name).unwrap_or_default();
    parse_whole(&text).and_then(|number| number.try_into().ok()).unwrap_or(0)
}

/// Hides an element, whatever the page's styles say.
fn hide(element: &Element, hidden: bool) {
    let element: &HtmlElement = element.unchecked_ref();
    element.set_hidden(hidden);
    let style = element.style();
    let _ = if hidden {
        style.set_property("display", "none")
    } else {
        style.remove_property("display").map(drop)
    };
}

/// Puts an element before or after another one.
fn insert(at: &Element, element: &Element, after: bool) {
    let next = if after { at.next_sibling() } else { Some(Node::from(at.clone())) };
    if let Some(parent) = at.parent_node() {
        let _ = parent.insert_before(element, next.as_ref());
    }
}

/// An input, or the label around it: a label is that of the first control in it, and its text that of all.
fn outermost(input: &Element) -> Element {
    input.closest("label").ok().flatten().unwrap_or_else(|| input.clone())
}

/// Lists and areas have those of its members that are used here, too.
fn as_input(element: &Element) -> &HtmlInputElement {
    element.unchecked_ref()
}

fn focus(element: &Element) {
    let _ = element.unchecked_ref::<HtmlElement>().focus();
}

fn find(element: &Element, selector: &str) -> Option<Element> {
    element.query_selector(selector).ok().flatten()
}

fn find_all(element: &Element, selector: &str) -> Vec<Element> {
    let mut found = Vec::new();
    if let Ok(list) = element.query_selector_all(selector) {
        for index in 0..list.length() {
            found.extend(list.item(index).map(JsCast::unchecked_into::<Element>));
        }
    }
    found
}

/// The part of a tree that is shown in the end.
fn find_thanks(tree: &Value) -> Option<&Value> {
    let [_, attributes, children @ ..] = tree.as_list()? else { return None };
    if attributes.member("class").and_then(Value::as_text) == Some("es-thanks") {
        return Some(tree);
    }
    children.iter().find_map(find_thanks)
}

/// Builds a tree: `[tag, {attribute: text}, child...]`.
fn build(tree: &Value) -> Option<Node> {
    if let Some(text) = tree.as_text() {
        return Some(DOCUMENT.with(|document| document.create_text_node(text)).into());
    }
    let [tag, Value::Object(attributes), children @ ..] = tree.as_list()? else { return None };
    let element = make(tag.as_text()?, "")?;
    for (name, value) in attributes {
        set(&element, name, value.as_text()?);
    }
    for child in children {
        let _ = element.append_child(&build(child)?);
    }
    Some(element.into())
}
