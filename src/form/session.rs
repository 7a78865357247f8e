//! A form while a person fills it in, as a state machine: what is told at its fields, and when what
//! was filled in is sent.
//!
//! The host passes in what the person does and what the Worker says, then does what
//! [`Session::poll_output`] asks for until it asks for nothing more.

mod answer;
mod body;
mod contract;
mod entry;

use std::collections::VecDeque;

pub use self::contract::{Asked, Output, Place, Setup};
use self::entry::Entry;
use super::check::{Kind, Wrong, check_reach};

/// What a token is at: the Worker's, or that of the challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Missing,
    Asked,
    Here(String),
}

/// What becomes of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The person fills it in.
    Filling,
    /// It is to be sent, and waits for the token or the challenge.
    Preparing,
    /// It was sent.
    Sending,
    /// It came too early and is sent once more after a pause.
    Waiting,
    /// It was accepted.
    Done,
}

/// A form while a person fills it in.
///
/// # Guarantees
///
/// - At most one submission is in flight, and an accepted one is never sent again.
/// - Whatever the Worker answers, the person can go on or is done: no state waits for nothing.
/// - Nothing is shown to be wrong with a field while the person first types in it.
#[derive(Clone, Debug)]
pub struct Session {
    setup: Setup,
    entries: Vec<Entry>,
    place: Place,
    state: State,
    step: u32,
    page: u32,
    token: Token,
    /// Whether the token was renewed for the present submission.
    renewed: bool,
    /// What passing the challenge gave.
    passed: Token,
    repeats: u32,
    status: &'static str,
    /// The address and the number that were sent: kind, name and value of each field.
    whose: Vec<(Kind, String, String)>,
    /// What is said in the end; empty for the form's own words.
    thanks: &'static str,
    /// What happens once.
    told: Vec<&'static str>,
    outputs: VecDeque<Output>,
}

