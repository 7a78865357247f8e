//! Promo codes.

use super::{
    answer::{Embedded, Undocumented},
    macros::{endpoint, shape},
    shape::Reader,
    time::DateTime,
};
use crate::problem::Code;

shape! {
    /// Promo codes to store.
    PromoCodes check check_codes {
        /// The codes.
        req promo_codes: Vec<String> = "promocodes",
        /// Until when they hold.
        req expiration_date: DateTime = "expirationDate",
        /// What they take off.
        req discount: i32 = "discount",
        /// Their type, a name of your own.
        opt kind: String = "type",
        /// Whether they are used already.
        opt in_use: bool = "inUse",
    }
}

fn check_codes(codes: &PromoCodes, reader: &mut Reader) {
    if codes.promo_codes.is_empty() {
        reader.fail_at("promocodes", Code::MissingField, "give at least one code");
    }
}

shape! {
    /// Promo codes that were stored.
    PromoCodesStored {
        /// The codes.
        opt promo_codes: Vec<String> = "promocodes",
        /// Until when they hold.
        opt expiration_date: DateTime = "expirationDate",
        /// What they take off.
        opt discount: i32 = "discount",
        /// Their type.
        opt kind: String = "type",
        /// Whether they are used already.
        opt in_use: bool = "inUse",
    }
}

endpoint! {
    /// Lists promo codes; the platform sends JSON inside a string.
    ListPromoCodes = "getPromocodes", PromoCodes, Get "/v1/promocodes", Shared, Reads => Embedded {
        /// Their type.
        query kind: String = "type",
        /// Whether they are used.
        query in_use: bool = "inUse",
        /// In how many days they end.
        query active_due_days: i32 = "activeDueDays",
        /// What they take off.
        query discount: i32 = "discount",
    }
}

endpoint! {
    /// Stores promo codes; known ones are updated.
    ///
    /// The same values stand in the address in one document and in the body in another; given in the
    /// body, they need not be in the address.
    AddPromoCodes = "insertPromoCodes_1", PromoCodes, Post "/v1/promocodes", Shared, Same => PromoCodesStored {
        /// Until when they hold.
        query expiration_date: DateTime = "expirationDate",
        /// What they take off.
        query discount: String = "discount",
        /// Their type.
        query kind: String = "type",
        /// Whether they are used already.
        query in_use: bool = "inUse",
        /// The codes.
        body codes: PromoCodes,
    }
}

endpoint! {
    /// Counts the promo codes that are left.
    CountPromoCodes = "getPromocodesCount", PromoCodes, Get "/v1/promocodes/count", Shared, Reads => Undocumented {
        /// Their type.
        query kind: String = "type",
        /// In how many days they end.
        query active_due_days: i32 = "activeDueDays",
        /// What they take off.
        query discount: i32 = "discount",
    }
}
