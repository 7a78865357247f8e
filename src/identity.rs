//! Who the visitor is: the web id, what a link says, and what stays from event to event.

use crate::event::Identity;

/// The random id of a browser, cookie `sc` (the platform's `webId`).
///
/// The platform makes upper-case UUIDs and takes any value of the shop's own (Y-REST).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebId(String);

impl WebId {
    /// Reads an id that came from outside.
    ///
    /// `None` if it could not stand in a cookie: empty, longer than 128 characters, or with other
    /// characters than visible ASCII without `"`, `,`, `;` and `\`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the address of a page says about how the visitor came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Landing {
    /// The contact that the link of a message names. Anyone can forge or forward it, so it is a
    /// hint for tracking and never a proof.
    pub contact_id: Option<String>,
    /// The recommendation block whose link was followed: `sc_content`.
    pub block: Option<String>,
}

/// The brands under which the platform marks its links; which one depends on the account.
const PREFIXES: [&str; 3] = ["yespo-", "esputnik-", "reteno-"];

impl Landing {
    /// Reads the address of a page.
    ///
    /// The contact is looked for in the platform's order (Y-ID): `etm_term` where the site has it
    /// set up, `utm_content=Yespo-<id>`, then `utm_source=Yespo-<type>` with `utm_content=<id>`.
    #[must_use]
    pub fn from_address(address: &str, etm_term: bool) -> Self {
        let mut landing = Self::default();
        let without_fragment = address.split('#').next().unwrap_or_default();
        let Some((_, query)) = without_fragment.split_once('?') else { return landing };
        let (mut term, mut content, mut source) = (None, None, None);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match name {
                "etm_term" => &mut term,
                "utm_content" => &mut content,
                "utm_source" => &mut source,
                "sc_content" => &mut landing.block,
                _ => continue,
            };
            let value = decode(value);
            if !value.is_empty() && value.len() <= 200 {
                *slot = Some(value);
            }
        }
        let contact_id = |text: &str| {
            let digits = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.to_owned())
        };
        let term = term.filter(|_| etm_term).and_then(|term| contact_id(&term));
        landing.contact_id = term.or_else(|| {
            let content = content?;
            match strip_prefix(&content) {
                Some(id) => contact_id(id),
                None => source.as_deref().and_then(strip_prefix).and(contact_id(&content)),
            }
        });
        landing
    }
}

/// A regular expression of the queries in which [`Landing`] finds a contact, in whatever case: for pages,
/// which then carry no reader of their own.
#[must_use]
pub fn links(etm_term: bool) -> String {
    let brand = PREFIXES.join("|");
    let (content, id) = ("[?&]utm_content=", "[0-9]{1,20}(&|$)");
    let source = ["^(?=.*[?&]utm_source=(", &brand, ")).*", content, id].concat();
    let term = if etm_term { ["|[?&]etm_term=", id].concat() } else { String::new() };
    [content, "(", &brand, ")", id, "|", &source, &term].concat()
}

fn strip_prefix(text: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| {
        let head = text.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..)).flatten()
    })
}

/// Percent-decoding as in a query; what is not valid stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                match (hex(ahead.next()), hex(ahead.next())) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                        rest = ahead;
                    }
                    _ => bytes.push(byte),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Adds what an event says of the visitor to what is known.
///
/// Another external id, e-mail or contact id is another person: then nothing of the old one
/// stays, so that two people's data never mix.
pub fn merge(known: &mut Identity, said: &Identity) {
    const PERSONAL: [&str; 3] = ["externalCustomerId", "user_email", "user_es_contact_id"];
    let value = |identity: &Identity, name: &str| {
        identity.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_lowercase())
    };
    let other = PERSONAL.iter().any(|name| match (value(known, name), value(said, name)) {
        (Some(old), Some(new)) => old != new,
        _ => false,
    });
    if other {
        known.clear();
    }
    for (name, text) in said {
        match known.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => old.clone_from(text),
            None => known.push((name.clone(), text.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(address: &str) -> Option<String> {
        Landing::from_address(address, true).contact_id
    }

    #[test]
    fn links_are_read_in_the_documented_order() {
        assert_eq!(contact("https://a.b/?utm_content=Yespo-1&etm_term=2"), Some("2".into()));
        assert_eq!(contact("https://a.b/?utm_content=Yespo-100500#x"), Some("100500".into()));
        assert_eq!(contact("https://a.b/?utm_content=eSputnik-7"), Some("7".into()));
        let both = "https://a.b/?utm_source=Yespo-email&utm_content=9";
        assert_eq!(contact(both), Some("9".into()));
    }

    #[test]
    fn a_link_of_somebody_else_names_nobody() {
        for query in ["utm_content=9", "utm_content=Yespo-abc", "utm_source=google&utm_content=9"] {
            assert_eq!(contact(&format!("https://a.b/?{query}")), None, "{query}");
        }
        assert_eq!(contact("https://a.b/#?utm_content=Yespo-1"), None);
        assert_eq!(Landing::from_address("https://a.b/?etm_term=2", false).contact_id, None);
    }

    #[test]
    fn pages_look_for_etm_term_where_it_is_set_up_alone() {
        assert!(links(true).contains("etm_term") && !links(false).contains("etm_term"));
        for prefix in PREFIXES {
            assert_eq!(links(false).matches(prefix).count(), 2, "{prefix}");
        }
    }

    #[test]
    fn the_block_of_a_recommendation_link_is_decoded() {
        let landing = Landing::from_address("https://a.b/?x=1&sc_content=21246%5Fr335v507", false);
        assert_eq!(landing.block.as_deref(), Some("21246_r335v507"));
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(decode("a%2"), "a%2");
        assert_eq!(decode("%zz+%41"), "%zz A");
    }

    #[test]
    fn another_person_replaces_everything_known() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut known = vec![pair("user_email", "A@b.c"), pair("user_phone", "380501234567")];
        merge(&mut known, &vec![pair("user_email", "a@b.c"), pair("user_name", "Ann")]);
        assert_eq!(known.len(), 3);
        merge(&mut known, &vec![pair("user_email", "other@b.c")]);
        assert_eq!(known, vec![pair("user_email", "other@b.c")]);
    }

    #[test]
    fn web_ids_of_the_shops_own_are_taken_and_cookie_breakers_are_not() {
        assert!(WebId::parse("CDA68358-94FB-4D83-9655-3FEB3CGGG1").is_some());
        for text in ["", "a;b", "a b", "é", "a\"b", &"x".repeat(129)] {
            assert!(WebId::parse(text).is_none(), "{text}");
        }
    }
}
