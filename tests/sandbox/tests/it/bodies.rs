//! A right body for each event.

use serde_json::{Value, json};

/// The events that the contract names.
pub(crate) const EVENTS: [&str; 13] = [
    "PageView",
    "MainPage",
    "CategoryPage",
    "ProductPage",
    "ProductImpressions",
    "SearchRequest",
    "AddToWishlist",
    "StatusCart",
    "StatusCartPage",
    "PurchasedItems",
    "CustomerData",
    "NotFound",
    "ProductUpdate",
];

/// A body of an event, with every member that the contract knows for it.
pub(crate) fn right(event: &str) -> Value {
    let mut body = json!({ "GeneralInfo": {
        "eventName": event,
        "siteId": "8A412DC",
        "datetime": 1_579_622_183_208_u64,
        "externalCustomerId": "1234509876",
        "user_phone": "380501234567",
        "user_email": "user@mail.com",
        "user_name": "Gregori",
        "user_es_contact_id": "255830499",
        "s_location": "1253_r963v1317",
        "cookies": { "sc": "CDA68358-94FB-4D83-9655-3FEB3C4114A3" },
    }});
    let tags = json!({ "some_tags": ["1", "a2"], "block_id": ["21246_r335v507"] });
    let product = json!({
        "productKey": "24-MB02", "price": "153 USD", "isInStock": 1, "tag_field": ["123", "321"],
    });
    let own = match event {
        "ProductPage" | "AddToWishlist" => json!({ event: { "Product": product, "Tags": tags } }),
        "CategoryPage" => {
            json!({ event: { "Category": { "categoryKey": "509876" }, "Tags": tags } })
        }
        "SearchRequest" => json!({ event: { "search": "чай", "isFound": 0, "Tags": tags } }),
        "StatusCart" => json!({ event: {
            "GUID": "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
            "Products": [{
                "productKey": "430738", "price": "201.95", "discount": "180", "quantity": 1,
                "price_currency_code": "UAH", "tag_field": ["aaa"],
            }],
            "Tags": tags,
        }}),
        "PurchasedItems" => json!({ event: {
            "OrderNumber": "123/2017",
            "GUID": "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
            "Products": [{ "product_id": "430738", "unit_price": "201.95", "quantity": 1 }],
            "Tags": tags,
        }}),
        "ProductImpressions" => json!({ "ProductImpression": {
            "Products": [{ "product_id": "430968", "container_type": "1253_r963v1317" }],
            "Tags": tags,
        }}),
        "ProductUpdate" => json!({ event: [{
            "product_id": "430738", "isInStock": 1, "unit_price": "201.95", "name": "Phone",
            "description": "Text", "imgurl": "https://domain.com/p.png",
            "url": "https://domain.com/p.html", "brand": "Apple", "price_currency_code": "UAH",
            "category": "level1 > level2", "category_id": ["1", "2"], "tag_discount": ["10"],
            "tag_oldprice": 224, "tag_field": ["aaa"],
        }]}),
        "PageView" | "MainPage" | "NotFound" | "StatusCartPage" => json!({ event: {} }),
        _ => json!({}),
    };
    let own = own.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(own);
    body
}

/// Sets the member at a JSON pointer, or takes it away where `value` is None.
pub(crate) fn change(body: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).expect("the pointer's parent");
    let members = parent.as_object_mut().expect("the pointer's parent is an object");
    match value {
        Some(value) => drop(members.insert(name.to_owned(), value)),
        None => drop(members.shift_remove(name).expect("the member to take away")),
    }
}
