//! Contacts and orders that are put together, and what becomes of each.

use esputnik_kit::{
    api::{Method, Reply},
    bulk::{
        Given, Import, Item, Kind, Settled, Verdict, after_failures, due, import_request, read,
        request, settle, settle_import,
    },
    json,
    problem::Code,
    value::Value,
};

fn given(kind: Kind, body: &str) -> Given {
    read(kind, json::parse(body).unwrap()).unwrap()
}

fn reply(status: u16, text: &str) -> Reply {
    Reply { status, text: text.to_owned(), ..Reply::default() }
}

fn people() -> Vec<Item> {
    let body = r#"{"contacts": [
        {"channels": [{"type": "email", "value": "A@shop.example"}], "externalCustomerId": "1"},
        {"channels": [{"type": "sms", "value": "+38 (050) 123-45-67"}]},
        {"channels": [{"type": "email", "value": "c@shop.example"}]}
    ], "dedupeOn": "email_or_sms"}"#;
    given(Kind::Contacts, body).items
}

#[test]
fn one_and_many_are_read_alike_and_written_as_documented() {
    let one = given(
        Kind::Contacts,
        r#"{"dedupeOn": "email", "groupNames": ["A"], "contact": {"channels": {"type": "email", "value": "a@b.example"}}}"#,
    );
    assert_eq!(one.warnings.len(), 1);
    assert_eq!(one.options.to_json(), r#"{"dedupeOn":"email","groupNames":["A"]}"#);
    let sent = request(Kind::Contacts, &one.options, &one.items);
    assert_eq!((sent.method, sent.target.as_str()), (Method::Post, "/v1/contacts"));
    assert_eq!(
        sent.body.unwrap(),
        r#"{"contacts":[{"channels":[{"type":"email","value":"a@b.example"}]}],"dedupeOn":"email","groupNames":["A"]}"#
    );
    let errors = read(Kind::Orders, json::parse(r#"{"order": {}}"#).unwrap()).unwrap_err();
    assert_eq!(errors[0].field, "orders[0].externalOrderId");
    let errors = read(Kind::Contacts, json::parse(r#"{"contacts": []}"#).unwrap()).unwrap_err();
    assert_eq!(errors[0].code, Code::MissingField);
}

#[test]
fn contacts_wait_for_others_but_not_for_ever() {
    let due = |count, newest| due(Kind::Contacts, count, 1000, newest);
    assert_eq!(due(1, 1000), 3000);
    assert_eq!(due(20, 2990), 3000, "a few more are not waited for");
    assert_eq!(due(100, 2990), 3990, "a crowd is");
    assert_eq!(due(2000, 60_000), 46_000);
    assert_eq!(due(3000, 1500), 1000, "a request is full");
}

#[test]
fn each_contact_gets_its_own_verdict() {
    let items = people();
    let answer = r#"{"id": 0, "asyncSessionId": "s", "failedContacts":
        {"channels": [{"type": "email", "value": "c@shop.example"}], "error": "no such domain"}}"#;
    let settled = settle(Kind::Contacts, &items, Some(&reply(200, answer)), 0);
    let expected = vec![None, None, Some(Verdict::Failed("no such domain".into()))];
    assert_eq!(settled, Settled::Import("s".into(), expected));
    assert_eq!(import_request("s/1").target, "/v1/importstatus/s%2F1");

    let status = |text: &str| settle_import(&items, Some(&reply(200, text)), 0, 0);
    assert_eq!(status(r#"{"status": "IMPORTING"}"#), Import::UnderWay);
    let finished = r#"{"status": "FINISHED", "mapping": [
        {"dedupeValue": "a@shop.example", "contactId": 7}, {"dedupeValue": "380501234567", "contactId": "8"}]}"#;
    let verdicts = vec![Verdict::Done(Some(7)), Verdict::Done(Some(8)), Verdict::Done(None)];
    assert_eq!(status(finished), Import::Finished(verdicts));
    let failed = status(r#"{"status": "ERROR", "description": "out of order"}"#);
    assert_eq!(failed, Import::Failed("out of order".into()));
    assert_eq!(settle_import(&items, None, 0, 0), Import::Later(Some(1000)));
    let unseen = reply(404, "no such import");
    assert_eq!(settle_import(&items, Some(&unseen), 0, 60_000), Import::UnderWay);
    let gone = settle_import(&items, Some(&unseen), 0, 3_600_000);
    assert_eq!(gone, Import::Failed("not_found (404): no such import".into()));
    let day = 24 * 60 * 60 * 1000;
    assert!(matches!(settle_import(&items, None, 0, day + 1), Import::Finished(_)));
}

#[test]
fn a_refusal_of_all_is_narrowed_down_to_whom_it_is_about() {
    let items = people();
    let refused = reply(400, "contacts[1]: no such field");
    assert_eq!(settle(Kind::Contacts, &items, Some(&refused), 0), Settled::Halve);
    let one = settle(Kind::Contacts, &items[..1], Some(&refused), 0);
    assert_eq!(one, Settled::All(vec![Verdict::Failed("contacts[1]: no such field".into())]));
    let later = settle(Kind::Contacts, &items, Some(&reply(429, "")), 0);
    assert_eq!(later, Settled::Later(Some(1000), false));
    let silence = settle(Kind::Contacts, &items, None, 0);
    assert_eq!(silence, Settled::Later(Some(1000), true));
}

#[test]
fn orders_are_settled_at_once() {
    let order = |id: &str| {
        format!(
            r#"{{"externalOrderId": "{id}", "externalCustomerId": "1", "totalCost": 1, "status": "DELIVERED",
                "date": "2026-05-31T10:00:00Z", "currency": "UAH"}}"#
        )
    };
    let items =
        given(Kind::Orders, &format!(r#"{{"orders": [{}, {}]}}"#, order("1"), order("2"))).items;
    let answer = r#"{"failedOrders": [{"order": {"externalOrderId": 2}, "error": "no contact"}]}"#;
    let verdicts = vec![Verdict::Done(None), Verdict::Failed("no contact".into())];
    assert_eq!(settle(Kind::Orders, &items, Some(&reply(200, answer)), 0), Settled::All(verdicts));
    let again = settle(Kind::Orders, &items, Some(&reply(409, "Duplicated request")), 0);
    assert_eq!(again, Settled::All(vec![Verdict::Done(None); 2]));
    let sent = request(Kind::Orders, &Value::Object(vec![]), &items[..1]);
    assert!(sent.body.unwrap().starts_with(r#"{"orders":[{"externalOrderId":"1""#));
}

#[test]
fn a_reason_is_about_one_contact_though_others_share_its_address() {
    let body = r#"{"contacts": [
        {"channels": [{"type": "email", "value": "a@b.example"}, {"type": "sms", "value": "380501234567"}]},
        {"channels": [{"type": "email", "value": "a@b.example"}]}
    ]}"#;
    let items = given(Kind::Contacts, body).items;
    let answer = r#"{"asyncSessionId": "s", "failedContacts":
        {"channels": [{"type": "email", "value": "a@b.example"}], "error": "no"}}"#;
    let settled = settle(Kind::Contacts, &items, Some(&reply(200, answer)), 0);
    assert_eq!(
        settled,
        Settled::Import("s".into(), vec![None, Some(Verdict::Failed("no".into()))])
    );
}

#[test]
fn what_the_platform_took_is_not_sent_again_whatever_it_said() {
    let items = people();
    for text in ["taken", "", r#"{"asyncSessionId": " "}"#] {
        let settled = settle(Kind::Contacts, &items, Some(&reply(200, text)), 0);
        assert_eq!(settled, Settled::All(vec![Verdict::Done(None); 3]), "{text}");
    }
}

#[test]
fn what_the_platform_fails_on_is_narrowed_down_and_given_up() {
    assert_eq!(after_failures(7, 3000), None);
    assert_eq!(after_failures(8, 3000), Some(Settled::Halve));
    assert_eq!(after_failures(8, 1), None);
    assert!(matches!(after_failures(24, 1), Some(Settled::All(_))));
}

#[test]
fn one_and_a_list_together_are_refused_and_so_is_what_is_too_long() {
    let wrong = |body: &str| {
        let problems = read(Kind::Contacts, json::parse(body).unwrap()).unwrap_err();
        (problems[0].code, problems[0].field.clone())
    };
    assert_eq!(wrong(r#"{"contacts": [], "contact": {}}"#), (Code::Conflict, "contact".into()));
    let long = "x".repeat(600 * 1024);
    let body = format!(r#"{{"contact": {{"channels": [{{"type": "email"}}], "note": "{long}"}}}}"#);
    assert_eq!(wrong(&body), (Code::TooLong, "contacts[0]".into()));
}
