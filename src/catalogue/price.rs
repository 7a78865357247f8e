//! Prices in every way that feeds write them.

/// Most digits of an amount. More is a bar code, or a mistake.
const MAX_DIGITS: usize = 15;

/// Currencies whose amounts have three digits behind the point.
const OF_THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// What shops write in place of a currency's code.
const SIGNS: [(&str, &str); 12] = [
    ("грн", "UAH"),
    ("грн.", "UAH"),
    ("₴", "UAH"),
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("zł", "PLN"),
    ("kč", "CZK"),
    ("lei", "RON"),
    ("₾", "GEL"),
    ("₸", "KZT"),
    ("₺", "TRY"),
];

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Price {
    /// The amount: digits, and behind a point as many as were written.
    pub amount: String,
    /// The currency's code of three letters, if it is known.
    pub currency: Option<String>,
}

impl Price {
    /// Reads `1299.00 UAH`, `UAH 1299`, `1 299,00`, `1,299.00`, `1299 грн`.
    ///
    /// `currency` holds where the text names none. `None` if there is no amount, or more than one.
    #[must_use]
    pub fn parse(text: &str, currency: Option<&str>) -> Option<Self> {
        let text = text.trim();
        let from = text.find(|c: char| c.is_ascii_digit())?;
        let to = text.rfind(|c: char| c.is_ascii_digit())? + 1;
        let (before, rest) = text.split_at_checked(from)?;
        let (number, after) = rest.split_at_checked(to - from)?;
        if before.contains('-') || before.trim_end().ends_with(['.', ',']) {
            return None;
        }
        let named = code(before).or_else(|| code(after)).or_else(|| code(currency?));
        let thousandths =
            named.as_ref().is_some_and(|code| OF_THOUSANDTHS.contains(&code.as_str()));
        Some(Self { amount: amount(number, thousandths)?, currency: named })
    }

    /// The amount as a number, for what is computed of it.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.amount.parse().unwrap_or(0.0)
    }

    /// The amount with the currency, as feeds write it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.currency {
            Some(currency) => [&self.amount, " ", currency].concat(),
            None => self.amount.clone(),
        }
    }

    /// Whether it is surely less than another.
    #[must_use]
    pub fn is_less_than(&self, other: &Self) -> bool {
        let parts = |price: &Self| {
            let (whole, part) = price.amount.split_once('.').unwrap_or((&price.amount, ""));
            let digits = [whole, part, "000000".get(part.len()..).unwrap_or_default()].concat();
            digits.parse::<u128>().unwrap_or_default()
        };
        let same = match (&self.currency, &other.currency) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        same && parts(self) < parts(other)
    }
}

/// The code of the currency that `text` names.
fn code(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == ':');
    let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic());
    // `lei` is three letters too.
    let word = text.to_lowercase();
    let sign = SIGNS.iter().find(|(sign, _)| *sign == word).map(|(_, code)| (*code).to_owned());
    sign.or_else(|| is_code.then(|| text.to_ascii_uppercase()))
}

/// An amount out of digits with separators between them.
fn amount(number: &str, thousandths: bool) -> Option<String> {
    let is_separator = |c: char| !c.is_ascii_digit();
    let allowed = |c: char| {
        c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '’' | '_') || c.is_whitespace()
    };
    if !number.chars().all(allowed) {
        return None;
    }
    let groups: Vec<&str> = number.split(is_separator).collect();
    let last = number.rfind(is_separator).and_then(|at| number.get(at..)?.chars().next());
    let (last_group, others) = groups.split_last()?;
    let times = |sign: char| number.matches(sign).count();
    let is_point = match last {
        Some(sign @ ('.' | ',')) if times(sign) == 1 => {
            let mixed = number.chars().any(|c| is_separator(c) && c != sign);
            // Three digits behind the only separator are thousands, unless there are none before it,
            // or the currency has such parts.
            last_group.len() != 3 || mixed || thousandths || others == ["0"]
        }
        _ => false,
    };
    let (whole, part) = if is_point { (others, *last_group) } else { (&groups[..], "") };
    // Thousands come in threes; anything else is two numbers.
    let (first, rest) = whole.split_first()?;
    if first.is_empty() || rest.iter().any(|group| group.len() != 3) {
        return None;
    }
    if !rest.is_empty() && first.len() > 3 {
        return None;
    }
    let whole = whole.concat();
    let digits = whole.trim_start_matches('0');
    if digits.len() + part.len() > MAX_DIGITS || part.len() > 6 {
        return None;
    }
    let whole = if digits.is_empty() { "0" } else { digits };
    Some(if part.is_empty() { whole.to_owned() } else { [whole, ".", part].concat() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_in_every_form() {
        for (text, amount, currency) in [
            ("1299.00 UAH", "1299.00", Some("UAH")),
            ("UAH 1299", "1299", Some("UAH")),
            ("1 299,00", "1299.00", None),
            ("1299", "1299", None),
            ("1,299.00 usd", "1299.00", Some("USD")),
            ("1.299,50 EUR", "1299.50", Some("EUR")),
            ("1 299 000,5", "1299000.5", None),
            ("1'299.90 CHF", "1299.90", Some("CHF")),
            ("1\u{a0}299\u{202f}000 грн.", "1299000", Some("UAH")),
            ("₴1299", "1299", Some("UAH")),
            ("$ 0.99", "0.99", Some("USD")),
            ("1,299", "1299", None),
            ("1.299", "1299", None),
            ("0.999", "0.999", None),
            ("12.500 KWD", "12.500", Some("KWD")),
            ("12,5", "12.5", None),
            ("1.299.000", "1299000", None),
            ("00129.10", "129.10", None),
            ("0", "0", None),
            ("499,-", "499", None),
            ("1299 UAH/шт", "1299", None),
            ("Price: 5", "5", None),
        ] {
            let price = Price::parse(text, None).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (price.amount.as_str(), price.currency.as_deref()),
                (amount, currency),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_amount_or_several_is_no_price() {
        for text in [
            "",
            "free",
            "-5",
            "- 5 UAH",
            "10-20 UAH",
            "10 20",
            "1 29900",
            "12345 678",
            "1,2,3",
            ".5",
            "1234567890123456",
            "1..5",
            "1e5",
            "5/6",
            "UAH",
        ] {
            assert_eq!(Price::parse(text, None), None, "{text}");
        }
    }

    #[test]
    fn a_currency_of_its_own_wins() {
        assert_eq!(Price::parse("5", Some("UAH")).unwrap().to_text(), "5 UAH");
        assert_eq!(Price::parse("5 USD", Some("UAH")).unwrap().to_text(), "5 USD");
        assert_eq!(Price::parse("5", Some("money")).unwrap().to_text(), "5");
    }

    #[test]
    fn less_is_less_whatever_is_written_behind_the_point() {
        let price = |text| Price::parse(text, None).unwrap();
        assert!(price("9.5").is_less_than(&price("9.50001")));
        assert!(price("99").is_less_than(&price("100.00")));
        assert!(!price("100").is_less_than(&price("100.00")));
        assert!(!price("1 UAH").is_less_than(&price("100 USD")));
    }
}
