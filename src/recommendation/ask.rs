//! What a page asks for: the parameters of `eS('getRecommendations', …)`, as an object or in the query
//! of an address.

use super::filter::Filters;
use crate::{
    identity::decode,
    problem::{Code, Problem},
    value::{Members, Value, is_blank},
};

/// Most products that a recommendation can be about: a full cart.
const MOST_PRODUCTS: usize = 100;

/// Longest id of a product, of a field and the like, in characters.
const LONGEST_NAME: usize = 200;

/// Longest category, in characters: a path of several levels.
const LONGEST_CATEGORY: usize = 500;

/// What a page asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask {
    /// The variant's id, or a test's name.
    pub variant: String,
    /// Products that it is about: the page's, or those of the cart.
    pub products: Vec<String>,
    /// The category that it is about, as the feed names it.
    pub category: Option<String>,
    /// The field of the feed that `category` is a value of, where it is no category.
    pub category_field: Option<String>,
    /// Whether all attributes of the products are wanted.
    pub all_fields: bool,
    /// Which products are wanted.
    pub filters: Filters,
}

impl Ask {
    /// Reads the parameters of `eS('getRecommendations', …)`. What the vendor's documents do not name
    /// is left aside, as its own script does.
    ///
    /// # Errors
    ///
    /// The first parameter that cannot be used, by its name there.
    pub fn read(parameters: &Value) -> Result<Self, Problem> {
        let Value::Object(members) = parameters else {
            let fix = "give an object: {variantId: \"r12v34\"}";
            return Err(Problem::new(Code::WrongType, "", fix));
        };
        let member = |name: &str| match crate::value::find(members, name) {
            None | Some(Value::Null) => None,
            Some(value) => Some(value),
        };
        let name = |field: &str, longest: usize| {
            member(field).map(|value| text(value, field, longest)).transpose()
        };
        let Some(variant) = name("variantId", LONGEST_NAME)?.filter(|text| !is_blank(text)) else {
            let fix = "name the variant: \"r12v34\"";
            return Err(Problem::new(Code::MissingField, "variantId", fix));
        };
        let mut products: Vec<String> = Vec::new();
        let own = name("productId", LONGEST_NAME)?;
        let listed = member("productIds").map(|value| list(value, "productIds")).transpose()?;
        for id in own.into_iter().chain(listed.unwrap_or_default()) {
            if !is_blank(&id) && !products.contains(&id) {
                products.push(id);
            }
        }
        if products.len() > MOST_PRODUCTS {
            let fix = "name at most 100 products";
            return Err(Problem::new(Code::TooMany, "productIds", fix));
        }
        let wanted = |text: &String| !is_blank(text);
        let category = name("categoryKey", LONGEST_CATEGORY)?.filter(wanted);
        let category_field = name("categoryField", LONGEST_NAME)?.filter(wanted);
        if category_field.is_some() && category.is_none() {
            let fix = "say which value the field categoryField must have";
            return Err(Problem::new(Code::MissingField, "categoryKey", fix));
        }
        let all_fields = match member("allFields") {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Text(text) | Value::Number(text)) if text == "1" || text == "true" => true,
            Some(Value::Text(text) | Value::Number(text)) if text == "0" || text == "false" => {
                false
            }
            Some(_) => {
                return Err(Problem::new(Code::WrongType, "allFields", "give true or false"));
            }
        };
        let filters = member("filters").map(Filters::read).transpose()?.unwrap_or_default();
        Ok(Self { variant, products, category, category_field, all_fields, filters })
    }

    /// Reads the query of an address, as it stands behind the `?`; `variant` stands before it.
    ///
    /// # Errors
    ///
    /// The first parameter that cannot be used, by its name in `eS('getRecommendations', …)`.
    pub fn from_query(variant: &str, query: &str) -> Result<Self, Problem> {
        let mut members: Members = vec![("variantId".into(), Value::text(variant))];
        let mut products = Vec::new();
        for (name, text) in pairs(query) {
            let known = match name.as_str() {
                "product" => "productId",
                "products" => {
                    products.extend(text.split(',').map(Value::text));
                    continue;
                }
                "category" => "categoryKey",
                "category_field" => "categoryField",
                "all_fields" => "allFields",
                "filters" => {
                    if is_blank(&text) {
                        continue;
                    }
                    let fix =
                        "give JSON: {\"include\": [{\"name\": \"city\", \"values\": [\"Kyiv\"]}]}";
                    let value = Value::from_json(&text);
                    let wrong = || Problem::new(Code::InvalidBody, "filters", fix);
                    members.push(("filters".into(), value.ok_or_else(wrong)?));
                    continue;
                }
                _ => continue,
            };
            // As a form sends a field that nobody has filled in.
            if !text.is_empty() {
                members.push((known.into(), Value::Text(text)));
            }
        }
        if !products.is_empty() {
            members.push(("productIds".into(), Value::List(products)));
        }
        Self::read(&Value::Object(members))
    }

    /// The parameters that [`Ask::read`] reads.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members: Members = vec![("variantId".into(), Value::text(&self.variant))];
        if !self.products.is_empty() {
            let products = self.products.iter().map(Value::text).collect();
            members.push(("productIds".into(), Value::List(products)));
        }
        for (name, text) in
            [("categoryKey", &self.category), ("categoryField", &self.category_field)]
        {
            members.extend(text.iter().map(|text| (name.to_owned(), Value::text(text))));
        }
        if self.all_fields {
            members.push(("allFields".into(), Value::Bool(true)));
        }
        if !self.filters.is_empty() {
            members.push(("filters".into(), self.filters.to_value()));
        }
        Value::Object(members)
    }
}

/// The names and values of a query, without their escapes.
pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(text))
    })
}

/// Text, or a number as text.
pub(super) fn text(value: &Value, field: &str, longest: usize) -> Result<String, Problem> {
    let (Value::Text(text) | Value::Number(text)) = value else {
        return Err(Problem::new(Code::WrongType, field, "give text"));
    };
    if text.chars().count() > longest {
        let fix = "give less: 200 characters, or 500 of a category";
        return Err(Problem::new(Code::TooLong, field, fix));
    }
    if text.contains(char::is_control) {
        return Err(Problem::new(Code::ForbiddenCharacter, field, "leave out control characters"));
    }
    Ok(text.trim().to_owned())
}

/// A list of texts; one alone is a list of one.
fn list(value: &Value, field: &str) -> Result<Vec<String>, Problem> {
    let one = std::slice::from_ref(value);
    let list = if let Value::List(list) = value { list } else { one };
    let entry = |(index, value)| text(value, &format!("{field}[{index}]"), LONGEST_NAME);
    list.iter().enumerate().map(entry).collect()
}
