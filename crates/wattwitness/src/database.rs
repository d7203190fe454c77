//! `wattwitness backup`, `restore` and `import`: what an administrator does with a database file.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::Deserialize;
use ww_api::Milli;
use ww_gateway::{Clock, SystemClock};
use ww_store::{ImportedReading, NewAudit, SqliteStore, Store};
use ww_wire::{MilliwattHours, Milliwatts, UtcMillis};

use crate::data_folder::DataFolder;
use crate::serve;

/// Rows that are taken over in one transaction.
const ROWS_AT_A_TIME: usize = 10_000;

/// Rows that were skipped and are named one by one.
const SKIPPED_ROWS_NAMED: usize = 20;

/// Which gateway's database.
#[derive(Debug, clap::Args)]
struct GatewayData {
    /// Data folder of the gateway
    #[arg(
        long,
        value_name = "DIR",
        env = "WATTWITNESS_DATA",
        default_value = "data"
    )]
    data: PathBuf,
}

/// Where a backup goes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  wattwitness backup --data data park-2026-06-01.db\n\nThe gateway may go on serving meanwhile."
)]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    gateway: GatewayData,
    /// File to write; it must not exist yet
    file: PathBuf,
}

/// Where a backup comes from.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  wattwitness restore --data data park-2026-06-01.db\n\nThe gateway must be stopped, and its data folder hold no database. What came\nafter the backup, the meters send again as far as they still hold it."
)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    gateway: GatewayData,
    /// The backup
    file: PathBuf,
}

/// What to take over from an older system.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  psql solar -c \"select json_agg(r) from readings r\" -At > old.json\n  wattwitness import --data data --source solar-2025 old.json\n\nThe rows are kept apart as never verified: they are in no total and no chart."
)]
pub(crate) struct ImportArguments {
    #[command(flatten)]
    gateway: GatewayData,
    /// A name for where the rows come from; the same rows under the same name are taken once
    #[arg(long, value_name = "NAME")]
    source: String,
    /// The rows: a JSON array of objects with id, installation_id, power_w, total_wh, timestamp and
    /// signature, as the old API and database have them
    file: PathBuf,
}

/// Copies the database while it is in use.
pub(crate) async fn backup(arguments: &BackupArguments) -> anyhow::Result<String> {
    let file = &arguments.file;
    ensure!(
        !file.exists(),
        "{} exists already; a backup never replaces a file",
        file.display()
    );
    let store = open_existing(&arguments.gateway.data)?;
    let done = whole_backup(&store, file).await;
    store.close().await?;
    done.with_context(|| format!("cannot write the backup {}", file.display()))?;
    Ok(format!(
        "the database in {} was copied to {}",
        arguments.gateway.data.display(),
        file.display()
    ))
}

/// Makes the backup in a folder beside `file` that goes when this ends, and moves it there once it
/// is whole.
async fn whole_backup(store: &SqliteStore, file: &Path) -> anyhow::Result<()> {
    let parent = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let making = tempfile::Builder::new()
        .prefix(".wattwitness-backup-")
        .tempdir_in(parent)?;
    let unfinished = making.path().join("backup");
    store.backup(&unfinished).await?;
    // Not over a file that has come into being since.
    renameat_with(CWD, &unfinished, CWD, file, RenameFlags::NOREPLACE)?;
    File::open(parent)?.sync_all()?;
    Ok(())
}

/// Puts a backup in the place of a database.
pub(crate) fn restore(arguments: &RestoreArguments) -> anyhow::Result<String> {
    let folder = &arguments.gateway.data;
    let _taken = DataFolder::take(folder)?;
    let database = folder.join(serve::DATABASE_FILE);
    ensure!(
        !database.exists(),
        "{} exists already; move it away first, a restore never replaces a database",
        database.display()
    );
    ensure!(
        arguments.file.is_file(),
        "there is no file {}",
        arguments.file.display()
    );
    let audit = NewAudit {
        at: SystemClock.now(),
        actor: "wattwitness restore".to_owned(),
        action: "database.restore".to_owned(),
        subject: "database".to_owned(),
        detail: arguments.file.display().to_string(),
    };
    SqliteStore::restore(&arguments.file, &database, &audit)
        .with_context(|| format!("cannot restore {}", arguments.file.display()))?;
    Ok(format!(
        "{} was restored to {}",
        arguments.file.display(),
        database.display()
    ))
}

