//! What each event carries besides `GeneralInfo`.

use super::reader::{Field, Object};
use super::{Event, Refusal};

pub(super) fn check(
    event: Event,
    top: &mut Object<'_>,
    extras: &mut Vec<String>,
) -> Result<(), Refusal> {
    top.not_from_js(&["Tags"], "here Tags sits inside the event's own object")?;
    match event {
        Event::PageView => nothing("PageView", top, extras),
        Event::MainPage => nothing("MainPage", top, extras),
        Event::NotFound => nothing("NotFound", top, extras),
        Event::StatusCartPage => nothing("StatusCartPage", top, extras),
        Event::CustomerData => {
            top.not_from_js(&["CustomerData"], "here all of it sits in GeneralInfo")
        }
        Event::ProductPage => product("ProductPage", top, extras),
        Event::AddToWishlist => product("AddToWishlist", top, extras),
        Event::CategoryPage => category(top, extras),
        Event::SearchRequest => search(top, extras),
        Event::StatusCart => cart(top, extras),
        Event::PurchasedItems => purchase(top, extras),
        Event::ProductImpressions => impressions(top, extras),
        Event::ProductUpdate => catalogue(top, extras),
    }
}

/// Refuses what the browser's calls put into an event's object and this form puts beside it.
fn no_general_info(body: &Object<'_>) -> Result<(), Refusal> {
    body.not_from_js(&["GeneralInfo"], "here GeneralInfo sits beside the event's own object")
}

fn nothing(key: &str, top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    if let Some(field) = top.optional(key) {
        let body = field.object()?;
        no_general_info(&body)?;
        body.finish(extras);
    }
    Ok(())
}

fn product(key: &str, top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    let mut body = top.required(key)?.object()?;
    no_general_info(&body)?;
    let instead = "here the product is the member Product";
    body.not_from_js(&["productKey", "price", "isInStock"], instead)?;
    body.no_tags_here(instead)?;

    let mut product = body.required("Product")?.object()?;
    product.required("productKey")?.text()?;
    // Required by the REST table, optional in the browser's: a page that shows no price has none.
    if let Some(price) = product.optional("price") {
        price.text()?;
    }
    if let Some(flag) = product.optional("isInStock") {
        flag.flag_or_text()?;
    }
    product_tags(&mut product)?;
    product.finish(extras);

    tags(&mut body)?;
    body.finish(extras);
    Ok(())
}

fn category(top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    let mut body = top.required("CategoryPage")?.object()?;
    no_general_info(&body)?;
    body.not_from_js(&["categoryKey"], "here the category is the member Category")?;

    let mut category = body.required("Category")?.object()?;
    category.required("categoryKey")?.text()?;
    category.finish(extras);

    tags(&mut body)?;
    body.finish(extras);
    Ok(())
}

fn search(top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    let mut body = top.required("SearchRequest")?.object()?;
    no_general_info(&body)?;
    body.required("search")?.text()?;
    if let Some(found) = body.optional("isFound") {
        found.flag()?;
    }
    tags(&mut body)?;
    body.finish(extras);
    Ok(())
}

fn cart(top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    top.not_from_js(&["GUID"], "here GUID sits inside StatusCart")?;
    let mut body = top.required("StatusCart")?.object_not_list()?;
    no_general_info(&body)?;
    guid(&body.required("GUID")?)?;

    for item in body.required("Products")?.list()? {
        let mut item = item.object()?;
        item.not_from_js(&["currency"], "here it is called price_currency_code")?;
        item.required("productKey")?.text()?;
        item.required("price")?.text_or_number()?;
        item.required("quantity")?.whole()?;
        if let Some(discount) = item.optional("discount") {
            discount.text_or_number()?;
        }
        if let Some(currency) = item.optional("price_currency_code") {
            currency.text()?;
        }
        product_tags(&mut item)?;
        item.finish(extras);
    }

    tags(&mut body)?;
    body.finish(extras);
    Ok(())
}

fn purchase(top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    top.not_from_js(&["OrderNumber", "GUID"], "here it sits inside PurchasedItems")?;
    let mut body = top.required("PurchasedItems")?.object_not_list()?;
    no_general_info(&body)?;
    body.required("OrderNumber")?.text()?;
    if let Some(field) = body.optional("GUID") {
        guid(&field)?;
    }

    let products = body.optional("Products").map(|field| field.list()).transpose()?;
    for item in products.unwrap_or_default() {
        let mut item = item.object()?;
        item.not_from_js(&["productKey"], "here it is called product_id")?;
        item.not_from_js(&["price"], "here it is called unit_price")?;
        item.not_from_js(&["currency"], "here an item has no currency")?;
        item.required("product_id")?.text()?;
        item.required("unit_price")?.text_or_number()?;
        item.required("quantity")?.whole()?;
        item.finish(extras);
    }

    tags(&mut body)?;
    body.finish(extras);
    Ok(())
}

fn impressions(top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    top.not_from_js(&["ProductImpressions"], "the body's key is ProductImpression")?;
    let mut body = top.required("ProductImpression")?.object_not_list()?;
    no_general_info(&body)?;
    for item in body.required("Products")?.filled_list()? {
        let mut item = item.object()?;
        item.required("product_id")?.text()?;
        item.required("container_type")?.text()?;
        item.finish(extras);
    }
    tags(&mut body)?;
    body.finish(extras);
    Ok(())
}

fn catalogue(top: &mut Object<'_>, extras: &mut Vec<String>) -> Result<(), Refusal> {
    for item in top.required("ProductUpdate")?.filled_list()? {
        let mut item = item.object()?;
        item.required("product_id")?.text()?;
        item.required("isInStock")?.flag_or_text()?;
        if let Some(price) = item.optional("unit_price") {
            price.text_or_number()?;
        }
        for name in
            ["name", "description", "imgurl", "url", "brand", "price_currency_code", "category"]
        {
            if let Some(field) = item.optional(name) {
                field.text()?;
            }
        }
        if let Some(ids) = item.optional("category_id") {
            ids.scalar_or_list()?;
        }
        for tag in item.tags() {
            // The table gives these two as numbers, the example as lists.
            if matches!(tag.name(), "tag_discount" | "tag_oldprice") {
                tag.scalar_or_list()?;
            } else {
                tag.texts()?;
            }
        }
        item.finish(extras);
    }
    Ok(())
}

fn product_tags(item: &mut Object<'_>) -> Result<(), Refusal> {
    item.tags().iter().try_for_each(Field::texts)
}

fn tags(body: &mut Object<'_>) -> Result<(), Refusal> {
    let Some(field) = body.optional("Tags") else { return Ok(()) };
    let mut tags = field.object()?;
    tags.not_from_js(&["blockId"], "here it is called block_id")?;
    tags.all().iter().try_for_each(Field::texts)
}

/// The documents ask for 32 hexadecimal digits in five groups, but their own examples are of no UUID
/// version, and plug-ins send hashes and time stamps: what names a state is taken, unless it is
/// written the .NET way or longer than any of these.
fn guid(field: &Field<'_>) -> Result<(), Refusal> {
    let text = field.text()?;
    if text.len() > 72 || text.contains(|c: char| c.is_control() || matches!(c, '{' | '}')) {
        return Err(field.refuse("value", "1 to 72 characters without braces are expected"));
    }
    Ok(())
}
