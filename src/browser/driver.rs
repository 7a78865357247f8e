//! Drives delivery: the only owner of timers.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::{
    platform::{after, cancel, now, random},
    storage::Storage,
    transport, value,
};
use crate::{
    delivery::{Delivery, MAX_PENDING, Output},
    event::Event,
    value::Value,
    wire::{Verdict, message_time, result_value},
};

/// Age from which a record that this page did not make is taken over, in milliseconds. Younger
/// ones are probably on their way from another tab.
const ORPHAN_AGE: u64 = 3000;

/// How often the store is searched for records that others left, in milliseconds.
const SEARCH: u64 = 30_000;

/// First pause before the Worker is asked what has reached the platform; it doubles.
const FIRST_ASK: u64 = 500;

/// After this many questions an event counts as one that takes long, and nobody waits for it.
const MOST_ASKS: u32 = 10;

#[derive(Debug)]
pub(super) struct Driver {
    post: Function,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    base: String,
    delivery: Delivery,
    storage: Option<Storage>,
    timer: Option<i32>,
    /// Accepted events whose arrival at the platform somebody waits for: message id, web id.
    awaited: Vec<(String, String)>,
    watching: bool,
    asking: bool,
}

impl Driver {
    pub(super) fn new(post: Function) -> Self {
        Self { post, state: RefCell::default() }
    }

    pub(super) fn start(self: &Rc<Self>, base: String, site: String) {
        {
            let mut state = self.state.borrow_mut();
            state.base = base;
            state.delivery = Delivery::new(site);
        }
        let driver = Rc::clone(self);
        spawn_local(async move {
            let storage = Storage::open().await;
            driver.state.borrow_mut().storage = Some(storage);
            driver.search();
        });
    }

    /// Takes a record of this page.
    pub(super) fn add(self: &Rc<Self>, id: &str, record: String) {
        if let Some(reason) = check(id, &record) {
            self.forget_stored(&[id.to_owned()]);
            self.report("done", &reason);
            return;
        }
        self.state.borrow_mut().delivery.handle_record(id, record, message_time(id), now());
        self.drive();
    }

    /// The page was shown or hidden, or the network is back.
    pub(super) fn wake(self: &Rc<Self>) {
        self.state.borrow_mut().delivery.handle_online();
        self.drive();
    }

    pub(super) fn clear(&self) {
        let mut state = self.state.borrow_mut();
        state.delivery.clear();
        state.awaited.clear();
        if let Some(storage) = &state.storage {
            storage.clear();
        }
    }

    pub(super) fn watch(self: &Rc<Self>, on: bool) {
        self.state.borrow_mut().watching = on;
    }

    fn report(&self, name: &str, detail: &JsValue) {
        // The loader does not throw, and there is nobody else to tell.
        let _ = self.post.call2(&JsValue::NULL, &JsValue::from_str(name), detail);
    }

    /// One input → poll until `Wait` → sleep.
    fn drive(self: &Rc<Self>) {
        loop {
            let output = self.state.borrow_mut().delivery.poll_output(now());
            match output {
                Output::Send { ids, body } => {
                    let driver = Rc::clone(self);
                    spawn_local(async move { driver.send(ids, body).await });
                }
                Output::Expired(id) => {
                    self.forget_stored(std::slice::from_ref(&id));
                    let reason = [("id", id.as_str()), ("verdict", "refused"), ("code", "expired")];
                    self.report("done", &object(&reason));
                }
                Output::Wait(until) => return self.sleep(until),
            }
        }
    }

    fn sleep(self: &Rc<Self>, until: Option<u64>) {
        let timer = until.map(|until| {
            let driver = Rc::clone(self);
            after(until.saturating_sub(now()), move || {
                driver.state.borrow_mut().timer = None;
                driver.drive();
            })
        });
        let old = std::mem::replace(&mut self.state.borrow_mut().timer, timer);
        if let Some(old) = old {
            cancel(old);
        }
    }

