//! What the meter takes from flags, environment and file, and what it refuses.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use super::super::*;

struct Folder {
    folder: tempfile::TempDir,
    arguments: MeterArguments,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("meter.key");
        PrivateKey::generate().unwrap().store(&key).unwrap();
        let arguments = MeterArguments {
            shelly: Some("http://192.168.1.50".to_owned()),
            gateway: Some("http://192.168.1.10:8000".to_owned()),
            key: Some(key),
            ..MeterArguments::default()
        };
        Self { folder, arguments }
    }

    fn with(change: impl FnOnce(&mut MeterArguments)) -> Self {
        let mut folder = Self::new();
        change(&mut folder.arguments);
        folder
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        Settings::new(self.arguments.clone(), None)
    }

    fn refused(&self) -> String {
        match self.settings() {
            Ok(_) => panic!("{:?} is taken", self.arguments),
            Err(error) => format!("{error:#}"),
        }
    }
}

#[test]
fn three_settings_are_enough() {
    let folder = Folder::new();
    let settings = folder.settings().unwrap();
    assert_eq!(settings.channel, 0);
    assert_eq!(settings.production_counter, ProductionCounter::Total);
    assert_eq!(settings.state, folder.folder.path().join("meter.key.state"));
    assert!(settings.login.is_none());
}

#[test]
fn a_key_file_of_another_mode_than_0600_is_refused_with_the_command_that_helps() {
    let folder = Folder::new();
    let key = folder.arguments.key.clone().unwrap();
    for mode in [0o640, 0o604, 0o660, 0o700, 0o400] {
        set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let error = folder.refused();
        assert!(
            error.contains(&format!("chmod 600 {}", key.display())),
            "{error}"
        );
    }
    set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    folder.settings().unwrap();
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    let mut folder = Folder::new();
    let file = folder.folder.path().join("shelly.password");
    std::fs::write(&file, "sun\n").unwrap();
    folder.arguments.shelly_password_file = Some(file.clone());
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    assert!(folder.refused().contains("chmod 600"));
    set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let login = folder.settings().unwrap().login.unwrap();
    assert_eq!((&*login.user, &**login.password), ("admin", "sun"));
}

#[test]
fn a_password_in_an_address_is_refused_and_not_shown() {
    for address in ["http://admin:moon@10.0.0.7", "http://moon@10.0.0.7"] {
        let error = Folder::with(|arguments| arguments.shelly = Some(address.to_owned())).refused();
        assert!(error.contains("must not hold a password"), "{error}");
        assert!(!error.contains("moon"), "{error}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for address in [
        "192.168.1.50",
        "ftp://192.168.1.50",
        "http://",
        "http://x/status",
    ] {
        Folder::with(|arguments| arguments.shelly = Some(address.to_owned())).refused();
    }
}

#[test]
fn names_zones_and_powers_that_cannot_be_are_refused() {
    let long = "x".repeat(65);
    let error = Folder::with(|arguments| arguments.name = Some(long)).refused();
    assert!(error.contains("--name"), "{error}");
    let error = Folder::with(|a| a.time_zone = Some("Mars/Base".to_owned())).refused();
    assert!(error.contains("--time-zone"), "{error}");
    let error = Folder::with(|arguments| arguments.rated_power_w = Some(0)).refused();
    assert!(error.contains("--rated-power-w"), "{error}");
}

#[test]
fn a_user_without_a_password_is_refused() {
    let error = Folder::with(|a| a.shelly_user = Some("solar".to_owned())).refused();
    assert!(error.contains(PASSWORD_VARIABLE), "{error}");
}

#[test]
fn the_file_knows_the_same_names_as_the_flags() {
    let text = r#"
        shelly = "http://192.168.1.50"
        production_counter = "total_returned"
        rated_power_w = 800
        time_zone = "Europe/Berlin"
    "#;
    let arguments: MeterArguments = toml::from_str(text).unwrap();
    assert_eq!(
        arguments.production_counter,
        Some(CounterArgument::TotalReturned)
    );
    let error = toml::from_str::<MeterArguments>("chanel = 1").unwrap_err();
    assert!(error.to_string().contains("chanel"), "{error}");
}
