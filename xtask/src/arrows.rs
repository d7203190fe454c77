//! The arrows between crates: drawn in ARCHITECTURE.md, real in the manifests, compared here. It
//! judges no dependency outside the workspace (`deny.toml` does).
//!
//! The drawing is a fenced block whose info string is `arrows`, one crate of the workspace a line:
//!
//! ````text
//! ```arrows
//! ww-wire
//! ww-device -> ww-wire
//! ww-store  -> ww-wire ww-api   # an arrow of the code
//! ww-store  ~> ww-sim           # an arrow of its tests only
//! ```
//! ````

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

const FENCE: &str = "```";
const OPENING: &str = "```arrows";

/// Which crate depends on which others of this workspace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrows {
    crates: BTreeMap<String, Targets>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Targets {
    /// Normal and build dependencies.
    code: BTreeSet<String>,
    /// Dev-dependencies that are not dependencies of the code as well.
    tests: BTreeSet<String>,
}

impl Arrows {
    /// Reads the drawing out of a Markdown text.
    ///
    /// # Errors
    /// When there is not exactly one `arrows` block, or a line of it is no arrow.
    pub(crate) fn from_markdown(text: &str) -> Result<Self> {
        let mut lines = text
            .lines()
            .enumerate()
            .skip_while(|(_, line)| line.trim() != OPENING);
        if lines.next().is_none() {
            bail!("there is no block that opens with {OPENING}");
        }
        let mut arrows = Self::default();
        let mut closed = false;
        for (index, line) in lines.by_ref() {
            if line.trim() == FENCE {
                closed = true;
                break;
            }
            arrows
                .add_line(line)
                .with_context(|| format!("line {}: `{line}`", index + 1))?;
        }
        if !closed {
            bail!("the block that opens with {OPENING} is not closed");
        }
        if lines.any(|(_, line)| line.trim() == OPENING) {
            bail!("there is more than one block that opens with {OPENING}");
        }
        Ok(arrows)
    }

    /// Reads what the manifests say out of the answer of `cargo metadata --no-deps`.
    ///
    /// # Errors
    /// When the answer has not the documented shape.
    pub(crate) fn from_metadata(metadata: &Value) -> Result<Self> {
        let shape = "`cargo metadata` answered in an unknown shape";
        let packages = metadata["packages"].as_array().context(shape)?;
        let names: BTreeSet<&str> = packages
            .iter()
            .filter_map(|package| package["name"].as_str())
            .collect();
        let mut arrows = Self::default();
        for package in packages {
            let mut targets = Targets::default();
            for dependency in package["dependencies"].as_array().context(shape)? {
                let name = dependency["name"].as_str().context(shape)?;
                let inside = dependency["path"].is_string() && names.contains(name);
                match dependency["kind"].as_str() {
                    _ if !inside => {}
                    Some("dev") => drop(targets.tests.insert(name.to_owned())),
                    _ => drop(targets.code.insert(name.to_owned())),
                }
            }
            targets.tests.retain(|name| !targets.code.contains(name));
            arrows
                .crates
                .insert(package["name"].as_str().context(shape)?.to_owned(), targets);
        }
        Ok(arrows)
    }

    /// Says, a sentence each, where this drawing and the real arrows differ.
    pub(crate) fn differences(&self, real: &Self) -> Vec<String> {
        let mut said = Vec::new();
        let none = Targets::default();
        let names: BTreeSet<&String> = self.crates.keys().chain(real.crates.keys()).collect();
        for name in names {
            if !real.crates.contains_key(name) {
                said.push(format!(
                    "`{name}` is drawn, but is no crate of the workspace"
                ));
                continue;
            }
            if !self.crates.contains_key(name) {
                said.push(format!(
                    "`{name}` is a crate of the workspace, but has no line"
                ));
            }
            let drawn = self.crates.get(name).unwrap_or(&none);
            let real = real.crates.get(name).unwrap_or(&none);
            for (arrow, drawn, real) in [
                ("->", &drawn.code, &real.code),
                ("~>", &drawn.tests, &real.tests),
            ] {
                said.extend(real.difference(drawn).map(|to| {
                    format!("missing: `{name} {arrow} {to}` is in the manifest and not drawn")
                }));
                said.extend(drawn.difference(real).map(|to| {
                    format!("extra: `{name} {arrow} {to}` is drawn and not in the manifest")
                }));
            }
        }
        said
    }

    /// The number of crates.
    pub(crate) fn count(&self) -> usize {
        self.crates.len()
    }

