//! `wattwitness verify`: fetches what a gateway has of a meter, or opens what was saved before, and
//! lets the auditor judge it. It decides nothing itself.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use ww_api::hex;
use ww_verify::{Audit, Report, Verdict};
use ww_wire::{MeterId, PublicKey, SignerId};

use crate::http::Server;

/// Chain records that are asked for at a time.
const RECORDS_AT_A_TIME: u64 = 500;

/// The exit code of an audit that found a contradiction.
const REFUTED: u8 = 3;

/// The exit code of an audit that found something missing.
const INCOMPLETE: u8 = 4;

const EXIT_CODES: &str = "\
Exit codes: 0 complete, 3 refuted, 4 something is missing or there is nothing to check, 1 the audit could not be done.

Examples:
  wattwitness verify --gateway http://127.0.0.1:8000 --meter 5f2c… --from 2026-06-01 --to 2026-07-01
  wattwitness verify --gateway http://127.0.0.1:8000 --meter 5f2c… --save evidence
  wattwitness verify --saved evidence                     offline, from what was saved";

/// What to check.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct VerifyArguments {
    /// The gateway that serves the records; it need not be trusted
    #[arg(long, value_name = "URL", required_unless_present = "saved")]
    gateway: Option<Url>,
    /// The meter's id (64 hex digits), as you have it from the meter or its operator
    #[arg(long, value_name = "ID", required_unless_present = "saved")]
    meter: Option<String>,
    /// Start of the time to check: 2026-06-01 or 2026-06-01T12:00:00Z (UTC); the meter's first
    /// record if left out
    #[arg(long, value_name = "TIME", value_parser = utc_ms)]
    from: Option<u64>,
    /// End of the time to check; the meter's last record if left out
    #[arg(long, value_name = "TIME", value_parser = utc_ms)]
    to: Option<u64>,
    /// The id of the operator whose enrolments you trust
    #[arg(long, value_name = "ID", value_parser = signer_id)]
    operator: Option<SignerId>,
    /// File with an API key, for a gateway that is not read publicly
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
    /// Also save what was fetched into this new folder, for an audit offline
    #[arg(long, value_name = "DIR", conflicts_with = "saved")]
    save: Option<PathBuf>,
    /// Check what was saved before, without any network
    #[arg(long, value_name = "DIR", conflicts_with_all = ["gateway", "meter"])]
    saved: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Who is audited; saved beside the records.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    meter_id: String,
    public_key: String,
    from_ms: Option<u64>,
    to_ms: Option<u64>,
}

/// Does the audit and gives what to print.
pub(crate) async fn run(arguments: &VerifyArguments) -> anyhow::Result<(String, ExitCode)> {
    let report = match (&arguments.saved, &arguments.gateway, &arguments.meter) {
        (Some(folder), _, _) => audit_saved(folder, arguments.operator)?,
        (None, Some(gateway), Some(meter)) => audit_served(gateway, meter, arguments).await?,
        _ => bail!("say which records to check: --gateway and --meter, or --saved"),
    };
    let text = if arguments.json {
        serde_json::to_string_pretty(&report)?
    } else {
        report.to_string().trim_end().to_owned()
    };
    let code = match report.verdict {
        Verdict::Complete => ExitCode::SUCCESS,
        Verdict::Refuted => ExitCode::from(REFUTED),
        Verdict::Incomplete | Verdict::Empty => ExitCode::from(INCOMPLETE),
    };
    Ok((text, code))
}

fn audit_saved(folder: &Path, operator: Option<SignerId>) -> anyhow::Result<Report> {
    let read = |name: &str| {
        let file = folder.join(name);
        std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let subject: Subject = serde_json::from_slice(&read(SUBJECT_FILE)?)
        .with_context(|| format!("{SUBJECT_FILE} in {} cannot be read", folder.display()))?;
    let mut audit = begin(&subject, operator)?;
    audit.enrolments(&read(ENROLMENTS_FILE)?);
    audit.records(&read(RECORDS_FILE)?);
    Ok(audit.finish(asked(&subject)))
}

const SUBJECT_FILE: &str = "meter.json";
const ENROLMENTS_FILE: &str = "enrolments.cose";
const RECORDS_FILE: &str = "records.cose";

async fn audit_served(
    gateway: &Url,
    meter: &str,
    arguments: &VerifyArguments,
) -> anyhow::Result<Report> {
    let server = Server::new(gateway, arguments.api_key_file.as_deref())?;
    let installation = server
        .installation(meter)
        .await?
        .with_context(|| format!("the gateway has no installation with meter id {meter}"))?;
    let subject = Subject {
        meter_id: meter.to_ascii_lowercase(),
        public_key: installation.public_key.clone(),
        from_ms: arguments.from,
        to_ms: arguments.to,
    };
    let mut audit = begin(&subject, arguments.operator)?;
    let mut saved = Saved::begin(arguments.save.as_deref(), &subject)?;
    let enrolments = server
        .bytes(&format!("api/v1/meters/{meter}/enrolments"))
        .await?;
    audit.enrolments(&enrolments);
    saved.put(ENROLMENTS_FILE, &enrolments)?;
    let mut next = first_index(&server, installation.id, &subject).await?;
    let progress = std::io::stderr().is_terminal();
    while let Some(index) = next {
        let last = index + RECORDS_AT_A_TIME - 1;
        let path = format!("api/v1/meters/{meter}/records?from_index={index}&to_index={last}");
        let records = server.bytes(&path).await?;
        if records.is_empty() {
            break;
        }
        audit.records(&records);
        saved.put(RECORDS_FILE, &records)?;
        if progress {
            eprint!("\r{} records checked", audit.records_checked());
        }
        let past_the_end = arguments
            .to
            .is_some_and(|to| audit.last_time_ms() > Some(to));
        next = audit
            .next_index()
            .filter(|next| *next > index && !past_the_end);
    }
    if progress {
        eprintln!();
    }
    saved.put(RECORDS_FILE, &[])?;
    Ok(audit.finish(asked(&subject)))
}

fn asked(subject: &Subject) -> Option<(u64, u64)> {
    match (subject.from_ms, subject.to_ms) {
        (None, None) => None,
        (from, to) => Some((from.unwrap_or(u64::MAX), to.unwrap_or(0))),
    }
}

fn begin(subject: &Subject, operator: Option<SignerId>) -> anyhow::Result<Audit> {
    let meter: MeterId = signer_id(&subject.meter_id).map_err(anyhow::Error::msg)?;
    let key = hex::decode_array(&subject.public_key)
        .context("the public key that was served is not 128 hex digits")?;
    Audit::new(meter, PublicKey(key), operator)
        .context("the key that was served is not the meter's")
}

/// What was fetched, written to a new folder.
struct Saved<'a> {
    folder: Option<&'a Path>,
}

