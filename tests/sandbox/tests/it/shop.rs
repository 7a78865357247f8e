//! The shop's server: a folder, a policy on demand, and the Worker behind two paths.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use sandbox::Loopback;
use serde_json::json;
use tokio::net::TcpListener;

use crate::rig::Rig;

const FILES: &[(&str, &str)] = &[
    ("secret.txt", "outside"),
    ("shop/index.html", "<p>home"),
    ("shop/404.html", "<p>nothing here"),
    ("shop/cart/index.html", "<p>cart"),
    ("shop/app.js", "let чай;"),
    ("shop/module.mjs", ""),
    ("shop/style.css", ""),
    ("shop/data.json", "{}"),
    ("shop/kit.wasm", ""),
    ("shop/logo.svg", ""),
    ("shop/spa/index.html", "<p>application"),
    ("shop/spa/app.js", "app"),
];

#[tokio::test]
async fn files_have_their_content_type_and_are_not_cached() {
    let rig = Rig::with_shop(FILES, None).await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/cart/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/module.mjs", "application/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/data.json", "application/json"),
        ("/kit.wasm", "application/wasm"),
        ("/logo.svg", "image/svg+xml"),
    ] {
        let answer = rig.shop(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache");
        for name in ["etag", "last-modified", "expires"] {
            assert!(!answer.headers.contains_key(name), "{name}");
        }
    }
}

#[tokio::test]
async fn the_feed_leads_to_the_shop_and_is_sent_once() {
    let files = [FILES, &[("shop/feed.xml", "<rss><link>https://shop.example/a</link></rss>")]];
    let rig = Rig::with_shop(&files.concat(), None).await;
    let host = [("host", "shop.test:8080")];
    let answer = rig.shop_send(Method::GET, "/feed.xml", &host, "").await;
    assert_eq!(answer.text, "<rss><link>http://shop.test:8080/a</link></rss>");
    assert_eq!(answer.header("content-type"), "application/xml; charset=utf-8");
    let known = [host[0], ("if-none-match", answer.header("etag"))];
    let again = rig.shop_send(Method::GET, "/feed.xml", &known, "").await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(Rig::with_shop(FILES, None).await.shop("/feed.xml").await.status, 404);
}

