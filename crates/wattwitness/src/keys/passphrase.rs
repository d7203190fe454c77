//! The passphrase of a key: asked at the terminal without showing it, or read from a file. Never an
//! argument, which others can see in the list of processes.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use zeroize::Zeroizing;

/// What a new passphrase has at least, in characters.
const SHORTEST: usize = 10;

/// No passphrase is longer, in bytes.
const LONGEST: u64 = 1024;

/// Where the passphrase comes from.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PassphraseArguments {
    /// File or descriptor (such as /dev/fd/3) with the key's passphrase in its first line [default: it
    /// is asked at the terminal]
    #[arg(long, value_name = "FILE", env = "WATTWITNESS_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArguments {
    /// The passphrase of a key that there is.
    pub(crate) fn known(&self, key: &Path) -> anyhow::Result<Zeroizing<String>> {
        match &self.passphrase_file {
            Some(file) => first_line(file),
            None => asked(&format!("Passphrase of {}: ", key.display())),
        }
    }

    /// The passphrase of a new key: typed twice, and not too short.
    pub(crate) fn chosen(&self, key: &Path) -> anyhow::Result<Zeroizing<String>> {
        let shown = key.display();
        let passphrase = match &self.passphrase_file {
            Some(file) => first_line(file)?,
            None => {
                let passphrase = asked(&format!("New passphrase for {shown}: "))?;
                let again = asked("The same again: ")?;
                ensure!(*passphrase == *again, "the passphrases are not the same");
                passphrase
            }
        };
        ensure!(
            passphrase.chars().count() >= SHORTEST,
            "a passphrase has at least {SHORTEST} characters; take several words"
        );
        Ok(passphrase)
    }
}

#[cfg(test)]
impl PassphraseArguments {
    /// As if a file were named.
    pub(crate) const fn of_file(file: PathBuf) -> Self {
        let passphrase_file = Some(file);
        Self { passphrase_file }
    }
}

fn asked(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        bail!(
            "a passphrase is needed, and there is no terminal to ask for it; name a file that holds \
             it by --passphrase-file or WATTWITNESS_PASSPHRASE_FILE"
        );
    }
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .context("the terminal gave no passphrase")
}

fn first_line(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let shown = file.display();
    let opened = OpenOptions::new()
        .read(true)
        .open(file)
        .with_context(|| format!("cannot open the passphrase file {shown}"))?;
    let metadata = opened.metadata()?;
    let mode = metadata.permissions().mode() & 0o7777;
    ensure!(
        !metadata.is_file() || mode & 0o077 == 0,
        "the passphrase file {shown} has mode {mode:04o}, with which others can read it; run: \
         chmod 600 {shown}"
    );
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
    opened
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        // The cause could repeat what stands in the file.
        .map_err(|_| anyhow::anyhow!("the passphrase file {shown} holds no text"))?;
    let line = text.lines().next().unwrap_or_default();
    ensure!(!line.is_empty(), "the passphrase file {shown} is empty");
    ensure!(
        line.len() as u64 <= LONGEST,
        "the passphrase in {shown} is longer than {LONGEST} bytes"
    );
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn of(text: &str, mode: u32) -> (tempfile::TempDir, PassphraseArguments) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        (folder, PassphraseArguments::of_file(file))
    }

    fn known(text: &str, mode: u32) -> Result<String, String> {
        let (_folder, arguments) = of(text, mode);
        let known = arguments.known(Path::new("key"));
        known
            .map(|passphrase| passphrase.to_string())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_first_line_of_the_file_is_the_passphrase() {
        assert_eq!(
            known("several words\nmore\n", 0o600).unwrap(),
            "several words"
        );
        assert_eq!(known("several words", 0o400).unwrap(), "several words");
    }

    #[test]
    fn a_file_that_others_can_read_or_that_holds_nothing_is_refused_and_never_shown() {
        let readable = known("several words", 0o644).unwrap_err();
        assert!(readable.contains("0644") && readable.contains("chmod 600"));
        assert!(!readable.contains("several"), "{readable}");
        assert!(known("\nsecond", 0o600).unwrap_err().contains("is empty"));
        let long = known(&"x".repeat(1025), 0o600).unwrap_err();
        assert!(long.contains("longer"), "{long}");
    }

    #[test]
    fn a_new_passphrase_is_not_short() {
        let (_folder, arguments) = of("nine long", 0o600);
        let refused = arguments.chosen(Path::new("key")).unwrap_err().to_string();
        assert!(refused.contains("at least 10 characters"), "{refused}");
    }
}
