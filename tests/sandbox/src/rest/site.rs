//! The shop's site: its domain and tracking script, web push, product feeds.

use hyper::{StatusCode, Uri};
use serde_json::{Value, json};

use super::{Answer, Answered, Call, Handler, Trouble};
use crate::api::Failure;
use crate::store::Doc;

/// The tracking domain, of which there is one.
const DOMAIN: &str = "domain";
const WEB_PUSH: &str = "web-push-domain";
const FEEDS: &str = "feeds";

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "getDomains" => domains,
        "createDomain" => add_domain,
        "getScript" => script,
        "getWebPushDomains" => web_push_domains,
        "addWebPushDomain" => add_web_push_domains,
        "addWebPushDomainSingle" => add_web_push_domain,
        "deleteWebPushDomain" => delete_web_push_domain,
        "getWebPushScript" => web_push_script,
        "getProductFeedsConfiguration" => feeds,
        "configureProductFeeds" => set_feeds,
        _ => return None,
    })
}

/// Whether a file could be fetched from here.
pub(super) fn is_url(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// The host of a domain, which some callers write as a URL.
fn host(text: &str) -> Option<String> {
    let rest = text.trim();
    let rest = rest.strip_prefix("https://").or(rest.strip_prefix("http://")).unwrap_or(rest);
    let host = rest.trim_end_matches('/').to_lowercase();
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    };
    let known = host.contains('.') && host.split('.').all(is_part);
    known.then_some(host)
}

fn domains(call: &Call<'_>) -> Answered {
    let domains = call.state.docs(DOMAIN)?;
    Ok(Answer::json(domains.iter().map(|doc| json!({ "domain": doc.name })).collect()))
}

/// 201 for a new domain, 200 for the same one again, 400 for a second one, 404 for one that cannot be
/// reached, which here is one of the top-level domain that no site has.
fn add_domain(call: &Call<'_>) -> Answered {
    let text = call.body["domain"].as_str().unwrap_or_default();
    let host = host(text).ok_or_else(|| Failure::field("domain", "a domain name is expected"))?;
    if host.ends_with(".invalid") {
        return Err(Failure::not_found("Domain can't be reached").into());
    }
    let known = call.state.docs(DOMAIN)?;
    let status = match known.first() {
        Some(doc) if doc.name.as_deref() == Some(host.as_str()) => StatusCode::OK,
        Some(_) => {
            let status = StatusCode::BAD_REQUEST;
            let message = "Domain is already registered";
            return Err(Failure::whole(status, "domain", message).into());
        }
        None => {
            call.state.add_doc(DOMAIN, Some(&host), call.now, &json!({}))?;
            StatusCode::CREATED
        }
    };
    let answer = json!({ "result": "OK", "siteId": SITE_ID });
    Ok(Answer { status, ..Answer::json(answer) })
}

/// As the platform gives them out: seven hexadecimal characters.
const SITE_ID: &str = "0a1b2c3";

fn script(call: &Call<'_>) -> Answered {
    if call.state.docs(DOMAIN)?.is_empty() {
        return Err(Failure::not_found("Domain not found").into());
    }
    Ok(Answer::text(format!("<script>/* tracking of the site {SITE_ID} */</script>\n")))
}

fn web_push_domains(call: &Call<'_>) -> Answered {
    let domains = call.state.docs(WEB_PUSH)?;
    Ok(Answer::json(domains.into_iter().map(|doc| doc.body).collect()))
}

/// Judges a web push domain at a place of the body.
fn check(domain: &Value, place: &str) -> Result<String, Failure> {
    let text = |name: &str| domain[name].as_str().unwrap_or_default();
    let wrong = |name: &str, message: &str| Failure::field(format!("{place}{name}"), message);
    let host = host(text("domain")).ok_or_else(|| wrong("domain", "a domain name is expected"))?;
    let name = text("serviceWorkerName").strip_suffix(".js").unwrap_or_default();
    if name.is_empty() || name.contains('/') {
        return Err(wrong("serviceWorkerName", "the name of a .js file is expected"));
    }
    for name in ["serviceWorkerPath", "serviceWorkerScope"] {
        if !text(name).starts_with('/') || !text(name).ends_with('/') {
            return Err(wrong(name, "a path begins and ends with a slash"));
        }
    }
    Ok(host)
}

fn put(call: &Call<'_>, host: &str, domain: &Value) -> Result<(), Trouble> {
    let id = match call.state.doc_named(WEB_PUSH, host)? {
        Some(known) => known.id,
        None => call.state.next_id(WEB_PUSH)?,
    };
    let (name, at, body) = (Some(host.to_owned()), call.now, domain.clone());
    Ok(call.state.put_doc(WEB_PUSH, &Doc { id, name, at, body })?)
}

fn add_web_push_domains(call: &Call<'_>) -> Answered {
    for (index, domain) in call.body["domains"].as_array().into_iter().flatten().enumerate() {
        let host = check(domain, &format!("domains[{index}]."))?;
        put(call, &host, domain)?;
    }
    Ok(Answer::nothing())
}

/// The other generation of the same method, which tells of errors inside of a success.
fn add_web_push_domain(call: &Call<'_>) -> Answered {
    let domain = &call.body["domain"];
    Ok(Answer::json(match check(&call.body, "") {
        Ok(host) => {
            put(call, &host, &call.body)?;
            json!({ "success": { "domain": domain, "status": "OK" } })
        }
        Err(failure) => json!({ "errors": { "domain": domain, "message": failure.text() } }),
    }))
}

/// The registered domain of a request, or the only one where it names none.
fn registered(call: &Call<'_>) -> Result<Doc, Trouble> {
    let absent = || Failure::not_found("Domain not found");
    let found = match call.text("domain") {
        Some(text) => call.state.doc_named(WEB_PUSH, &host(text).ok_or_else(absent)?)?,
        None => call.state.docs(WEB_PUSH)?.into_iter().next(),
    };
    Ok(found.ok_or_else(absent)?)
}

fn delete_web_push_domain(call: &Call<'_>) -> Answered {
    if call.text("domain").is_none() {
        return Err(Failure::field("domain", "domain is required").into());
    }
    let domain = registered(call)?;
    call.state.delete_doc(WEB_PUSH, domain.id)?;
    Ok(Answer::nothing())
}

fn web_push_script(call: &Call<'_>) -> Answered {
    let domain = registered(call)?;
    let host = domain.name.unwrap_or_default();
    Ok(Answer::json(json!({
        "script": format!("<script>/* web push of {host} */</script>"),
        "serviceWorker": format!("/* service worker of {host} */"),
    })))
}

fn feeds(call: &Call<'_>) -> Answered {
    let feeds = call.state.doc(FEEDS, 1)?.map_or_else(|| json!([]), |doc| doc.body);
    Ok(Answer::json(json!({ "feeds": feeds })))
}

/// Puts other feeds in place of those that are there.
fn set_feeds(call: &Call<'_>) -> Answered {
    let feeds = &call.body["feeds"];
    for (index, feed) in feeds.as_array().into_iter().flatten().enumerate() {
        if !is_url(feed["url"].as_str().unwrap_or_default()) {
            return Err(Failure::field(format!("feeds[{index}].url"), "a URL is expected").into());
        }
    }
    let (at, body) = (call.now, feeds.clone());
    call.state.put_doc(FEEDS, &Doc { id: 1, name: None, at, body })?;
    Ok(Answer::json(json!("OK")))
}
