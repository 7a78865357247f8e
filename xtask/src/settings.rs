//! `kit.toml`: read with the core's own types, each mistake with its line and what to do about it.

use std::{collections::BTreeMap, fmt, fs, ops::Range, path::Path};

use anyhow::{Context as _, Result, anyhow};
use esputnik_kit::{
    config::{
        AlarmConfig, ApiConfig, Calls, Config, FeedConfig, OutboxConfig, Recommendations, Site,
        Token, check_version, recommendations,
    },
    definition::Definition,
};
use serde::{Deserialize as _, de::DeserializeOwned};
use toml::de::{DeTable, DeValue, Deserializer};

use crate::project;

/// The settings of the deployment, from the root of the source tree.
pub(crate) const FILE: &str = "worker/kit.toml";

/// Settings that can be used.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    places: Vec<Place>,
}

/// Something about a setting that the owner of the file should know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) line: usize,
    pub(crate) setting: String,
    pub(crate) text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.line, self.setting, self.text)
    }
}

/// Where a setting stands in the file.
#[derive(Debug)]
struct Place {
    /// As the core names it: `sites.main.hosts[1]`.
    setting: String,
    /// The names on the way to it; an entry of a list has those of the list.
    keys: Vec<String>,
    line: usize,
    name: Range<usize>,
    value: Range<usize>,
}

impl Settings {
    /// Something about `setting`, with its line.
    pub(crate) fn finding(&self, setting: &str, text: &str) -> Finding {
        let line = line_of(&self.places, setting);
        Finding { line, setting: setting.to_owned(), text: text.to_owned() }
    }

    /// Whether the file itself says something about `setting`.
    pub(crate) fn names(&self, setting: &str) -> bool {
        self.places.iter().any(|place| place.setting == setting)
    }
}

/// Reads a file; the error lists everything that is wrong with it.
pub(crate) fn load(path: &Path) -> Result<Settings> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("the settings cannot be read from {}", path.display()))?;
    let shown =
        |path: &Path| path.strip_prefix(project::root()).unwrap_or(path).display().to_string();
    let folder = path.with_file_name("forms");
    let forms = load_forms(&folder, &shown)?;
    read_with(&text, forms).map_err(|findings| {
        let line = |finding: &Finding| {
            // What is wrong with a form stands in that form's file.
            let own = finding.setting.strip_prefix("forms.").and_then(|rest| rest.split_once('.'));
            if let Some((form, place)) = own {
                let file = shown(&folder.join([form, ".json"].concat()));
                return format!("{file}: {place}: {}", finding.text);
            }
            format!("{}:{finding}", shown(path))
        };
        let lines: Vec<String> = findings.iter().map(line).collect();
        anyhow!("the settings cannot be used\n{}", lines.join("\n"))
    })
}

/// Reads the forms that are defined beside the settings, one in a file.
fn load_forms(
    folder: &Path,
    shown: &impl Fn(&Path) -> String,
) -> Result<BTreeMap<String, Definition>> {
    let mut forms = BTreeMap::new();
    let mut wrong = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>()?,
        Err(_) => Vec::new(),
    };
    for entry in entries {
        let path = entry.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        match serde_json::from_str(&fs::read_to_string(&path)?) {
            Ok(form) => _ = forms.insert(name.to_owned(), form),
            Err(error) => wrong.push(format!("{}:{}: {error}", shown(&path), error.line())),
        }
    }
    if wrong.is_empty() {
        Ok(forms)
    } else {
        Err(anyhow!("forms cannot be used\n{}", wrong.join("\n")))
    }
}

