//! Connections that can be broken from the inside.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};

/// Every connection, by its peer.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<Mutex<HashMap<SocketAddr, std::net::TcpStream>>>);

impl Connections {
    /// Breaks a connection: whoever waits for an answer gets none.
    pub(super) fn break_one(&self, peer: SocketAddr) {
        if let Some(stream) = self.0.lock().unwrap().remove(&peer) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn break_all(&self) {
        for (_, stream) in self.0.lock().unwrap().drain() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Keeps a handle of each connection that it accepts.
pub(super) struct Accepting(pub(super) TcpListener, pub(super) Connections);

impl Listener for Accepting {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            if let Ok((stream, peer)) = self.0.accept().await
                && let Ok(stream) = stream.into_std()
                && let Ok(handle) = stream.try_clone()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.1.0.lock().unwrap().insert(peer, handle);
                return (stream, peer);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Accepting>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Accepting>) -> Self {
        Self(*stream.remote_addr())
    }
}
