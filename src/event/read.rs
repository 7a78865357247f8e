//! Readers of untrusted input: the plain form, the tags form and the REST form.

mod value;

use super::{
    Event, Kind, MAX_DEPTH,
    schema::{IDENTIFIERS, IDENTITY, MAX_GUID, Shape},
};
use crate::{
    problem::{Code, Problem},
    value::{Members, Value, find},
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
        let tags_form = command == "sendEventWithTags";
        if command == "identify" {
            let data = arguments.first().cloned().unwrap_or_default();
            let mut reader = Reader::new(Kind::CustomerData, true);
            reader.check_depth(&data);
            reader.body(&data, tags_form);
            return reader.finish();
        }
        if !tags_form && command != "sendEvent" {
            let fix = "use sendEvent, sendEventWithTags or one of the kit's own commands";
            return Err(vec![Problem::new(Code::UnknownCommand, command, fix)]);
        }
        let name = match arguments.first() {
            Some(Value::Text(name)) => name.as_str(),
            _ => return Err(vec![Problem::new(Code::UnknownEvent, "", NAME_THE_EVENT)]),
        };
        let Some(kind) = Kind::from_name(name) else {
            return Err(vec![Problem::new(Code::UnknownEvent, name, NAME_THE_EVENT)]);
        };
        if kind == Kind::ProductUpdate {
            let fix = "send ProductUpdate from the shop's server";
            return Err(vec![Problem::new(Code::ServerOnly, name, fix)]);
        }
        let mut reader = Reader::new(kind, true);
        // The plain form's page names the impressions in the plural, the tags form's in the
        // singular.
        if kind == Kind::ProductImpression && name != kind.event_name() && !tags_form {
            reader.warn(Code::Alias, name.into(), WRITTEN_AS_DOCUMENTED);
        }
        for argument in arguments {
            reader.check_depth(argument);
        }
        match arguments.get(1) {
            None | Some(Value::Null) => reader.missing_data(),
            Some(Value::Object(members)) => reader.members(members, tags_form),
            Some(_) => reader.fail(Code::WrongType, kind.key().into(), GIVE_AN_OBJECT),
        }
        for argument in arguments.iter().skip(2) {
            reader.later_argument(argument);
        }
        reader.finish()
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
        let mut reader = Reader::new(kind, false);
        if name != kind.event_name() {
            reader.warn(Code::Alias, path.into(), WRITTEN_AS_DOCUMENTED);
        }
        reader.check_depth(body);
        reader.members(members, true);
        if kind != Kind::ProductUpdate && reader.event.origin.web_id.is_none() {
            let fix = "give the visitor's cookie sc, or a value of your own per visitor";
            reader.fail(Code::MissingField, "GeneralInfo.cookies.sc".into(), fix);
        }
        reader.finish()
    }

    /// The body that the vendor's plug-in for `WooCommerce` sends to tie a web id to a contact.
    fn from_web_contact(body: &Value, members: &Members) -> Result<Reading, Vec<Problem>> {
        let mut reader = Reader::new(Kind::CustomerData, false);
        reader.check_depth(body);
        reader.warn(Code::Alias, "webId".into(), "read as CustomerData");
        let mut rest = Members::new();
        for (name, value) in members {
            match name.as_str() {
                "webId" => reader.event.origin.web_id = reader.identifier(value, "webId"),
                "orgId" => reader.warn(Code::IgnoredMember, "orgId".into(), LEFT_OUT),
                _ => rest.push((name.clone(), value.clone())),
            }
        }
        reader.general(&rest, "");
        if reader.event.origin.web_id.is_none() {
            reader.fail(Code::MissingField, "webId".into(), "give the visitor's cookie sc");
        }
        reader.finish()
    }
}

struct Reader {
    event: Event,
    /// Whether the input comes from a page, where the web id and the time are the kit's to say.
    from_page: bool,
    warnings: Vec<Problem>,
    errors: Vec<Problem>,
}

impl Reader {
    fn new(kind: Kind, from_page: bool) -> Self {
        Self { event: Event::new(kind), from_page, warnings: Vec::new(), errors: Vec::new() }
    }

    fn finish(mut self) -> Result<Reading, Vec<Problem>> {
        let kind = self.event.kind;
        if self.errors.is_empty() {
            if kind == Kind::PurchasedItems && self.event.order_number.is_none() {
                self.fail(Code::MissingField, "OrderNumber".into(), "give the order's number");
            }
            let known = |(name, _): &(String, String)| IDENTIFIERS.contains(&name.as_str());
            if kind == Kind::CustomerData && !self.event.identity.iter().any(known) {
                self.fail(Code::MissingField, kind.key().into(), GIVE_IDENTIFIER);
            }
        }
        if self.errors.is_empty() {
            Ok(Reading { event: self.event, warnings: self.warnings })
        } else {
            Err(self.errors)
        }
    }

