//! What of an answer is shown: filters, the category by any field, what is out of stock.

use super::{Ask, Product, ask::text};
use crate::{
    catalogue::query::spellings,
    config::recommendations::OutOfStock,
    problem::{Code, Problem},
    value::{Members, Value, find},
};

/// Most filters of a kind.
const MOST_FILTERS: usize = 20;

/// Most values of a filter.
const MOST_VALUES: usize = 100;

/// Longest name and value of a filter, in characters.
const LONGEST: usize = 200;

/// Which products are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filters {
    /// What products must have, all of it.
    pub include: Vec<Filter>,
    /// What they must not have, nothing of it.
    pub exclude: Vec<Filter>,
    /// What moves them up.
    pub should: Vec<Filter>,
}

/// An attribute, and the values of which it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what the vendor's documents list")]
pub struct Filter {
    /// The attribute's name.
    pub name: String,
    /// The values.
    pub values: Vec<String>,
}

/// A filter that asks for an attribute which no product has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown<'a> {
    /// Where it stands: `filters.include[0].name`.
    pub parameter: String,
    /// The attribute's name.
    pub name: &'a str,
}

impl Filter {
    /// The attribute that it asks for, as one of those that the catalogue has lists of: `listed`, and
    /// categories.
    #[must_use]
    pub fn listed<'a>(&self, listed: &'a [String]) -> Option<&'a str> {
        let spelled = spellings(&self.name);
        let is_it = |own: &&str| spelled.iter().any(|name| name == own);
        listed.iter().map(String::as_str).chain(["category"]).find(is_it)
    }
}

impl Unknown<'_> {
    /// What the page is told, where the shop's feed does not know it either.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let fix = "name an attribute that the platform's products have, or those of the feed";
        Problem::new(Code::UnknownValue, self.parameter.as_str(), fix)
    }
}

impl Filters {
    /// Reads `filters` of `eS('getRecommendations', …)`.
    ///
    /// # Errors
    ///
    /// What cannot be used, by its place.
    pub fn read(value: &Value) -> Result<Self, Problem> {
        let Value::Object(members) = value else {
            let fix = "give an object with include, exclude or should";
            return Err(Problem::new(Code::WrongType, "filters", fix));
        };
        let known = ["include", "exclude", "should"];
        if let Some((name, _)) = members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            // What is not understood must not pass for fulfilled.
            let fix = "filters are include, exclude and should";
            return Err(Problem::new(Code::UnknownValue, format!("filters.{name}"), fix));
        }
        let list = |name: &str| match find(members, name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::List(list)) => read_list(list, &format!("filters.{name}")),
            Some(one) => read_list(std::slice::from_ref(one), &format!("filters.{name}")),
        };
        Ok(Self { include: list("include")?, exclude: list("exclude")?, should: list("should")? })
    }

    /// What [`Filters::read`] reads.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let lists =
            [("include", &self.include), ("exclude", &self.exclude), ("should", &self.should)];
        let filter = |filter: &Filter| {
            Value::Object(vec![
                ("name".into(), Value::text(&filter.name)),
                ("values".into(), Value::List(filter.values.iter().map(Value::text).collect())),
            ])
        };
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let members: Members = lists
            .map(|(name, list)| (name.to_owned(), Value::List(list.iter().map(filter).collect())))
            .collect();
        Value::Object(members)
    }

    /// Whether everything is wanted, in any order.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// All of them, each with its place.
    fn all(&self) -> impl Iterator<Item = (&'static str, usize, &Filter)> {
        let lists =
            [("include", &self.include), ("exclude", &self.exclude), ("should", &self.should)];
        lists.into_iter().flat_map(|(kind, list)| {
            list.iter().enumerate().map(move |(index, filter)| (kind, index, filter))
        })
    }

    /// The names of all attributes that they ask for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all().map(|(_, _, filter)| filter.name.as_str())
    }
}

