//! The tracked site.

use super::{
    answer::Text,
    macros::{endpoint, shape},
};

shape! {
    /// A domain.
    Domain {
        /// Its name.
        need domain: String = "domain",
    }
}

shape! {
    /// What became of a domain.
    DomainAdded {
        /// What.
        opt result: String = "result",
        /// The site's id, which the web tracker's events carry.
        opt site_id: String = "siteId",
    }
}

endpoint! {
    /// Reads the tracked domain; none if there is none.
    ReadDomains = "getDomains", Site, Get "/v1/site/domains", Shared, Reads => Vec<Domain>
}

endpoint! {
    /// Registers the tracked domain, one of an organisation.
    AddDomain = "createDomain", Site, Post "/v1/site/domains", Shared, Same => DomainAdded {
        /// The domain.
        body domain: Domain,
    }
}

endpoint! {
    /// Reads the platform's own tracking script.
    ReadScript = "getScript", Site, Get "/v1/site/script", Shared, Reads => Text
}
