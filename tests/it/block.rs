//! Recommendation blocks: what is drawn of whatever a product is called.

use esputnik_kit::{
    block::{Block, Card, Layout},
    value::Value,
};
use proptest::prelude::{any, prop_assert, proptest};

fn card(fields: &str) -> Card {
    let Some(Value::Object(fields)) = Value::from_json(fields) else { panic!("{fields}") };
    let url = "https://shop.example/p?sc_content=1_r1v2".to_owned();
    Card::new("A-1".to_owned(), url, Some("1_r1v2".to_owned()), fields)
}

fn block(cards: &[Card]) -> Block<'_> {
    Block {
        variant: "r1v2",
        source: "platform",
        language: "en",
        header: "For you",
        buy: true,
        currency: Some("UAH"),
        cards,
    }
}

fn format(amount: &str, currency: &str, language: &str) -> Option<String> {
    (currency != "XXX").then(|| format!("{language}:{amount}:{currency}"))
}

fn html(card: &Card) -> String {
    block(std::slice::from_ref(card)).html(Layout::Grid, "/k/a/1.css", &format)
}

#[test]
fn a_card_says_what_is_reported_of_it() {
    let html = html(&card(r#"{"name":"Tent","price":990.5,"imageUrl":"https://a.b/1.jpg"}"#));
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
fn prices_are_read_in_every_form_that_feeds_and_answers_have() {
    for (fields, now, old) in [
        (r#"{"price":"1299.00 UAH"}"#, "en:1299.00:UAH", None),
        (r#"{"price":"USD 1 299,50"}"#, "en:1299.50:USD", None),
        (r#"{"price":"1,299"}"#, "en:1299:UAH", None),
        (r#"{"price":"1,299.90","currency":"EUR"}"#, "en:1299.90:EUR", None),
        (r#"{"price":"1.299,90"}"#, "en:1299.90:UAH", None),
        (r#"{"price":{"amount":"5","currency":"PLN"}}"#, "en:5:PLN", None),
        (r#"{"price":"100","sale_price":"80 UAH"}"#, "en:80:UAH", Some("en:100:UAH")),
        (r#"{"price":"100","sale_price":"120"}"#, "en:100:UAH", None),
        (r#"{"price":90,"tags_oldprice":"106"}"#, "en:90:UAH", Some("en:106:UAH")),
        (r#"{"price":90,"tags_old_price":"90"}"#, "en:90:UAH", None),
        (r#"{"price":"7 XXX"}"#, "7 XXX", None),
    ] {
        let html = html(&card(fields));
        assert!(html.contains(&format!(r#"es-now">{now}<"#)), "{fields}: {html}");
        match old {
            Some(old) => assert!(html.contains(&format!(r#"es-old">{old}<"#)), "{fields}: {html}"),
            None => assert!(!html.contains("es-old"), "{fields}: {html}"),
        }
    }
    for nothing in [r#"{"price":"ask us"}"#, r#"{"price":"-5"}"#, r#"{"price":null}"#, "{}"] {
        assert!(!html(&card(nothing)).contains("es-price"), "{nothing}");
    }
}

#[test]
fn what_is_out_of_stock_says_so_and_cannot_be_bought() {
    for (stock, is_gone) in [
        (r#"{"isInStock":0}"#, true),
        (r#"{"isInStock":"0"}"#, true),
        (r#"{"availability":"out_of_stock"}"#, true),
        (r#"{"in_stock":false}"#, true),
        (r#"{"isInStock":1}"#, false),
        (r#"{"availability":"in stock"}"#, false),
        (r#"{"availability":"who knows"}"#, false),
    ] {
        let html = html(&card(stock));
        assert_eq!(html.contains("Out of stock"), is_gone, "{stock}");
        assert_eq!(!html.contains("data-es-buy"), is_gone, "{stock}");
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
        "/\\\\elsewhere.example/x",
        "https://a.b/\\u0000",
        "vbscript:x",
    ] {
        let fields = format!(r#"{{"image":"{bad}"}}"#);
        let Some(Value::Object(fields)) = Value::from_json(&fields) else { panic!("{bad}") };
        let url = fields.first().and_then(|(_, url)| url.as_text()).unwrap_or_default().to_owned();
        let html = html(&Card::new("1".to_owned(), url, None, fields));
        assert!(!html.contains("src=") && !html.contains(r#"class="es-link" href"#), "{html}");
    }
}

#[test]
fn a_view_has_the_tree_or_the_products() {
    let cards = [card(r#"{"name":"Tent","price":"80","old_price":"100","isInStock":1,"x":"y"}"#)];
    let block = block(&cards);
    let tree = block.view(Some(Layout::Carousel), &format);
    assert!(tree.member("items").is_none());
    let text = tree.member("tree").expect("a tree").to_json();
    assert!(text.starts_with(r#"["section",{"class":"es-block es-carousel""#), "{text}");
    assert!(text.contains("data-es-next") && text.contains(r#""tabindex":"0""#), "{text}");
    let items = block.view(None, &format);
    assert!(items.member("tree").is_none());
    assert_eq!(
        items.member("items").expect("products").to_json(),
        r#"[{"product_id":"A-1","url":"https://shop.example/p?sc_content=1_r1v2","name":"Tent","container_type":"1_r1v2","price":"en:80:UAH","price_value":80,"currency":"UAH","old_price":"en:100:UAH","discount":"20","in_stock":1,"fields":{"name":"Tent","price":"80","old_price":"100","isInStock":1,"x":"y"}}]"#
    );
}

#[test]
fn nothing_is_drawn_of_no_products() {
    let block = Block { cards: &[], ..block(&[]) };
    assert_eq!(block.html(Layout::Grid, "/k/a/1.css", &format), "");
    assert_eq!(block.view(Some(Layout::Grid), &format).member("tree"), Some(&Value::Null));
}

#[test]
fn words_are_those_of_the_language() {
    let cards = [card(r#"{"isInStock":0}"#)];
    let block = Block { language: "uk-UA", ..block(&cards) };
    let html = block.html(Layout::Carousel, "/k/a/1.css", &format);
    assert!(html.contains("Немає в наявності") && html.contains("Наступні"), "{html}");
    let html = Block { language: "ar", ..block }.html(Layout::Grid, "", &format);
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
        let fields = vec![
            ("name".to_owned(), Value::text(name)),
            ("brand".to_owned(), Value::text(brand.as_str())),
            ("price".to_owned(), Value::text(brand.as_str())),
            ("image".to_owned(), Value::text(["https://a.b/", &brand].concat())),
        ];
        let url = ["https://a.b/", &brand].concat();
        let card = Card::new(id, url, Some(block_id), fields);
        let html = html(&card);
        let plain: Vec<_> = tags(&html).into_iter().filter(|tag| !matches!(*tag, "p" | "/p" | "span" | "/span")).collect();
        let expected = ["es-recommendations", "template", "link", "section", "h2", "/h2", "ul", "li", "a", "img",
            "/a", "button", "/button", "/li", "/ul", "/section", "/template", "/es-recommendations"];
        prop_assert!(plain == expected, "{html}");
    }
}
