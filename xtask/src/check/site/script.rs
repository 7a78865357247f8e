//! Which ids the platform's script names.

/// Length of the short id, which events carry.
const SHORT: usize = 7;

/// Length of the long id, which names the script's file.
const LONG: usize = 32;

/// Words behind which a script names the site's short id.
const NAMES: [&str; 4] = ["site", "siteid", "site_id", "tenantid"];

/// The ids in a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// What it says is the site's id.
    pub(super) short: Vec<String>,
    /// Long ids.
    pub(super) long: Vec<String>,
    /// Every word that has the form of a short id; a colour or a number may have it, too.
    pub(super) words: Vec<String>,
}

/// Reads the ids in a script.
pub(super) fn read(script: &str) -> Found {
    let mut found = Found::default();
    let words = script.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
    let mut before = "";
    for word in words.filter(|word| !word.is_empty()) {
        if is_long(word) {
            push(&mut found.long, word);
        } else if is_short(word) {
            push(&mut found.words, word);
            if NAMES.iter().any(|name| name.eq_ignore_ascii_case(before)) {
                push(&mut found.short, word);
            }
        }
        before = word;
    }
    found
}

fn push(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

fn is_short(word: &str) -> bool {
    word.len() == SHORT && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether `id` has the form of the long id: 32 hexadecimal characters, with hyphens or without.
pub(super) fn is_long(id: &str) -> bool {
    let plain = id.bytes().filter(|byte| *byte != b'-');
    plain.clone().count() == LONG && plain.into_iter().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_id_of_the_snippet_is_no_short_one() {
        let snippet = "<script>!function(t,e,c,n){}(window,document,'script',\
                       'https://statics.esputnik.com/scripts/0123456789ABCDEF0123456789ABCDEF.js');\
                       eS('init', 'site-color: #1a2b3c4d');</script>";
        let found = read(snippet);
        assert_eq!(found.long, ["0123456789ABCDEF0123456789ABCDEF"]);
        assert_eq!((found.short, found.words), (vec![], vec![]));
        assert!(is_long("01234567-89ab-cdef-0123-456789abcdef"));
    }

    #[test]
    fn a_short_id_counts_as_the_sites_where_the_script_says_so() {
        let found = read(r#"{"siteId": "8A412DC", "version": "1234567"} site 8A412DC"#);
        assert_eq!(found.short, ["8A412DC"]);
        assert_eq!(found.words, ["8A412DC", "1234567"]);
    }
}
