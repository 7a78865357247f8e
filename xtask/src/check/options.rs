//! The command line of `check`.

use std::path::PathBuf;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask check [FILE] [--ids FILE] [--event] [--confirm-site-id] \
                     [--json]";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Settings other than the deployment's.
    pub(super) settings: Option<PathBuf>,
    /// Product ids of events, to be found in the feed.
    pub(super) ids: Option<PathBuf>,
    /// Whether one event may be made, to test the right to it.
    pub(super) event: bool,
    /// Whether the registered domain may be registered once more, to be told the site's id.
    pub(super) confirm_site_id: bool,
    /// Whether the result is for machines.
    pub(super) json: bool,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--event" => options.event = true,
                "--confirm-site-id" => options.confirm_site_id = true,
                "--json" => options.json = true,
                "--ids" => match arguments.next() {
                    Some(path) => options.ids = Some(PathBuf::from(path)),
                    None => bail!("`--ids` needs a file\n{USAGE}"),
                },
                // It is not repeated: whoever looks for a way to give the key may have given it.
                flag if flag.starts_with('-') => bail!("`check` has no such option\n{USAGE}"),
                path if options.settings.is_none() => options.settings = Some(PathBuf::from(path)),
                _ => bail!("`check` takes one file at most\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn options_stand_in_any_order() {
        assert_eq!(parse("").unwrap(), Options::default());
        let options = parse("--event --ids ids.txt kit.toml --json --confirm-site-id").unwrap();
        assert_eq!(options.settings, Some(PathBuf::from("kit.toml")));
        assert_eq!(options.ids, Some(PathBuf::from("ids.txt")));
        assert!(options.event && options.json && options.confirm_site_id);
    }

    #[test]
    fn what_is_unknown_is_refused_and_not_repeated() {
        let error = parse("--key=5f1d7c").unwrap_err().to_string();
        assert!(error.contains("no such option") && !error.contains("5f1d7c"), "{error}");
        assert!(parse("--ids").is_err());
        assert!(parse("one.toml two.toml").is_err());
    }
}
