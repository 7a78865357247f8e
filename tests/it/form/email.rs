//! E-mail addresses that people type.

use esputnik_kit::form::email::{Email, EmailError, suggest};
use proptest::prelude::*;

use crate::rig::cases;

fn key(typed: &str) -> String {
    // What a host's tables answer.
    Email::parse(typed).unwrap().key(|domain| match domain {
        "münchen.example" => Some("xn--mnchen-3ya.example".into()),
        "пошта.укр" => Some("xn--80a1acn3a.xn--j1amh".into()),
        _ => None,
    })
}

#[test]
fn addresses_stay_as_they_were_typed() {
    for typed in [
        "olena@gmail.com",
        "Olena.Koval+news@UKR.NET",
        "o@i.ua",
        "o'brien@shop.example",
        "!#$%&'*+/=?^_`{|}~-@shop.example",
        "\"o k\"@shop.example",
        "\"a@b, c; \\\"d\\\" \\\\\"@shop.example",
        "олена@пошта.укр",
        "olena@пошта.укр",
        "olena@münchen.example",
        "olena@xn--mnchen-3ya.example",
        "olena@shop.xn--j1amh",
        "用户@例子.广告",
        "olena@mail.shop-1.co.uk",
        "1@2.example",
    ] {
        let padded = format!(" \u{200b}{typed}\u{a0}\n");
        assert_eq!(Email::parse(&padded).unwrap().as_str(), typed);
    }
}

#[test]
fn what_cannot_be_an_address_is_refused() {
    for typed in [
        "",
        " ",
        "@",
        "olena",
        "olena@",
        "@gmail.com",
        "olena@gmail",
        "a@b",
        "olena@localhost",
        "olena@gmail.com.",
        "olena@.gmail.com",
        "olena@gmail..com",
        "olena@@gmail.com",
        "a@b@gmail.com",
        ".olena@gmail.com",
        "olena.@gmail.com",
        "ol..ena@gmail.com",
        "ol ena@gmail.com",
        "olena @gmail.com",
        "olena@ gmail.com",
        "olena@gmail .com",
        "olena@gmail,com",
        "olena@gmail.com,taras@gmail.com",
        "olena@gmail.com;taras@gmail.com",
        "olena@gmail.com taras@gmail.com",
        "Olena <olena@gmail.com>",
        "<olena@gmail.com>",
        "mailto:olena@gmail.com",
        "a@b.c\r\nBcc: d@e.example",
        "olena\r\n@shop.example",
        "ol\tena@shop.example",
        "olena\0@shop.example",
        "olena@shop.example\0",
        "ol\u{85}ena@shop.example",
        "\"ol\nena\"@shop.example",
        "olena@[127.0.0.1]",
        "olena@127.0.0.1",
        "olena@[IPv6:::1]",
        "olena@2130706433",
        "olena@shop.1",
        "olena@shop.c0m",
        "olena@shop.c",
        "olena@-shop.example",
        "olena@shop-.example",
        "olena@sh_op.example",
        "olena@shop.example/x",
        "olena@shop.example:25",
        "olena@%67mail.example",
        "\"@shop.example",
        "\"\"@shop.example",
        "\"a\"b\"@shop.example",
        "\"a\\\"@shop.example",
        "a\"b\"@shop.example",
        "\u{202e}moc.liamg@anelo\u{202c}x@shop.example",
        "ol\u{202e}ena@shop.example",
        "ol\u{200b}ena@shop.example",
        "olena@sh\u{ad}op.example",
    ] {
        assert_eq!(Email::parse(typed), Err(EmailError::Malformed), "{typed:?}");
    }
}

#[test]
fn letters_that_only_look_latin_are_told_apart() {
    for typed in [
        "olena@gm\u{430}il.com",
        "olena@gmail.c\u{43e}m",
        "olena@\u{3b1}pple.com",
        "olena@ｇｍａｉｌ.com",
        "\u{43e}lena@gmail.com",
        "олена@ukr.net",
    ] {
        assert_eq!(Email::parse(typed), Err(EmailError::Letters), "{typed:?}");
    }
}

