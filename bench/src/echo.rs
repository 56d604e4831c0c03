//! The least that a server of this kind does: the same runtime, the same reader of HTTP and the same
//! writer of answers as the service, and one answer for all.

use std::io;
use std::net::SocketAddr;

use dialect::http::{Limits, Reader, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Answers at this address until the process ends. `ready` is told where that is.
///
/// # Errors
/// When the address cannot be listened at.
pub async fn serve(at: SocketAddr, ready: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let listener = TcpListener::bind(at).await?;
    ready(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            // Who goes away need not be told.
            let _ = converse(stream).await;
        });
    }
}

async fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = Reader::new(Limits::default());
    let mut buffer = vec![0; 4096];
    loop {
        while let Ok(Some(request)) = reader.next() {
            let mut octets = Vec::new();
            Response::text(200, "nochg 9.0.0.1\n").write(Some(&request), false, &mut octets);
            stream.write_all(&octets).await?;
            if !request.persistent {
                stream.shutdown().await?;
            }
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        reader.push(buffer.get(..count).unwrap_or_default());
    }
}
