//! Reading a body member by member, with the path of each for the refusal.

use serde_json::{Map, Value};

use super::Refusal;

/// An object of the body that remembers which members were asked for.
#[derive(Debug)]
pub(super) struct Object<'a> {
    path: String,
    members: &'a Map<String, Value>,
    seen: Vec<&'a str>,
}

impl<'a> Object<'a> {
    /// The body itself.
    pub(super) fn top(body: &'a Value) -> Result<Self, Refusal> {
        let members =
            body.as_object().ok_or_else(|| Refusal::whole("type", "the body is an object"))?;
        Ok(Self { path: String::new(), members, seen: Vec::new() })
    }

    pub(super) fn optional(&mut self, name: &str) -> Option<Field<'a>> {
        let (name, value) = self.members.get_key_value(name)?;
        self.seen.push(name);
        Some(Field { path: self.path_of(name), value })
    }

    pub(super) fn required(&mut self, name: &str) -> Result<Field<'a>, Refusal> {
        self.optional(name).ok_or_else(|| Refusal {
            code: "required",
            field: Some(self.path_of(name)),
            message: format!("{name} is required"),
        })
    }

    /// All members, known by name or not.
    pub(super) fn all(&mut self) -> Vec<Field<'a>> {
        self.matching(|_| true)
    }

    /// The free tags of a product.
    pub(super) fn tags(&mut self) -> Vec<Field<'a>> {
        self.matching(is_tag)
    }

    fn matching(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<Field<'a>> {
        let mut fields = Vec::new();
        for (name, value) in self.members.iter().filter(|(name, _)| wanted(name)) {
            self.seen.push(name);
            fields.push(Field { path: self.path_of(name), value });
        }
        fields
    }

    /// Refuses members that belong to the form of the browser's calls.
    pub(super) fn not_from_js(&self, names: &[&str], instead: &str) -> Result<(), Refusal> {
        match self.members.keys().find(|name| names.contains(&name.as_str())) {
            Some(name) => Err(js_form(self.path_of(name), instead)),
            None => Ok(()),
        }
    }

    /// As [`Object::not_from_js`], for the free tags of a product.
    pub(super) fn no_tags_here(&self, instead: &str) -> Result<(), Refusal> {
        match self.members.keys().find(|name| is_tag(name)) {
            Some(name) => Err(js_form(self.path_of(name), instead)),
            None => Ok(()),
        }
    }

    /// Whether any of these members is there.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.members.contains_key(*name))
    }

    /// Reports the members that nobody asked for.
    pub(super) fn finish(self, extras: &mut Vec<String>) {
        let unasked = self.members.keys().filter(|name| !self.seen.contains(&name.as_str()));
        extras.extend(unasked.map(|name| self.path_of(name)));
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

fn is_tag(name: &str) -> bool {
    name.strip_prefix("tag_").is_some_and(|rest| !rest.is_empty())
}

fn js_form(path: String, instead: &str) -> Refusal {
    Refusal {
        code: "js_form",
        field: Some(path),
        message: format!("this is the form of the browser's calls; {instead}"),
    }
}

/// A value of the body and its place.
#[derive(Debug)]
pub(super) struct Field<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Field<'a> {
    pub(super) fn refuse(&self, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, field: Some(self.path.clone()), message: message.into() }
    }

    /// The last part of its path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit_once('.').map_or(&self.path, |(_, name)| name)
    }

    pub(super) fn text(&self) -> Result<&'a str, Refusal> {
        let text = self.value.as_str().ok_or_else(|| self.refuse("type", "text is expected"))?;
        if text.trim().is_empty() {
            return Err(self.refuse("empty", "the text is empty"));
        }
        Ok(text)
    }

    pub(super) fn text_or_number(&self) -> Result<(), Refusal> {
        if self.value.is_number() {
            return Ok(());
        }
        if self.value.is_string() {
            return self.text().map(|_| ());
        }
        Err(self.refuse("type", "text or a number is expected"))
    }

    pub(super) fn whole(&self) -> Result<u64, Refusal> {
        self.value.as_u64().ok_or_else(|| self.refuse("type", "a whole number is expected"))
    }

    /// 0 or 1 as a number.
    pub(super) fn flag(&self) -> Result<(), Refusal> {
        match self.whole()? {
            0 | 1 => Ok(()),
            _ => Err(self.refuse("value", "0 or 1 is expected")),
        }
    }

    /// 0 or 1 as a number or as text.
    pub(super) fn flag_or_text(&self) -> Result<(), Refusal> {
        match self.value.as_str() {
            Some("0" | "1") => Ok(()),
            Some(_) => Err(self.refuse("value", "0 or 1 is expected")),
            None => self.flag(),
        }
    }

    pub(super) fn texts(&self) -> Result<(), Refusal> {
        match self.list()?.iter().find(|item| !item.value.is_string()) {
            Some(item) => Err(item.refuse("type", "text is expected")),
            None => Ok(()),
        }
    }

    /// Text, a number, or a list of them: where tables and examples of the documents differ.
    pub(super) fn scalar_or_list(&self) -> Result<(), Refusal> {
        if self.value.is_array() {
            return self.list()?.iter().try_for_each(Field::text_or_number);
        }
        self.text_or_number()
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, Refusal> {
        let list =
            self.value.as_array().ok_or_else(|| self.refuse("type", "a list is expected"))?;
        let item = |(index, value)| Self { path: format!("{}[{index}]", self.path), value };
        Ok(list.iter().enumerate().map(item).collect())
    }

    pub(super) fn filled_list(&self) -> Result<Vec<Self>, Refusal> {
        let list = self.list()?;
        if list.is_empty() {
            return Err(self.refuse("empty", "the list is empty"));
        }
        Ok(list)
    }

    pub(super) fn object(&self) -> Result<Object<'a>, Refusal> {
        let members =
            self.value.as_object().ok_or_else(|| self.refuse("type", "an object is expected"))?;
        Ok(Object { path: self.path.clone(), members, seen: Vec::new() })
    }

    /// As [`Field::object`], for a body that the browser's calls give as a bare list.
    pub(super) fn object_not_list(&self) -> Result<Object<'a>, Refusal> {
        if self.value.is_array() {
            return Err(js_form(self.path.clone(), "here the list is the member Products"));
        }
        self.object()
    }
}