fn read_list(list: &[Value], field: &str) -> Result<Vec<Filter>, Problem> {
    if list.len() > MOST_FILTERS {
        return Err(Problem::new(Code::TooMany, field, "give at most 20 filters of a kind"));
    }
    list.iter()
        .enumerate()
        .map(|(index, value)| read(value, &format!("{field}[{index}]")))
        .collect()
}

fn read(value: &Value, field: &str) -> Result<Filter, Problem> {
    let at = |name: &str| format!("{field}.{name}");
    let Value::Object(members) = value else {
        let fix = "give a name and values: {name: \"city\", values: [\"Kyiv\"]}";
        return Err(Problem::new(Code::WrongType, field, fix));
    };
    let missing = |name: &str| {
        let fix = "give a name and values: {name: \"city\", values: [\"Kyiv\"]}";
        Problem::new(Code::MissingField, at(name), fix)
    };
    let name = find(members, "name").ok_or_else(|| missing("name"))?;
    let name = text(name, &at("name"), LONGEST)?;
    if name.is_empty() {
        return Err(missing("name"));
    }
    let values = find(members, "values").ok_or_else(|| missing("values"))?;
    let one = std::slice::from_ref(values);
    let values = if let Value::List(list) = values { list } else { one };
    if values.is_empty() {
        return Err(missing("values"));
    }
    if values.len() > MOST_VALUES {
        let fix = "give at most 100 values of an attribute";
        return Err(Problem::new(Code::TooMany, at("values"), fix));
    }
    let value = |(index, value): (usize, &Value)| {
        let field = at(&format!("values[{index}]"));
        match value {
            Value::Bool(flag) => Ok(flag.to_string()),
            value => text(value, &field, LONGEST),
        }
    };
    let values: Result<_, _> = values.iter().enumerate().map(value).collect();
    Ok(Filter { name, values: values? })
}

/// A filter of an ask for an attribute that none of the products has; `categoryField` is one too.
///
/// Where there are no products at all, nothing can be said. What products are to be without, or may have,
/// they can all be without.
#[must_use]
pub fn unknown<'a>(ask: &'a Ask, products: &[Product]) -> Option<Unknown<'a>> {
    if products.is_empty() {
        return None;
    }
    let nobody_has =
        |name: &str| !products.iter().any(|product| product.attribute(name).next().is_some());
    let mut included = ask.filters.include.iter().enumerate();
    let filter = included.find(|(_, filter)| nobody_has(&filter.name)).map(|(index, filter)| {
        let parameter = format!("filters.include[{index}].name");
        Unknown { parameter, name: &filter.name }
    });
    filter.or_else(|| {
        let name = ask.category_field.as_deref().filter(|name| nobody_has(name))?;
        Some(Unknown { parameter: "categoryField".into(), name })
    })
}

/// What of the products is shown, in this order: those that an ask wants, as far as they can be linked
/// to, at most `size` of them.
#[must_use]
pub fn choose(
    ask: &Ask,
    mut products: Vec<Product>,
    out_of_stock: OutOfStock,
    size: usize,
) -> Vec<Product> {
    let Filters { include, exclude, should } = &ask.filters;
    let has = |product: &Product, filter: &Filter| {
        product.attribute(&filter.name).any(|own| filter.values.iter().any(|value| value == own))
    };
    products.retain(|product| {
        let in_category = match (&ask.category_field, &ask.category) {
            (Some(field), Some(category)) => product.is_in(field, category),
            _ => true,
        };
        in_category
            && !product.url.is_empty()
            && include.iter().all(|filter| has(product, filter))
            && !exclude.iter().any(|filter| has(product, filter))
            && (out_of_stock != OutOfStock::Hide || product.in_stock != Some(false))
    });
    if !should.is_empty() {
        // Those of one place keep their order, which is the platform's.
        products.sort_by_key(|product| {
            std::cmp::Reverse(should.iter().filter(|filter| has(product, filter)).count())
        });
    }
    if out_of_stock == OutOfStock::Last {
        products.sort_by_key(|product| product.in_stock == Some(false));
    }
    products.truncate(size);
    products
}
