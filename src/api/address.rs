//! Addresses of operations: templates filled in, and taken apart again.

use super::Input;

/// What stands unencoded in an address (RFC 3986, "unreserved").
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Appends `text` so that it stays one part of an address.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
}

/// Takes the percent-encoding away; `None` if it is none, or no UTF-8.
fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

/// The address of a call: the template with its values, and the query.
pub(super) fn build(template: &str, input: &Input) -> String {
    let mut out = String::new();
    for part in template.split('/').skip(1) {
        out.push('/');
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => {
                let value = input.path.iter().find(|(key, _)| key == name);
                encode(value.map_or("", |(_, value)| value), &mut out);
            }
            None => out.push_str(part),
        }
    }
    for (index, (name, value)) in input.query.iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

/// The values that stand in `path` where `template` has names; `None` if it is another address.
pub(super) fn matched(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    // A guide writes an address with a slash at its end.
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut parts = path.split('/');
    let mut values = Vec::new();
    for part in template.split('/') {
        let found = parts.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => values.push((name.to_owned(), decode(found, false)?)),
            None if part == found => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(values)
}

/// The names and values of a query; `None` if it is not encoded as one.
pub(super) fn query(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name, true)?, decode(value, true)?))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_one_part_of_the_address() {
        let input = Input {
            path: vec![("id".into(), "../a b?c#d%/é".into())],
            query: vec![("q".into(), "a&b=c+d".into()), ("e".into(), String::new())],
            body: None,
        };
        let address = build("/v1/x/{id}/y", &input);
        assert_eq!(address, "/v1/x/..%2Fa%20b%3Fc%23d%25%2F%C3%A9/y?q=a%26b%3Dc%2Bd&e=");
        let (path, text) = address.split_once('?').unwrap();
        assert_eq!(matched("/v1/x/{id}/y", path), Some(input.path));
        assert_eq!(query(text), Some(input.query));
    }

    #[test]
    fn other_addresses_do_not_match() {
        for path in ["/v1/x", "/v1/x/1/y/z", "/v1/x/1/z", "v1/x/1/y", "/v1/x/%zz/y", "/v1/x/%ff/y"]
        {
            assert_eq!(matched("/v1/x/{id}/y", path), None, "{path}");
        }
        assert_eq!(matched("/v1/contacts", "/v1/contacts/"), Some(vec![]));
        assert_eq!(query("a=%zz"), None);
        assert_eq!(
            query("&a&&b=1+2"),
            Some(vec![("a".into(), String::new()), ("b".into(), "1 2".into())])
        );
    }
}
