//! Who the visitor is: GeneralInfo, CustomerData and `identify`.

use super::{
    super::schema::IDENTITY, BESIDE_THE_KEY, GIVE_AN_OBJECT, GOES_ALONG, LEFT_OUT, Reader, Rest,
    WRITTEN_AS_DOCUMENTED, join,
};
use crate::{
    problem::Code,
    value::{Value, find},
};

impl<const KEEP: bool> Reader<KEEP> {
    pub(super) fn later_argument(&mut self, argument: &Value) {
        let Value::Object(members) = argument else { return };
        let known = |(name, _): &(String, Value)| written(name) == Some(name);
        if let Some(general) = find(members, "GeneralInfo") {
            self.warn(Code::LaterGeneralInfo, "GeneralInfo", BESIDE_THE_KEY);
            self.general_info(general, "GeneralInfo");
        } else if members.iter().any(known) {
            self.warn(Code::LaterGeneralInfo, "GeneralInfo", BESIDE_THE_KEY);
            self.general(members.iter().collect(), "GeneralInfo");
        }
    }

    pub(super) fn general_info(&mut self, value: &Value, path: &str) {
        match value {
            Value::Object(members) => self.general(members.iter().collect(), path),
            Value::Null => {}
            _ => self.fail(Code::WrongType, path, GIVE_AN_OBJECT),
        }
    }

    /// The members of GeneralInfo, CustomerData or `identify`.
    pub(super) fn general(&mut self, members: Rest<'_>, path: &str) {
        for (name, value) in members {
            let at = join(path, name);
            match name.as_str() {
                "eventName" => {}
                "siteId" | "datetime" | "cookies" if !KEEP || self.from_page => {
                    self.warn(Code::IgnoredMember, &at, "the kit gives it for events of a page");
                }
                "siteId" => self.event.origin.site_id = self.identifier(value, &at),
                "datetime" => match value.as_whole() {
                    Some(datetime) => self.event.origin.datetime = Some(datetime),
                    None => self.fail(Code::WrongType, &at, "give Unix time in milliseconds"),
                },
                "cookies" => match value.member("sc") {
                    Some(sc) => {
                        self.event.origin.web_id = self.identifier(sc, &join(&at, "sc"));
                    }
                    None => self.warn(Code::IgnoredMember, &at, LEFT_OUT),
                },
                "s_location" => self.event.location = self.identifier(value, &at),
                _ => self.identity_member(name, value, &at),
            }
        }
    }

    fn identity_member(&mut self, name: &str, value: &Value, path: &str) {
        let Some(written) = written(name) else {
            self.limits(name, value, path);
            self.warn(Code::UnknownMember, path, GOES_ALONG);
            if KEEP {
                self.event.general_extra.push((name.into(), value.clone()));
            }
            return;
        };
        if written != name {
            self.warn(Code::Alias, path, WRITTEN_AS_DOCUMENTED);
        }
        let Some(text) = self.identifier(value, path) else { return };
        let identity = &mut self.event.identity;
        match identity.iter_mut().find(|(name, _)| name == written) {
            Some((_, known)) => *known = text,
            None => identity.push((written.into(), text)),
        }
    }
}

/// The documented name of an identity member that may come under another.
fn written(name: &str) -> Option<&'static str> {
    IDENTITY.iter().find(|names| names.contains(&name))?.first().copied()
}
