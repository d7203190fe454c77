//! A stamp beside a thing that was made says from which inputs, so that making it again can be
//! left out. It trusts contents only, never file times.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The SHA-256 over everything that something is made from.
#[derive(Default)]
pub(crate) struct Inputs {
    hash: Sha256,
}

impl Inputs {
    /// Adds a word, for instance a pinned version.
    pub(crate) fn word(mut self, word: &str) -> Self {
        self.add(b"word", word.as_bytes());
        self
    }

    /// Adds a file, or a folder with all that is in it but the `left_out` names.
    ///
    /// # Errors
    /// When something cannot be read, or is not there.
    pub(crate) fn path(mut self, path: &Path, left_out: &[&str]) -> Result<Self> {
        self.add_path(path, Path::new(""), left_out)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok(self)
    }

    /// The digest in hexadecimal.
    pub(crate) fn digest(self) -> String {
        self.hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn add_path(&mut self, path: &Path, name: &Path, left_out: &[&str]) -> io::Result<()> {
        if !fs::metadata(path)?.is_dir() {
            self.add(name.as_os_str().as_encoded_bytes(), &fs::read(path)?);
            return Ok(());
        }
        let mut entries: Vec<_> = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<_>>()?;
        entries.sort();
        entries.retain(|entry| !left_out.iter().any(|name| entry == name));
        entries
            .iter()
            .try_for_each(|entry| self.add_path(&path.join(entry), &name.join(entry), left_out))
    }

    /// Lengths go first, so that no two lists of inputs read alike.
    fn add(&mut self, name: &[u8], content: &[u8]) {
        for part in [name, content] {
            self.hash.update((part.len() as u64).to_be_bytes());
            self.hash.update(part);
        }
    }
}

/// The file that keeps a digest.
pub(crate) struct Stamp {
    file: PathBuf,
}

impl Stamp {
    pub(crate) fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// True when the thing was last made from exactly these inputs.
    pub(crate) fn says(&self, digest: &str) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept.trim() == digest)
    }

    /// Forgets, before the making begins: a making that breaks off leaves no stamp.
    pub(crate) fn remove(&self) -> Result<()> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.file.display()))
            }
            _ => Ok(()),
        }
    }

    /// Keeps the digest, after the making succeeded.
    pub(crate) fn write(&self, digest: &str) -> Result<()> {
        fs::write(&self.file, format!("{digest}\n"))
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScratchFolder;

    fn digest(folder: &Path) -> String {
        Inputs::default().path(folder, &["dist"]).unwrap().digest()
    }

    #[test]
    fn a_change_of_content_name_or_place_changes_the_digest() {
        let folder = ScratchFolder::new("stamp-change");
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/a"), "1").unwrap();
        let before = digest(&folder);
        fs::write(folder.join("src/a"), "2").unwrap();
        let content = digest(&folder);
        fs::rename(folder.join("src/a"), folder.join("src/b")).unwrap();
        let name = digest(&folder);
        fs::rename(folder.join("src/b"), folder.join("b")).unwrap();
        let place = digest(&folder);
        let mut all = [&before, &content, &name, &place]
            .map(String::as_str)
            .to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn what_is_left_out_changes_nothing() {
        let folder = ScratchFolder::new("stamp-left-out");
        fs::write(folder.join("a"), "1").unwrap();
        let before = digest(&folder);
        fs::create_dir_all(folder.join("dist")).unwrap();
        fs::write(folder.join("dist/made"), "1").unwrap();
        assert_eq!(digest(&folder), before);
    }

    #[test]
    fn words_are_told_apart() {
        let joined = Inputs::default().word("ab").digest();
        assert_ne!(Inputs::default().word("a").word("b").digest(), joined);
    }

    #[test]
    fn a_stamp_says_only_what_was_written_last() {
        let folder = ScratchFolder::new("stamp-file");
        let stamp = Stamp::at(folder.join("stamp"));
        assert!(!stamp.says("aa"));
        stamp.write("aa").unwrap();
        assert!(stamp.says("aa") && !stamp.says("bb"));
        stamp.remove().unwrap();
        stamp.remove().unwrap();
        assert!(!stamp.says("aa"));
    }
}