    fn add_line(&mut self, line: &str) -> Result<()> {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let name = words.next().context("a crate's name comes first")?;
        check_name(name)?;
        let arrow = words.next();
        let targets: Vec<&str> = words.collect();
        targets.iter().try_for_each(|target| check_name(target))?;
        let entry = self.crates.entry(name.to_owned()).or_default();
        let set = match arrow {
            None => return Ok(()),
            Some("->") => &mut entry.code,
            Some("~>") => &mut entry.tests,
            Some(other) => bail!("`{other}` is no arrow: `->` and `~>` are"),
        };
        if targets.is_empty() {
            bail!("the arrow points at nothing");
        }
        for target in targets {
            if !set.insert(target.to_owned()) {
                bail!("`{target}` is drawn twice");
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.bytes().all(fits) || name.starts_with('-') {
        bail!("`{name}` is not the name of a crate");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn drawn(block: &str) -> Arrows {
        Arrows::from_markdown(&format!("# Rooms\n\n```arrows\n{block}\n```\n\nMore.\n")).unwrap()
    }

    fn refused(text: &str) -> String {
        format!("{:#}", Arrows::from_markdown(text).unwrap_err())
    }

    fn metadata() -> Value {
        let on = |name: &str, kind: Value| json!({"name": name, "kind": kind, "path": "/there"});
        json!({"packages": [
            {"name": "ww-wire", "dependencies": [
                {"name": "sha2", "kind": null},
                on("ww-wire", json!("dev")),
            ]},
            {"name": "ww-api", "dependencies": [on("ww-wire", json!(null))]},
            {"name": "ww-store", "dependencies": [
                on("ww-wire", json!(null)),
                on("ww-wire", json!("dev")),
                on("ww-api", json!("build")),
            ]},
        ]})
    }

    #[test]
    fn a_true_drawing_has_no_differences() {
        let drawing =
            drawn("ww-wire ~> ww-wire # itself\nww-api -> ww-wire\n\nww-store -> ww-wire ww-api");
        let real = Arrows::from_metadata(&metadata()).unwrap();
        assert_eq!(drawing.differences(&real), [""; 0]);
        assert_eq!(drawing, real);
    }

    #[test]
    fn a_missing_and_an_extra_arrow_are_both_named() {
        let drawing = drawn(
            "ww-wire -> ww-store\nww-wire ~> ww-wire\nww-api -> ww-wire\nww-store -> ww-wire",
        );
        let real = Arrows::from_metadata(&metadata()).unwrap();
        assert_eq!(
            drawing.differences(&real),
            [
                "missing: `ww-store -> ww-api` is in the manifest and not drawn",
                "extra: `ww-wire -> ww-store` is drawn and not in the manifest",
            ]
        );
    }

    #[test]
    fn a_test_arrow_is_not_an_arrow_of_the_code() {
        let drawing = drawn("ww-wire -> ww-wire\nww-api -> ww-wire\nww-store -> ww-wire ww-api");
        let real = Arrows::from_metadata(&metadata()).unwrap();
        assert_eq!(
            drawing.differences(&real),
            [
                "extra: `ww-wire -> ww-wire` is drawn and not in the manifest",
                "missing: `ww-wire ~> ww-wire` is in the manifest and not drawn",
            ]
        );
    }

    #[test]
    fn a_crate_without_a_line_and_a_line_without_a_crate_are_named() {
        let drawing = drawn("ww-wire ~> ww-wire\nww-store -> ww-wire ww-api\nww-log -> ww-wire");
        let real = Arrows::from_metadata(&metadata()).unwrap();
        assert_eq!(
            drawing.differences(&real),
            [
                "`ww-api` is a crate of the workspace, but has no line",
                "missing: `ww-api -> ww-wire` is in the manifest and not drawn",
                "`ww-log` is drawn, but is no crate of the workspace",
            ]
        );
    }

    #[test]
    fn a_dependency_of_the_same_name_from_elsewhere_is_no_arrow() {
        let metadata = json!({"packages": [
            {"name": "a", "dependencies": [{"name": "b", "kind": null}]},
            {"name": "b", "dependencies": []},
        ]});
        assert_eq!(Arrows::from_metadata(&metadata).unwrap(), drawn("a\nb"));
    }

    #[test]
    fn other_blocks_are_not_the_drawing() {
        assert_eq!(
            refused("```text\nww-wire\n```\n"),
            "there is no block that opens with ```arrows"
        );
    }

    #[test]
    fn two_drawings_and_an_open_one_are_refused() {
        assert_eq!(
            refused("```arrows\na\n```\n```arrows\nb\n```\n"),
            "there is more than one block that opens with ```arrows"
        );
        assert_eq!(
            refused("```arrows\na\n"),
            "the block that opens with ```arrows is not closed"
        );
    }

    #[test]
    fn a_line_that_is_no_arrow_is_refused_with_its_number() {
        let in_block = |line: &str| refused(&format!("Rooms\n```arrows\n{line}\n```\n"));
        assert_eq!(
            in_block("a => b"),
            "line 3: `a => b`: `=>` is no arrow: `->` and `~>` are"
        );
        assert_eq!(
            in_block("a ->"),
            "line 3: `a ->`: the arrow points at nothing"
        );
        assert_eq!(
            in_block("a -> b b"),
            "line 3: `a -> b b`: `b` is drawn twice"
        );
        assert_eq!(
            in_block("a -> b, c"),
            "line 3: `a -> b, c`: `b,` is not the name of a crate"
        );
        assert_eq!(
            in_block("-> b"),
            "line 3: `-> b`: `->` is not the name of a crate"
        );
    }
}
