//! Senders of the account.

use super::macros::{endpoint, shape};

shape! {
    /// A sender.
    Interface {
        /// Of which kind.
        opt kind: String = "type",
        /// Its name or address.
        opt value: String = "value",
    }
}

endpoint! {
    /// Lists senders of SMS.
    SmsInterfaces = "getSmsInterfaces", Interfaces, Get "/v1/interfaces/sms", Shared, Reads => Vec<Interface>
}

endpoint! {
    /// Lists senders of e-mails.
    EmailInterfaces = "getEmailInterfaces", Interfaces, Get "/v1/interfaces/email", Shared, Reads => Vec<Interface>
}
