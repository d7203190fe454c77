//! `wattwitness verify`: fetches what a gateway has of a meter, or opens what was saved before, and
//! lets the auditor judge it. It decides nothing itself.

#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail, ensure};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use ww_api::hex;
use ww_gateway::{Clock, SystemClock};
use ww_verify::{Audit, AuditError, Question, Report, Verdict};
use ww_wire::{MeterId, PublicKey, SignerId, UtcMillis};

use crate::http::{self, Server};
use crate::keys::signer_id;

/// The exit code of an audit that found something that does not hold.
const REFUTED: u8 = 3;

/// The exit code of an audit that found something missing.
const INCOMPLETE: u8 = 4;

const EXAMPLES: &str = "\
Examples:
  wattwitness verify --gateway http://127.0.0.1:8000 --meter 5f2c…
  wattwitness verify --gateway http://127.0.0.1:8000 --meter 5f2c… \\
      --from 2026-06-01 --to 2026-07-01
  wattwitness verify --gateway http://127.0.0.1:8000 --meter 5f2c… \\
      --save evidence
  wattwitness verify --saved evidence --meter 5f2c…
      offline, from what was saved

Times are held against whole windows of up to ten minutes: one that lies across
--from or --to counts in full. Only clocks that were synchronised show where
that time begins and ends. A history without any can be checked whole.

Exit codes: 0 complete; 1 the audit could not be done; 2 the command line is
wrong; 3 refuted; 4 something is missing, or there is nothing to check.";

/// What to check.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArguments {
    /// The gateway that serves the records; it need not be trusted
    #[arg(long, value_name = "URL", required_unless_present = "saved", value_parser = http::address)]
    gateway: Option<Url>,
    /// The meter's id (64 hex digits), as you have it from the meter or its operator; with --saved,
    /// what was saved must be of this meter
    #[arg(long, value_name = "ID", required_unless_present = "saved", value_parser = signer_id)]
    meter: Option<MeterId>,
    /// Start of the time to check: 2026-06-01 or 2026-06-01T12:00:00Z (UTC); the meter's first
    /// record if left out
    #[arg(long, value_name = "TIME", value_parser = utc_ms)]
    from: Option<u64>,
    /// End of the time to check, itself not included; the meter's last record if left out
    #[arg(long, value_name = "TIME", value_parser = utc_ms)]
    to: Option<u64>,
    /// The id of the operator whom you trust: enrolments by others do not count, and windows that
    /// name them are refuted
    #[arg(long, value_name = "ID", value_parser = signer_id)]
    operator: Option<SignerId>,
    /// File with an API key, for a gateway that is not read publicly
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
    /// Also save what was fetched into this new folder, for an audit offline
    #[arg(long, value_name = "DIR", conflicts_with = "saved")]
    save: Option<PathBuf>,
    /// Check what was saved before, without any network; say --from and --to again if they were said
    /// then
    #[arg(long, value_name = "DIR", conflicts_with = "gateway")]
    saved: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl VerifyArguments {
    fn question(&self) -> Question {
        Question {
            operator: self.operator,
            from_ms: self.from,
            to_ms: self.to,
            now_ms: SystemClock.now().map(UtcMillis::get),
        }
    }
}