/// Reads the deployment's settings and leaves them where the build of the Worker takes them from.
pub(crate) fn bake() -> Result<()> {
    let settings = load(&project::root().join(FILE))?;
    let text = serde_json::to_string(&settings.config)?;
    let path = project::kit().join("config.json");
    // The time of an unchanged file tells Cargo that the Worker need not be built again.
    if fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads the text of a file, or says everything that is wrong with it.
#[cfg(test)]
pub(crate) fn read(text: &str) -> Result<Settings, Vec<Finding>> {
    read_with(text, BTreeMap::new())
}

/// The same for settings with forms beside them.
fn read_with(text: &str, forms: BTreeMap<String, Definition>) -> Result<Settings, Vec<Finding>> {
    let line = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let mut root = DeTable::parse(text).map_err(|error| {
        let line = line(error.span().map_or(0, |span| span.start));
        let source = text.lines().nth(line - 1).unwrap_or_default();
        let name = source.split_once('=').map_or("the file", |(name, _)| name.trim());
        vec![Finding { line, setting: name.to_owned(), text: error.message().to_owned() }]
    })?;
    let mut places = Vec::new();
    collect(root.get_ref(), "", &[], &line, &mut places);
    let finding = |setting: String, text: String| {
        let line = line_of(&places, &setting);
        Finding { line, setting, text }
    };

    let version = root.get_ref().get("version").map(toml::Spanned::get_ref);
    if let Some(DeValue::Integer(version)) = version
        && let Some(version) = version.as_str().parse::<u64>().ok().filter(|version| *version > 0)
        && let Err(error) = check_version(version)
    {
        return Err(vec![finding(error.setting, error.fix)]);
    }

    let mut findings = Vec::new();
    // What is not asked for again: settings that are there, but wrong.
    let mut covered: Vec<String> = Vec::new();
    let mut config = loop {
        let error = match Config::deserialize(Deserializer::from(root.clone())) {
            Ok(config) => break config,
            Err(error) => error,
        };
        let at = error.span().map_or(0, |span| span.start);
        let place = places
            .iter()
            .find(|place| place.value.contains(&at) || place.name.contains(&at))
            .and_then(|place| {
                let (key, above) = place.keys.split_last()?;
                Some((place, key, table_at(root.get_mut(), above)?))
            });
        let Some((place, key, table)) = place else {
            findings.push(finding("the file".into(), error.message().into()));
            return Err(findings);
        };
        if error.message() == "wanted string or table" {
            // The names to choose from come with the complaint about a text that is none.
            if let Some(value) = table.get_mut(key.as_str()) {
                blank(value.get_mut());
            }
            continue;
        }
        let (text, meant) = advice(error.message());
        covered.push(place.setting.clone());
        covered.extend(meant.map(|name| sibling(&place.setting, &name)));
        findings.push(finding(place.setting.clone(), text));
        // Without it the rest can be looked at.
        table.remove(key.as_str());
    };
    config.forms.extend(forms);
    for error in config.validate().err().unwrap_or_default() {
        if !covered.iter().any(|setting| setting.starts_with(&error.setting)) {
            findings.push(finding(error.setting, error.fix));
        }
    }
    if findings.is_empty() {
        return Ok(Settings { config, places });
    }
    findings.sort_by_key(|finding| finding.line);
    Err(findings)
}

/// Lists the settings of a table, those inside before the one around them.
fn collect(
    table: &DeTable<'_>,
    prefix: &str,
    keys: &[String],
    line: &impl Fn(usize) -> usize,
    places: &mut Vec<Place>,
) {
    for (name, value) in table {
        let setting = format!("{prefix}{}", name.get_ref());
        let keys = [keys, &[name.get_ref().to_string()]].concat();
        match value.get_ref() {
            DeValue::Table(inner) => collect(inner, &format!("{setting}."), &keys, line, places),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    places.push(Place {
                        setting: format!("{setting}[{index}]"),
                        keys: keys.clone(),
                        line: line(item.span().start),
                        name: item.span(),
                        value: item.span(),
                    });
                }
            }
            _ => {}
        }
        let line = line(name.span().start);
        places.push(Place { setting, keys, line, name: name.span(), value: value.span() });
    }
}

/// The line of a setting, or of what it is missing from.
fn line_of(places: &[Place], setting: &str) -> usize {
    let found = places.iter().find(|place| place.setting == setting).map(|place| place.line);
    let around = || setting.rsplit_once(['.', '[']).map(|(around, _)| line_of(places, around));
    found.or_else(around).unwrap_or(1)
}

fn table_at<'t, 'i>(table: &'t mut DeTable<'i>, keys: &[String]) -> Option<&'t mut DeTable<'i>> {
    keys.iter().try_fold(table, |table, key| match table.get_mut(key.as_str())?.get_mut() {
        DeValue::Table(inner) => Some(inner),
        _ => None,
    })
}

fn blank(value: &mut DeValue<'_>) {
    match value {
        DeValue::Array(items) => items.iter_mut().for_each(|item| blank(item.get_mut())),
        value => *value = DeValue::String("".into()),
    }
}

/// The name of another member beside `setting`.
fn sibling(setting: &str, name: &str) -> String {
    setting.rsplit_once('.').map_or(name.to_owned(), |(around, _)| format!("{around}.{name}"))
}