    async fn send(self: Rc<Self>, ids: Vec<String>, body: String) {
        let list: Array = ids.iter().map(|id| JsValue::from_str(id)).collect();
        let detail = js_sys::Object::new();
        // Setting a member of a fresh object cannot fail.
        let _ = Reflect::set(&detail, &"ids".into(), &list);
        self.report("sent", &detail);
        let address = [self.state.borrow().base.as_str(), "b"].concat();
        let answer = transport::post(&address, &body).await;
        let results = member(&answer.body, "results");
        let results: Vec<JsValue> =
            if Array::is_array(&results) { Array::from(&results).to_vec() } else { Vec::new() };
        let settled: Vec<String> =
            results.iter().filter_map(|result| member(result, "id").as_string()).collect();
        let refused = {
            let mut state = self.state.borrow_mut();
            let (status, wait) = (answer.status, answer.retry_after);
            state.delivery.handle_answer(status, &settled, wait, now(), random())
        };
        self.forget_stored(&settled);
        for result in &results {
            let verdict = member(result, "verdict").as_string().unwrap_or_default();
            if let (true, Some(id), Some(web_id)) = (
                self.state.borrow().watching && verdict != "refused",
                member(result, "id").as_string(),
                web_id_of(&body),
            ) {
                self.state.borrow_mut().awaited.push((id, web_id));
            }
            self.report("done", result);
        }
        if let Some(id) = refused {
            self.forget_stored(std::slice::from_ref(&id));
            let reason = [("id", id.as_str()), ("verdict", "refused"), ("code", "invalid_body")];
            self.report("done", &object(&reason));
        }
        self.ask(0);
        self.drive();
    }

    fn forget_stored(&self, ids: &[String]) {
        if let Some(storage) = &self.state.borrow().storage
            && !ids.is_empty()
        {
            storage.remove(ids);
        }
    }

    /// Takes over what earlier pages left.
    fn search(self: &Rc<Self>) {
        let driver = Rc::clone(self);
        spawn_local(async move {
            let Some(storage) = driver.state.borrow().storage.clone() else { return };
            let found = storage.load(u32::try_from(MAX_PENDING).unwrap_or(u32::MAX)).await;
            let mut young = false;
            for (id, record) in found {
                let made = message_time(&id);
                if now().saturating_sub(made) < ORPHAN_AGE {
                    young = true;
                } else {
                    driver.state.borrow_mut().delivery.handle_record(&id, record, made, now());
                }
            }
            driver.drive();
            let again = Rc::clone(&driver);
            after(if young { ORPHAN_AGE } else { SEARCH }, move || again.search());
        });
    }

    /// Asks the Worker which accepted events have reached the platform.
    fn ask(self: &Rc<Self>, round: u32) {
        {
            let mut state = self.state.borrow_mut();
            if state.awaited.is_empty() || (state.asking && round == 0) {
                return;
            }
            if round > MOST_ASKS {
                state.awaited.clear();
                state.asking = false;
                return;
            }
            state.asking = true;
        }
        let driver = Rc::clone(self);
        after(FIRST_ASK << round.min(6), move || {
            spawn_local(async move { driver.ask_now(round).await });
        });
    }

    async fn ask_now(self: Rc<Self>, round: u32) {
        let (address, body) = {
            let state = self.state.borrow();
            let Some((_, web_id)) = state.awaited.first() else { return };
            let ids = state.awaited.iter().map(|(id, _)| Value::text(id)).collect();
            let body = Value::Object(vec![
                ("v".into(), Value::whole(1)),
                ("sc".into(), Value::text(web_id)),
                ("ids".into(), Value::List(ids)),
            ]);
            ([state.base.as_str(), "q"].concat(), body.to_json())
        };
        let answer = transport::post(&address, &body).await;
        let mut settled = 0;
        for result in Array::from(&member(&answer.body, "results")).iter() {
            let state = member(&result, "state").as_string().unwrap_or_default();
            let Some(id) = member(&result, "id").as_string() else { continue };
            if state == "delivered" || state == "dead" {
                self.state.borrow_mut().awaited.retain(|(known, _)| *known != id);
                self.report(&state, &result);
                settled += 1;
            }
        }
        if self.state.borrow().awaited.is_empty() {
            self.state.borrow_mut().asking = false;
        } else {
            self.ask(if settled > 0 { 1 } else { round + 1 });
        }
    }
}

/// Why the platform would not take the record, as the loader's listeners get it.
fn check(id: &str, record: &str) -> Option<JsValue> {
    let record = value::parse(record);
    let call = record.member("call")?.as_list()?;
    let (command, arguments) = call.split_first()?;
    let command = command.as_text()?;
    if command == "reset" || command == "orderSubmitted" {
        return None;
    }
    let errors = Event::from_call(command, arguments).err()?;
    let json = result_value(id, Verdict::Refused, errors.first(), &[]).to_json();
    js_sys::JSON::parse(&json).ok()
}

/// The web id of a batch: a page's records have one.
fn web_id_of(body: &str) -> Option<String> {
    let batch = value::parse(body);
    let record = batch.member("records")?.as_list()?.first()?;
    record.member("sc")?.as_text().map(str::to_owned)
}

fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}

fn object(members: &[(&str, &str)]) -> JsValue {
    let members = members.iter().map(|(name, text)| ((*name).to_owned(), Value::text(*text)));
    js_sys::JSON::parse(&Value::Object(members.collect()).to_json()).unwrap_or_default()
}
