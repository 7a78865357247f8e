//! The account: whose key it is, and its money.

use super::{
    activity::MediaType,
    macros::{endpoint, shape},
    shape::{Decimal, Reader},
    text::Currency,
    time::DateTime,
};
use crate::value::Value;

shape! {
    /// Whose key it is.
    AccountInfo {
        /// The user.
        opt user_email: String = "userEmail",
        /// The organisation's name.
        opt organisation_name: String = "organisationName",
        /// The organisation's id; not in the reference of June 2025, but in answers.
        opt org_id: i64 = "orgId",
    }
}

shape! {
    /// The account's money.
    Balance {
        /// What is there.
        opt current_balance: Decimal = "currentBalance",
        /// What it may be in debt.
        opt credit_limit: Decimal = "creditLimit",
        /// The currency.
        opt currency: Currency = "currency",
        /// What is reserved, by channel and sender.
        opt senders_reserved_balances: Value = "sendersReservedBalances",
        /// E-mails that cost nothing.
        opt bonus_emails: i64 = "bonusEmails",
        /// SMS that cost nothing.
        opt bonus_smses: i64 = "bonusSmses",
    }
}

shape! {
    /// What messages cost, by day.
    BillingHistory {
        /// The currency.
        opt currency: Currency = "currency",
        /// The days.
        opt daily_costs: Vec<DailyCosts> = "dailyCosts",
    }
}

shape! {
    /// What messages cost on a day.
    DailyCosts {
        /// The day.
        opt date: DateTime = "date",
        /// The channels.
        opt channel_details: Vec<ChannelCosts> = "channelDetails",
    }
}

shape! {
    /// What messages of a channel cost on a day.
    ChannelCosts {
        /// The channel.
        opt media_type: MediaType = "mediaType",
        /// How many were sent.
        opt total_sent: i32 = "totalSent",
        /// Of how many parts SMS were.
        opt total_parts: i32 = "totalParts",
        /// How many cost nothing.
        opt bonus_spent: i32 = "bonusSpent",
        /// What was taken.
        opt funds_withdrawal: Decimal = "fundsWithdrawal",
        /// What was given back.
        opt funds_refund: Decimal = "fundsRefund",
        /// How many were given for nothing.
        opt bonus_received: i32 = "bonusReceived",
        /// What was taken of what is reserved; Viber only.
        opt reserved_funds_withdrawal: Decimal = "reservedFundsWithdrawal",
        /// What was given back to what is reserved; Viber only.
        opt reserved_funds_refund: Decimal = "reservedFundsRefund",
    }
}

endpoint! {
    /// Reads whose key it is; also the test of a connection.
    ReadAccount = "getAccountInfo", Account, Get "/v1/account/info", Shared, Reads => AccountInfo
}

endpoint! {
    /// Reads the account's money.
    ReadBalance = "getUserOrganisationBalance", Account, Get "/v1/balance", Shared, Reads => Balance
}

endpoint! {
    /// Reads what messages cost in a period of up to 90 days.
    ReadBillingHistory = "getOrganisationBalanceHistory", Account, Get "/v1/balance/history", Shared, Reads => BillingHistory {
        /// From when; the start of today if unset.
        query date_from: DateTime = "dateFrom",
        /// Until when; now if unset.
        query date_to: DateTime = "dateTo",
    }
    ; check check_history
}

fn check_history(call: &ReadBillingHistory, reader: &mut Reader) {
    if let (Some(from), Some(to)) = (&call.date_from, &call.date_to) {
        from.check_period(to, 90, "dateTo", "give a period of at most 90 days", reader);
    }
}
