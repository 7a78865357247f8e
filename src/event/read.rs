//! Readers of untrusted input: the plain form, the tags form and the REST form.

mod identity;
mod value;

use super::{
    Event, Kind, MAX_DEPTH,
    schema::{IDENTIFIERS, IDENTITY, MAX_GUID, Shape},
};
use crate::{
    problem::{Code, Problem},
    value::{Members, Value, find, write_whole},
};

/// An event that could be read, and what was odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// The event.
    pub event: Event,
    /// Variants that were read but are not preferred, and what was left out.
    pub warnings: Vec<Problem>,
}

const NAME_THE_EVENT: &str = "name one of the platform's web events, for instance ProductPage; \
                              event types of your own go through the REST API";
const GIVE_AN_OBJECT: &str = "give an object";
const GIVE_TEXT: &str = "give text of at most 8192 bytes";
const WRITTEN_AS_DOCUMENTED: &str = "read, and written under the documented name";
const GOES_ALONG: &str = "not in the platform's documents; it goes along unchanged";
const BESIDE_THE_KEY: &str = "GeneralInfo belongs beside the event's key";
const LEFT_OUT: &str = "left out";
const FLATTEN: &str = "nest lists and objects at most 16 deep";
const GIVE_IDENTIFIER: &str = "give one of externalCustomerId, user_email, user_phone";

impl Event {
    /// Reads a call of the page: `sendEvent`, `sendEventWithTags` or the kit's `identify`.
    ///
    /// `arguments` are those behind the command's name. Both documented nestings are read under
    /// either command.
    ///
    /// # Errors
    ///
    /// Every reason for which the platform would not take the event; never empty.
    pub fn from_call(command: &str, arguments: &[Value]) -> Result<Reading, Vec<Problem>> {
        let mut reader = Reader::<true>::new(Kind::CustomerData, true);
        reader.call(command, arguments);
        reader.finish()
    }

    /// Why the platform would not take a call; `None` if it would.
    #[must_use]
    pub fn check_call(command: &str, arguments: &[Value]) -> Option<Problem> {
        let mut reader = Reader::<false>::new(Kind::CustomerData, true);
        reader.call(command, arguments);
        reader.errors.into_iter().next()
    }

    /// Reads a body as a shop's server sends it to the tracker (Y-REST).
    ///
    /// # Errors
    ///
    /// Every reason for which the platform would not take the event; never empty.
    pub fn from_rest(body: &Value) -> Result<Reading, Vec<Problem>> {
        let fix = "give an object with GeneralInfo and the event's own key";
        let Value::Object(members) = body else {
            return Err(vec![Problem::new(Code::WrongType, "", fix)]);
        };
        let Some(general) = find(members, "GeneralInfo") else {
            if find(members, "webId").is_some() {
                return Self::from_web_contact(body, members);
            }
            return Err(vec![Problem::new(Code::MissingField, "GeneralInfo", fix)]);
        };
        let path = "GeneralInfo.eventName";
        let kind = match general.member("eventName") {
            Some(Value::Text(name)) => Kind::from_name(name).map(|kind| (kind, name)),
            None => return Err(vec![Problem::new(Code::MissingField, path, NAME_THE_EVENT)]),
            Some(_) => None,
        };
        let Some((kind, name)) = kind else {
            return Err(vec![Problem::new(Code::UnknownEvent, path, NAME_THE_EVENT)]);
        };
        let mut reader = Reader::<true>::new(kind, false);
        if name != kind.event_name() {
            reader.warn(Code::Alias, path, WRITTEN_AS_DOCUMENTED);
        }
        reader.check_depth(body);
        reader.members(members, true);
        if kind != Kind::ProductUpdate && reader.event.origin.web_id.is_none() {
            let fix = "give the visitor's cookie sc, or a value of your own per visitor";
            reader.fail(Code::MissingField, "GeneralInfo.cookies.sc", fix);
        }
        reader.complete();
        reader.finish()
    }

