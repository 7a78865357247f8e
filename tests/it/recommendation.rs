//! Recommendations: what is asked, what the platform answers, what of it is shown, and when.

mod answer;
mod ask;
mod cache;
mod filter;
mod model;
mod settings;
mod token;

use esputnik_kit::{
    api::Reply,
    json,
    recommendation::{Ask, Product, answer::read},
};

/// What a page asks for with these parameters.
#[track_caller]
fn ask(parameters: &str) -> Ask {
    Ask::read(&json::parse(parameters).unwrap()).unwrap()
}

/// The products of an answer of the platform.
#[track_caller]
fn products(text: &str) -> Vec<Product> {
    let reply = Reply { status: 200, text: text.into(), ..Reply::default() };
    read(&reply, None, 0).unwrap()
}

fn ids(products: &[Product]) -> Vec<&str> {
    products.iter().map(|product| product.id.as_str()).collect()
}
