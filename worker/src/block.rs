//! Recommendation blocks: what pages build, and what stands in pages that run no script.

use esputnik_kit::{
    block::Block,
    config::{
        Config, Site,
        recommendations::{Block as Settings, Place, Recommendations, Template},
    },
    language,
    recommendation::{Answer, ask::pairs},
    value::{Members, Value},
};
use worker::{Env, Method};

use crate::{
    answer::{Error, text_json},
    assets,
    form::{kept, languages, site_of},
    guard, host,
    host::{Request, Response},
    recommendation, routes,
};

/// Serves what stands below `blocks`, and the starter: `named` is the site that the address names.
pub(crate) async fn serve(
    request: &Request,
    env: &Env,
    config: &Config,
    named: Option<&str>,
    route: &str,
) -> Result<Response, Error> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Err(Error::Method("GET, HEAD"));
    }
    match route {
        "blocks.js" => return assets::serve_short("blocks", request),
        "blocks.json" => {
            let (_, site) = site_of(request, config, named)?;
            let blocks = placed(&site.recommendations);
            let members = vec![("v".to_owned(), Value::whole(1)), ("blocks".to_owned(), blocks)];
            let list = Value::Object(members).to_json();
            return Ok(kept(request, config, list, "application/json", None));
        }
        _ => {}
    }
    let asked = route.strip_prefix("blocks/").ok_or(Error::NotFound)?;
    let (name, site) = site_of(request, config, named)?;
    if let Some(asked) = asked.strip_suffix(".html") {
        recommendation::caller(request, config, name)?;
        let shown = Shown::of(request, env, config, (name, site), asked).await?;
        return Ok(shown.fragment(request, config));
    }
    let page = recommendation::caller(request, config, name)?;
    let shown = Shown::of(request, env, config, (name, site), asked).await;
    let response = shown.map_or_else(Error::into_response, |shown| shown.view(request));
    Ok(match page {
        Some(page) => guard::allow(response, &page),
        None => response.with("vary", "origin"),
    })
}

/// What a place shows.
struct Shown<'a> {
    site: &'a Site,
    settings: &'a Settings,
    answer: Answer,
}

impl<'a> Shown<'a> {
    async fn of(
        request: &Request,
        env: &Env,
        config: &Config,
        (name, site): (&str, &'a Site),
        variant: &str,
    ) -> Result<Self, Error> {
        let ask = recommendation::read(request, variant)?;
        let answer = recommendation::answer(request, env, config, name, &ask).await?;
        let settings = site.recommendations.blocks.get(&answer.variant).ok_or(Error::NotFound)?;
        Ok(Self { site, settings, answer })
    }

    /// For a script: the tree, or for a template of the shop's own the products.
    fn view(&self, request: &Request) -> Response {
        let asked = routes::query(request.url(), "template").unwrap_or_default();
        let template = match asked {
            "none" => None,
            name => Some(Template::named(name).unwrap_or(self.settings.template)),
        };
        let view = self.draw(request, |block| block.view(template, &host::price));
        recommendation::with_cache(text_json(200, view.to_json()), &self.answer, self.site)
    }

    /// As HTML, for servers that include it and for `front.js`.
    fn fragment(&self, request: &Request, config: &Config) -> Response {
        let query = |name| routes::query(request.url(), name).unwrap_or_default();
        let template = Template::named(query("template")).unwrap_or(self.settings.template);
        let style = [&*config.path, "/a/", assets::file("blocks-style")].concat();
        let html = self.draw(request, |block| match query("part") {
            "light" => block.html(template, &host::price),
            "root" => block.root(template, &style, &host::price),
            _ => block.place(&about(request), template, &style, &host::price),
        });
        // As a page of its own it is nothing.
        let policy = "default-src 'none'; img-src 'self' https:; style-src 'self'";
        let response = Response::new(200, html.into_bytes())
            .with("content-type", "text/html; charset=utf-8")
            .with("x-content-type-options", "nosniff")
            .with("content-security-policy", policy)
            .with("vary", "accept-language, cookie");
        recommendation::with_cache(response, &self.answer, self.site)
    }

    /// Draws it in the language that is wished.
    fn draw<T>(&self, request: &Request, draw: impl FnOnce(&Block<'_>) -> T) -> T {
        let Self { site, settings, answer } = self;
        let wished = languages(request);
        let wished: Vec<&str> = wished.iter().map(String::as_str).collect();
        let mut spoken = esputnik_kit::block::languages().to_vec();
        spoken.extend(settings.header.languages());
        let own = site.locale.as_deref().unwrap_or("en");
        let language = language::choose(&spoken, &wished).unwrap_or(own);
        draw(&Block {
            variant: &answer.variant,
            source: answer.source.as_str(),
            language,
            header: settings.header.in_language(language, language::main(own)),
            buy: settings.buy,
            currency: site.currency.as_deref(),
            products: &answer.products,
        })
    }
}

/// What a place's element says of what it is asked about.
fn about(request: &Request) -> Vec<(&'static str, String)> {
    let names = [
        ("product", "product"),
        ("products", "products"),
        ("category", "category"),
        ("category_field", "category-field"),
        ("filters", "filters"),
        ("template", "template"),
    ];
    let mut found: Vec<(&str, String)> = Vec::new();
    for (asked, text) in pairs(recommendation::query(request)) {
        let Some((_, name)) = names.iter().find(|(name, _)| *name == asked) else { continue };
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = [&**known, ",", &text].concat(),
            None => found.push((name, text)),
        }
    }
    found
}

/// The blocks and tests that the settings place, as pages get them.
pub(crate) fn placed(recommendations: &Recommendations) -> Value {
    let blocks = recommendations.blocks.iter().filter_map(|(variant, block)| {
        let place = block.place.as_ref()?;
        Some(placed_at(variant, place, &block.reserve, Some(block.template)))
    });
    // Which of a test's templates it is, the answer says.
    let tests = recommendations.tests.iter().filter_map(|(name, test)| {
        Some(placed_at(name, test.place.as_ref()?, &test.reserve, None))
    });
    Value::List(blocks.chain(tests).collect())
}

fn placed_at(
    variant: &str,
    place: &Place,
    reserve: &[(u32, u32)],
    template: Option<Template>,
) -> Value {
    let mut at: Members = vec![
        ("selector".into(), Value::text(&place.selector)),
        ("where".into(), Value::text(place.at.as_str())),
    ];
    if !place.pages.is_empty() {
        at.push(("pages".into(), Value::List(place.pages.iter().map(Value::text).collect())));
    }
    let reserve = reserve.iter().map(|(width, height)| {
        Value::List(vec![Value::whole((*width).into()), Value::whole((*height).into())])
    });
    let mut members: Members = vec![("variant".into(), Value::text(variant))];
    members.extend(template.map(|name| ("template".into(), Value::text(name.as_str()))));
    members.push(("reserve".into(), Value::List(reserve.collect())));
    members.push(("place".into(), Value::Object(at)));
    Value::Object(members)
}
