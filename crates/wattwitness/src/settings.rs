//! Where settings come from: flags before environment (both by clap), before the configuration
//! file, before the defaults that each program has.

use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Table;

/// The tables that a configuration file may have, one for each long-running command.
const SECTIONS: [&str; 3] = ["serve", "meter", "demo"];

/// Reads `section` of the configuration file, lays what stands on the command line over it, and
/// gives the whole as the command's own settings. Unknown fields are refused by name.
pub(crate) fn layered<A: Serialize, C: DeserializeOwned>(
    config: Option<&Path>,
    section: &str,
    arguments: &A,
) -> anyhow::Result<C> {
    let mut table = match config {
        Some(file) => read_section(file, section)?,
        None => Table::new(),
    };
    if let Some(file) = config {
        check::<C>(table.clone())
            .with_context(|| format!("in [{section}] of {}", file.display()))?;
    }
    let flags = Table::try_from(arguments).context("the command line cannot be taken over")?;
    table.extend(flags);
    check(table)
}

/// Required settings may still be missing in the file, so only what is there is held against the
/// settings' own rules.
fn check<C: DeserializeOwned>(table: Table) -> anyhow::Result<C> {
    match C::deserialize(table) {
        Ok(settings) => Ok(settings),
        // The library says below the message which field it is about.
        Err(error) => bail!("{}", error.to_string().trim_end().replace('\n', " ")),
    }
}

fn read_section(file: &Path, section: &str) -> anyhow::Result<Table> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the configuration file {shown}"))?;
    let mut whole: Table = text
        .parse()
        .with_context(|| format!("the configuration file {shown} is not TOML"))?;
    if let Some(unknown) = whole.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
        bail!(
            "{shown} has a table or field `{unknown}`, which is not known; there are {}",
            SECTIONS.map(|name| format!("[{name}]")).join(", ")
        );
    }
    match whole.remove(section) {
        None => Ok(Table::new()),
        Some(toml::Value::Table(table)) => Ok(table),
        Some(_) => bail!("`{section}` in {shown} is not a table; write it as [{section}]"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Settings {
        listen: String,
        limit: u32,
    }

    impl Default for Settings {
        fn default() -> Self {
            Self {
                listen: "127.0.0.1:8000".to_owned(),
                limit: 7,
            }
        }
    }

    #[derive(Default, Serialize)]
    struct Arguments {
        #[serde(skip_serializing_if = "Option::is_none")]
        listen: Option<String>,
    }

    fn with_file(text: &str, arguments: &Arguments) -> anyhow::Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wattwitness.toml");
        std::fs::write(&file, text).unwrap();
        layered(Some(&file), "serve", arguments)
    }

    const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/wattwitness.toml");

    #[test]
    fn the_sample_configuration_holds_the_gateways_defaults() {
        let arguments = crate::serve::ServeArguments::default();
        let config: ww_gateway::Config =
            layered(Some(Path::new(SAMPLE)), "serve", &arguments).unwrap();
        assert_eq!(config, ww_gateway::Config::default());
    }

    #[test]
    fn the_sample_configuration_has_only_fields_that_meter_and_demo_know() {
        let sample = Some(Path::new(SAMPLE));
        let meter = crate::meter::MeterArguments::default();
        let meter: crate::meter::MeterArguments = layered(sample, "meter", &meter).unwrap();
        assert_eq!(meter.channel, Some(0));
        let demo = crate::demo::DemoArguments::default();
        layered::<_, crate::demo::DemoArguments>(sample, "demo", &demo).unwrap();
    }

    /// The fields of a type that refuses unknown ones: its refusal names them.
    fn fields<C: DeserializeOwned>() -> Vec<String> {
        let unknown = Table::from_iter([("?".to_owned(), toml::Value::Boolean(true))]);
        let refusal = match C::deserialize(unknown) {
            Ok(_) => panic!("an unknown field is taken"),
            Err(error) => error.message().to_owned(),
        };
        let (_, known) = refusal.split_once("expected one of ").unwrap();
        let known = known.split('`').skip(1).step_by(2);
        known.map(str::to_owned).collect()
    }

    #[test]
    fn the_sample_configuration_leaves_no_field_out() {
        let text = std::fs::read_to_string(SAMPLE).unwrap();
        let tables = [
            ("serve", fields::<ww_gateway::Config>()),
            ("serve.limits", fields::<ww_gateway::Limits>()),
            ("meter", fields::<crate::meter::MeterArguments>()),
            ("demo", fields::<crate::demo::DemoArguments>()),
        ];
        for (name, fields) in tables {
            let (_, table) = text.split_once(&format!("\n[{name}]\n")).unwrap();
            let table = table.split("\n[").next().unwrap();
            for field in fields.iter().filter(|field| *field != "limits") {
                let stands = |line: &str| {
                    let line = line.trim_start_matches("# ");
                    line.split_once(" = ").is_some_and(|(key, _)| key == field)
                };
                assert!(table.lines().any(stands), "{field} of [{name}]");
            }
        }
    }

    #[test]
    fn without_anything_the_defaults_hold() {
        let settings: Settings = layered(None, "serve", &Arguments::default()).unwrap();
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
        let arguments = Arguments {
            listen: Some("[::1]:1".to_owned()),
        };
        let text = "[serve]\nlisten = \"[::1]:2\"\nlimit = 3";
        let settings = with_file(text, &arguments).unwrap();
        assert_eq!(
            settings,
            Settings {
                listen: "[::1]:1".to_owned(),
                limit: 3
            }
        );
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let error = with_file("[serve]\nlisen = \"x\"", &Arguments::default()).unwrap_err();
        assert!(format!("{error:#}").contains("lisen"), "{error:#}");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_the_fields_name() {
        let error = with_file("[serve]\nlimit = \"many\"", &Arguments::default()).unwrap_err();
        assert!(format!("{error:#}").contains("`limit`"), "{error:#}");
    }

    #[test]
    fn an_unknown_table_is_refused_by_name() {
        let error = with_file("[sevre]", &Arguments::default()).unwrap_err();
        assert!(format!("{error:#}").contains("sevre"), "{error:#}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = layered::<_, Settings>(
            Some(Path::new("missing.toml")),
            "serve",
            &Arguments::default(),
        );
        assert!(format!("{:#}", error.unwrap_err()).contains("missing.toml"));
    }
}
