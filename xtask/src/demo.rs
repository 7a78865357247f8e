//! `cargo xtask demo`: the main job on this machine, until Ctrl-C.

use std::{fs, path::Path, sync::mpsc};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::{
    build, progress, project,
    stack::{self, Plan, Stack},
    tools::Toolbox,
};

/// Where the shop is looked for first; another port is taken where this one is not free.
const PORT: u16 = 8787;

/// The blocks of the shop's pages; that of a category stands where the settings say.
fn recommendations() -> Value {
    let block = |data_source: u32, en: &str, uk: &str| {
        json!({
            "source": "contact",
            "data_source": data_source,
            "size": 8,
            "header": {"en": en, "uk": uk},
            "buy": true,
        })
    };
    let mut category = block(1313, "Best of this kind", "Найкраще з цього");
    category["place"] =
        json!({"selector": "#recommended", "pages": ["/category*", "/spa/category/*"]});
    category["reserve"] = json!([[0, 400]]);
    let mut lost = block(1321, "Perhaps one of these", "Можливо, щось із цього");
    lost["template"] = json!("carousel");
    json!({
        "out_of_stock": "last",
        "blocks": {
            "r963v1311": block(1311, "Picked for you", "Підібрано для вас"),
            "r963v1313": category,
            "r963v1317": block(1317, "Goes well with it", "Пасує до цього"),
            "r963v1319": block(1319, "Do not forget", "Не забудьте"),
            "r963v1321": lost,
        },
    })
}

/// The forms of the demo shop, by their names.
fn forms(folder: &Path) -> Result<Map<String, Value>> {
    let mut forms = Map::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).context("forms have names")?;
        forms.insert(name.to_owned(), serde_json::from_slice(&fs::read(&path)?)?);
    }
    Ok(forms)
}

/// Runs the demo.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let port = match arguments {
        [] if stack::is_free(PORT) => PORT,
        [] => 0,
        [name, port] if name == "--port" => port.parse().context("--port takes a number")?,
        _ => bail!("`demo` takes --port NUMBER and nothing else"),
    };
    let toolbox = Toolbox::prepare()?;
    build::run(&toolbox)?;
    progress::step("stand-in of the platform: compiling");
    stack::build_sandbox(&toolbox)?;
    let (ended, wait) = mpsc::channel();
    ctrlc::set_handler(move || {
        // A second Ctrl-C while the first is being answered finds nobody waiting.
        let _ = ended.send(());
    })?;
    let folder = project::kit().join("demo");
    stack::clear(&folder)?;
    let forms = forms(&stack::default_shop().join("forms"))?;
    let plan = Plan {
        folder,
        port,
        // The shop asks: its banner is what a visitor sees first.
        site: json!({
            "consent": "denied",
            "calls": {
                "contact_fields": ["email"],
                "segments": ["News"],
                "form_type": "footer",
                "tokens": ["contact"],
            },
            "forms": forms.keys().collect::<Vec<_>>(),
            "currency": "UAH",
            "recommendations": recommendations(),
            "feed": {"address": "/feed.xml", "fields": ["brand", "tags_season"]},
        }),
        outbox: json!({}),
        settings: json!({"forms": forms}),
        // As good as none: whoever can read this can forge what they sign, on this machine alone.
        secrets: json!({"KIT_SIGNING_KEY": "demo-signing", "KIT_IDENTITY_KEY": "demo-identity"}),
        plain: None,
        cloud: stack::Cloud::default(),
        shop: stack::default_shop(),
    };
    let stack = Stack::start(&plan)?;
    progress::note("events reach the platform only after \"Accept\" in the shop's banner");
    progress::note(format_args!("what the platform has received: {}", stack.platform));
    let (token, key) = (stack::SERVER_TOKEN, stack::API_KEY);
    progress::note(format_args!("its REST API: {}/api, with the key {key}", stack.platform));
    progress::note(format_args!(
        "the same through the Worker: {}/k/api, with the token {token}",
        stack.shop
    ));
    progress::note("Ctrl-C ends everything");
    progress::result(format_args!("{}/", stack.shop));
    wait.recv()?;
    progress::line("");
    progress::step("ending");
    drop(stack);
    Ok(())
}
