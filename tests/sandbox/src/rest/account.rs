//! The account: whose it is, what it costs, which version answers.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::sends::media;
use super::{Answer, Answered, Call, Handler};
use crate::api::{Failure, dates};

/// The longest period of costs.
const LONGEST: i64 = 90 * dates::DAY;

/// What one message costs in the stand-in.
const PRICE: f64 = 0.5;

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "getAccountInfo" => |_| Ok(info()),
        "getUserOrganisationBalance" => |_| Ok(balance()),
        "getOrganisationBalanceHistory" => history,
        "getVersionV1" => |_| Ok(version("v1")),
        "getVersionV2" => |_| Ok(version("v2")),
        _ => return None,
    })
}

fn info() -> Answer {
    Answer::json(json!({
        "userEmail": "api-user162065",
        "organisationName": "Sandbox",
        "orgId": 12345,
    }))
}

fn balance() -> Answer {
    Answer::json(json!({
        "currentBalance": 1000.0,
        "creditLimit": 0.0,
        "currency": "UAH",
        "sendersReservedBalances": { "viber": [
            { "senderId": 1, "balance": 100.0, "senderName": "Shop" },
        ] },
        "bonusEmails": 0,
        "bonusSmses": 0,
    }))
}

/// What the messages of each day cost. From the beginning of today until now, unless given.
fn history(call: &Call<'_>) -> Answered {
    let today = call.now.div_euclid(dates::DAY) * dates::DAY;
    let from = call.moment("dateFrom")?.map_or(today, |moment| moment.at);
    let to = call.moment("dateTo")?.map_or(call.now, |moment| {
        if moment.day_only { moment.at + dates::DAY - 1 } else { moment.at }
    });
    if from > to {
        return Err(Failure::field("dateTo", "the end comes before the beginning").into());
    }
    if to - from > LONGEST {
        let status = StatusCode::from_u16(419).unwrap_or(StatusCode::BAD_REQUEST);
        return Err(Failure::whole(status, "period", "a period has at most 90 days").into());
    }
    let mut days: BTreeMap<i64, BTreeMap<String, u32>> = BTreeMap::new();
    for sent in call.state.sent_between(from, to, None)? {
        let day = days.entry(sent.at.div_euclid(dates::DAY)).or_default();
        *day.entry(media(&sent.channel).to_owned()).or_default() += 1;
    }
    let costs = |(media, count): (&String, &u32)| {
        json!({
            "mediaType": media,
            "totalSent": count,
            "totalParts": count,
            "bonusSpent": 0,
            "fundsWithdrawal": f64::from(*count) * PRICE,
            "fundsRefund": 0.0,
            "bonusReceived": 0,
        })
    };
    let days = days.iter().map(|(day, channels)| {
        let details: Vec<Value> = channels.iter().map(costs).collect();
        json!({ "date": dates::format_utc(day * dates::DAY), "channelDetails": details })
    });
    Ok(Answer::json(json!({ "currency": "UAH", "dailyCosts": days.collect::<Vec<_>>() })))
}

fn version(protocol: &str) -> Answer {
    Answer::json(json!({ "version": "1.0", "protocolVersion": protocol }))
}
