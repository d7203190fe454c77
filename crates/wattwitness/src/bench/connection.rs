//! A keep-alive connection that sends requests made beforehand and measures the answers. It knows
//! of HTTP what the gateway's answers need, and is cheap so that the load does not take the
//! processor from what it measures.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The longest head of an answer.
const HEAD_BYTES: usize = 16 << 10;

/// How long a whole run over one connection may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// One connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What a run of requests gave.
#[derive(Default)]
pub(super) struct Run {
    pub(super) wall_s: f64,
    pub(super) latencies_ms: Vec<f64>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends requests one after the other; each must be answered with success.
    pub(super) async fn run(&mut self, requests: &[Vec<u8>]) -> anyhow::Result<Run> {
        let started = Instant::now();
        let mut latencies_ms = Vec::with_capacity(requests.len());
        for request in requests {
            let sent = Instant::now();
            self.stream.write_all(request).await?;
            self.answer().await?;
            latencies_ms.push(sent.elapsed().as_secs_f64() * 1e3);
        }
        Ok(Run {
            wall_s: started.elapsed().as_secs_f64(),
            latencies_ms,
        })
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        self.buffer.clear();
        let body_at = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(self.buffer.len() < HEAD_BYTES, "an answer without end");
            self.read().await?;
        };
        let head = Head::parse(&self.buffer[..body_at])?;
        while self.buffer.len() < body_at + head.body_bytes {
            self.read().await?;
        }
        if !(200..300).contains(&head.status) {
            let body = String::from_utf8_lossy(&self.buffer[body_at..]);
            bail!("the gateway answered {}: {body}", head.status);
        }
        Ok(())
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(count > 0, "the gateway closed the connection");
        Ok(())
    }
}

/// Runs one list of requests on each connection, all at the same time.
pub(super) async fn run_all(
    connections: &mut Vec<Connection>,
    lists: Vec<Vec<Vec<u8>>>,
) -> anyhow::Result<Run> {
    let mut senders = JoinSet::new();
    let started = Instant::now();
    for (mut connection, requests) in connections.drain(..).zip(lists) {
        senders.spawn(async move {
            let run = tokio::time::timeout(TIMEOUT, connection.run(&requests)).await;
            let run = run.context("the gateway takes too long")??;
            anyhow::Ok((connection, run))
        });
    }
    let mut whole = Run::default();
    while let Some(sender) = senders.join_next().await {
        let (connection, run) = sender??;
        connections.push(connection);
        whole.latencies_ms.extend(run.latencies_ms);
    }
    whole.wall_s = started.elapsed().as_secs_f64();
    Ok(whole)
}

/// A POST request, whole.
pub(super) fn post(path: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A GET request, whole.
pub(super) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// The value that `share` of all are not above; 0 of none.
pub(super) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    body_bytes: usize,
}

impl Head {
    fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes).context("an answer's head is not text")?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok())
            .context("an answer is not HTTP/1.1")?;
        let body_bytes = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .context("an answer does not tell its length")?;
        Ok(Self { status, body_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_tells_status_and_length() {
        let head = b"HTTP/1.1 201 Created\r\nContent-Length: 42\r\n\r\n";
        let expected = Head {
            status: 201,
            body_bytes: 42,
        };
        assert_eq!(Head::parse(head).unwrap(), expected);
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(Head::parse(b"HTTP/2 200\r\ncontent-length: 0\r\n\r\n").is_err());
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 0.99), 198.0);
        assert_eq!(percentile(&values, 0.5), 100.0);
        assert_eq!(percentile(&values[..1], 0.99), 200.0);
        assert_eq!(percentile(&[], 0.99), 0.0);
    }
}
