//! Versions of the API.

use super::macros::{endpoint, shape};

shape! {
    /// Versions.
    Version {
        /// Of the API.
        opt version: String = "version",
        /// Of its protocol.
        opt protocol_version: String = "protocolVersion",
    }
}

endpoint! {
    /// Reads the version of the API.
    ReadVersionV1 = "getVersionV1", Version, Get "/v1/version", Shared, Reads => Version
}

endpoint! {
    /// Reads the version of the API, at the address that tests an OAuth connection.
    ReadVersionV2 = "getVersionV2", Version, Get "/v2/version", Shared, Reads => Version
}