impl<'a> Saved<'a> {
    fn begin(folder: Option<&'a Path>, subject: &Subject) -> anyhow::Result<Self> {
        if let Some(folder) = folder {
            std::fs::create_dir(folder).with_context(|| {
                format!(
                    "cannot make the folder {}; it must not exist yet",
                    folder.display()
                )
            })?;
        }
        let mut saved = Self { folder };
        saved.put(SUBJECT_FILE, &serde_json::to_vec_pretty(subject)?)?;
        Ok(saved)
    }

    /// Appends to a file of the folder.
    fn put(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let Some(folder) = self.folder else {
            return Ok(());
        };
        let file = folder.join(name);
        let append = || {
            let mut opened = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&file)?;
            std::io::Write::write_all(&mut opened, bytes)
        };
        append().with_context(|| format!("cannot write {}", file.display()))
    }
}

#[derive(Deserialize)]
struct FirstWindow {
    id: u64,
}

/// The chain index of the first window in the time asked for; `None` when there is none.
async fn first_index(
    server: &Server,
    installation: u32,
    subject: &Subject,
) -> anyhow::Result<Option<u64>> {
    let Some(from_ms) = subject.from_ms else {
        return Ok(Some(0));
    };
    let from = iso(from_ms)?;
    let to = iso(subject.to_ms.unwrap_or(LAST_TIME_MS))?;
    let path = format!(
        "api/v1/installations/{installation}/windows?start_time={from}&end_time={to}&limit=1"
    );
    let first: Vec<FirstWindow> = server.json(&path).await?;
    Ok(first.first().map(|window| window.id))
}

/// 9999-12-31T23:59:59Z.
const LAST_TIME_MS: u64 = 253_402_300_799_000;

fn iso(time_ms: u64) -> anyhow::Result<String> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(time_ms)?)?;
    Ok(time.to_string())
}

/// A date (its start in UTC) or a moment, as milliseconds since 1970.
fn utc_ms(text: &str) -> Result<u64, String> {
    let unreadable = || format!("`{text}` is no time; write 2026-06-01 or 2026-06-01T12:00:00Z");
    let time = match text.parse::<jiff::Timestamp>() {
        Ok(time) => time,
        Err(_) => {
            let date: jiff::civil::Date = text.parse().map_err(|_| unreadable())?;
            let start = date
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map_err(|_| unreadable())?;
            start.timestamp()
        }
    };
    u64::try_from(time.as_millisecond()).map_err(|_| format!("`{text}` is before 1970"))
}

fn signer_id(text: &str) -> Result<SignerId, String> {
    hex::decode_array(text)
        .map(SignerId)
        .ok_or_else(|| format!("`{text}` is not 64 hex digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_start_in_utc() {
        assert_eq!(utc_ms("2025-06-19"), Ok(1_750_291_200_000));
        assert_eq!(utc_ms("2025-06-19T15:19:42Z"), Ok(1_750_346_382_000));
        assert_eq!(utc_ms("2025-06-19T17:19:42+02:00"), Ok(1_750_346_382_000));
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        let error = utc_ms("yesterday").unwrap_err();
        assert!(
            error.contains("yesterday") && error.contains("2026-06-01"),
            "{error}"
        );
        assert!(utc_ms("1969-12-31").is_err());
    }

    #[test]
    fn an_id_is_64_hex_digits() {
        assert!(signer_id(&"5f".repeat(32)).is_ok());
        assert!(signer_id(&"5f".repeat(31)).is_err());
        assert!(signer_id(&"+f".repeat(32)).is_err());
        assert!(signer_id(&"é".repeat(32)).is_err());
    }
}
