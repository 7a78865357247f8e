//! What arrived, for people: one page without any script.

use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::store::{Stats, Stored, Verdict};

/// As many rows as fit on a screen or two; the listings have the rest.
pub(super) const ROWS: u32 = 50;

/// Longer bodies are cut; the whole one is a click away.
const SHORT_BODY: usize = 160;

const IDENTITY: [&str; 5] =
    ["externalCustomerId", "user_email", "user_phone", "user_name", "user_es_contact_id"];

const STYLE: &str = include_str!("page.css");

pub(super) fn render(stats: &Stats, newest: &[Stored]) -> String {
    let mut html = String::new();
    write_page(&mut html, stats, newest).expect("writing to text does not fail");
    html
}

fn write_page(html: &mut String, stats: &Stats, newest: &[Stored]) -> fmt::Result {
    // The policy is a second line against what `Escaped` might miss: bodies come from anybody.
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"refresh\" content=\"2\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>Platform stand-in: {} accepted</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>Platform stand-in</h1><p>What the tracker received, renewed every 2 s</p>\
         <nav><a href=\"/events\">events</a> <a href=\"/requests\">requests</a> \
         <a href=\"/stats\">stats</a> <a href=\"/faults\">faults</a> \
         <a href=\"/settings\">settings</a></nav></header>\n",
        stats.verdict(Verdict::Accepted),
    )?;
    write_counts(html, stats)?;
    if newest.is_empty() {
        html.push_str("<p class=\"empty\">Nothing has arrived yet.</p>\n");
    } else {
        html.push_str(
            "<div class=\"scroll\"><table>\n<thead><tr><th>Time (UTC)</th><th>Event</th>\
             <th>Web id</th><th>Identity</th><th>Body</th><th>Verdict</th></tr></thead>\n<tbody>\n",
        );
        for stored in newest {
            write_row(html, stored)?;
        }
        html.push_str("</tbody></table></div>\n");
    }
    html.push_str("</body>\n</html>\n");
    Ok(())
}

fn write_counts(html: &mut String, stats: &Stats) -> fmt::Result {
    html.push_str("<dl>\n");
    for verdict in Verdict::ALL {
        let (name, count) = (verdict.name(), stats.verdict(verdict));
        writeln!(html, "<div class=\"{name}\"><dt>{name}</dt><dd>{count}</dd></div>")?;
    }
    writeln!(html, "<div><dt>fullest second</dt><dd>{}</dd></div>", stats.max_per_second())?;
    html.push_str("</dl>\n");
    if !stats.events().is_empty() {
        html.push_str("<p class=\"events\">");
        for (index, (name, count)) in stats.events().iter().enumerate() {
            let gap = if index == 0 { "" } else { " · " };
            write!(html, "{gap}{} <b>{count}</b>", Escaped(name))?;
        }
        html.push_str("</p>\n");
    }
    Ok(())
}

fn write_row(html: &mut String, stored: &Stored) -> fmt::Result {
    let json: Value = serde_json::from_slice(&stored.body).unwrap_or_default();
    let what = stored.event.clone().unwrap_or_else(|| format!("{} {}", stored.method, stored.path));
    write!(
        html,
        "<tr><td class=\"time\">{}</td><td>{}</td><td class=\"mono sc\">{}</td>\
         <td class=\"identity\">{}</td>\
         <td class=\"mono\"><a href=\"/requests/{}/body\">{}</a></td>\
         <td><span class=\"verdict {}\">{}</span>",
        TimeOfDay(stored.received),
        Escaped(&what),
        Escaped(stored.sc.as_deref().unwrap_or_default()),
        Escaped(&identity(&json)),
        stored.seq,
        Escaped(&short_body(&json, &stored.body)),
        Escaped(&stored.verdict),
        Escaped(&stored.verdict),
    )?;
    if let Some(error) = &stored.error {
        let error: Value = serde_json::from_str(error).unwrap_or_default();
        let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        write!(
            html,
            "<span class=\"why\">{} {}</span>",
            Escaped(&part("field")),
            Escaped(&part("message"))
        )?;
    }
    if let Some(fault) = &stored.fault {
        write!(html, "<span class=\"why\">fault: {}</span>", Escaped(fault))?;
    }
    if stored.extras != "[]" {
        write!(html, "<span class=\"why\">extras: {}</span>", Escaped(&stored.extras))?;
    }
    html.push_str("</td></tr>\n");
    Ok(())
}

fn identity(json: &Value) -> String {
    let given = IDENTITY.iter().filter_map(|name| json["GeneralInfo"][*name].as_str());
    given.collect::<Vec<_>>().join(", ")
}

/// The body without what the other columns show.
fn short_body(json: &Value, raw: &[u8]) -> String {
    let text = match json.as_object() {
        Some(members) => {
            let mut members = members.clone();
            members.shift_remove("GeneralInfo");
            Value::Object(members).to_string()
        }
        None => String::from_utf8_lossy(raw).into_owned(),
    };
    match text.char_indices().nth(SHORT_BODY) {
        Some((end, _)) => text.get(..end).map_or_else(String::new, |start| format!("{start}…")),
        None => text,
    }
}

/// Text that cannot be taken for markup, in content and in quoted attributes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Unix milliseconds as the time of their day.
struct TimeOfDay(u64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(moment) = *self;
        let (hours, minutes) = (moment / 3_600_000 % 24, moment / 60_000 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{:03}", moment / 1000 % 60, moment % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::{Escaped, SHORT_BODY, TimeOfDay, short_body};

    #[test]
    fn a_body_cannot_add_markup_to_the_page() {
        assert_eq!(Escaped("<b a='\"&").to_string(), "&lt;b a=&#39;&quot;&amp;");
    }

    #[test]
    fn time_of_day_keeps_its_zeros() {
        assert_eq!(TimeOfDay(86_400_000 + 3_600_000 + 2_003).to_string(), "01:00:02.003");
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let raw = "я".repeat(SHORT_BODY + 1);
        let short = short_body(&serde_json::Value::Null, raw.as_bytes());
        assert_eq!(short, format!("{}…", "я".repeat(SHORT_BODY)));
    }
}
