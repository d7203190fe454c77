//! How a person or the system asks the program to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Comes back at the first Ctrl-C or SIGTERM.
pub(crate) async fn requested() {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be caught; Ctrl-C can");
            return interrupted().await;
        }
    };
    tokio::select! {
        () = interrupted() => {}
        _ = terminate.recv() => {}
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a way to be stopped the program would rather go on than end at once.
        std::future::pending::<()>().await;
    }
}