impl Session {
    /// A form that nobody has touched.
    #[must_use]
    pub fn new(mut setup: Setup) -> Self {
        Self {
            entries: std::mem::take(&mut setup.fields).into_iter().map(Entry::new).collect(),
            setup,
            place: Place::default(),
            state: State::Filling,
            step: 1,
            page: 0,
            token: Token::Missing,
            renewed: false,
            passed: Token::Missing,
            repeats: 0,
            status: "",
            whose: Vec::new(),
            thanks: "",
            told: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// What to do next; nothing once all is done until something happens.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The page at which the person begins, where all of them were in view before.
    pub fn handle_shown(&mut self, page: u32) {
        if page < self.page_count() {
            self.page = page;
        }
    }

    /// The person has begun with the form: the time that filling it in takes at least runs from the
    /// birth of its token.
    pub fn handle_touch(&mut self) {
        if self.first("touch") {
            self.ask_token();
            self.ask_challenge();
        }
    }

    /// The person has clicked into the form.
    pub fn handle_click(&mut self) {
        if self.first("FormClick") {
            self.report("FormClick", "");
        }
    }

    /// What a field holds, whoever has put it there.
    pub fn handle_given(&mut self, name: &str, given: Vec<String>) {
        if let Some(entry) = self.entry(name) {
            entry.given = given;
        }
    }

    /// The person has changed a field.
    pub fn handle_input(&mut self, name: &str, given: Vec<String>) {
        if self.state == State::Done {
            return;
        }
        self.handle_touch();
        if self.first("FormStartFilling") {
            self.report("FormStartFilling", "");
        }
        let today = self.setup.today;
        let Some(entry) = self.entry(name) else { return };
        entry.given = given;
        entry.touched = true;
        let hinted = std::mem::take(&mut entry.hinted);
        // What was wrong may be wrong in another way now, and that is told as it changes.
        let wrong = entry.shown.and_then(|_| entry.check(today).err());
        if hinted {
            self.say(Output::Suggest(name.to_owned(), None));
        }
        self.show(name, wrong);
    }

    /// What the person has typed into a field, perhaps before anything listened: then it counts now.
    pub fn handle_typed(&mut self, name: &str, given: Vec<String>) {
        if self.entry(name).is_some_and(|entry| !entry.touched) {
            self.handle_input(name, given);
        } else {
            self.handle_given(name, given);
        }
    }

    /// The person has stopped typing for a moment. What is wrong is not told yet.
    pub fn handle_pause(&mut self, name: &str) {
        let Some(entry) = self.entry(name) else { return };
        if let Some(meant) = entry.hint() {
            self.say(Output::Suggest(name.to_owned(), Some(meant)));
        }
    }

    /// The person has left a field.
    ///
    /// Who has only passed through it hears nothing.
    pub fn handle_leave(&mut self, name: &str) {
        if self.state == State::Done {
            return;
        }
        let today = self.setup.today;
        let Some(entry) = self.entry(name) else { return };
        if !entry.touched {
            return;
        }
        let checked = entry.check(today);
        if let Some(number) = entry.rewrite(&checked) {
            self.say(Output::Fill(name.to_owned(), number));
        }
        self.show(name, checked.err());
        self.handle_pause(name);
    }

    /// The person has said of which region their number is.
    pub fn handle_region(&mut self, name: &str, region: &str) {
        if let Some(entry) = self.entry(name) {
            entry.asked.field.region = Some(region.to_owned());
            if entry.given.iter().any(|text| !text.is_empty()) {
                self.handle_leave(name);
            }
        }
    }

    /// The person wants to see the page before.
    pub fn handle_back(&mut self) {
        if self.state == State::Filling && self.page > 0 {
            self.page -= 1;
            self.say(Output::ShowPage(self.step, self.page));
            self.status("");
        }
    }

    /// The person goes on to the next page, or sends the form from the last one.
    ///
    /// Nothing happens while it is being sent.
    pub fn handle_submit(&mut self, place: Place) {
        if self.state != State::Filling {
            return;
        }
        self.handle_touch();
        self.place = place;
        let last = self.page + 1 >= self.page_count();
        if let Some((name, page)) = self.check_all(last) {
            if page != self.page {
                self.page = page;
                self.say(Output::ShowPage(self.step, page));
            }
            self.status("look_again");
            return self.say(Output::Focus(name));
        }
        if !last {
            self.page += 1;
            self.status("");
            return self.say(Output::ShowPage(self.step, self.page));
        }
        self.state = State::Preparing;
        self.renewed = false;
        self.repeats = 0;
        self.proceed();
    }

    /// The Worker has given a token, or has not.
    pub fn handle_token(&mut self, token: Option<String>) {
        if self.token != Token::Asked {
            return;
        }
        if let Some(token) = token {
            self.token = Token::Here(token);
            return self.proceed();
        }
        self.token = Token::Missing;
        if self.state == State::Preparing {
            self.fail("offline", "token_missing");
        }
    }

    /// The challenge was passed; or it cannot be, or what passing it gave is good no longer.
    pub fn handle_challenge(&mut self, passed: Option<String>) {
        if let Some(passed) = passed {
            self.passed = Token::Here(passed);
            return self.proceed();
        }
        self.passed = Token::Missing;
        if self.state == State::Preparing && self.token != Token::Asked {
            self.fail("human", "challenge");
        }
    }

    /// The Worker has not answered the submission: it may have come or not.
    pub fn handle_silence(&mut self) {
        if self.state == State::Sending {
            self.passed = Token::Missing;
            self.drop_token();
            self.fail("offline", "unreachable");
        }
    }

    /// The pause is over.
    pub fn handle_wake(&mut self) {
        if self.state == State::Waiting {
            self.state = State::Preparing;
            self.proceed();
        }
    }

    /// Sends the form if it is to be sent and nothing is missing.
    fn proceed(&mut self) {
        if self.state != State::Preparing {
            return;
        }
        let Token::Here(token) = &self.token else {
            self.status("sending");
            return self.ask_token();
        };
        if self.is_challenged() && !matches!(self.passed, Token::Here(_)) {
            self.status("human");
            return self.ask_challenge();
        }
        let token = token.clone();
        if self.step == 1 {
            self.whose = self.reached();
        }
        let body = self.body(&token);
        self.state = State::Sending;
        self.status("sending");
        self.say(Output::Submit(body));
    }

    /// Shows what is wrong on the page, or in the whole step, and returns the first such field and
    /// its page.
    fn check_all(&mut self, whole: bool) -> Option<(String, u32)> {
        let mut first = None;
        let mut given = Vec::new();
        for index in 0..self.entries.len() {
            let Some(entry) = self.entries.get(index) else { continue };
            let Asked { field, step, page } = &entry.asked;
            if *step != self.step || !(whole || *page == self.page) {
                continue;
            }
            let (name, page) = (entry.name(), *page);
            let checked = entry.check(self.setup.today);
            if checked.as_ref().is_ok_and(|checked| !checked.is_empty()) {
                given.push(field.kind);
            }
            if checked.is_err() && first.is_none() {
                first = Some((name.clone(), page));
            }
            self.show(&name, checked.err());
        }
        if first.is_some() || !whole || !self.setup.subscribes || self.step > 1 {
            return first;
        }
        let wrong = check_reach(&given).err()?;
        let entry = self.entries.iter().find(|entry| entry.reaches())?;
        let (name, page) = (entry.name(), entry.asked.page);
        self.show(&name, Some(wrong));
        Some((name, page))
    }

    fn finish(&mut self) {
        self.state = State::Done;
        // Before anything of the form changes: who hears it may look at what it was.
        self.report("FormFinish", "");
        self.status("");
        self.say(Output::Thanks(self.thanks));
    }

    /// Gives the form back to the person. What was typed stays.
    fn fail(&mut self, status: &'static str, code: &str) {
        self.state = State::Filling;
        self.status(status);
        self.report("FormErrorSubscribe", code);
    }

    /// A token may be used up when nobody knows what became of it; the second step's cannot be had
    /// again.
    fn drop_token(&mut self) {
        if self.step == 1 {
            self.token = Token::Missing;
        }
    }

    /// Shows what is wrong with a field, or that nothing is, where that changes.
    fn show(&mut self, name: &str, wrong: Option<Wrong>) {
        let Some(entry) = self.entry(name) else { return };
        if entry.shown == wrong {
            return;
        }
        entry.shown = wrong;
        self.say(match wrong {
            Some(wrong) => Output::SetError(name.to_owned(), wrong),
            None => Output::ClearError(name.to_owned()),
        });
        if self.status == "look_again" && self.entries.iter().all(|entry| entry.shown.is_none()) {
            self.status("");
        }
    }

    fn ask_token(&mut self) {
        if self.token == Token::Missing {
            self.token = Token::Asked;
            self.say(Output::AskToken(["form:", &self.setup.id].concat()));
        }
    }

    fn ask_challenge(&mut self) {
        if self.is_challenged() && self.passed == Token::Missing {
            self.passed = Token::Asked;
            self.say(Output::AskChallenge);
        }
    }

    /// Whether the present step needs a challenge: who has the token of the second one has passed.
    fn is_challenged(&self) -> bool {
        self.setup.challenge && self.step == 1
    }

    /// Whether this happens for the first time.
    fn first(&mut self, what: &'static str) -> bool {
        let first = !self.told.contains(&what);
        if first {
            self.told.push(what);
        }
        first
    }

    fn status(&mut self, key: &'static str) {
        if self.status != key {
            self.status = key;
            self.say(Output::Status(key));
        }
    }

    fn report(&mut self, action: &'static str, code: &str) {
        self.say(Output::Report(action, code.to_owned()));
    }

    fn say(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn entry(&mut self, name: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.asked.field.name == name)
    }

    fn page_count(&self) -> u32 {
        if self.step == 1 { self.setup.pages[0] } else { self.setup.pages[1] }
    }
}
