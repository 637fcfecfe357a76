//! Where connections come in: the network, and the socket in the data folder.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::tls::Tls;

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Somebody on the network.
    Address(SocketAddr),
    /// A user of this host, by name, whom the data folder's socket lets in.
    Local(Arc<str>),
}

impl Peer {
    /// Their address, if they have one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address.ip()),
            Self::Local(_) => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{}", address.ip()),
            Self::Local(user) => write!(f, "local:{user}"),
        }
    }
}

/// The ways in.
#[derive(Debug)]
pub struct Doors {
    /// The network's.
    pub network: TcpListener,
    /// The certificate that the network's shows, where TLS is spoken there.
    pub tls: Option<Arc<Tls>>,
    /// The data folder's.
    pub socket: Option<Socket>,
}

/// A connection that has come in.
#[derive(Debug)]
pub enum Stream {
    /// From the network, and how to speak TLS there, where that is spoken.
    Network(TcpStream, Option<Arc<Tls>>),
    /// By the socket.
    Local(UnixStream),
}

impl Doors {
    /// The next connection.
    ///
    /// # Errors
    /// It can't be accepted, for want of descriptors as a rule.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        let local = async {
            match &self.socket {
                Some(socket) => socket.listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.network.accept() => {
                let (stream, address) = accepted?;
                // Answers are written whole: nothing is to be gained by waiting for more.
                let _ = stream.set_nodelay(true);
                Ok((Stream::Network(stream, self.tls.clone()), Peer::Address(address)))
            }
            accepted = local => {
                let (stream, _) = accepted?;
                let user = user_name(stream.peer_cred()?.uid());
                Ok((Stream::Local(stream), Peer::Local(user.into())))
            }
        }
    }
}

/// A socket in the data folder, for its owner and root. It is gone when this is.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes it, in the place of one that a crash left. The folder has to be ours.
    ///
    /// # Errors
    /// The path is too long for a socket, or the file system has none.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Never open to others, not for a moment: who is connected stays so whatever the mode becomes.
        let others = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(path);
        rustix::process::umask(others);
        Ok(Self {
            listener: listener?,
            path: path.to_owned(),
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The name of a user of this host; their number where no name is known.
fn user_name(uid: u32) -> String {
    let number = uid.to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, of) = (fields.next()?, fields.nth(1)?);
        (of == number).then(|| name.to_owned())
    });
    named.unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn the_socket_is_its_owners_and_says_who_comes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("oncalld.sock");
        std::fs::write(&path, "left by a crash").unwrap();
        let socket = Socket::bind(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let network = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let doors = Doors {
            network,
            tls: None,
            socket: Some(socket),
        };
        let _client = UnixStream::connect(&path).await.unwrap();
        let (_, peer) = doors.accept().await.unwrap();
        let own = user_name(rustix::process::geteuid().as_raw());
        assert_eq!(peer.to_string(), format!("local:{own}"));
        drop(doors);
        assert!(!path.exists());
    }
}
