//! TLS on the network's door: a certificate and its key from files, read anew when they change, so that
//! whoever renews them need not restart anything.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What a client gets to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Why a certificate or its key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or holds something else.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The key is not the certificate's, or of a kind that isn't known.
    #[error("{} and {} don't go together: {cause}", cert.display(), key.display())]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        cause: rustls::Error,
    },
}

/// The certificate that the network's door shows.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// What the files looked like when they were read last, whatever came of it.
    stamps: [Option<Stamp>; 2],
}

/// By what a file that was written or replaced is known.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    written: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Self {
            inode: meta.ino(),
            bytes: meta.len(),
            written: (meta.mtime(), meta.mtime_nsec()),
        })
    }
}

impl Tls {
    /// Reads a certificate, with those between it and its authority, and its key, both as PEM.
    ///
    /// # Errors
    /// They can't be used.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamps = [cert, key].map(Stamp::of);
        let config = read(cert, key)?;
        Ok(Self {
            cert: cert.to_owned(),
            key: key.to_owned(),
            current: Mutex::new(Current { config, stamps }),
        })
    }

    /// Reads the files anew where they have changed: whether they had. Where they can't be used, those
    /// before stay in service.
    ///
    /// # Errors
    /// What is wrong with them; told once for each change.
    pub fn follow(&self) -> Result<bool, TlsError> {
        let stamps = [&self.cert, &self.key].map(|path| Stamp::of(path));
        if self.current().stamps == stamps {
            return Ok(false);
        }
        // Read while the ones before still serve.
        let config = read(&self.cert, &self.key);
        let mut current = self.current();
        current.stamps = stamps;
        current.config = config?;
        Ok(true)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Agrees on keys with a client.
    ///
    /// # Errors
    /// They speak no TLS, or none that we do, or take too long.
    pub async fn greet(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.current().config);
        let greeting = TlsAcceptor::from(config).accept(stream);
        tokio::time::timeout(HANDSHAKE, greeting).await?
    }
}

fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |path: &Path, error: &pem::Error, expected: &str| TlsError::File {
        path: path.to_owned(),
        problem: match error {
            pem::Error::NoItemsFound => format!("expected {expected} as PEM, found none"),
            other => other.to_string(),
        },
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(cert, &error, "a certificate"))?;
    if chain.is_empty() {
        return Err(wrong(cert, &pem::Error::NoItemsFound, "a certificate"));
    }
    let private = PrivateKeyDer::from_pem_file(key);
    let private = private.map_err(|error| wrong(key, &error, "a private key"))?;
    crate::tls::use_ring();
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|cause| TlsError::Pair {
            cert: cert.to_owned(),
            key: key.to_owned(),
            cause,
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