/// The rows of an older system: those that can be taken over, and why each of the others cannot.
pub(crate) struct Rows {
    readings: Vec<ImportedReading>,
    skipped: Vec<String>,
}

impl Rows {
    /// Reads the file that is named.
    pub(crate) fn read(arguments: &ImportArguments) -> anyhow::Result<Self> {
        let shown = arguments.file.display();
        let text = std::fs::read_to_string(&arguments.file)
            .with_context(|| format!("cannot read {shown}"))?;
        read_rows(&text).with_context(|| format!("{shown} is not a JSON array of readings"))
    }
}

/// Takes over rows. A gateway may go on serving meanwhile: what is written here is nothing that it
/// remembers.
pub(crate) async fn import(arguments: &ImportArguments, rows: &Rows) -> anyhow::Result<String> {
    let Rows { readings, skipped } = rows;
    let store = open_existing(&arguments.gateway.data)?;
    let mut new = 0;
    for part in readings.chunks(ROWS_AT_A_TIME) {
        let audit = NewAudit {
            at: SystemClock.now(),
            actor: "wattwitness import".to_owned(),
            action: "readings.import".to_owned(),
            subject: arguments.source.clone(),
            detail: format!("{} rows", part.len()),
        };
        new += store
            .import(arguments.source.clone(), part.to_vec(), audit)
            .await?;
    }
    store.close().await?;
    let mut report = format!(
        "{new} of {} rows were new and are kept as never verified under `{}`",
        readings.len(),
        arguments.source
    );
    if !skipped.is_empty() {
        report += &format!("\n{} rows were skipped:", skipped.len());
        for reason in skipped.iter().take(SKIPPED_ROWS_NAMED) {
            report += &format!("\n  {reason}");
        }
        if skipped.len() > SKIPPED_ROWS_NAMED {
            report += "\n  …";
        }
    }
    Ok(report)
}

/// Reads the rows one by one: one NaN in an old database does not keep the rest out.
fn read_rows(text: &str) -> anyhow::Result<Rows> {
    let text = quote_bare_words(text);
    let rows: Vec<&serde_json::value::RawValue> = serde_json::from_str(&text)?;
    let (mut readings, mut skipped) = (Vec::with_capacity(rows.len()), Vec::new());
    for (number, row) in rows.into_iter().enumerate() {
        let reading = serde_json::from_str::<OldReading>(row.get())
            .map_err(anyhow::Error::from)
            .and_then(|row| {
                let id = row.id;
                row.taken_over().with_context(|| format!("id {id}"))
            });
        match reading {
            Ok(reading) => readings.push(reading),
            Err(error) => skipped.push(format!("row {number}: {error:#}")),
        }
    }
    Ok(Rows { readings, skipped })
}

/// Puts `NaN` and the infinities, which some programs write into JSON as they are, in quotes.
fn quote_bare_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let word = ["NaN", "-Infinity", "Infinity"]
            .into_iter()
            .find(|word| !in_string && rest.starts_with(word));
        if let Some(word) = word {
            quoted += &format!("\"{word}\"");
            rest = &rest[word.len()..];
            continue;
        }
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        quoted.push(character);
        rest = &rest[character.len_utf8()..];
    }
    quoted
}

fn open_existing(folder: &Path) -> anyhow::Result<SqliteStore> {
    let database = folder.join(serve::DATABASE_FILE);
    if !database.exists() {
        bail!(
            "there is no database {}; --data names the gateway's data folder",
            database.display()
        );
    }
    // Beside a gateway of an older version the database must stay as that one knows it.
    let _alone = match DataFolder::take(folder) {
        Ok(alone) => Some(alone),
        Err(_) if SqliteStore::is_up_to_date(&database)? => None,
        Err(taken) => {
            return Err(taken.context(
                "the database is of an older version, as the gateway that runs may be: use that \
                 version's program, or stop the gateway",
            ));
        }
    };
    serve::open(folder)
}

