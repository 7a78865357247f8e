//! Recommendation blocks: what is drawn of whatever a product is called.

use esputnik_kit::{
    block::Block,
    config::recommendations::Template,
    recommendation::{Price, Product},
    value::Value,
};
use proptest::prelude::{any, prop_assert, proptest};

fn tent() -> Product {
    Product {
        id: "A-1".to_owned(),
        url: "https://shop.example/p?sc_content=1_r1v2".to_owned(),
        container_type: Some("1_r1v2".to_owned()),
        name: Some("Tent".to_owned()),
        image: Some("https://a.b/1.jpg".to_owned()),
        price: Price::parse("990.5", None),
        ..Product::default()
    }
}

fn block(products: &[Product]) -> Block<'_> {
    Block {
        variant: "r1v2",
        source: "platform",
        language: "en",
        header: "For you",
        buy: true,
        currency: Some("UAH"),
        products,
    }
}

fn format(amount: &str, currency: &str, language: &str) -> Option<String> {
    (currency != "XXX").then(|| format!("{language}:{amount}:{currency}"))
}

fn html(product: &Product) -> String {
    block(std::slice::from_ref(product)).place(&[], Template::Grid, "/k/a/1.css", &format)
}

#[test]
fn a_card_says_what_is_reported_of_it() {
    let html = html(&tent());
    for part in [
        r#"<li class="es-card" data-es-product="A-1" data-es-block="1_r1v2" data-es-price="990.5">"#,
        r#"href="https://shop.example/p?sc_content=1_r1v2""#,
        r#"src="https://a.b/1.jpg""#,
        ">Tent</span>",
        ">en:990.5:UAH</span>",
        r#"<h2 class="es-header">For you</h2>"#,
        r#"data-es-buy aria-label="Add to cart: Tent""#,
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn prices_are_written_as_the_host_does_or_plainly() {
    for (price, old, now, before) in [
        ("1299.00 UAH", None, "en:1299.00:UAH", None),
        ("5", None, "en:5:UAH", None),
        ("80", Some("100 UAH"), "en:80:UAH", Some("en:100:UAH")),
        ("7 XXX", None, "7 XXX", None),
    ] {
        let product = Product {
            price: Price::parse(price, None),
            old_price: old.and_then(|old| Price::parse(old, None)),
            ..tent()
        };
        let html = html(&product);
        assert!(html.contains(&format!(r#"es-now">{now}<"#)), "{price}: {html}");
        let shown = before.map(|before| format!(r#"es-old">{before}<"#));
        assert!(shown.is_none_or(|shown| html.contains(&shown)), "{price}: {html}");
        assert_eq!(html.contains("es-old"), before.is_some(), "{price}: {html}");
    }
    assert!(!html(&Product { price: None, ..tent() }).contains("es-price"));
}

#[test]
fn what_is_out_of_stock_says_so_and_cannot_be_bought() {
    for (in_stock, is_gone) in [(Some(false), true), (Some(true), false), (None, false)] {
        let html = html(&Product { in_stock, ..tent() });
        assert_eq!(html.contains("Out of stock"), is_gone, "{in_stock:?}");
        assert_eq!(!html.contains("data-es-buy"), is_gone, "{in_stock:?}");
    }
}

#[test]
fn an_address_that_is_none_of_the_web_is_left_out() {
    for bad in [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//elsewhere.example/x",
        "/\\elsewhere.example/x",
        "https://a.b/\u{0}",
        "vbscript:x",
    ] {
        let product = Product { url: bad.to_owned(), image: Some(bad.to_owned()), ..tent() };
        let html = html(&product);
        assert!(!html.contains("src=") && !html.contains(r#"class="es-link" href"#), "{html}");
    }
}

#[test]
fn a_view_has_the_tree_or_the_products() {
    let products = [Product {
        price: Price::parse("80", None),
        old_price: Price::parse("100", None),
        in_stock: Some(true),
        fields: vec![("x".to_owned(), Value::text("y"))],
        ..tent()
    }];
    let block = block(&products);
    let tree = block.view(Some(Template::Carousel), &format);
    assert!(tree.member("items").is_none());
    let text = tree.member("tree").expect("a tree").to_json();
    assert!(text.starts_with(r#"["section",{"class":"es-block es-carousel""#), "{text}");
    assert!(text.contains("data-es-next") && text.contains(r#""tabindex":"0""#), "{text}");
    let items = block.view(None, &format);
    assert!(items.member("tree").is_none());
    assert_eq!(
        items.member("items").expect("products").to_json(),
        r#"[{"product_id":"A-1","url":"https://shop.example/p?sc_content=1_r1v2","name":"Tent","container_type":"1_r1v2","image":"https://a.b/1.jpg","price":"en:80:UAH","price_value":80,"currency":"UAH","old_price":"en:100:UAH","discount":"20","in_stock":1,"fields":{"x":"y"}}]"#
    );
}

#[test]
fn nothing_is_drawn_of_no_products() {
    let block = block(&[]);
    assert_eq!(block.html(Template::Grid, &format), "");
    assert_eq!(block.place(&[], Template::Grid, "/k/a/1.css", &format), "");
    assert_eq!(block.view(Some(Template::Grid), &format).member("tree"), Some(&Value::Null));
}

#[test]
fn words_are_those_of_the_language() {
    let products = [Product { in_stock: Some(false), ..tent() }];
    let block = Block { language: "uk-UA", ..block(&products) };
    let html = block.html(Template::Carousel, &format);
    assert!(html.contains("Немає в наявності") && html.contains("Наступні"), "{html}");
    let html = Block { language: "ar", ..block }.html(Template::Grid, &format);
    assert!(html.contains(r#"lang="ar" dir="rtl""#) && html.contains("Out of stock"), "{html}");
}

/// The elements of HTML, by a reader that knows nothing of how it was written.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|part| part.split([' ', '>']).next()).collect()
}

proptest! {
    #[test]
    fn nothing_that_a_product_says_becomes_an_element(
        id in any::<String>(), name in any::<String>(), brand in "[<>&\"'a-z=/]{0,20}", block_id in any::<String>()
    ) {
        let address = ["https://a.b/", &brand].concat();
        let product = Product {
            id,
            name: Some(name),
            url: address.clone(),
            image: Some(address),
            container_type: Some(block_id),
            ..tent()
        };
        let html = html(&product);
        let plain: Vec<_> = tags(&html).into_iter().filter(|tag| !matches!(*tag, "p" | "/p" | "span" | "/span")).collect();
        let expected = ["es-recommendations", "template", "link", "section", "h2", "/h2", "ul", "li", "a", "img",
            "/a", "button", "/button", "/li", "/ul", "/section", "/template", "/es-recommendations"];
        prop_assert!(plain == expected, "{html}");
    }
}
