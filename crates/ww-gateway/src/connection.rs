//! What bounds one connection: how long it may be idle, and how long its peer may take nothing of
//! what is written. It knows no HTTP.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// How many requests a connection has begun, and how many of them are not done.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    begun: AtomicUsize,
    open: AtomicUsize,
}

impl Activity {
    /// Notes that a request begins; it is done when the answer is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    /// Whether nothing is under way and nothing was begun since `seen`, which is brought up to now.
    pub(crate) fn is_idle_since(&self, seen: &mut usize) -> bool {
        let begun = self.begun.load(Ordering::Relaxed);
        let before = std::mem::replace(seen, begun);
        begun == before && self.open.load(Ordering::Relaxed) == 0
    }
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body whose request is under way until the body is dropped.
pub(crate) struct BusyBody {
    body: Body,
    _busy: Busy,
}

impl BusyBody {
    pub(crate) fn around(body: Body, busy: Busy) -> Body {
        Body::new(Self { body, _busy: busy })
    }
}

impl hyper::body::Body for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that breaks off when its peer takes nothing for too long. A timer is made only once a
/// write has to wait.
#[derive(Debug)]
pub(crate) struct Impatient<S> {
    stream: S,
    write_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(crate) const fn new(stream: S, write_timeout: Duration) -> Self {
        Self {
            stream,
            write_timeout,
            stalled: None,
        }
    }

    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.write_timeout;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        stalled
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        match flushed.is_ready() {
            // That nothing waits in the stream says nothing of what waits before it.
            true => flushed,
            false => self.judge(cx, flushed),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[test]
    fn a_connection_is_idle_only_after_a_whole_spell_without_a_request() {
        let activity = Arc::new(Activity::default());
        let mut seen = 0;
        let busy = activity.begin();
        assert!(!activity.is_idle_since(&mut seen));
        assert!(!activity.is_idle_since(&mut seen), "it is under way");
        drop(busy);
        assert!(activity.is_idle_since(&mut seen));
        drop(activity.begin());
        assert!(!activity.is_idle_since(&mut seen), "one came and went");
        assert!(activity.is_idle_since(&mut seen));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_for_too_long_is_broken_off() {
        let (ours, _theirs) = tokio::io::duplex(4);
        let mut ours = Impatient::new(ours, Duration::from_secs(30));
        let refused = ours.write_all(b"longer than the pipe").await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_little_now_and_then_is_waited_for() {
        let (ours, mut theirs) = tokio::io::duplex(1);
        let mut ours = Impatient::new(ours, Duration::from_secs(30));
        let reader = tokio::spawn(async move {
            let mut got = [0; 4];
            for at in 0..4 {
                tokio::time::advance(Duration::from_secs(20)).await;
                theirs.read_exact(&mut got[at..=at]).await.unwrap();
            }
            got
        });
        ours.write_all(b"slow").await.unwrap();
        assert_eq!(&reader.await.unwrap(), b"slow");
    }
}