/// What to do about an error of serde's, and the setting that was probably meant.
///
/// Its wording is serde's own and old; a wording that is not known here is shown as it is.
fn advice(message: &str) -> (String, Option<String>) {
    let Some((wrong, expected)) = message.split_once(", expected ") else {
        return (message.to_owned(), None);
    };
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    if let Some(name) = wrong.strip_prefix("unknown field ") {
        return unknown(name.trim_matches('`'), &names);
    }
    let text = match expected {
        _ if wrong.starts_with("unknown variant") => {
            let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("write {}", names.join(" or "))
        }
        "u32" => "write a whole number from 0 to 4294967295, without quotes".to_owned(),
        "a boolean" => "write true or false, without quotes".to_owned(),
        "a string" => "write text in quotes".to_owned(),
        "a sequence" => "write a list: [\"one\", \"two\"]".to_owned(),
        "a map"
        | "struct AlarmConfig"
        | "struct ApiConfig"
        | "struct Block"
        | "struct Calls"
        | "struct FeedConfig"
        | "struct OutboxConfig"
        | "struct Recommendations"
        | "struct Site"
        | "struct Test"
        | "struct Token" => "make it a table, as in the example: [outbox], [sites.main]".to_owned(),
        _ => message.to_owned(),
    };
    (text, None)
}

fn unknown(name: &str, here: &[&str]) -> (String, Option<String>) {
    let distance = |known: &&&str| strsim::damerau_levenshtein(name, known);
    let nearest = here.iter().min_by_key(distance).filter(|known| distance(known) <= 2);
    if let Some(nearest) = nearest {
        let text = format!("there is no such setting; did you mean `{nearest}`?");
        return (text, Some((*nearest).to_owned()));
    }
    let homes = [
        (members::<Config>(), "at the top, before the first [table]"),
        (members::<ApiConfig>(), "below [api]"),
        (members::<AlarmConfig>(), "below [outbox.alarm]"),
        (members::<OutboxConfig>(), "below [outbox]"),
        (members::<Calls>(), "below a site's calls, as [sites.main.calls]"),
        (members::<FeedConfig>(), "below a site's feed, as [sites.main.feed]"),
        (members::<Token>(), "below a token's table, as [tokens.backend]"),
        (members::<Recommendations>(), "below [sites.main.recommendations]"),
        (members::<recommendations::Block>(), "below a block's table, as [….blocks.r12v34]"),
        (members::<Site>(), "below a site's table, as [sites.main]"),
    ];
    for (members, home) in homes {
        if members.iter().any(|member| member == name) {
            return (format!("it belongs elsewhere: {home}"), None);
        }
    }
    (format!("there is no such setting; here are: {}", here.join(", ")), None)
}