/// Who is audited, and of what time records were fetched; saved beside them. It is the word of
/// whoever made the folder: it decides nothing.
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
    let report = match (&arguments.saved, &arguments.gateway, arguments.meter) {
        (Some(folder), _, meter) => audit_saved(folder, meter, arguments.question())?,
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

fn audit_saved(
    folder: &Path,
    meter: Option<MeterId>,
    question: Question,
) -> anyhow::Result<Report> {
    let read = |name: &str| {
        let file = folder.join(name);
        std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    ensure!(
        folder.join(SUBJECT_FILE).exists(),
        "{} holds nothing that was saved to its end: it lacks {SUBJECT_FILE}",
        folder.display()
    );
    let subject: Subject = http::read_json(&read(SUBJECT_FILE)?)
        .with_context(|| format!("{SUBJECT_FILE} in {} cannot be read", folder.display()))?;
    let saved_meter = signer_id(&subject.meter_id)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{SUBJECT_FILE} in {} names no meter", folder.display()))?;
    if let Some(meter) = meter {
        ensure!(
            meter == saved_meter,
            "{} holds records of meter {saved_meter}, not of {meter}",
            folder.display()
        );
    }
    if (question.from_ms, question.to_ms) == (None, None)
        && (subject.from_ms, subject.to_ms) != (None, None)
    {
        eprintln!(
            "Checking the whole history. What was saved was asked for {}: say so again to check that.",
            options(&subject)?
        );
    }
    let mut audit = begin(saved_meter, &subject.public_key, question)?;
    audit.enrolments(&read(ENROLMENTS_FILE)?);
    if folder.join(STATEMENTS_FILE).exists() {
        audit.statements(&read(STATEMENTS_FILE)?);
    }
    audit.records(&read(RECORDS_FILE)?);
    let mut report = audit.finish();
    if meter.is_none() {
        report.trust.push(format!(
            "Whoever made {} for which meter this is: name the one that you mean by --meter.",
            folder.display()
        ));
    }
    Ok(report)
}

/// The time that was asked for when it was saved, as options of the command line.
fn options(subject: &Subject) -> anyhow::Result<String> {
    let named = |name, time: Option<u64>| time.map(|time| Ok(format!("{name} {}", iso(time)?)));
    let options: Vec<anyhow::Result<String>> = [
        named("--from", subject.from_ms),
        named("--to", subject.to_ms),
    ]
    .into_iter()
    .flatten()
    .collect();
    let options: Vec<String> = options.into_iter().collect::<anyhow::Result<_>>()?;
    Ok(options.join(" "))
}

const SUBJECT_FILE: &str = "meter.json";
const ENROLMENTS_FILE: &str = "enrolments.cose";
const STATEMENTS_FILE: &str = "statements.cose";
const RECORDS_FILE: &str = "records.cose";

async fn audit_served(
    gateway: &Url,
    meter: MeterId,
    arguments: &VerifyArguments,
) -> anyhow::Result<Report> {
    let server = Server::new(gateway, arguments.api_key_file.as_deref())?;
    let installation = server
        .installation(&meter.to_string())
        .await?
        .with_context(|| format!("the gateway at {gateway} knows no meter {meter}"))?;
    let question = arguments.question();
    let mut audit = begin(meter, &installation.public_key, question)?;
    let subject = Subject {
        meter_id: meter.to_string(),
        public_key: installation.public_key.clone(),
        from_ms: arguments.from,
        to_ms: arguments.to,
    };
    let mut saved = Saved::begin(arguments.save.as_deref())?;
    let list = |name| format!("api/v1/meters/{meter}/{name}");
    saved.put(ENROLMENTS_FILE, &[])?;
    server
        .pages(&list("enrolments"), |page| {
            audit.enrolments(page);
            saved.put(ENROLMENTS_FILE, page)
        })
        .await?;
    server
        .pages(&list("statements"), |page| {
            audit.statements(page);
            saved.put(STATEMENTS_FILE, page)
        })
        .await?;
    let hint = first_index(&server, installation.id, &question).await?;
    let (mut index, mut records) = beginning(&server, meter, &audit, hint).await?;
    let mut progress = Progress { is_shown: false };
    while !records.is_empty() {
        audit.records(&records);
        saved.put(RECORDS_FILE, &records)?;
        progress.show(audit.records_checked());
        let next = audit.next_index().filter(|next| *next > index);
        let Some(next) = next.filter(|_| !audit.is_past_the_end()) else {
            break;
        };
        index = next;
        records = part(&server, meter, index).await?;
    }
    drop(progress);
    saved.put(RECORDS_FILE, &[])?;
    // Last: a folder without it was broken off, and is not taken for all that there was.
    saved.put(SUBJECT_FILE, &serde_json::to_vec_pretty(&subject)?)?;
    Ok(audit.finish())
}

fn begin(meter: MeterId, public_key: &str, question: Question) -> anyhow::Result<Audit> {
    let key = hex::decode_array(public_key)
        .context("the public key that was served is not 128 hex digits")?;
    Audit::new(meter, PublicKey(key), question).map_err(|error| match error {
        AuditError::EmptyTime => anyhow!("--from must be before --to"),
        other => anyhow::Error::new(other).context("the key that was served is not the meter's"),
    })
}

/// One line on a terminal that says how far the audit is. It ends with what it stands for, so that an
/// error begins a line of its own.
struct Progress {
    is_shown: bool,
}

impl Progress {
    fn show(&mut self, records: u64) {
        if std::io::stderr().is_terminal() {
            eprint!("\r{records} records checked");
            self.is_shown = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            eprintln!();
        }
    }
}

/// What was fetched, written to a new folder.
struct Saved<'a> {
    folder: Option<&'a Path>,
}

impl<'a> Saved<'a> {
    fn begin(folder: Option<&'a Path>) -> anyhow::Result<Self> {
        if let Some(folder) = folder {
            std::fs::create_dir(folder).with_context(|| {
                format!(
                    "cannot make the folder {}; it must not exist yet",
                    folder.display()
                )
            })?;
        }
        Ok(Self { folder })
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

/// Chain records from an index on. Without an end of its own the answer holds what comes next, however
/// wide a hole is.
async fn part(server: &Server, meter: MeterId, index: u64) -> anyhow::Result<Vec<u8>> {
    let path = format!("api/v1/meters/{meter}/records?from_index={index}");
    server.bytes(&path).await
}

/// How many records the first step back takes: about a day. Each further one takes twice as many.
const STEP_BACK: u64 = 144;

/// The part of the chain to begin with, and its index: the first one, from the hint on backwards, that
/// shows that nothing of the time asked for lies before it.
async fn beginning(
    server: &Server,
    meter: MeterId,
    audit: &Audit,
    hint: u64,
) -> anyhow::Result<(u64, Vec<u8>)> {
    let (mut index, mut step) = (hint, STEP_BACK);
    loop {
        let records = part(server, meter, index).await?;
        let mut trial = audit.clone();
        trial.records(&records);
        if index == 0 || trial.shows_the_beginning() {
            return Ok((index, records));
        }
        index = index.saturating_sub(step);
        step = step.saturating_mul(2);
    }
}

/// How far before the time asked for a window is looked for when none is behind its start: first as
/// long as one lasts, then four times as far, and so on.
const LOOK_BACK_MS: u64 = 600_000;

/// Where to begin, by what the gateway says: at the record before the first window of the time asked
/// for. That is a hint, by times that nobody may have kept.
async fn first_index(
    server: &Server,
    installation: u32,
    question: &Question,
) -> anyhow::Result<u64> {
    let Some(from_ms) = question.from_ms.filter(|from_ms| *from_ms > 0) else {
        return Ok(0);
    };
    for end_ms in [question.to_ms, Some(LAST_TIME_MS)].into_iter().flatten() {
        if let Some(first) = first_window(server, installation, from_ms, end_ms).await? {
            return Ok(first.saturating_sub(1));
        }
    }
    let mut look_back_ms = LOOK_BACK_MS;
    loop {
        let start_ms = from_ms.saturating_sub(look_back_ms);
        let before = first_window(server, installation, start_ms, from_ms).await?;
        if before.is_some() || start_ms == 0 {
            return Ok(before.unwrap_or(0));
        }
        look_back_ms = look_back_ms.saturating_mul(4);
    }
}

/// The chain index of the first window between two times.
async fn first_window(
    server: &Server,
    installation: u32,
    start_ms: u64,
    end_ms: u64,
) -> anyhow::Result<Option<u64>> {
    let (start, end) = (iso(start_ms)?, iso(end_ms)?);
    let path = format!(
        "api/v1/installations/{installation}/windows?start_time={start}&end_time={end}&limit=1"
    );
    let first: Vec<FirstWindow> = server.json(&path).await?;
    Ok(first.first().map(|window| window.id))
}

/// 9999-01-01T00:00:00Z: no later year can be written.
const LAST_TIME_MS: u64 = 253_370_764_800_000;

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
