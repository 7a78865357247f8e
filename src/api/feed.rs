//! Product feeds.

use super::{
    answer::Text,
    macros::{endpoint, shape},
};

shape! {
    /// A product feed.
    Feed {
        /// Its address.
        opt url: String = "url",
        /// Its language.
        opt language: String = "language",
        /// Whether it counts where no language is known.
        opt default: bool = "default",
    }
}

shape! {
    /// The account's product feeds.
    Feeds {
        /// The feeds.
        opt feeds: Vec<Feed> = "feeds",
    }
}

endpoint! {
    /// Reads the account's product feeds.
    ReadFeeds = "getProductFeedsConfiguration", Feeds, Get "/v1/products/config", Shared, Reads => Feeds
}

endpoint! {
    /// Sets the account's product feeds.
    SetFeeds = "configureProductFeeds", Feeds, Post "/v1/products/config", Shared, Same => Text {
        /// The feeds.
        body feeds: Feeds,
    }
}
