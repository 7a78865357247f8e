//! `cargo xtask deploy`: the Worker to Cloudflare, by the pinned wrangler.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use esputnik_kit::config::{
    Config, Site,
    recommendations::{Block, Source},
};

use crate::{
    bindings::{Bindings, Resource},
    build, check, process, progress, project,
    settings::{self, Settings},
    tools::Toolbox,
};

/// Whether settings ask for something.
type IsNeeded = fn(&Config) -> bool;

/// What the deployment can keep secret, what for, and whether its settings ask for it.
const SECRETS: [(&str, &str, IsNeeded); 5] = [
    ("KIT_SERVER_TOKEN", "lets your server send events and replay refused ones", |_| true),
    ("KIT_API_KEY", "the platform's key", |_| true),
    ("KIT_SIGNING_KEY", "signs the tokens of pages; without it forms take nothing", |config| {
        config.sites.values().any(|site| !site.forms.is_empty() || site.calls.is_open())
    }),
    (
        "KIT_TURNSTILE_SECRET",
        "of Cloudflare's test; without it forms with it take nothing",
        |config| config.forms.values().any(|form| form.turnstile.is_some()),
    ),
    ("KIT_MOBILE_KEY", "the access key of apps; without it their blocks show others", |config| {
        let blocks = |site: &Site| site.recommendations.blocks.values().any(is_mobile);
        config.sites.values().any(blocks)
    }),
];

fn is_mobile(block: &Block) -> bool {
    block.source == Source::Mobile
}

/// Publishes the Worker. Arguments go to `wrangler deploy`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let settings = settings::load(&project::root().join(settings::FILE))?;
    let bindings = Bindings::load()?;
    check::report(&settings, &bindings);
    bindings.refuse_wrong()?;
    let dry = arguments.iter().any(|argument| argument == "--dry-run");
    if !dry {
        refuse_placeholders(&settings)?;
    }
    let toolbox = Toolbox::prepare()?;
    build::run(&toolbox)?;
    if !dry {
        make_missing(&toolbox, &bindings, &settings.config)?;
    }
    progress::step("wrangler deploy");
    process::run(run_wrangler(&toolbox).arg("deploy").args(arguments))?;
    if !dry {
        hint_at_secrets(&toolbox, &settings.config);
    }
    Ok(())
}

/// `cargo xtask wrangler`: whatever wrangler can do, with the Node that it needs.
pub(crate) fn wrangler(arguments: &[String]) -> Result<()> {
    process::run(run_wrangler(&Toolbox::prepare()?).args(arguments))
}

/// Everything that deploying does, short of sending; needs no account and no network.
pub(crate) fn dry_run(toolbox: &Toolbox) -> Result<()> {
    settings::load(&project::root().join(settings::FILE))?;
    let folder = project::kit().join("deploy");
    let mut wrangler = run_wrangler(toolbox);
    wrangler.args(["deploy", "--dry-run", "--outdir"]).arg(&folder);
    let output = wrangler.output().context("wrangler cannot be started")?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // wrangler warns of what it does not know in its configuration, and goes on without it.
    let taken = output.status.success() && !said.contains("WARNING");
    if !taken || !said.contains("env.OUTBOX (OutboxObject)") {
        bail!("wrangler does not take the Worker and its configuration as they are:\n{said}");
    }
    Ok(())
}

fn refuse_placeholders(settings: &Settings) -> Result<()> {
    match check::placeholders(&settings.config).as_slice() {
        [] => Ok(()),
        hosts => bail!(
            "{}: {} cannot be a shop's; name your own hosts",
            settings::FILE,
            hosts.join(" and ")
        ),
    }
}

fn run_wrangler(toolbox: &Toolbox) -> Command {
    let mut wrangler = toolbox.script(&toolbox.wrangler);
    wrangler
        .current_dir(project::root().join("worker"))
        // The banner asks the registry for a newer wrangler, and this one is pinned.
        .env("WRANGLER_HIDE_BANNER", "true")
        .env("WRANGLER_SEND_METRICS", "false");
    wrangler
}

/// Makes the queues and the bucket that the Worker is bound to. wrangler refuses a queue that is not there.
fn make_missing(toolbox: &Toolbox, bindings: &Bindings, config: &Config) -> Result<()> {
    for Resource { words, name, jurisdiction } in bindings.resources(config) {
        let called = |verb: &str| {
            let mut wrangler = run_wrangler(toolbox);
            wrangler.args(words).arg(verb).arg(name);
            if let Some(jurisdiction) = jurisdiction {
                wrangler.args(["--jurisdiction", jurisdiction]);
            }
            wrangler
        };
        // A queue is found by its name, wherever it is.
        let mut info = run_wrangler(toolbox);
        info.args(words).args(["info", name]);
        let mut info = if words == ["queues"] { info } else { called("info") };
        if process::probe(&mut info).is_none() {
            progress::step(format_args!("wrangler {} create {name}", words.join(" ")));
            process::run(&mut called("create"))?;
        }
    }
    Ok(())
}

/// Names the secrets that are not there: the kit tracks without them, so this is no error.
fn hint_at_secrets(toolbox: &Toolbox, config: &Config) {
    let Some(list) = process::probe(run_wrangler(toolbox).args(["secret", "list"])) else {
        return progress::note("which secrets are set could not be asked");
    };
    for (name, purpose, is_needed) in SECRETS {
        if is_needed(config) && !list.contains(&format!("\"{name}\"")) {
            progress::note(format_args!("{name} is not set ({purpose})"));
            progress::note(format_args!("    cargo xtask wrangler secret put {name}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use toml::de::{DeTable, DeValue};

    use super::*;
    use crate::stack::{COMPATIBILITY_DATE, COMPATIBILITY_FLAG};

    #[test]
    fn the_worker_is_tested_under_the_rules_it_is_deployed_with() {
        let text = fs::read_to_string(project::root().join("worker/wrangler.toml"))
            .expect("the Worker's configuration is in the tree");
        let table = DeTable::parse(&text).expect("it is TOML");
        let date = table.get_ref().get("compatibility_date").map(toml::Spanned::get_ref);
        assert_eq!(date.and_then(DeValue::as_str), Some(COMPATIBILITY_DATE));
        let flags = table.get_ref().get("compatibility_flags").map(toml::Spanned::get_ref);
        let flags = flags.and_then(DeValue::as_array).expect("a list of flags");
        let flags: Vec<_> = flags.iter().map(|flag| flag.get_ref().as_str()).collect();
        assert_eq!(flags, [Some(COMPATIBILITY_FLAG)]);
    }

    #[test]
    fn the_hosts_of_the_example_are_not_deployed() {
        let text = "version = 1\n[sites.main]\nsite_id = \"8A412DC\"\nhosts = [\"HOST\"]\n";
        let refuse = |host: &str| {
            refuse_placeholders(&settings::read(&text.replace("HOST", host)).expect("is right"))
        };
        for host in ["shop.example", "www.shop.example", "127.0.0.1:8787", "localhost"] {
            let error = refuse(host).expect_err("nobody's shop").to_string();
            assert!(error.contains(host) && error.contains("kit.toml"), "{error}");
        }
        assert!(refuse("shop.com.ua").is_ok());
    }
}