    /// The body that the vendor's plug-in for `WooCommerce` sends to tie a web id to a contact.
    fn from_web_contact(body: &Value, members: &Members) -> Result<Reading, Vec<Problem>> {
        let mut reader = Reader::<true>::new(Kind::CustomerData, false);
        reader.check_depth(body);
        reader.warn(Code::Alias, "webId", "read as CustomerData");
        let mut rest = Rest::new();
        for member in members {
            let (name, value) = member;
            match name.as_str() {
                "webId" => reader.event.origin.web_id = reader.identifier(value, "webId"),
                "orgId" => reader.warn(Code::IgnoredMember, "orgId", LEFT_OUT),
                _ => rest.push(member),
            }
        }
        reader.general(rest, "");
        if reader.event.origin.web_id.is_none() {
            reader.fail(Code::MissingField, "webId", "give the visitor's cookie sc");
        }
        reader.complete();
        reader.finish()
    }
}

/// Members that are yet to be read.
type Rest<'a> = Vec<&'a (String, Value)>;

/// Reads an event. Without `KEEP` only what the checks need stays of it, and no warning does: the
/// page only has to know whether the platform would take the event.
struct Reader<const KEEP: bool> {
    event: Event,
    /// Whether the input comes from a page, where the web id and the time are the kit's to say.
    from_page: bool,
    warnings: Vec<Problem>,
    errors: Vec<Problem>,
}

impl<const KEEP: bool> Reader<KEEP> {
    fn new(kind: Kind, from_page: bool) -> Self {
        Self { event: Event::new(kind), from_page, warnings: Vec::new(), errors: Vec::new() }
    }

    /// Reads a call. The kind comes from it, unless it is `identify`, which is always CustomerData.
    fn call(&mut self, command: &str, arguments: &[Value]) {
        let tags_form = command == "sendEventWithTags";
        if command == "identify" {
            let data = arguments.first().unwrap_or(&Value::Null);
            self.check_depth(data);
            self.body(data, tags_form);
            return self.complete();
        }
        if !tags_form && command != "sendEvent" {
            let fix = "use sendEvent, sendEventWithTags or one of the kit's own commands";
            return self.fail(Code::UnknownCommand, command, fix);
        }
        let name = arguments.first().and_then(Value::as_text).unwrap_or_default();
        let Some(kind) = Kind::from_name(name) else {
            return self.fail(Code::UnknownEvent, name, NAME_THE_EVENT);
        };
        if kind == Kind::ProductUpdate {
            let fix = "send ProductUpdate from the shop's server";
            return self.fail(Code::ServerOnly, name, fix);
        }
        self.event.kind = kind;
        // The plain form's page names the impressions in the plural, the tags form's in the
        // singular.
        if kind == Kind::ProductImpression && name != kind.event_name() && !tags_form {
            self.warn(Code::Alias, name, WRITTEN_AS_DOCUMENTED);
        }
        for argument in arguments {
            self.check_depth(argument);
        }
        match arguments.get(1) {
            None | Some(Value::Null) => self.missing_data(),
            Some(Value::Object(members)) => self.members(members, tags_form),
            Some(_) => self.fail(Code::WrongType, kind.key(), GIVE_AN_OBJECT),
        }
        for argument in arguments.iter().skip(2) {
            self.later_argument(argument);
        }
        self.complete();
    }

    /// Looks for what only the whole event can lack.
    fn complete(&mut self) {
        let kind = self.event.kind;
        if !self.errors.is_empty() {
            return;
        }
        if kind == Kind::PurchasedItems && self.event.order_number.is_none() {
            self.fail(Code::MissingField, "OrderNumber", "give the order's number");
        }
        let known = |(name, _): &(String, String)| IDENTIFIERS.contains(&name.as_str());
        if kind == Kind::CustomerData && !self.event.identity.iter().any(known) {
            self.fail(Code::MissingField, kind.key(), GIVE_IDENTIFIER);
        }
    }

    fn finish(mut self) -> Result<Reading, Vec<Problem>> {
        let rank = |name: &str| IDENTITY.iter().position(|names| names.first() == Some(&name));
        self.event.identity.sort_by_key(|(name, _)| rank(name));
        if self.errors.is_empty() {
            Ok(Reading { event: self.event, warnings: self.warnings })
        } else {
            Err(self.errors)
        }
    }

    fn warn(&mut self, code: Code, field: &str, fix: &'static str) {
        if KEEP {
            self.warnings.push(Problem::new(code, field, fix));
        }
    }

