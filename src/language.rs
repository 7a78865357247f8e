//! Languages by their tags, as `lang` attributes and browsers name them: `uk`, `pt-BR`.

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 8] = ["ar", "ckb", "dv", "fa", "he", "ps", "ur", "yi"];

/// The first of the languages that are wished, the most wanted first, that is spoken, or whose main part
/// is.
#[must_use]
pub fn choose<'a>(spoken: &[&'a str], wished: &[&str]) -> Option<&'a str> {
    wished.iter().find_map(|wish| {
        let wish = wish.trim().replace('_', "-");
        let same = |own: &&&str| own.eq_ignore_ascii_case(&wish);
        let near = |own: &&&str| own.eq_ignore_ascii_case(main(&wish));
        spoken.iter().find(same).or_else(|| spoken.iter().find(near)).copied()
    })
}

/// `rtl` or `ltr`.
#[must_use]
pub fn direction(language: &str) -> &'static str {
    if RIGHT_TO_LEFT.contains(&main(language)) { "rtl" } else { "ltr" }
}

/// A language without its region and script.
#[must_use]
pub fn main(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}