#[test]
fn an_address_is_as_long_as_smtp_takes_it() {
    let local = "x".repeat(64);
    assert!(Email::parse(&format!("{local}@shop.example")).is_ok());
    assert!(Email::parse(&format!("{local}x@shop.example")).is_err());
    assert!(Email::parse(&format!("{}@shop.example", "ї".repeat(33))).is_err());
    let label = "y".repeat(63);
    let domain = format!("{label}.{label}.{}.example", "y".repeat(53));
    assert_eq!(format!("{local}@{domain}").len(), 254);
    assert!(Email::parse(&format!("{local}@{domain}")).is_ok());
    assert!(Email::parse(&format!("{local}@y{domain}")).is_err());
    assert!(Email::parse(&format!("o@{label}y.example")).is_err());
}

#[test]
fn one_mailbox_counts_as_one_however_it_is_written() {
    for (typed, counts_as) in [
        ("Olena@Shop.Example", "olena@shop.example"),
        ("ОЛЕНА@Пошта.УКР", "олена@xn--80a1acn3a.xn--j1amh"),
        ("o@MÜNCHEN.example", "o@xn--mnchen-3ya.example"),
        ("o@XN--MNCHEN-3YA.example", "o@xn--mnchen-3ya.example"),
        ("o@невідомий.укр", "o@невідомий.укр"),
        ("Ol.Ena+News@Gmail.com", "olena@gmail.com"),
        ("o.l.ena@googlemail.com", "olena@gmail.com"),
        ("ol.ena@shop.example", "ol.ena@shop.example"),
        ("olena+a@ukr.net", "olena@ukr.net"),
        ("+a@shop.example", "+a@shop.example"),
        ("\"olena\"@shop.example", "olena@shop.example"),
        ("\"o\\l\\\"ena+x\"@shop.example", "ol\"ena@shop.example"),
    ] {
        assert_eq!(key(typed), counts_as, "{typed}");
    }
}

#[test]
fn slips_of_the_finger_are_seen() {
    for (typed, meant) in [
        ("olena@gmial.com", "olena@gmail.com"),
        ("olena@gmai.com", "olena@gmail.com"),
        ("olena@gmal.com", "olena@gmail.com"),
        ("olena@gamil.com", "olena@gmail.com"),
        ("olena@gmaill.com", "olena@gmail.com"),
        ("olena@gmeil.com", "olena@gmail.com"),
        ("olena@gnail.com", "olena@gmail.com"),
        ("olena@gmail.con", "olena@gmail.com"),
        ("olena@gmail.co", "olena@gmail.com"),
        ("olena@gmail.cm", "olena@gmail.com"),
        ("olena@gmail.comm", "olena@gmail.com"),
        ("olena@gmial.con", "olena@gmail.com"),
        ("olena@gmail.ua", "olena@gmail.com"),
        ("olena@gmail.com.ua", "olena@gmail.com"),
        ("olena@gmail,com", "olena@gmail.com"),
        ("olena@gmail..com", "olena@gmail.com"),
        ("olena@gmail.com.", "olena@gmail.com"),
        ("olena@gmail .com", "olena@gmail.com"),
        ("olena@gmail", "olena@gmail.com"),
        ("olena@gmailcom", "olena@gmail.com"),
        ("olena@gmail.сом", "olena@gmail.com"),
        ("olena@gmаil.com", "olena@gmail.com"),
        ("оlena@gmail.com", "olena@gmail.com"),
        ("Olena.K+x@GMIAL.COM", "Olena.K+x@gmail.com"),
        ("olena@ukr.ner", "olena@ukr.net"),
        ("olena@ukr.nt", "olena@ukr.net"),
        ("olena@urk.net", "olena@ukr.net"),
        ("olena@ukrnet", "olena@ukr.net"),
        ("olena@mtea.ua", "olena@meta.ua"),
        ("olena@yaho.com", "olena@yahoo.com"),
        ("olena@yahho.com", "olena@yahoo.com"),
        ("olena@hotnail.com", "olena@hotmail.com"),
        ("olena@hotmal.con", "olena@hotmail.com"),
        ("olena@outlok.com", "olena@outlook.com"),
        ("olena@oulook.com", "olena@outlook.com"),
        ("olena@outllok.com", "olena@outlook.com"),
        ("olena@icloud.co", "olena@icloud.com"),
        ("olena@iclod.com", "olena@icloud.com"),
        ("olena@bigmir.ne", "olena@bigmir.net"),
        ("olena@oent.pl", "olena@onet.pl"),
        ("olena@shop.con", "olena@shop.com"),
        ("olena@shop.con.ua", "olena@shop.com.ua"),
        ("olena@shop,com.ua", "olena@shop.com.ua"),
        ("olena@shop.nett", "olena@shop.net"),
    ] {
        assert_eq!(suggest(typed).as_deref(), Some(meant), "{typed}");
    }
}