/// A row of the old system; what else stands in it means nothing here.
#[derive(Deserialize)]
struct OldReading {
    id: u64,
    installation_id: u64,
    power_w: Box<serde_json::value::RawValue>,
    total_wh: Box<serde_json::value::RawValue>,
    timestamp: Box<serde_json::value::RawValue>,
    #[serde(default)]
    signature: Option<String>,
}

impl OldReading {
    fn taken_over(&self) -> anyhow::Result<ImportedReading> {
        let power = i64::try_from(decimal("power_w", &self.power_w)?.0)?;
        let total = u64::try_from(decimal("total_wh", &self.total_wh)?.0)
            .context("total_wh is negative or too large")?;
        let time = u64::try_from(decimal("timestamp", &self.timestamp)?.0)
            .context("timestamp is negative or too large")?;
        Ok(ImportedReading {
            original_id: self.id,
            original_installation: self.installation_id,
            power: Milliwatts::new(power).context("power_w is too large")?,
            total: MilliwattHours::new(total).context("total_wh is too large")?,
            time: UtcMillis::new(time).context("timestamp is too large")?,
            signature: self.signature.clone().unwrap_or_default(),
        })
    }
}

/// A JSON number in thousandths: exactly mW, mWh and ms.
fn decimal(field: &str, number: &serde_json::value::RawValue) -> anyhow::Result<Milli> {
    Milli::parse(number.get()).with_context(|| format!("{field} is {}", number.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(json: &str) -> anyhow::Result<ImportedReading> {
        serde_json::from_str::<OldReading>(json)?.taken_over()
    }

    #[test]
    fn a_row_of_the_old_database_is_taken_digit_by_digit() {
        let reading = old(
            r#"{"id":1,"installation_id":1,"power_w":16.6,"total_wh":21700.0,
            "timestamp":1750352712,"signature":"e8e9","is_verified":true}"#,
        )
        .unwrap();
        assert_eq!(reading.power, Milliwatts::new(16_600).unwrap());
        assert_eq!(reading.total, MilliwattHours::new(21_700_000).unwrap());
        assert_eq!(reading.time, UtcMillis::new(1_750_352_712_000).unwrap());
    }

    #[test]
    fn nothing_is_restored_under_a_gateway_that_runs() {
        let data = tempfile::tempdir().unwrap();
        let _gateway = DataFolder::take(data.path()).unwrap();
        let arguments = RestoreArguments {
            gateway: GatewayData {
                data: data.path().to_owned(),
            },
            file: data.path().join("park.db"),
        };
        let refused = format!("{:#}", restore(&arguments).unwrap_err());
        assert!(refused.contains("in use"), "{refused}");
        assert!(!data.path().join(serve::DATABASE_FILE).exists());
    }

    #[test]
    fn rows_without_a_number_are_skipped_by_name_and_the_others_taken() {
        let text = r#"[
            {"id":1,"installation_id":1,"power_w":16.6,"total_wh":21700.0,"timestamp":1750352712},
            {"id":2,"installation_id":1,"power_w":NaN,"total_wh":21700.0,"timestamp":1750352722},
            {"id":3,"installation_id":1,"power_w":1,"total_wh":null,"timestamp":1750352732},
            {"id":4,"installation_id":1,"power_w":1,"total_wh":"NaN","timestamp":1750352742},
            {"id":5,"installation_id":1,"power_w":2,"total_wh":3,"timestamp":4,"signature":"-NaN\""}
        ]"#;
        let Rows { readings, skipped } = read_rows(text).unwrap();
        let ids: Vec<_> = readings.iter().map(|reading| reading.original_id).collect();
        assert_eq!(ids, [1, 5]);
        assert_eq!(readings[1].signature, "-NaN\"");
        for (reason, names) in skipped.iter().zip([
            ["row 1", "id 2", "power_w is \"NaN\""],
            ["row 2", "id 3", "total_wh is null"],
            ["row 3", "id 4", "total_wh is \"NaN\""],
        ]) {
            for name in names {
                assert!(reason.contains(name), "{reason}");
            }
        }
        assert_eq!(skipped.len(), 3);
    }

    #[test]
    fn a_negative_time_is_refused_by_name() {
        let error = old(r#"{"id":1,"installation_id":1,"power_w":1,"total_wh":1,"timestamp":-1}"#);
        assert!(format!("{:#}", error.unwrap_err()).contains("timestamp"));
    }
}