#[tokio::test]
async fn an_edited_page_shows_whatever_the_browser_has() {
    let rig = Rig::with_shop(FILES, None).await;
    let conditions =
        [("if-none-match", "*"), ("if-modified-since", "Wed, 21 Oct 2099 07:28:00 GMT")];
    let answer = rig.shop_send(Method::GET, "/", &conditions, "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "<p>home"));
}

#[tokio::test]
async fn an_unknown_path_is_the_shops_own_404() {
    let rig = Rig::with_shop(FILES, None).await;
    for path in ["/nothing", "/app.js/below", "/nul%00", &format!("/{}", "x".repeat(3000))] {
        let answer = rig.shop(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, "<p>nothing here"), "{path:.20}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
    let bare = Rig::with_shop(&[("shop/index.html", "")], None).await;
    assert_eq!(bare.shop("/nothing").await.status, 404);
    assert_eq!(bare.shop("/spa/nothing").await.status, 404);
}

#[tokio::test]
async fn no_path_leaves_the_folder() {
    let rig = Rig::with_shop(FILES, None).await;
    for path in [
        "/../secret.txt",
        "/cart/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "//../secret.txt",
        "/__csp/x/../secret.txt",
        "/__csp/x/%2e%2e/secret.txt",
        "/spa/../../secret.txt",
    ] {
        let answer = rig.shop(path).await;
        assert!(!answer.text.contains("outside"), "{path}");
    }
}

#[tokio::test]
async fn a_folder_without_its_slash_redirects_within_the_same_policy() {
    let rig = Rig::with_shop(FILES, None).await;
    let answer = rig.shop("/cart").await;
    assert_eq!((answer.status, answer.header("location")), (307, "/cart/"));
    let answer = rig.shop("/__csp/default-src%20%27self%27/cart").await;
    assert_eq!(answer.header("location"), "/__csp/default-src%20%27self%27/cart/");
}

#[tokio::test]
async fn a_prefixed_path_is_served_under_its_policy() {
    let rig = Rig::with_shop(FILES, None).await;
    let policy = "script-src 'nonce-a' 'strict-dynamic'; report-uri /r";
    let encoded = "script-src%20%27nonce-a%27%20%27strict-dynamic%27%3B%20report-uri%20%2Fr";
    let answer = rig.shop(&format!("/__csp/{encoded}/cart/?x=1")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "<p>cart"));
    assert_eq!(answer.header("content-security-policy"), policy);
    assert!(!rig.shop("/cart/").await.headers.contains_key("content-security-policy"));
    let missing = rig.shop(&format!("/__csp/{encoded}/nothing")).await;
    assert_eq!((missing.status, missing.header("content-security-policy")), (404, policy));
    for wrong in ["/__csp/no-rest", "/__csp/a%0d%0ab/", "/__csp/%ff/"] {
        assert_eq!(rig.shop(wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn paths_of_the_application_without_a_file_are_its_page() {
    let rig = Rig::with_shop(FILES, None).await;
    for path in ["/spa/", "/spa/products/7", "/spa/products/7/"] {
        let answer = rig.shop(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "<p>application"), "{path}");
    }
    assert_eq!(rig.shop("/spa/app.js").await.text, "app");
}

#[tokio::test]
async fn a_folder_only_reads() {
    let rig = Rig::with_shop(FILES, None).await;
    assert_eq!(rig.shop_send(Method::POST, "/", &[], "x").await.status, 405);
    let head = rig.shop_send(Method::HEAD, "/", &[], "").await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

/// A Worker that tells what reached it.
async fn mirror() -> Loopback {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(reflect));
            tokio::spawn(connection);
        }
    });
    Loopback::parse(&address).unwrap()
}

async fn reflect(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let headers: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| json!([name.as_str(), value.to_str().unwrap()]))
        .collect();
    let text = json!({
        "method": head.method.as_str(),
        "path": head.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    });
    let response = Response::builder()
        .status(202)
        .header("set-cookie", "sc=1; Path=/; Secure")
        .header("set-cookie", "other=2")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .body(Full::from(text.to_string()));
    Ok(response.unwrap())
}

#[tokio::test]
async fn the_workers_paths_reach_it_unchanged_and_its_answer_comes_back() {
    let rig = Rig::with_shop(FILES, Some(mirror().await)).await;
    let host = rig.sandbox.shop().unwrap().to_string();
    for path in ["/k/b?x=%2F&y", "/p/a/deep%20path"] {
        let headers = [
            ("cookie", "sc=1"),
            ("content-type", "text/plain"),
            ("connection", "x-mine"),
            ("x-mine", "1"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        let answer = rig.shop_send(Method::POST, path, &headers, "{raw}").await;
        assert_eq!(answer.status, 202);
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["sc=1; Path=/; Secure", "other=2"]);
        assert!(!answer.headers.contains_key("x-hop"));

        let reached = answer.json();
        assert_eq!(reached["method"], "POST");
        assert_eq!(reached["path"], path);
        assert_eq!(reached["body"], "{raw}");
        let headers = reached["headers"].as_array().unwrap();
        assert!(headers.contains(&json!(["cookie", "sc=1"])));
        assert!(headers.contains(&json!(["content-type", "text/plain"])));
        assert!(headers.contains(&json!(["host", host])));
        assert!(headers.contains(&json!(["x-forwarded-host", host])));
        assert!(headers.contains(&json!(["x-forwarded-for", "203.0.113.9, 127.0.0.1"])));
        assert!(!headers.iter().any(|header| header[0] == "x-mine"));
    }
}

#[tokio::test]
async fn other_paths_stay_with_the_shop() {
    let rig = Rig::with_shop(FILES, Some(mirror().await)).await;
    assert_eq!(rig.shop("/").await.text, "<p>home");
    assert_eq!(rig.shop("/kit.wasm").await.status, 200);
    assert_eq!(rig.shop("/pages").await.status, 404);
}

#[tokio::test]
async fn a_worker_that_is_away_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = Loopback::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    drop(listener);
    let rig = Rig::with_shop(FILES, Some(nobody)).await;
    assert_eq!(rig.shop("/k/health").await.status, 502);
}
