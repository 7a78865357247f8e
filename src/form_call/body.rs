//! Bodies as browsers post forms without script.

use crate::problem::{Code, Problem};

/// Most fields of a body: more than any form has.
const MAX_FIELDS: usize = 300;

/// Longest boundary, as the standard has it.
const MAX_BOUNDARY: usize = 70;

/// Names and texts, in their order.
pub type Fields = Vec<(String, String)>;

/// Whether browsers post forms without script as what this header says.
#[must_use]
pub fn is_form(content_type: &str) -> bool {
    matches!(kind(content_type).as_str(), URL_ENCODED | MULTIPART)
}

const URL_ENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

fn kind(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a body of the kind that the header names.
///
/// # Errors
///
/// What no browser sends: another kind, parts without an end, text that is no UTF-8, files.
pub fn parse(content_type: &str, body: &str) -> Result<Fields, Problem> {
    let fields = match kind(content_type).as_str() {
        URL_ENCODED => url_encoded(body),
        MULTIPART => boundary(content_type).and_then(|boundary| multipart(&boundary, body)),
        _ => None,
    };
    let fields = fields.filter(|fields| fields.len() <= MAX_FIELDS);
    fields.ok_or_else(|| Problem::new(Code::InvalidBody, "", "post the form as browsers do"))
}

fn url_encoded(body: &str) -> Option<Fields> {
    let pairs = body.split('&').filter(|pair| !pair.is_empty()).take(MAX_FIELDS + 1);
    let pair = |pair: &str| {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(text)?))
    };
    pairs.map(pair).collect()
}

/// Text without its escapes; nothing if it is no UTF-8 then.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digits = rest.clone();
                let high = digits.next().and_then(digit);
                let low = digits.next().and_then(digit);
                match high.zip(low) {
                    Some((high, low)) => {
                        rest = digits;
                        high << 4 | low
                    }
                    // One that escapes nothing is one that somebody typed.
                    None => b'%',
                }
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn boundary(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1);
    let found = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, boundary) =
        found.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let boundary = boundary.trim().trim_matches('"');
    let fits = !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY;
    fits.then(|| boundary.to_owned())
}

fn multipart(boundary: &str, body: &str) -> Option<Fields> {
    let delimiter = ["\r\n--", boundary].concat();
    let mut fields = Vec::new();
    let mut rest = body.strip_prefix(delimiter.trim_start())?;
    loop {
        if rest.starts_with("--") {
            return Some(fields);
        }
        let part = rest.strip_prefix("\r\n")?;
        let (headers, content) = part.split_once("\r\n\r\n")?;
        let (text, behind) = content.split_once(delimiter.as_str())?;
        fields.push((part_name(headers)?, text.to_owned()));
        if fields.len() > MAX_FIELDS {
            return None;
        }
        rest = behind;
    }
}

/// The name of a part; nothing for a file.
fn part_name(headers: &str) -> Option<String> {
    let disposition = headers.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (kind, parameters) = disposition.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (before, name) = parameters.split_once("name=\"")?;
    let (name, behind) = name.split_once('"')?;
    if !before.trim().is_empty() || !behind.trim().is_empty() {
        return None;
    }
    // Browsers escape what would end a name, and nothing else.
    Some(name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn read(content_type: &str, body: &str) -> Option<Vec<(String, String)>> {
        parse(content_type, body).ok()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
    }

    #[test]
    fn escapes_of_addresses_are_undone() {
        assert_eq!(
            read(FORM, "email=a%2Bb%40c.de&name=J%C3%BCrgen+K&x&=y&&x=100%"),
            Some(pairs(&[
                ("email", "a+b@c.de"),
                ("name", "Jürgen K"),
                ("x", ""),
                ("", "y"),
                ("x", "100%")
            ]))
        );
        assert_eq!(read("Application/X-WWW-Form-Urlencoded; charset=UTF-8", ""), Some(pairs(&[])));
        for wrong in ["a=%ff", "a=%ed%a0%80", "a=%C3"] {
            assert_eq!(read(FORM, wrong), None, "{wrong}");
        }
        assert_eq!(read(FORM, &"a=1&".repeat(400)), None);
    }

    #[test]
    fn parts_are_read_to_their_end() {
        let kind = "multipart/form-data; boundary=----x";
        let part = |name: &str, text: &str| {
            format!("------x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let body = [part("email", "a@b.c"), part("a%22b", "l\r\n--\r\n"), "------x--\r\n".into()];
        assert_eq!(
            read(kind, &body.concat()),
            Some(pairs(&[("email", "a@b.c"), ("a\"b", "l\r\n--\r\n")]))
        );
        assert_eq!(read(kind, "------x--"), Some(pairs(&[])));
        assert_eq!(read("multipart/form-data; Boundary=\"----x\"", "------x--"), Some(pairs(&[])));
        let file =
            "------x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n\r\n";
        for wrong in ["", "------", "------x", "------x\r\n", "x", &body[0], file] {
            assert_eq!(read(kind, wrong), None, "{wrong}");
        }
        assert_eq!(read("multipart/form-data", "----"), None);
        assert_eq!(read("application/json", "{}"), None);
    }
}
