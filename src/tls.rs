//! The cryptography of TLS.

/// Lets every client of this process use ring, which it has to be told before the first is made.
pub fn use_ring() {
    // An error means that there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