#[test]
fn good_domains_are_not_doubted() {
    for domain in [
        "gmail.com",
        "GMAIL.com",
        "ukr.net",
        "i.ua",
        "meta.ua",
        "bigmir.net",
        "online.ua",
        "icloud.com",
        "outlook.com",
        "hotmail.com",
        "yahoo.com",
        "live.com",
        "proton.me",
        "protonmail.com",
        "googlemail.com",
        "wp.pl",
        "o2.pl",
        "op.pl",
        "vp.pl",
        "onet.pl",
        "onet.eu",
        "interia.pl",
        "interia.eu",
        "gazeta.pl",
        "mail.com",
        "email.com",
        "ymail.com",
        "gmx.com",
        "gmx.net",
        "gmx.de",
        "web.de",
        "aol.com",
        "me.com",
        "mac.com",
        "msn.com",
        "mail.ua",
        "email.ua",
        "ua.fm",
        "pm.me",
        "protonmail.ch",
        "yahoo.co.uk",
        "yahoo.fr",
        "yahoo.de",
        "hotmail.co.uk",
        "hotmail.fr",
        "outlook.fr",
        "outlook.de",
        "live.fr",
        "live.co.uk",
        "rocketmail.com",
        "fastmail.com",
        "hushmail.com",
        "tutanota.com",
        "zoho.com",
        "orange.fr",
        "seznam.cz",
        "cloud.com",
        "gazety.pl",
        "life.com",
        "love.com",
        "line.com",
        "meta.com",
        "metal.ua",
        "zeta.ua",
        "w.pl",
        "op.com",
        "uk.net",
        "ur.net",
        "sukr.net",
        "a.ua",
        "kyiv.ua",
        "shop.com.ua",
        "shop.co.ua",
        "shop.net.ua",
        "shop.org.ua",
        "shop.in.ua",
        "shop.kiev.ua",
        "shop.com.pl",
        "shop.co",
        "shop.cam",
        "shop.mom",
        "shop.bet",
        "shop.pet",
        "shop.vet",
        "shop.new",
        "shop.next",
        "shop.ong",
        "shop.company",
        "shop.io",
        "shop.example",
        "пошта.укр",
        "shop.укр",
        "хор.рус",
        "münchen.de",
        "postmail.com",
        "look.com",
    ] {
        assert_eq!(suggest(&format!("olena@{domain}")), None, "{domain}");
    }
    for typed in ["", "@", "olena", "gmial.com", "@gmial.com", "a b@gmial.com"] {
        assert_eq!(suggest(typed), None, "{typed}");
    }
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn what_is_taken_could_be_written_into_a_header(
        typed in prop_oneof![any::<String>(), "[ -~]{1,12}@[ -~]{1,12}", "\\PC{1,6}@\\PC{1,6}\\.\\PC{2,4}"]
    ) {
        if let Ok(email) = Email::parse(&typed) {
            let text = email.as_str();
            prop_assert!(text.len() <= 254 && !text.contains(char::is_control));
            let (local, domain) = email.parts();
            prop_assert_eq!(format!("{local}@{domain}"), text);
            prop_assert!(domain.contains('.') && !domain.contains(|c: char| c.is_whitespace() || ",;<>[]\"@".contains(c)));
            let again = Email::parse(text);
            prop_assert_eq!(again.as_ref(), Ok(&email));
            let key = email.key(|_| None);
            prop_assert_eq!(key.to_lowercase(), key);
        }
    }

    #[test]
    fn a_hint_is_an_address_that_gets_no_hint(
        typed in "[a-zA-Z.+]{1,6}@(gmail|gmial|ukr|yahoo|outlook|[a-z]{1,8})[.,]?[a-z.]{0,6}"
    ) {
        if let Some(meant) = suggest(&typed) {
            prop_assert!(Email::parse(&meant).is_ok(), "{}", meant);
            prop_assert_eq!(suggest(&meant), None);
        }
    }
}
