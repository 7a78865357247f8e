//! Subscription categories of the account; those of a contact are with [`super::contact`].

use super::{
    macros::{endpoint, shape},
    time::DateTime,
};

shape! {
    /// A subscription category.
    SubscriptionCategory {
        /// Its id.
        opt id: i32 = "id",
        /// Its key.
        opt key: String = "key",
        /// The id of its segment.
        opt group_id: i64 = "groupId",
        /// How many contacts it has.
        opt contacts_count: i32 = "contactsCount",
        /// When it was made.
        opt created_date: DateTime = "createdDate",
        /// When it last changed.
        opt updated_date: DateTime = "updatedDate",
        /// Its name.
        opt name: String = "name",
    }
}

endpoint! {
    /// Lists the subscription categories of the account.
    ListSubscriptions = "getSubscriptionCategories", Subscriptions, Get "/v1/subscriptions", Shared, Reads => Vec<SubscriptionCategory>
}