/// The names of a type's members, which serde tells to whom uses another one.
fn members<T: DeserializeOwned>() -> Vec<String> {
    let message = match serde_json::from_str::<T>(r#"{"?":0}"#) {
        Ok(_) => return Vec::new(),
        Err(error) => error.to_string(),
    };
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "[sites.main]\nhosts = [\"shop.example\"]\nsite_id = \"8A412DC\"\n";

    /// The findings of a file, as `check` prints them.
    fn wrong(text: &str) -> Vec<String> {
        read(text).expect_err("the file is wrong").iter().map(ToString::to_string).collect()
    }

    /// The one finding about a line that is added to a right file's site.
    fn wrong_site_line(line: &str) -> String {
        let found = wrong(&format!("version = 1\n{SITE}{line}\n"));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        found.concat()
    }

    #[test]
    fn the_committed_example_is_right_and_says_every_setting() {
        let path = project::root().join(FILE);
        let settings = load(&path).expect("the example can be used");
        assert_eq!(settings.config.sites.len(), 1);
        let text = fs::read_to_string(path).expect("it was read before");
        let tables = [
            "alarm",
            "api",
            "blocks",
            "calls",
            "feed",
            "outbox",
            "recommendations",
            "sites",
            "tests",
            "tokens",
        ];
        let known = [
            members::<Config>(),
            members::<AlarmConfig>(),
            members::<ApiConfig>(),
            members::<Calls>(),
            members::<FeedConfig>(),
            members::<OutboxConfig>(),
            members::<Recommendations>(),
            members::<Site>(),
            members::<Token>(),
            members::<recommendations::Block>(),
            members::<recommendations::Test>(),
        ]
        .concat();
        assert!(known.iter().any(|name| name == "product_key"), "{known:?}");
        for name in known.iter().filter(|name| !tables.contains(&name.as_str())) {
            let explained = text.lines().zip(text.lines().skip(1)).any(|(above, line)| {
                let setting = line.trim_start_matches("# ").split(" = ").next();
                setting == Some(name) && above.starts_with("# ")
            });
            assert!(explained, "{name} has no comment in its line above");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_the_right_one() {
        for (line, fix) in [
            ("gpc = \"yes\"", "5: sites.main.gpc: write true or false, without quotes"),
            ("locale = 3", "5: sites.main.locale: write text in quotes"),
            (
                "consent = \"maybe\"",
                "5: sites.main.consent: write \"denied\" or \"granted\" or \"cmp\"",
            ),
            ("consent = true", "5: sites.main.consent: write \"denied\" or \"granted\" or \"cmp\""),
            ("features = [1]", "5: sites.main.features[0]: write \"tracking\""),
            ("features = \"tracking\"", "5: sites.main.features: write a list: [\"one\", \"two\"]"),
        ] {
            assert_eq!(wrong_site_line(line), fix);
        }
        let outbox = wrong(&format!("version = 1\n[outbox]\nshards = \"4\"\n{SITE}"));
        let fix = "3: outbox.shards: write a whole number from 0 to 4294967295, without quotes";
        assert_eq!(outbox, [fix]);
        let table = wrong("version = 1\n[sites]\nmain = 3\n");
        assert_eq!(
            table,
            ["3: sites.main: make it a table, as in the example: [outbox], [sites.main]"]
        );
    }

    #[test]
    fn an_unknown_setting_is_named_with_what_was_meant() {
        for (line, fix) in [
            ("cookiedomain = 1", "there is no such setting; did you mean `cookie_domain`?"),
            ("shards = 4", "it belongs elsewhere: below [outbox]"),
            ("fresh = 4", "it belongs elsewhere: below [sites.main.recommendations]"),
            ("path = \"/k\"", "it belongs elsewhere: at the top, before the first [table]"),
        ] {
            assert!(wrong_site_line(line).ends_with(fix), "{line}: {}", wrong_site_line(line));
        }
        assert!(wrong_site_line("colour = 1").contains("here are: hosts, site_id, brand"));
        // What is there under a wrong name is not asked for a second time.
        let typo = format!("version = 1\n{}", SITE.replace("site_id", "siteid"));
        assert_eq!(
            wrong(&typo),
            ["4: sites.main.siteid: there is no such setting; did you mean `site_id`?"]
        );
    }

    #[test]
    fn what_is_missing_is_asked_for_at_the_line_of_its_table() {
        let found = wrong("version = 1\n\n[sites.main]\nbrand = \"reteno\"\n");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("3: sites.main.hosts: name the shop's hosts"), "{found:?}");
        assert!(found[1].starts_with("3: sites.main.site_id: give the site's id"), "{found:?}");
        assert_eq!(wrong(SITE), ["1: version: write `version = 1`"]);
    }

    #[test]
    fn what_the_core_finds_wrong_has_its_line() {
        let hosts = "version = 1\n[sites.main]\nsite_id = \"8A412DC\"\nhosts = [\n  \
                     \"shop.example\",\n  \"https://www.shop.example\",\n]\n";
        let found = wrong(hosts);
        assert!(found[0].starts_with("6: sites.main.hosts[1]: "), "{found:?}");
        let found = wrong_site_line("cookie_domain = \"other.example\"");
        assert!(found.starts_with("5: sites.main.cookie_domain: give a domain"), "{found}");
        let found = wrong(&format!("version = 1\n[outbox]\nshards = 4\ngeneration = 2\n{SITE}"));
        assert_eq!(
            found,
            ["2: outbox.previous_shards: say how many shards the generation before had"]
        );
    }

    #[test]
    fn everything_wrong_is_told_at_once_and_in_order() {
        let text = "version = 1\n[sites.main]\nhosts = [1]\ngpc = 1\nsite_id = \"\"\nfoo = 1\n";
        let lines: Vec<usize> =
            read(text).expect_err("four are wrong").iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [3, 4, 5, 6]);
    }

    #[test]
    fn what_is_not_toml_has_its_line_and_the_setting_of_that_line() {
        let found = wrong("version = 1\n[sites.main]\nhosts = shop.example\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("3: hosts: string values must be quoted"), "{found:?}");
        let found = wrong("version = 1\nversion = 1\n");
        assert!(found[0].starts_with("2: version: duplicate key"), "{found:?}");
    }

    #[test]
    fn a_newer_file_is_not_judged_by_this_version() {
        let found = wrong("# A comment.\nversion = 9\nnew_in_nine = true\n");
        assert_eq!(
            found,
            ["2: version: version 9 is newer than this build, which reads 1: update the kit"]
        );
    }
}
