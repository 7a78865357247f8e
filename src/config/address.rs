//! Hosts and addresses in settings.

/// Whether `text` is a host as settings name it: bare, in small letters, with a port or without.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "80"));
    let label = |label: &str| {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(allowed)
    };
    host.split('.').all(label) && port.parse::<u16>().is_ok()
}

/// Whether only this machine reaches `host`.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.split(':').next().unwrap_or_default();
    host == "localhost" || host == "127.0.0.1" || host.ends_with(".localhost")
}

/// Whether the platform may be called at `address`.
pub(super) fn is_upstream(address: &str) -> bool {
    let clean = !address.contains(['?', '#', '@', ' ', '\\']);
    let rest = |host: &str| host.split('/').next().unwrap_or_default().to_owned();
    clean
        && match address.split_once("://") {
            Some(("https", host)) => is_host(&rest(host)),
            Some(("http", host)) => is_loopback(&rest(host)),
            _ => false,
        }
}
