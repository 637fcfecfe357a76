//! Answers that are too long to be held: a thread writes them as fast as they are read.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::low_priority;

/// What is sent at once, in bytes.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for the client.
const AHEAD: usize = 4;
/// How long a client may read nothing: what is written from is kept for it meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);

/// A body that `work` writes on a thread of its own, with less priority than all else. Where it fails, or
/// the client goes away or stalls, the other side sees that the answer broke off.
pub fn pour(work: impl FnOnce(&mut Pipe) -> io::Result<()> + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe {
            runtime: Handle::current(),
            sender,
            piece: Vec::with_capacity(PIECE),
        };
        let written = low_priority::run(|| work(&mut pipe).and_then(|()| pipe.flush()));
        if let Err(error) = written {
            // An answer that merely ended would pass for a whole one. Whoever stalls is told once they
            // read; without a client there is nobody to tell.
            let Pipe {
                runtime, sender, ..
            } = pipe;
            runtime.spawn(async move { sender.send(Err(error)).await });
        }
    });
    Body::from_stream(stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    }))
}

/// Where a body is written to.
pub struct Pipe {
    runtime: Handle,
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(data);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let send = async { timeout(PATIENCE, self.sender.send(Ok(piece.into()))).await };
        match self.runtime.block_on(send) {
            Ok(sent) => sent.map_err(|_| io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_answer_comes_whole() {
        let body = pour(|pipe| (0..100_000_u32).try_for_each(|n| writeln!(pipe, "{n}")));
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        let numbers = text.lines().map(|line| line.parse::<u32>().unwrap());
        assert!(numbers.eq(0..100_000_u32));
    }

    #[tokio::test]
    async fn what_fails_breaks_off() {
        let body = pour(|pipe| {
            writeln!(pipe, "a beginning")?;
            Err(io::Error::other("and no end"))
        });
        assert!(axum::body::to_bytes(body, usize::MAX).await.is_err());
    }
}
