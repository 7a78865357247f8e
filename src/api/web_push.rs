//! Web push.

use super::{
    answer::Undocumented,
    macros::{endpoint, shape},
};

shape! {
    /// A domain that sends web push messages.
    WebPushDomain {
        /// Its name.
        req domain: String = "domain",
        /// The service worker's file, `*.js`.
        req service_worker_name: String = "serviceWorkerName",
        /// Its path, with a slash at both ends.
        req service_worker_path: String = "serviceWorkerPath",
        /// Its scope, mostly the same.
        req service_worker_scope: String = "serviceWorkerScope",
    }
}

shape! {
    /// Domains that send web push messages.
    WebPushDomains {
        /// The domains.
        opt domains: Vec<WebPushDomain> = "domains",
    }
}

shape! {
    /// What a page of such a domain loads.
    WebPushScript {
        /// The script.
        opt script: String = "script",
        /// The service worker.
        opt service_worker: String = "serviceWorker",
    }
}

endpoint! {
    /// Lists the domains.
    ReadWebPushDomains = "getWebPushDomains", WebPush, Get "/v1/site/webpush/domains", Shared, Reads => Undocumented
}

endpoint! {
    /// Registers domains.
    AddWebPushDomains = "addWebPushDomain", WebPush, Post "/v1/site/webpush/domains", Shared, Same => Undocumented {
        /// The domains.
        body domains: WebPushDomains,
    }
}

endpoint! {
    /// Registers one domain, at the address that some of the vendor's plug-ins use.
    AddWebPushDomain = "addWebPushDomainSingle", WebPush, Post "/v1/site/webpush/domain", Shared, Same => Undocumented {
        /// The domain.
        body domain: WebPushDomain,
    }
}

endpoint! {
    /// Removes a domain.
    DeleteWebPushDomain = "deleteWebPushDomain", WebPush, Delete "/v1/site/webpush/domains", Shared, Same => Undocumented {
        /// Its name.
        query domain: String = "domain",
    }
}

endpoint! {
    /// Reads what a page of such a domain loads.
    ReadWebPushScript = "getWebPushScript", WebPush, Get "/v1/site/webpush/script", Shared, Reads => WebPushScript {
        /// Its name.
        query domain: String = "domain",
    }
}