    fn warn(&mut self, code: Code, field: String, fix: &'static str) {
        self.warnings.push(Problem::new(code, field, fix));
    }

    fn fail(&mut self, code: Code, field: String, fix: &'static str) {
        self.errors.push(Problem::new(code, field, fix));
    }

    fn check_depth(&mut self, value: &Value) {
        if value.depth() > MAX_DEPTH {
            self.fail(Code::TooDeep, String::new(), FLATTEN);
        }
    }

    fn missing_data(&mut self) {
        if !matches!(self.event.kind.shape(), Shape::Nothing) {
            let fix = "give the event's data under its own key";
            self.fail(Code::MissingField, self.event.kind.key().into(), fix);
        }
    }

    /// The object that holds the event's key, and what may stand beside it.
    fn members(&mut self, members: &Members, tags_form: bool) {
        let kind = self.event.kind;
        let mut seen = false;
        for (name, value) in members {
            match name.as_str() {
                "GeneralInfo" => self.general_info(value, "GeneralInfo"),
                "Tags" => self.tags(value, "Tags"),
                "GUID" if kind.has_guid() => self.guid(value, "GUID"),
                "OrderNumber" if kind == Kind::PurchasedItems => {
                    self.order_number(value, "OrderNumber");
                }
                name if name == kind.key() => {
                    seen = true;
                    self.body(value, tags_form);
                }
                name if name == kind.event_name() => {
                    seen = true;
                    self.warn(Code::Alias, name.into(), WRITTEN_AS_DOCUMENTED);
                    self.body(value, tags_form);
                }
                _ => self.unknown(name, value, ""),
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
                    self.warn(Code::OtherNesting, key.into(), "the list belongs under Products");
                }
                self.products(items, fields, key);
            }
            (Shape::Products(fields), Value::Object(members)) => {
                if !tags_form && find(members, "Products").is_some() {
                    let fix = "lists under Products belong to sendEventWithTags";
                    self.warn(Code::OtherNesting, key.into(), fix);
                }
                let rest = self.common(members, key);
                for (name, value) in rest {
                    let path = join(key, &name);
                    match (name.as_str(), value) {
                        ("Products", Value::List(items)) => self.products(&items, fields, &path),
                        ("Products", _) => self.fail(Code::WrongType, path, "give a list"),
                        (_, value) => self.unknown(&name, &value, key),
                    }
                }
                if self.event.products.is_none() && kind != Kind::PurchasedItems {
                    let fix = "give the list of products";
                    self.fail(Code::MissingField, join(key, "Products"), fix);
                }
            }
            (Shape::Products(_) | Shape::Update(_), _) => {
                self.fail(Code::WrongType, key.into(), "give a list of products");
            }
            (Shape::One(nest, fields), Value::Object(members)) => {
                let mut rest = self.common(members, key);
                let mut path = key.to_owned();
                let inner = nest.and_then(|nest| find(&rest, nest).cloned().map(|v| (nest, v)));
                if nest.is_some() && tags_form != inner.is_some() {
                    let fix = "sendEvent takes the fields under the event's key, \
                               sendEventWithTags one level deeper";
                    self.warn(Code::OtherNesting, key.into(), fix);
                }
                if let Some((nest, inner)) = inner {
                    rest.retain(|(name, _)| name != nest);
                    for (name, value) in &rest {
                        self.unknown(name, value, key);
                    }
                    path = join(key, nest);
                    match inner {
                        Value::Object(members) => rest = members,
                        _ => return self.fail(Code::WrongType, path, GIVE_AN_OBJECT),
                    }
                }
                self.event.fields = self.fields(&rest, fields, &path);
            }
            (Shape::Nothing, Value::Object(members)) => {
                for (name, value) in self.common(members, key) {
                    self.unknown(&name, &value, key);
                }
            }
            (Shape::Nothing, Value::Null) => {}
            (Shape::Identity, Value::Object(members)) => {
                let rest = self.common(members, key);
                self.general(&rest, key);
            }
            (Shape::One(..) | Shape::Nothing | Shape::Identity, _) => {
                self.fail(Code::WrongType, key.into(), GIVE_AN_OBJECT);
            }
        }
    }

    /// Takes out of `members` what every event may hold under its key; returns the rest.
    fn common(&mut self, members: &Members, key: &str) -> Members {
        let kind = self.event.kind;
        let mut rest = Members::new();
        for (name, value) in members {
            let path = join(key, name);
            match name.as_str() {
                "GeneralInfo" => {
                    let fix = "GeneralInfo belongs beside the event's key";
                    self.warn(Code::NestedGeneralInfo, path.clone(), fix);
                    self.general_info(value, &path);
                }
                "Tags" => self.tags(value, &path),
                "GUID" if kind.has_guid() => self.guid(value, &path),
                "OrderNumber" if kind == Kind::PurchasedItems => self.order_number(value, &path),
                _ => rest.push((name.clone(), value.clone())),
            }
        }
        rest
    }

    fn later_argument(&mut self, argument: &Value) {
        let Value::Object(members) = argument else { return };
        let known = |(name, _): &(String, Value)| IDENTITY.iter().any(|(known, _)| known == name);
        let fix = "GeneralInfo belongs beside the event's key";
        if let Some(general) = find(members, "GeneralInfo") {
            self.warn(Code::LaterGeneralInfo, "GeneralInfo".into(), fix);
            self.general_info(general, "GeneralInfo");
        } else if members.iter().any(known) {
            self.warn(Code::LaterGeneralInfo, "GeneralInfo".into(), fix);
            self.general(members, "GeneralInfo");
        }
    }

    fn general_info(&mut self, value: &Value, path: &str) {
        match value {
            Value::Object(members) => self.general(members, path),
            Value::Null => {}
            _ => self.fail(Code::WrongType, path.into(), GIVE_AN_OBJECT),
        }
    }

    /// The members of GeneralInfo, CustomerData or `identify`.
    fn general(&mut self, members: &Members, path: &str) {
        for (name, value) in members {
            let at = join(path, name);
            match name.as_str() {
                "eventName" => {}
                "siteId" | "datetime" | "cookies" if self.from_page => {
                    self.warn(Code::IgnoredMember, at, "the kit gives it for events of a page");
                }
                "siteId" => self.event.origin.site_id = self.identifier(value, &at),
                "datetime" => match value.as_whole() {
                    Some(datetime) => self.event.origin.datetime = Some(datetime),
                    None => self.fail(Code::WrongType, at, "give Unix time in milliseconds"),
                },
                "cookies" => match value.member("sc") {
                    Some(sc) => {
                        self.event.origin.web_id = self.identifier(sc, &join(&at, "sc"));
                    }
                    None => self.warn(Code::IgnoredMember, at, LEFT_OUT),
                },
                "s_location" => self.event.location = self.identifier(value, &at),
                _ => self.identity_member(name, value, at),
            }
        }
    }

    fn identity_member(&mut self, name: &str, value: &Value, path: String) {
        let known = IDENTITY.iter().find(|(known, also)| *known == name || also.contains(&name));
        let Some(&(written, _)) = known else {
            self.limits(name, value, &path);
            self.warn(Code::UnknownMember, path, GOES_ALONG);
            self.event.general_extra.push((name.into(), value.clone()));
            return;
        };
        if written != name {
            self.warn(Code::Alias, path.clone(), WRITTEN_AS_DOCUMENTED);
        }
        let Some(text) = self.identifier(value, &path) else { return };
        let identity = &mut self.event.identity;
        if let Some((_, known)) = identity.iter_mut().find(|(name, _)| name == written) {
            *known = text;
            return;
        }
        let rank = |name: &str| IDENTITY.iter().position(|(known, _)| *known == name);
        let place = identity.iter().position(|(name, _)| rank(name) > rank(written));
        identity.insert(place.unwrap_or(identity.len()), (written.into(), text));
    }

    fn guid(&mut self, value: &Value, path: &str) {
        if let Some(text) = self.identifier(value, path) {
            // .NET prints GUIDs in braces; the digits are the GUID.
            let text = text.trim_start_matches('{').trim_end_matches('}');
            if text.len() > MAX_GUID {
                self.fail(Code::TooLong, path.into(), "give a GUID of at most 72 characters");
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
            Value::Object(members) => {
                for (name, value) in members {
                    // Y-JS writes `blockId` in the plain form and `block_id` in the tags form.
                    let written = match name.as_str() {
                        "blockId" if self.event.kind == Kind::PurchasedItems => "block_id",
                        name => name,
                    };
                    let path = join(path, name);
                    if written != name {
                        self.warn(Code::Alias, path.clone(), WRITTEN_AS_DOCUMENTED);
                    }
                    if let Some(values) = self.texts(value, &path) {
                        self.name_limit(name, &path);
                        self.event.tags.push((written.into(), values));
                    }
                }
            }
            Value::Null => {}
            _ => self.fail(Code::WrongType, path.into(), "give an object of lists of text"),
        }
    }

    /// A member that the documents do not know goes along where it stood.
    fn unknown(&mut self, name: &str, value: &Value, inside: &str) {
        let path = join(inside, name);
        self.limits(name, value, &path);
        self.warn(Code::UnknownMember, path, GOES_ALONG);
        let place = if inside.is_empty() { &mut self.event.beside } else { &mut self.event.inside };
        place.push((name.into(), value.clone()));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { [path, ".", name].concat() }
}