    fn fail(&mut self, code: Code, field: &str, fix: &'static str) {
        self.errors.push(Problem::new(code, field, fix));
    }

    fn check_depth(&mut self, value: &Value) {
        if value.depth() > MAX_DEPTH {
            self.fail(Code::TooDeep, "", FLATTEN);
        }
    }

    fn missing_data(&mut self) {
        if !matches!(self.event.kind.shape(), Shape::Nothing) {
            let fix = "give the event's data under its own key";
            self.fail(Code::MissingField, self.event.kind.key(), fix);
        }
    }

    /// The object that holds the event's key, and what may stand beside it.
    fn members(&mut self, members: &Members, tags_form: bool) {
        let kind = self.event.kind;
        let mut seen = false;
        for (name, value) in members {
            if self.shared(name, value, "") {
            } else if name == kind.key() {
                seen = true;
                self.body(value, tags_form);
            } else if name == kind.event_name() {
                seen = true;
                self.warn(Code::Alias, name, WRITTEN_AS_DOCUMENTED);
                self.body(value, tags_form);
            } else {
                self.unknown(name, value, "");
            }
        }
        let optional = matches!(kind.shape(), Shape::Nothing)
            // CustomerData may stand on GeneralInfo alone, as in the REST form.
            || (matches!(kind.shape(), Shape::Identity) && !self.event.identity.is_empty());
        if !seen && !optional {
            self.missing_data();
        }
    }

    /// What stands under the event's key.
    fn body(&mut self, value: &Value, tags_form: bool) {
        let kind = self.event.kind;
        let key = kind.key();
        match (kind.shape(), value) {
            (Shape::Products(fields) | Shape::Update(fields), Value::List(items)) => {
                if tags_form && matches!(kind.shape(), Shape::Products(_)) {
                    self.warn(Code::OtherNesting, key, "the list belongs under Products");
                }
                self.products(items, fields, key);
            }
            (Shape::Products(fields), Value::Object(members)) => {
                if !tags_form && find(members, "Products").is_some() {
                    let fix = "lists under Products belong to sendEventWithTags";
                    self.warn(Code::OtherNesting, key, fix);
                }
                for (name, value) in self.rest(members, key) {
                    let path = join(key, name);
                    match (name.as_str(), value) {
                        ("Products", Value::List(items)) => self.products(items, fields, &path),
                        ("Products", _) => self.fail(Code::WrongType, &path, "give a list"),
                        _ => self.unknown(name, value, key),
                    }
                }
                if self.event.products.is_none() && kind != Kind::PurchasedItems {
                    let fix = "give the list of products";
                    self.fail(Code::MissingField, &join(key, "Products"), fix);
                }
            }
            (Shape::Products(_) | Shape::Update(_), _) => {
                self.fail(Code::WrongType, key, "give a list of products");
            }
            (Shape::One(nest, fields), Value::Object(members)) => {
                let mut rest = self.rest(members, key);
                let mut path = key.to_owned();
                let inner = nest.and_then(|nest| find_in(&rest, nest));
                if nest.is_some() && tags_form != inner.is_some() {
                    let fix = "sendEvent takes the fields under the event's key, \
                               sendEventWithTags one level deeper";
                    self.warn(Code::OtherNesting, key, fix);
                }
                if let (Some(nest), Some(inner)) = (nest, inner) {
                    for (name, value) in rest {
                        if name != nest {
                            self.unknown(name, value, key);
                        }
                    }
                    path = join(key, nest);
                    let Value::Object(members) = inner else {
                        return self.fail(Code::WrongType, &path, GIVE_AN_OBJECT);
                    };
                    rest = members.iter().collect();
                }
                self.event.fields = self.fields(rest, fields, &path);
            }
            (Shape::Nothing, Value::Object(members)) => {
                for (name, value) in self.rest(members, key) {
                    self.unknown(name, value, key);
                }
            }
            (Shape::Nothing, Value::Null) => {}
            (Shape::Identity, Value::Object(members)) => {
                let rest = self.rest(members, key);
                self.general(rest, key);
            }
            (Shape::One(..) | Shape::Nothing | Shape::Identity, _) => {
                self.fail(Code::WrongType, key, GIVE_AN_OBJECT);
            }
        }
    }

