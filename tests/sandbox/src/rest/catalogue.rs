//! What the account recommends: the demo shop's own assortment, so that addresses and pictures lead
//! somewhere.

use serde_json::{Value, json};

use crate::settings::Settings;

/// A product of the demo shop, as its feed has it.
#[derive(Debug)]
struct Product {
    id: &'static str,
    name: &'static str,
    category: &'static str,
    price: u32,
    old_price: Option<u32>,
    stock: u32,
    image: &'static str,
    brief: &'static str,
    /// What goes well with it.
    likes: [&'static str; 4],
}

/// What a recommendation is about.
#[derive(Debug, Default)]
pub(crate) struct About<'a> {
    /// Whose it is; everybody's without it.
    pub(crate) whose: Option<&'a str>,
    pub(crate) products: Vec<String>,
    pub(crate) category: Option<&'a str>,
}

/// The container type of a data source: as the settings say, else one made of its number.
pub(crate) fn container(settings: &Settings, data_source: i64) -> String {
    let known = settings.data_sources.get(&data_source.to_string()).cloned();
    known.unwrap_or_else(|| format!("{}_r{data_source}v1", data_source.saturating_add(10_000)))
}

/// What is recommended: to each somebody in an order of their own, what goes with the products first,
/// and never those themselves; of a category nothing else.
fn chosen(about: &About<'_>) -> Vec<&'static Product> {
    let is_given = |product: &Product| about.products.iter().any(|given| given == product.id);
    let mut list: Vec<&Product> = PRODUCTS.iter().collect();
    let place = about.whose.map_or(0, hash);
    list.rotate_left(place % PRODUCTS.len());
    let given = PRODUCTS.iter().filter(|product| is_given(product));
    let likes: Vec<&str> = given.flat_map(|product| product.likes).collect();
    list.sort_by_key(|product| !likes.contains(&product.id));
    list.retain(|product| {
        !is_given(product) && about.category.is_none_or(|category| category == product.category)
    });
    list
}

/// The list that the REST API and the API of contacts' tokens answer.
pub(crate) fn listed(settings: &Settings, about: &About<'_>, container: &str) -> Value {
    let one = |product: &Product| {
        let mut shown = json!({
            "id": product.id,
            "name": product.name,
            "url": address(settings, product, container),
            "price": f64::from(product.price),
            "descr": product.brief,
            "brand": "North Meadow",
            "category": [product.category],
            "isInStock": i32::from(product.stock > 0),
            "tags_all_category_names": product.category,
        });
        add_tags(&mut shown, product);
        shown
    };
    chosen(about).into_iter().map(one).collect()
}

/// The records that the API of apps answers, with the members in `fields`, or all of them.
pub(crate) fn records(
    settings: &Settings,
    about: &About<'_>,
    container: &str,
    fields: &[String],
    filters: &[(String, Vec<String>)],
) -> Value {
    let one = |product: &Product| {
        // Everything but lists is text there.
        let mut shown = json!({
            "productId": product.id,
            "product_id": "",
            "name": product.name,
            "descr": product.brief,
            "url": address(settings, product, container),
            "imageUrl": format!("{}/img/{}.svg", settings.shop, product.image),
            "price": product.price.to_string(),
            "category": [product.category],
            "categoryLayout": [product.category],
            "item_group": "",
            "tags_all_category_names": product.category,
            "tags_bestseller": "1",
        });
        add_tags(&mut shown, product);
        shown
    };
    let has = |shown: &Value, name: &str, values: &[String]| {
        let is_one = |own: &Value| values.iter().any(|value| own == value.as_str());
        shown[name].as_array().map_or_else(|| is_one(&shown[name]), |list| list.iter().any(is_one))
    };
    let mut list: Vec<Value> = chosen(about).into_iter().map(one).collect();
    list.retain(|shown| filters.iter().all(|(name, values)| has(shown, name, values)));
    for shown in list.iter_mut().filter_map(Value::as_object_mut).filter(|_| !fields.is_empty()) {
        shown.retain(|name, _| fields.contains(name));
    }
    json!({ "recoms": list })
}

fn add_tags(shown: &mut Value, product: &Product) {
    if let Some(old) = product.old_price {
        shown["tags_oldprice"] = json!(old.to_string());
        shown["tags_discount"] = json!((100 - 100 * product.price / old).to_string());
    }
}

fn address(settings: &Settings, product: &Product, container: &str) -> String {
    format!("{}/product.html?id={}&sc_content={container}", settings.shop, product.id)
}

/// 32-bit FNV-1a, its low bits mixed.
fn hash(text: &str) -> usize {
    let hash = text
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    usize::try_from(hash ^ (hash >> 15)).unwrap_or(0)
}

static PRODUCTS: [Product; 14] = [
    Product {
        id: "TENT-1P",
        name: "Solo 1",
        category: "Tents",
        price: 6490,
        old_price: None,
        stock: 7,
        image: "tent-1p",
        brief: "Ridge tent for one, pitched with a trekking pole",
        likes: ["MAT-AIR", "BAG-DOWN", "PACK-55", "STOVE-G"],
    },
    Product {
        id: "TENT-2P",
        name: "Duo 2",
        category: "Tents",
        price: 8990,
        old_price: None,
        stock: 12,
        image: "tent-2p",
        brief: "Free-standing dome for two, with two doors",
        likes: ["MAT-AIR", "BAG-SUM", "TARP-3X3", "POT-2"],
    },
    Product {
        id: "TENT-4P",
        name: "Family 4",
        category: "Tents",
        price: 11490,
        old_price: Some(13200),
        stock: 4,
        image: "tent-4p",
        brief: "Tunnel tent for four, with standing height",
        likes: ["BAG-SUM", "MAT-AIR", "POT-2", "DRY-20"],
    },
    Product {
        id: "TARP-3X3",
        name: "Roof tarp 3 × 3",
        category: "Tents",
        price: 2190,
        old_price: None,
        stock: 18,
        image: "tarp-3x3",
        brief: "A square roof with sixteen loops",
        likes: ["TENT-1P", "STOVE-G", "BAG-SUM", "DRY-20"],
    },
    Product {
        id: "BAG-DOWN",
        name: "Ridge −7 down bag",
        category: "Sleeping bags and mats",
        price: 9290,
        old_price: None,
        stock: 5,
        image: "bag-down",
        brief: "Mummy bag with traceable duck down",
        likes: ["MAT-AIR", "TENT-1P", "DRY-20", "MUG-T"],
    },
    Product {
        id: "BAG-SUM",
        name: "Meadow +8 bag",
        category: "Sleeping bags and mats",
        price: 3190,
        old_price: Some(3690),
        stock: 21,
        image: "bag-sum",
        brief: "Roomy synthetic bag that opens into a blanket",
        likes: ["TENT-2P", "MAT-AIR", "PACK-28", "MUG-T"],
    },
    Product {
        id: "MAT-AIR",
        name: "Cloud 7 air mat",
        category: "Sleeping bags and mats",
        price: 3690,
        old_price: None,
        stock: 9,
        image: "mat-air",
        brief: "Seven centimetres of insulated comfort",
        likes: ["BAG-DOWN", "TENT-2P", "BAG-SUM", "PACK-55"],
    },
    Product {
        id: "PACK-28",
        name: "Daylight 28",
        category: "Backpacks",
        price: 3290,
        old_price: None,
        stock: 15,
        image: "pack-28",
        brief: "Day pack with a real hip belt",
        likes: ["BOTTLE-F", "DRY-20", "MUG-T", "TARP-3X3"],
    },
    Product {
        id: "PACK-55",
        name: "Traverse 55",
        category: "Backpacks",
        price: 6890,
        old_price: None,
        stock: 6,
        image: "pack-55",
        brief: "Trekking pack that carries twenty kilos gladly",
        likes: ["TENT-1P", "MAT-AIR", "DRY-20", "BOTTLE-F"],
    },
    Product {
        id: "DRY-20",
        name: "Dry bag 20 l",
        category: "Backpacks",
        price: 690,
        old_price: None,
        stock: 40,
        image: "dry-20",
        brief: "Roll it three times and drop it in a river",
        likes: ["PACK-55", "PACK-28", "BAG-DOWN", "BOTTLE-F"],
    },
    Product {
        id: "STOVE-G",
        name: "Ember gas stove",
        category: "Camp kitchen",
        price: 1990,
        old_price: None,
        stock: 11,
        image: "stove-g",
        brief: "Boils half a litre in under three minutes",
        likes: ["POT-2", "MUG-T", "BOTTLE-F", "TARP-3X3"],
    },
    Product {
        id: "POT-2",
        name: "Hearth pot set",
        category: "Camp kitchen",
        price: 2490,
        old_price: None,
        stock: 8,
        image: "pot-2",
        brief: "Two-litre pot, lid and two bowls in one",
        likes: ["STOVE-G", "MUG-T", "BOTTLE-F", "TENT-2P"],
    },
    Product {
        id: "MUG-T",
        name: "Titanium mug 450",
        category: "Camp kitchen",
        price: 1190,
        old_price: None,
        stock: 0,
        image: "mug-t",
        brief: "Tea, soup and porridge at 74 grams",
        likes: ["STOVE-G", "POT-2", "BOTTLE-F", "PACK-28"],
    },
    Product {
        id: "BOTTLE-F",
        name: "Spring filter bottle",
        category: "Camp kitchen",
        price: 1890,
        old_price: None,
        stock: 13,
        image: "bottle-f",
        brief: "Drink from any stream, at once",
        likes: ["PACK-28", "DRY-20", "STOVE-G", "MUG-T"],
    },
];
