//! Every operation of the contract: one request that it takes and, where it can be asked wrongly, one
//! that it does not.

use serde_json::{Value, json};

/// An operation and two requests of it. Names in braces of the requests stand for what
/// [`super::operations`] made before.
pub(super) struct Row {
    /// Method and path as the document has them.
    pub(super) operation: &'static str,
    pub(super) path: &'static str,
    pub(super) body: Value,
    /// What is wrong with the path or the body, and the status that tells so.
    pub(super) wrong: Option<(&'static str, Value, u16)>,
}

fn row(operation: &'static str, path: &'static str, body: Value) -> Row {
    Row { operation, path, body, wrong: None }
}

impl Row {
    /// With this body in place of the right one it is refused.
    fn not(mut self, body: Value) -> Self {
        self.wrong = Some((self.path, body, 400));
        self
    }

    /// At this path in place of the right one it is refused.
    fn not_at(mut self, path: &'static str, status: u16) -> Self {
        self.wrong = Some((path, self.body.clone(), status));
        self
    }
}

const APP: &str = "83b77a49-fc28-409b-aeaa-68c9d544ab9d";

fn get(operation: &'static str, path: &'static str) -> Row {
    row(operation, path, Value::Null)
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = contacts();
    rows.extend(stored_messages());
    rows.extend(sending());
    rows.extend(mailings());
    rows.extend(events_and_orders());
    rows.extend(account_and_site());
    rows
}

fn contacts() -> Vec<Row> {
    let contact = json!({ "channels": [{ "type": "email", "value": "row@example.com" }] });
    let imported = json!({ "contacts": [contact], "dedupeOn": "email" });
    let file = json!({ "dedupeOn": "email", "link": "https://example.com/contacts.csv" });
    let emails = json!({ "emails": ["row@example.com"] });
    let ids = json!({ "contactIds": [1] });
    vec![
        row("POST /v1/contact", "/v1/contact", contact.clone()).not(json!({ "firstName": "A" })),
        row("POST /v1/contact/subscribe", "/v1/contact/subscribe", json!({ "contact": contact }))
            .not(json!({ "groups": ["A"] })),
        get("GET /v1/contacts", "/v1/contacts?email=row").not_at("/v1/contacts?maxrows=501", 400),
        row("POST /v1/contacts", "/v1/contacts", imported).not(json!({ "dedupeOn": "email" })),
        row("POST /v1/contacts/upload", "/v1/contacts/upload", file)
            .not(json!({ "dedupeOn": "push", "link": "https://example.com/a.csv" })),
        get("GET /v1/importstatus/{sessionId}", "/v1/importstatus/{session}")
            .not_at("/v1/importstatus/nobody", 404),
        get("GET /v1/contacts/email", "/v1/contacts/email?ids={contact}")
            .not_at("/v1/contacts/email", 400),
        row("POST /v1/emails/unsubscribed/add", "/v1/emails/unsubscribed/add", emails.clone())
            .not(json!({ "emails": ["nobody"] })),
        row("POST /v1/emails/unsubscribed/delete", "/v1/emails/unsubscribed/delete", emails)
            .not(json!({})),
        get("GET /v1/group/{id}/contacts", "/v1/group/{segment}/contacts?orderByTs=true")
            .not_at("/v1/group/1/contacts", 404),
        row(
            "POST /v1/group/{id}/contacts/attach",
            "/v1/group/{segment}/contacts/attach",
            ids.clone(),
        )
        .not(json!({ "contactIds": [1], "externalCustomerIds": ["1"] })),
        row("POST /v1/group/{id}/contacts/detach", "/v1/group/{segment}/contacts/detach", ids)
            .not(json!({ "contactIds": ["one"] })),
        get("GET /v1/groups", "/v1/groups?name=Row").not_at("/v1/groups?startindex=0", 400),
        get("GET /v1/workflows", "/v1/workflows").not_at("/v1/workflows?maxrows=many", 400),
        get(
            "GET /v1/contact/token/{app_uuid}/{token_id}/contactId",
            "/v1/contact/token/{app}/token-1/contactId",
        )
        .not_at("/v1/contact/token/{app}/nobody/contactId", 404),
        get("GET /v1/contact/{id}/subscriptions", "/v1/contact/{contact}/subscriptions")
            .not_at("/v1/contact/nobody/subscriptions", 400),
        row(
            "PUT /v1/contact/{id}/subscriptions",
            "/v1/contact/{contact}/subscriptions",
            json!({ "subscriptions": ["news"] }),
        )
        .not(json!({ "subscriptions": ["nothing"] })),
        get("GET /v1/contact/{id}", "/v1/contact/{contact}").not_at("/v1/contact/9999999", 404),
        row("PUT /v1/contact/{id}", "/v1/contact/{contact}", json!({ "firstName": "Row" }))
            .not(json!({ "channels": [] })),
        get("DELETE /v1/contact/{id}", "/v1/contact/{doomed}").not_at("/v1/contact/9999999", 404),
        get("DELETE /v1/contact", "/v1/contact?externalCustomerId=doomed&erase=true")
            .not_at("/v1/contact", 400),
        get(
            "GET /v2/contacts/recoms/{dataSourceId}",
            "/v2/contacts/recoms/1?email=row@example.com",
        )
        .not_at("/v2/contacts/recoms/1", 400),
        get("GET /v1/addressbooks", "/v1/addressbooks"),
    ]
}

/// A message of each channel, and a member that it needs.
pub(super) fn messages() -> Vec<(&'static str, Value, &'static str)> {
    let from = "\"Shop\" <shop@example.com>";
    vec![
        (
            "email",
            json!({ "name": "Row", "from": from, "subject": "Row", "htmlText": "<p>Row</p>", "languageCode": "en" }),
            "htmlText",
        ),
        ("mobilepush", json!({ "name": "Row", "title": "Row", "text": "Row" }), "title"),
        ("viber", json!({ "name": "Row", "from": "Shop", "text": "Row" }), "from"),
        ("appinbox", json!({ "name": "Row", "title": "Row", "text": "Row" }), "text"),
        ("telegram", json!({ "name": "Row", "text": "Row" }), "name"),
        ("sms", json!({ "name": "Row", "from": "Shop", "text": "Row" }), "from"),
    ]
}

fn stored_messages() -> Vec<Row> {
    let mut rows = Vec::new();
    for (channel, message, needed) in messages() {
        let mut wrong = message.clone();
        wrong.as_object_mut().unwrap().remove(needed);
        let text = |text: &str| -> &'static str { text.replace("CHANNEL", channel).leak() };
        let list = text("/v1/messages/CHANNEL");
        let one = text("/v1/messages/CHANNEL/{CHANNEL}");
        let translated = text("/v1/messages/CHANNEL/{CHANNEL}/uk");
        let none = text("/v1/messages/CHANNEL/1");
        rows.extend([
            get(text("GET /v1/messages/CHANNEL"), text("/v1/messages/CHANNEL?search=Row"))
                .not_at(text("/v1/messages/CHANNEL?maxrows=0"), 400),
            row(text("POST /v1/messages/CHANNEL"), list, message.clone()).not(wrong.clone()),
            get(text("GET /v1/messages/CHANNEL/{id}"), one).not_at(none, 404),
            row(text("PUT /v1/messages/CHANNEL/{id}"), one, message.clone()).not(wrong.clone()),
            row(text("PUT /v1/messages/CHANNEL/{id}/{language}"), translated, message).not(wrong),
            get(text("DELETE /v1/messages/CHANNEL/{id}/{language}"), translated)
                .not_at(text("/v1/messages/CHANNEL/{CHANNEL}/fr"), 404),
            get(
                text("DELETE /v1/messages/CHANNEL/{id}"),
                text("/v1/messages/CHANNEL/{doomed CHANNEL}"),
            )
            .not_at(none, 404),
        ]);
    }
    let link = "/v1/messages/email/{email}/viewLink";
    rows.push(
        get("GET /v1/messages/email/{id}/viewLink", link)
            .not_at("/v1/messages/email/1/viewLink", 404),
    );
    rows
}

fn sending() -> Vec<Row> {
    let smart = json!({ "recipients": [{ "locator": "row@example.com" }], "email": true });
    let email = json!({ "from": "a@b.com", "subject": "A", "htmlText": "A", "emails": ["row@example.com"] });
    let phones = json!(["380501234567"]);
    let status = json!({ "status": "DELIVERED", "time": "2020-07-09T15:11:17" });
    vec![
        row("POST /v1/message/{id}/smartsend", "/v1/message/{email}/smartsend", smart)
            .not(json!({ "recipients": [] })),
        row(
            "POST /v1/message/{id}/send",
            "/v1/message/{email}/send",
            json!({ "recipients": ["row@example.com"] }),
        )
        .not(json!({})),
        get("GET /v1/message/status", "/v1/message/status?ids={request}"),
        row("POST /v1/message/email", "/v1/message/email", email)
            .not(json!({ "from": "a@b.com", "subject": "A", "htmlText": "A" })),
        row(
            "POST /v1/message/sms",
            "/v1/message/sms",
            json!({ "from": "Shop", "text": "A", "phoneNumbers": phones }),
        )
        .not(json!({ "from": "Shop", "text": "A" })),
        row(
            "POST /v1/message/viber",
            "/v1/message/viber",
            json!({ "text": "A", "iosExpirityText": "A", "phoneNumbers": phones }),
        )
        .not(
            json!({ "text": "A", "iosExpirityText": "A", "phoneNumbers": phones, "img": "a.png" }),
        ),
        get("GET /v1/message/email/status", "/v1/message/email/status?ids={request}")
            .not_at("/v1/message/email/status", 400),
        get("GET /v1/message/sms/status", "/v1/message/sms/status?ids={request}")
            .not_at("/v1/message/sms/status", 400),
        get("GET /v1/message/viber/status", "/v1/message/viber/status?ids={request}")
            .not_at("/v1/message/viber/status", 400),
        row(
            "PUT /v1/interactions/{interaction_id}/status",
            "/v1/interactions/2E2E831C/status",
            status,
        )
        .not(json!({ "status": "SEEN" })),
        get(
            "GET /v2/contacts/activity",
            "/v2/contacts/activity?dateFrom=2026-01-01&dateTo=2026-02-01",
        )
        .not_at("/v2/contacts/activity?dateFrom=2026-01-01&dateTo=2026-05-01", 400),
        get(
            "GET /v2/contacts/messages",
            "/v2/contacts/messages?dateFrom=2026-01-01&dateTo=2026-02-01&contactId={contact}",
        )
        .not_at("/v2/contacts/messages?dateFrom=2026-01-01&dateTo=2026-02-01", 400),
        get("GET /v1/callouts/sms", "/v1/callouts/sms"),
    ]
}

fn mailings() -> Vec<Row> {
    let broadcast = json!({ "messageId": "{email}", "groups": [1] });
    let codes = json!({ "promocodes": ["A"], "expirationDate": "2099-01-01", "discount": 5 });
    let file = json!({ "link": "https://example.com/a.csv", "preprocessorType": "Key" });
    vec![
        get("GET /v1/broadcasts", "/v1/broadcasts").not_at("/v1/broadcasts?maxrows=501", 400),
        row("POST /v1/broadcast", "/v1/broadcast", broadcast).not(json!({ "messageId": "1" })),
        get("GET /v1/broadcast/{broadcast_id}", "/v1/broadcast/{broadcast}")
            .not_at("/v1/broadcast/nothing", 404),
        get("DELETE /v1/broadcast/{broadcast_id}", "/v1/broadcast/{broadcast}")
            .not_at("/v1/broadcast/nothing", 404),
        get("GET /v1/interfaces/sms", "/v1/interfaces/sms"),
        get("GET /v1/interfaces/email", "/v1/interfaces/email"),
        get("GET /v1/promocodes", "/v1/promocodes?inUse=false")
            .not_at("/v1/promocodes?inUse=perhaps", 400),
        row("POST /v1/promocodes", "/v1/promocodes", codes)
            .not(json!({ "promocodes": ["A"], "expirationDate": "soon", "discount": 5 })),
        get("GET /v1/promocodes/count", "/v1/promocodes/count")
            .not_at("/v1/promocodes/count?discount=much", 400),
        get("GET /v1/subscriptions", "/v1/subscriptions"),
        get("GET /v1/preprocessor/file/{id}/status", "/v1/preprocessor/file/{file session}/status")
            .not_at("/v1/preprocessor/file/nothing/status", 404),
        row("POST /v1/preprocessor/file/upload", "/v1/preprocessor/file/upload", file)
            .not(json!({ "link": "https://example.com/a.csv" })),
        row(
            "POST /v1/preprocessor/file/{id}",
            "/v1/preprocessor/file/{file}",
            json!({ "link": "https://example.com/b.csv" }),
        )
        .not(json!({})),
    ]
}

fn events_and_orders() -> Vec<Row> {
    let event = json!({ "eventTypeKey": "row", "keyValue": "1" });
    let past =
        json!({ "events": [{ "eventTypeKey": "row", "keyValue": "1", "occurred": "2020-01-01" }] });
    let keyless = json!({ "events": [{ "eventTypeKey": "row" }] });
    let order = json!({ "externalOrderId": "1", "externalCustomerId": "1", "totalCost": 1,
        "status": "INITIALIZED", "date": "2026-01-01T10:00:00+02:00", "currency": "UAH" });
    let mut wrong_order = order.clone();
    wrong_order["status"] = json!("NEW");
    let token = "/v1/auth/contact/token";
    vec![
        row("POST /v1/event", "/v1/event", event.clone())
            .not(json!({ "eventTypeKey": "row", "keyValue": "1", "params": [{ "name": "a", "value": 1 }] })),
        row("POST /v2/event", "/v2/event", event.clone()).not(json!({ "eventTypeKey": "row" })),
        row("POST /v3/event", "/v3/event", event).not(json!({ "keyValue": "1" })),
        row("POST /v1/past_events", "/v1/past_events", past.clone()).not(keyless.clone()),
        row("POST /v2/past_events", "/v2/past_events", past.clone()).not(keyless.clone()),
        row("POST /v3/past_events", "/v3/past_events", past).not(keyless),
        row("DELETE /v1/past_events", "/v1/past_events", json!({ "from": "2019-01-01", "to": "2019-01-02" }))
            .not(json!({ "from": "2019-01-02", "to": "2019-01-01" })),
        get("POST /v1/auth/token", "/v1/auth/token"),
        row("POST /v1/auth/contact/token", token, json!({ "email": "row@example.com" }))
            .not(json!({ "externalCustomerId": 5 })),
        row("POST /v1/orders", "/v1/orders", json!({ "orders": [order] }))
            .not(json!({ "orders": [wrong_order] })),
        get("DELETE /v1/orders", "/v1/orders?externalOrderId=1")
            .not_at("/v1/orders?from=2026-01-01T00:00:00&to=2026-01-02T00:00:01", 400),
    ]
}

fn account_and_site() -> Vec<Row> {
    let push = json!({ "domain": "push.example.com", "serviceWorkerName": "sw.js",
        "serviceWorkerPath": "/push/", "serviceWorkerScope": "/push/" });
    let tokens = json!({ "tokens": [{ "token": "token-2", "email": "row@example.com" }] });
    let activated = "/v1/contact/token/activated/{app}/token-1";
    let nobody = "/v1/contact/token/activated/{app}/nobody";
    vec![
        get("GET /v1/account/info", "/v1/account/info"),
        get("GET /v1/balance", "/v1/balance"),
        get("GET /v1/balance/history", "/v1/balance/history?dateFrom=2026-01-01&dateTo=2026-03-01")
            .not_at("/v1/balance/history?dateFrom=2026-01-01&dateTo=2026-04-15", 419),
        get("GET /v1/version", "/v1/version"),
        get("GET /v2/version", "/v2/version"),
        get("GET /v1/contact/token/activated/{app_uuid}/{token_id}", activated).not_at(nobody, 404),
        row(
            "PUT /v1/contact/token/activated/{app_uuid}/{token_id}",
            activated,
            json!({ "active": true }),
        )
        .not(json!({ "active": "yes" })),
        row("POST /v1/apps/{app_uuid}/tokens", "/v1/apps/{app}/tokens", tokens)
            .not(json!({ "tokens": [{ "token": "token-2" }] })),
        row(
            "POST /v1/apps/{app_uuid}/token/mute",
            "/v1/apps/{app}/token/mute",
            json!({ "token": "a", "duration": 5 }),
        )
        .not(json!({ "token": "a", "duration": 4 })),
        row(
            "POST /v1/apps/{app_uuid}/token/unmute",
            "/v1/apps/{app}/token/unmute",
            json!({ "token": "a" }),
        )
        .not_at("/v1/apps/x/token/unmute", 400),
        row("POST /v1/site/domains", "/v1/site/domains", json!({ "domain": "example.com" }))
            .not(json!({ "domain": "other.example.com" })),
        get("GET /v1/site/domains", "/v1/site/domains"),
        get("GET /v1/site/script", "/v1/site/script"),
        row(
            "POST /v1/site/webpush/domains",
            "/v1/site/webpush/domains",
            json!({ "domains": [push] }),
        )
        .not(json!({ "domains": [{ "domain": "a.com" }] })),
        row("POST /v1/site/webpush/domain", "/v1/site/webpush/domain", push)
            .not(json!({ "domain": "a.com" })),
        get("GET /v1/site/webpush/domains", "/v1/site/webpush/domains"),
        get("GET /v1/site/webpush/script", "/v1/site/webpush/script?domain=push.example.com")
            .not_at("/v1/site/webpush/script?domain=a.com", 404),
        get("DELETE /v1/site/webpush/domains", "/v1/site/webpush/domains?domain=push.example.com")
            .not_at("/v1/site/webpush/domains?domain=a.com", 404),
        row(
            "POST /v1/products/config",
            "/v1/products/config",
            json!({ "feeds": [{ "url": "https://example.com/feed.xml" }] }),
        )
        .not(json!({ "feeds": [{ "url": "feed" }] })),
        get("GET /v1/products/config", "/v1/products/config"),
    ]
}

/// The application that {app} stands for.
pub(super) fn app() -> &'static str {
    APP
}