    /// Reads what every event may hold under its key; returns the rest.
    fn rest<'a>(&mut self, members: &'a Members, key: &str) -> Rest<'a> {
        let mut rest = Rest::new();
        for member in members {
            if !self.shared(&member.0, &member.1, key) {
                rest.push(member);
            }
        }
        rest
    }

    /// Reads a member that every event may hold, under its key or beside it; `false` if it is none.
    fn shared(&mut self, name: &str, value: &Value, inside: &str) -> bool {
        let kind = self.event.kind;
        let path = join(inside, name);
        match name {
            "GeneralInfo" => {
                if !inside.is_empty() {
                    self.warn(Code::NestedGeneralInfo, &path, BESIDE_THE_KEY);
                }
                self.general_info(value, &path);
            }
            "Tags" => self.tags(value, &path),
            "GUID" if kind.has_guid() => self.guid(value, &path),
            "OrderNumber" if kind == Kind::PurchasedItems => self.order_number(value, &path),
            _ => return false,
        }
        true
    }

    fn guid(&mut self, value: &Value, path: &str) {
        if let Some(text) = self.identifier(value, path) {
            // .NET prints GUIDs in braces; the digits are the GUID.
            let mut text = text.as_str();
            while let Some(rest) = text.strip_prefix('{') {
                text = rest;
            }
            while let Some(rest) = text.strip_suffix('}') {
                text = rest;
            }
            if text.len() > MAX_GUID {
                self.fail(Code::TooLong, path, "give a GUID of at most 72 characters");
            }
            self.event.guid = Some(text.into());
        }
    }

    fn order_number(&mut self, value: &Value, path: &str) {
        if let Some(text) = self.identifier(value, path) {
            self.event.order_number = Some(text);
        }
    }

    fn tags(&mut self, value: &Value, path: &str) {
        match value {
            // It stands on GeneralInfo alone, so there is no place for tags.
            Value::Object(_) if self.event.kind == Kind::CustomerData => {
                self.warn(Code::IgnoredMember, path, LEFT_OUT);
            }
            Value::Object(members) => {
                for (name, value) in members {
                    // Y-JS writes `blockId` in the plain form and `block_id` in the tags form.
                    let written = match name.as_str() {
                        "blockId" if self.event.kind == Kind::PurchasedItems => "block_id",
                        name => name,
                    };
                    let path = join(path, name);
                    if written != name {
                        self.warn(Code::Alias, &path, WRITTEN_AS_DOCUMENTED);
                    }
                    if let Some(values) = self.texts(value, &path) {
                        self.name_limit(name, &path);
                        if KEEP {
                            self.event.tags.push((written.into(), values));
                        }
                    }
                }
            }
            Value::Null => {}
            _ => self.fail(Code::WrongType, path, "give an object of lists of text"),
        }
    }

    /// A member that the documents do not know goes along where it stood.
    fn unknown(&mut self, name: &str, value: &Value, inside: &str) {
        let path = join(inside, name);
        self.limits(name, value, &path);
        self.warn(Code::UnknownMember, &path, GOES_ALONG);
        if KEEP {
            let event = &mut self.event;
            let place = if inside.is_empty() { &mut event.beside } else { &mut event.inside };
            place.push((name.into(), value.clone()));
        }
    }
}

/// The member `name`, as [`find`] would find it.
fn find_in<'a>(members: &[&'a (String, Value)], name: &str) -> Option<&'a Value> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The path of the member `name` of the object at `path`.
fn join(path: &str, name: &str) -> String {
    let mut out = String::from(path);
    if !path.is_empty() {
        out.push('.');
    }
    out.push_str(name);
    out
}

/// The path of an entry of the list at `path`.
fn entry(path: &str, index: usize) -> String {
    let mut out = String::from(path);
    out.push('[');
    write_whole(u64::try_from(index).unwrap_or(u64::MAX), &mut out);
    out.push(']');
    out
}

/// The number of characters.
///
/// Counts the bytes that begin one: what `chars().count()` does in less time and more code.
fn length(text: &str) -> usize {
    text.bytes().filter(|byte| byte & 0xc0 != 0x80).count()
}
