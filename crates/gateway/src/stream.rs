//! A connection's octets in both directions, whatever carries them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Octets in both directions.
///
/// What was read to find out how a connection begins can be put back, so that whoever takes the
/// connection over reads it from its first octet.
#[derive(Debug)]
pub struct Stream {
    /// Octets to read again before those that carry on.
    early: Vec<u8>,
    /// How many of them have been.
    taken: usize,
    lower: Lower,
}

/// What carries the octets.
#[derive(Debug)]
enum Lower {
    Clear(TcpStream),
    Tls(Box<TlsStream<Stream>>),
}

impl Stream {
    /// A connection in clear.
    pub(crate) fn clear(tcp: TcpStream) -> Stream {
        Stream { early: Vec::new(), taken: 0, lower: Lower::Clear(tcp) }
    }

    /// A connection over TLS.
    pub(crate) fn tls(tls: TlsStream<Stream>) -> Stream {
        Stream { early: Vec::new(), taken: 0, lower: Lower::Tls(Box::new(tls)) }
    }

    /// Makes octets the next ones to be read.
    pub(crate) fn put_back(&mut self, octets: &[u8]) {
        let left = self.early.get(self.taken..).unwrap_or_default();
        self.early = [octets, left].concat();
        self.taken = 0;
    }

    /// Takes octets that were put back, as many as there is room for.
    fn take_early(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let left = self.early.get(self.taken..).unwrap_or_default();
        let count = left.len().min(buffer.remaining());
        if count == 0 {
            return false;
        }
        buffer.put_slice(left.get(..count).unwrap_or_default());
        self.taken += count;
        if self.taken == self.early.len() {
            // Nothing is put back again, as a rule.
            (self.early, self.taken) = (Vec::new(), 0);
        }
        true
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.take_early(buffer) {
            return Poll::Ready(Ok(()));
        }
        match &mut self.lower {
            Lower::Clear(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Lower::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.lower {
            Lower::Clear(tcp) => Pin::new(tcp).poll_write(context, octets),
            Lower::Tls(tls) => Pin::new(tls).poll_write(context, octets),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lower {
            Lower::Clear(tcp) => Pin::new(tcp).poll_flush(context),
            Lower::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.lower {
            Lower::Clear(tcp) => Pin::new(tcp).poll_shutdown(context),
            Lower::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn octets_that_are_put_back_are_read_before_the_others() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(b"abcdef").await.unwrap();
            client.shutdown().await.unwrap();
            let mut stream = Stream::clear(listener.accept().await.unwrap().0);
            let mut buffer = [0; 4];
            stream.read_exact(&mut buffer).await.unwrap();
            stream.put_back(&buffer);
            stream.read_exact(&mut buffer[..2]).await.unwrap();
            assert_eq!(&buffer[..2], b"ab");
            stream.put_back(b"AB");
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            assert_eq!(all, b"ABcdef");
        });
    }
}
