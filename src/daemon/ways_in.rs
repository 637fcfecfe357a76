//! Where the daemon can be reached, and what is said of that.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;

use super::{SOCKET_FILE, exposed};
use crate::config::Config;
use crate::http::connections::{Socket, Tls};
use crate::store::FolderLock;

/// The certificate to show, where TLS is to be spoken.
pub(super) fn open_tls(config: &Config) -> anyhow::Result<Option<Arc<Tls>>> {
    let files = config.server.tls_files();
    let tls = files.map(|(cert, key)| Tls::load(cert, key)).transpose();
    Ok(tls.context("no TLS")?.map(Arc::new))
}

pub(super) fn url_of(config: &Config, address: SocketAddr) -> String {
    let scheme = match config.server.tls_files() {
        Some(_) => "https",
        None => "http",
    };
    format!("{scheme}://{address}")
}

/// Says where it serves, and what is to be known of that.
pub(super) fn announce(
    config: &Config,
    address: SocketAddr,
    lock: &mut FolderLock,
) -> anyhow::Result<()> {
    let is_plain = config.server.tls_files().is_none() && config.server.public_url.is_none();
    if !address.ip().is_loopback() && is_plain {
        tracing::warn!(
            %address,
            "listening on a non-loopback address without TLS: set server.tls_cert_file, or put a proxy \
             with TLS in front and set server.public_url"
        );
    }
    let public = config.server.public_url.as_ref();
    let served = [url_of(config, address)].into_iter();
    let served: Vec<_> = served
        .chain(public.map(|url| url.as_str().to_owned()))
        .collect();
    lock.announce(&served)
        .context("the lock can't be written")?;
    for remark in config.remarks() {
        tracing::info!("{remark}");
    }
    for path in exposed(config) {
        tracing::warn!("{path}");
    }
    Ok(())
}

/// The socket by which the CLI of this host comes in without a token. It can do without.
pub(super) fn open_socket(config: &Config) -> Option<Socket> {
    if !config.server.socket {
        return None;
    }
    let path = config.server.data_dir.join(SOCKET_FILE);
    let socket = Socket::bind(&path);
    socket
        .inspect_err(|error| {
            let path = path.display();
            tracing::warn!(%path, %error, "no socket there: the CLI goes by the network");
        })
        .ok()
}
