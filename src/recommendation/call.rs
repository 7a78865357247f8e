//! The calls that ask the platform, and the key that an answer is found by.

use super::{Ask, Person};
use crate::{
    api::{
        Request,
        recommendation::{
            Recommend, RecommendByToken, RecommendVariant, VariantFilter, VariantRequest,
        },
        shape::Commas,
        token::{AddContactToken, ContactTokenRequest},
    },
    config::recommendations::{Block, Source},
    value::{Members, Value},
};

/// What the kit reads of a product of the mobile-style API.
const FIELDS: [&str; 11] = [
    "productId",
    "name",
    "descr",
    "imageUrl",
    "price",
    "url",
    "brand",
    "category",
    "isInStock",
    "tags_oldprice",
    "tags_old_price",
];

impl Ask {
    /// The key that the answer is found by: two asks have the same one exactly if the platform is asked
    /// the same for the same person.
    ///
    /// `None` if the platform cannot be asked: its answer would be somebody's own, and nobody is known.
    #[must_use]
    pub fn key(&self, variant: &str, source: Source, person: &Person) -> Option<String> {
        let mut products = self.products.clone();
        // The order in which things lie in a cart makes no difference.
        products.sort_unstable();
        let list = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::Text).collect());
        let category = self.plain_category().map_or(Value::Null, Value::text);
        let mut parts =
            vec![Value::text(source.as_str()), Value::text(variant), list(products), category];
        match source {
            Source::Contact | Source::Token => parts.push(Value::Text(person.key()?)),
            Source::Mobile => {
                let request = self.variant_request();
                let filters = request.filters.unwrap_or_default().into_iter();
                let filters = filters.map(|VariantFilter { name, values, .. }| {
                    Value::List(vec![Value::Text(name), list(values)])
                });
                parts.push(Value::List(filters.collect()));
                parts.push(list(request.fields.unwrap_or_default()));
            }
        }
        Some(Value::List(parts).to_json())
    }

    /// Whether an answer of this source is somebody's own.
    #[must_use]
    pub fn is_personal(source: Source) -> bool {
        source != Source::Mobile
    }

    /// The category, unless it is a value of another field: that the platform does not know as one.
    fn plain_category(&self) -> Option<&str> {
        self.category.as_deref().filter(|_| self.category_field.is_none())
    }

    /// The call of the REST API.
    #[must_use]
    pub fn contact_call(&self, block: &Block, person: &Person) -> Option<Request> {
        let mut call = Recommend {
            data_source_id: data_source(block)?,
            contact_id: None,
            email: None,
            phone: None,
            external_customer_id: None,
            web_id: None,
            products: commas(&self.products),
            category: self.plain_category().map(str::to_owned),
        };
        match person {
            Person::Nobody => return None,
            Person::Browser(web_id) => call.web_id = Some(web_id.as_str().to_owned()),
            Person::Proven(name, own) => {
                *match *name {
                    "email" => &mut call.email,
                    "phone" => &mut call.phone,
                    _ => &mut call.external_customer_id,
                } = Some(own.clone());
            }
        }
        Some(Request::for_call(&call))
    }

    /// The call that takes a token of the contact.
    #[must_use]
    pub fn token_call(&self, block: &Block) -> Option<Request> {
        let call = RecommendByToken {
            data_source_id: data_source(block)?,
            products: commas(&self.products),
            category: self.plain_category().map(str::to_owned),
        };
        Some(Request::for_call(&call))
    }

    /// The call of the mobile-style API.
    #[must_use]
    pub fn variant_call(&self, variant: &str) -> Request {
        let request = self.variant_request();
        Request::for_call(&RecommendVariant { variant: variant.to_owned(), request })
    }

    /// What the mobile-style API is sent: it has one kind of filter, which is `include`. The others are
    /// applied to its answer.
    fn variant_request(&self) -> VariantRequest {
        let given = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
        let field = self.category_field.iter().zip(&self.category);
        let field = field.map(|(name, value)| (name.clone(), vec![value.clone()]));
        let include = self.filters.include.iter();
        let include = include.map(|filter| (filter.name.clone(), filter.values.clone()));
        let filters: Vec<VariantFilter> = include
            .chain(field)
            .map(|(name, values)| VariantFilter { name, values, other: Members::new() })
            .collect();
        let own = FIELDS.into_iter().chain(self.filters.names());
        let mut fields: Vec<String> = Vec::new();
        for name in own.chain(self.category_field.as_deref()) {
            if !fields.iter().any(|field| field == name) {
                fields.push(name.to_owned());
            }
        }
        VariantRequest {
            products: given(self.products.clone()),
            category: self.plain_category().map(str::to_owned),
            // None at all asks for everything.
            fields: given(fields).filter(|_| !self.all_fields),
            filters: (!filters.is_empty()).then_some(filters),
            other: Members::new(),
        }
    }
}

impl Person {
    /// The call that makes a token of theirs.
    #[must_use]
    pub fn new_token_call(&self) -> Option<Request> {
        let mut request = ContactTokenRequest::default();
        match self {
            Self::Nobody => return None,
            Self::Browser(web_id) => request.cookie = Some(web_id.as_str().to_owned()),
            Self::Proven(name, own) => {
                *match *name {
                    "email" => &mut request.email,
                    "phone" => &mut request.phone,
                    _ => &mut request.external_customer_id,
                } = Some(own.clone());
            }
        }
        Some(Request::for_call(&AddContactToken { request }))
    }
}

fn data_source(block: &Block) -> Option<i32> {
    i32::try_from(block.data_source?).ok()
}

fn commas(products: &[String]) -> Option<Commas<String>> {
    (!products.is_empty()).then(|| Commas(products.to_vec()))
}
