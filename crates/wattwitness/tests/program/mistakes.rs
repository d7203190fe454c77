//! A newcomer's mistakes: each is answered with what is wrong and how to do it instead.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::place::{PROGRAM, Place, free_address};

/// What the program says about a mistake.
fn complaint(place: &Place, arguments: &[&str]) -> String {
    let output = place.run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?}: {said}");
    said
}

#[test]
fn an_address_to_listen_on_is_shown_when_another_is_none() {
    let said = complaint(&Place::new(), &["serve", "--listen", "localhost:8000"]);
    assert!(said.contains("like 127.0.0.1:8000"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_answered_with_the_flag_that_names_another() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    for command in ["serve", "demo"] {
        let said = complaint(&Place::new(), &[command, "--listen", &taken]);
        assert!(said.contains(&taken) && said.contains("--listen"), "{said}");
    }
}

#[test]
fn a_data_folder_that_is_a_file_is_answered_with_the_flag_that_names_another() {
    let place = Place::new();
    let said = complaint(&place, &["serve", "--data", "wattwitness.toml"]);
    assert!(
        said.contains("no folder") && said.contains("--data"),
        "{said}"
    );
}

#[test]
fn the_variable_that_is_wrong_is_named() {
    for (variable, value) in [("WATTWITNESS_LISTEN", "here"), ("WATTWITNESS_LOG", "a=b=c")] {
        let output = Command::new(PROGRAM)
            .arg("serve")
            .env(variable, value)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(variable), "{said}");
    }
}

#[test]
fn a_key_that_is_there_already_is_another_matter_than_a_folder_that_is_not() {
    let place = Place::new();
    place.told(&["keys", "new", "meter.key"]);
    let said = complaint(&place, &["keys", "new", "meter.key"]);
    assert!(said.contains("never replaced"), "{said}");
    let said = complaint(&place, &["keys", "new", "nowhere/meter.key"]);
    assert!(
        said.contains("No such file") && !said.contains("replaced"),
        "{said}"
    );
}

#[test]
fn a_backup_that_is_not_there_is_said_so() {
    let said = complaint(&Place::new(), &["restore", "park.db"]);
    assert!(said.contains("there is no file park.db"), "{said}");
}

/// A folder with something that could be an API key.
fn with_api_key() -> Place {
    let place = Place::new();
    std::fs::write(place.path("admin.key"), "key\n").unwrap();
    place
}

/// The arguments of a command that asks a gateway there.
fn list(gateway: &str) -> [&str; 5] {
    ["enrol", "--gateway", gateway, "--api-key-file", "admin.key"]
}

#[test]
fn a_file_that_holds_no_api_key_is_named() {
    let place = with_api_key();
    std::fs::write(place.path("admin.key"), "not\na key").unwrap();
    let said = complaint(&place, &list("http://127.0.0.1:9"));
    assert!(said.contains("admin.key holds no API key"), "{said}");
}

#[test]
fn the_address_of_a_gateway_is_shown_when_another_is_none() {
    for gateway in ["127.0.0.1:8000", "localhost:8000", "ftp://localhost"] {
        let said = complaint(&with_api_key(), &list(gateway));
        assert!(said.contains("like http://"), "{gateway}: {said}");
    }
}

#[test]
fn an_address_where_nobody_listens_is_named_with_the_reason_alone() {
    let gateway = format!("http://{}", free_address());
    let said = complaint(&with_api_key(), &list(&gateway));
    let expected = format!("error: no gateway answers at {gateway}/: Connection refused");
    assert!(said.starts_with(&expected), "{said}");
}

#[test]
fn a_meters_id_that_is_none_is_refused_at_once() {
    let arguments = [&list("http://127.0.0.1:9")[..], &["--meter", "7"]].concat();
    let said = complaint(&with_api_key(), &arguments);
    assert!(said.contains("64 hex digits"), "{said}");
}

#[test]
fn a_server_that_is_no_gateway_is_asked_about() {
    for (status, body) in [("404 Not Found", ""), ("200 OK", "<!doctype html>")] {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = format!("http://{}", server.local_addr().unwrap());
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        let serving = std::thread::spawn(move || {
            let (mut asked, _) = server.accept().unwrap();
            assert!(asked.read(&mut [0; 4096]).unwrap() > 0);
            asked.write_all(answer.as_bytes()).unwrap();
        });
        let said = complaint(&with_api_key(), &list(&gateway));
        assert!(said.contains("is this its address?"), "{said}");
        serving.join().unwrap();
    }
}
