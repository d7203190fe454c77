//! Firmware from keys to a gateway, by the commands that people type: several signers, each apart, and
//! what is refused on the way.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;

use crate::place::{Place, free_address};

const CLASS: &str = "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f";
const ANNA: &str = "correct horse battery";

/// A place where three people have keys of both kinds, a gateway has one, and a fleet has its own.
struct Fleet(Place);

/// The files of a fleet with release keys of P-256, and of one with keys of RSA: keys under passphrases
/// take their time, so all tests share them.
static FILES: [OnceLock<Files>; 2] = [OnceLock::new(), OnceLock::new()];

/// Files by their names.
type Files = Vec<(String, Vec<u8>)>;

impl Fleet {
    fn new(release_key: &[&str]) -> Self {
        let fleet = Self(Place::new());
        let files = &FILES[usize::from(!release_key.is_empty())];
        for (name, content) in files.get_or_init(|| Self::made(release_key)) {
            std::fs::write(fleet.0.path(name), content).unwrap();
            if name.ends_with(".key") || name == "pass" {
                let private = std::fs::Permissions::from_mode(0o600);
                std::fs::set_permissions(fleet.0.path(name), private).unwrap();
            }
        }
        fleet
    }

    /// Makes the files, and root 1 that two have signed.
    fn made(release_key: &[&str]) -> Vec<(String, Vec<u8>)> {
        let fleet = Self(Place::new());
        fleet.secret("pass", ANNA);
        for name in ["anna", "bert", "cleo"] {
            let key = format!("{name}-root.key");
            fleet.told(&["keys", "new", "--role", "root", &key]);
            let key = format!("{name}.key");
            let words = [&["keys", "new", "--role", "release"], release_key, &[&key]];
            fleet.told(&words.concat());
        }
        let online = ["keys", "new", "--role", "assignment", "--no-passphrase"];
        fleet.told(&[&online[..], &["gateway.key"]].concat());
        fleet.told(&["keys", "fleet", "fleet.key"]);
        for name in ["anna.key", "gateway.key", "fleet.key"] {
            let mode = std::fs::metadata(fleet.0.path(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let root = ["keys", "root", "new", "root-1.cbor", "--root-key"];
        let roots = ["anna-root.pub", "bert-root.pub", "cleo-root.pub"];
        let releases = ["--release-key", "anna.pub", "bert.pub", "cleo.pub"];
        let gateway = ["--assignment-key", "gateway.pub"];
        fleet.told(&[&root[..], &roots, &releases, &gateway].concat());
        for key in ["anna-root.key", "bert-root.key"] {
            fleet.told(&["keys", "root", "sign", "root-1.cbor", "--key", key]);
        }
        let content = |name: String| {
            let content = std::fs::read(fleet.0.path(&name)).unwrap();
            (name, content)
        };
        fleet.0.names().into_iter().map(content).collect()
    }

    fn secret(&self, name: &str, text: &str) {
        let file = self.0.path(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// What a command that may ask for a passphrase prints, if it succeeds.
    fn run(&self, passphrase: &str, arguments: &[&str]) -> Result<String, String> {
        let passphrase = self.0.path(passphrase).display().to_string();
        let passphrase = ("WATTWITNESS_PASSPHRASE_FILE", passphrase.as_str());
        let output = self.0.run_with(&[passphrase], arguments);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        match output.status.success() {
            true => Ok(text(output.stdout)),
            false => Err(text(output.stdout) + &text(output.stderr)),
        }
    }

    fn told(&self, arguments: &[&str]) -> String {
        self.run("pass", arguments)
            .unwrap_or_else(|said| panic!("{arguments:?}: {said}"))
    }

    fn refused(&self, arguments: &[&str]) -> String {
        match self.run("pass", arguments) {
            Err(said) => said,
            Ok(said) => panic!("{arguments:?} succeeded: {said}"),
        }
    }

    fn build(&self, image: &str, out: &str, more: &[&str]) -> Result<String, String> {
        let words = ["firmware", "build", image, out, "--hardware-class", CLASS];
        let key = ["--fleet-key", "fleet.key"];
        self.run("pass", &[&words[..], &key, more].concat())
    }

    fn sign(&self, file: &str, key: &str) -> String {
        self.told(&[
            "firmware",
            "sign",
            file,
            "--key",
            key,
            "--root",
            "root-1.cbor",
        ])
    }

    fn inspect(&self, file: &str) -> Result<String, String> {
        let words = ["firmware", "inspect", file, "--root", "root-1.cbor"];
        self.run(
            "pass",
            &[&words[..], &["--fleet-key", "fleet.key"]].concat(),
        )
    }

    /// An image that differs a little from the others.
    fn image(&self, name: &str, version: u8) {
        let image: Vec<u8> = (0..60_000_u32)
            .map(|at| match at % 5_000 {
                0 => version,
                _ => (at.wrapping_mul(2_654_435_761) >> 24) as u8,
            })
            .collect();
        std::fs::write(self.0.path(name), image).unwrap();
    }
}

const FIRST: [&str; 4] = ["--version", "1.3.0", "--security-counter", "4"];
const SECOND: [&str; 4] = ["--version", "1.4.0", "--security-counter", "5"];

#[test]
fn two_signers_apart_make_a_release_that_devices_take_in_both_suites() {
    let suites: [(&[&str], &str); 2] =
        [(&[], "es256-aes256ctr"), (&["--rsa"], "rsa2048-aes256cbc")];
    for (release_key, suite) in suites {
        let fleet = Fleet::new(release_key);
        fleet.image("old.bin", 1);
        fleet.image("new.bin", 2);
        let suite = ["--suite", suite];
        fleet
            .build("old.bin", "1.3.0.wwr", &[&FIRST[..], &suite].concat())
            .unwrap();
        let from = ["--from", "1.3.0.wwr"];
        let built = fleet.build(
            "new.bin",
            "1.4.0.wwr",
            &[&SECOND[..], &suite, &from].concat(),
        );
        let built = built.unwrap();
        assert!(
            built.contains("delta") && built.contains("none yet"),
            "{built}"
        );

        let too_few = fleet.inspect("1.4.0.wwr").unwrap_err();
        assert!(too_few.contains("0 of the 2 signatures"), "{too_few}");
        std::fs::copy(fleet.0.path("1.4.0.wwr"), fleet.0.path("bert.wwr")).unwrap();
        let one = fleet.sign("1.4.0.wwr", "anna.key");
        assert!(one.contains("1 of the 2 signatures"), "{one}");
        fleet.sign("bert.wwr", "bert.key");
        let too_few = fleet.inspect("1.4.0.wwr").unwrap_err();
        assert!(too_few.contains("NO DEVICE"), "{too_few}");
        let merge = ["firmware", "sign", "1.4.0.wwr", "--merge", "bert.wwr"];
        fleet.told(&[&merge[..], &["--root", "root-1.cbor"]].concat());
        let taken = fleet.inspect("1.4.0.wwr").unwrap();
        assert!(
            taken.contains("A device that trusts this root takes it."),
            "{taken}"
        );
        assert!(taken.contains("2 of the 2 signatures"), "{taken}");
    }
}

#[test]
fn a_delta_leads_from_a_release_to_the_next_and_is_left_out_where_it_is_no_smaller() {
    let fleet = Fleet::new(&[]);
    fleet.image("old.bin", 1);
    fleet.image("new.bin", 2);
    std::fs::write(fleet.0.path("tiny.bin"), b"tiny").unwrap();
    fleet.build("old.bin", "old.wwr", &FIRST).unwrap();
    let from = ["--from", "old.wwr", "--from", "tiny.bin"];
    let built = fleet
        .build("new.bin", "new.wwr", &[&SECOND[..], &from].concat())
        .unwrap();
    assert!(
        built.lines().any(|line| line.starts_with("delta")),
        "{built}"
    );
    let itself = ["--from", "new.bin"];
    let said = fleet.build("new.bin", "same.wwr", &[&SECOND[..], &itself].concat());
    assert!(said.unwrap_err().contains("the same payload"));
    let said = fleet.build(
        "tiny.bin",
        "tiny.wwr",
        &[&SECOND[..], &["--from", "old.bin"]].concat(),
    );
    assert!(!said.unwrap().contains("delta"));
    let back = fleet.build(
        "old.bin",
        "back.wwr",
        &[&FIRST[..], &["--from", "new.wwr"]].concat(),
    );
    assert!(back.unwrap_err().contains("security counter 5"));
}

#[test]
fn a_wrong_passphrase_signs_nothing_and_is_not_repeated() {
    let fleet = Fleet::new(&[]);
    fleet.image("new.bin", 2);
    fleet.build("new.bin", "new.wwr", &SECOND).unwrap();
    let before = std::fs::read(fleet.0.path("new.wwr")).unwrap();
    fleet.secret("wrong", "incorrect horse");
    let sign = ["firmware", "sign", "new.wwr", "--key", "anna.key"];
    let said = fleet.run("wrong", &sign).unwrap_err();
    assert!(
        said.contains("the passphrase does not open the key file anna.key"),
        "{said}"
    );
    assert!(!said.contains("incorrect"), "{said}");
    let said = String::from_utf8(fleet.0.run(&sign).stderr).unwrap();
    assert!(
        said.contains("no terminal") && said.contains("--passphrase-file"),
        "{said}"
    );
    assert_eq!(std::fs::read(fleet.0.path("new.wwr")).unwrap(), before);
}

#[test]
fn a_flipped_byte_anywhere_in_a_signed_release_is_noticed() {
    let fleet = Fleet::new(&[]);
    std::fs::write(fleet.0.path("tiny.bin"), vec![7; 300]).unwrap();
    fleet.build("tiny.bin", "tiny.wwr", &FIRST).unwrap();
    for key in ["anna.key", "cleo.key"] {
        fleet.sign("tiny.wwr", key);
    }
    fleet.inspect("tiny.wwr").unwrap();
    let whole = std::fs::read(fleet.0.path("tiny.wwr")).unwrap();
    for at in (0..whole.len()).step_by(23) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        std::fs::write(fleet.0.path("flipped.wwr"), flipped).unwrap();
        assert!(fleet.inspect("flipped.wwr").is_err(), "byte {at}");
    }
}

#[test]
fn who_has_no_say_signs_nothing() {
    let fleet = Fleet::new(&[]);
    fleet.image("new.bin", 2);
    fleet.build("new.bin", "new.wwr", &SECOND).unwrap();
    let sign = [
        "firmware",
        "sign",
        "new.wwr",
        "--root",
        "root-1.cbor",
        "--key",
    ];
    for key in ["anna-root.key", "gateway.key"] {
        let said = fleet.refused(&[&sign[..], &[key]].concat());
        assert!(said.contains("no release key of root 1"), "{said}");
    }
    let said = fleet.refused(&["keys", "root", "sign", "root-1.cbor", "--key", "anna.key"]);
    assert!(said.contains("has no say"), "{said}");
    fleet.told(&["keys", "new", "--role", "release", "--rsa", "rsa.key"]);
    let said = fleet.refused(&["firmware", "sign", "new.wwr", "--key", "rsa.key"]);
    assert!(said.contains("this is one of RSA-2048"), "{said}");
}

#[test]
fn a_copy_with_a_signature_that_does_not_hold_is_not_merged() {
    let fleet = Fleet::new(&[]);
    fleet.image("new.bin", 2);
    fleet.build("new.bin", "new.wwr", &SECOND).unwrap();
    let before = std::fs::read(fleet.0.path("new.wwr")).unwrap();
    std::fs::copy(fleet.0.path("new.wwr"), fleet.0.path("bert.wwr")).unwrap();
    fleet.sign("bert.wwr", "bert.key");
    let mut copy = std::fs::read(fleet.0.path("bert.wwr")).unwrap();
    let id = fleet.told(&["keys", "show", "--id", "bert.pub"]);
    let id = ww_api::hex::decode_array::<32>(id.trim()).unwrap();
    let at = copy.windows(32).position(|part| part == id).unwrap();
    // The signature's bytes follow the id, three heads later.
    copy[at + 32 + 20] ^= 1;
    std::fs::write(fleet.0.path("bert.wwr"), copy).unwrap();
    let merge = ["firmware", "sign", "new.wwr", "--merge", "bert.wwr"];
    let said = fleet.refused(&[&merge[..], &["--root", "root-1.cbor"]].concat());
    assert!(said.contains("does not hold"), "{said}");
    assert_eq!(std::fs::read(fleet.0.path("new.wwr")).unwrap(), before);
}

#[test]
fn the_public_half_is_made_again_from_the_private_key() {
    let fleet = Fleet::new(&[]);
    let pem = std::fs::read_to_string(fleet.0.path("anna.pub")).unwrap();
    assert_eq!(fleet.told(&["keys", "show", "--pem", "anna.key"]), pem);
    let said = fleet.refused(&["keys", "show", "--pem", "fleet.key"]);
    assert!(said.contains("no public key"), "{said}");
}

#[test]
fn a_revoked_key_has_no_say_once_enough_of_both_roots_have_signed() {
    let fleet = Fleet::new(&[]);
    let revoke = ["keys", "revoke", "root-1.cbor", "root-2.cbor", "--key"];
    fleet.told(&[&revoke[..], &["anna.pub", "--key", "anna-root.pub"]].concat());
    let show = [
        "keys",
        "root",
        "show",
        "root-2.cbor",
        "--previous",
        "root-1.cbor",
    ];
    let sign = |key| {
        let sign = [
            "keys",
            "root",
            "sign",
            "root-2.cbor",
            "--previous",
            "root-1.cbor",
        ];
        fleet.told(&[&sign[..], &["--key", key]].concat())
    };
    assert!(sign("bert-root.key").contains("1 of the 2 signatures"));
    assert!(fleet.told(&show).contains("do not follow it"));
    assert!(sign("cleo-root.key").contains("Devices that trust root 1 follow it."));

    fleet.image("new.bin", 2);
    fleet.build("new.bin", "new.wwr", &SECOND).unwrap();
    for key in ["anna.key", "bert.key", "cleo.key"] {
        fleet.sign("new.wwr", key);
    }
    let inspect = ["firmware", "inspect", "new.wwr", "--root", "root-2.cbor"];
    let said = fleet.refused(&inspect);
    assert!(said.contains("NOT A RELEASE KEY OF THIS ROOT"), "{said}");
    // The next who signs under the new root takes the signature of the revoked key out.
    let again = [
        "firmware",
        "sign",
        "new.wwr",
        "--root",
        "root-2.cbor",
        "--key",
        "bert.key",
    ];
    fleet.told(&again);
    fleet.told(&inspect);
}

#[test]
fn a_root_that_nobody_could_sign_for_is_not_made() {
    let fleet = Fleet::new(&[]);
    let revoke = [
        "keys",
        "revoke",
        "root-1.cbor",
        "root-2.cbor",
        "--key",
        "anna.pub",
    ];
    let said = fleet.refused(&[&revoke[..], &["--key", "bert.pub"]].concat());
    assert!(
        said.contains("2 release keys must sign, and there would be 1"),
        "{said}"
    );
    assert!(said.contains("--release-threshold"), "{said}");
    let said = fleet.refused(&[
        "keys",
        "revoke",
        "root-1.cbor",
        "root-2.cbor",
        "--key",
        "gateway.pub",
    ]);
    assert!(
        said.contains("1 assignment keys must sign, and there would be 0"),
        "{said}"
    );
    assert!(!fleet.0.path("root-2.cbor").exists());
}

#[test]
fn a_key_is_replaced_and_another_added_in_the_next_root() {
    let fleet = Fleet::new(&[]);
    for key in ["dora.key", "anna-new.key"] {
        fleet.told(&["keys", "new", "--role", "release", key]);
    }
    let rotate = ["keys", "rotate", "root-1.cbor", "root-2.cbor"];
    let said = fleet.refused(&rotate);
    assert!(said.contains("say what changes"), "{said}");
    let changes = [
        "--replace",
        "anna.pub",
        "anna-new.pub",
        "--add-release-key",
        "dora.pub",
    ];
    let threshold = ["--release-threshold", "3"];
    let made = fleet.told(&[&rotate[..], &changes, &threshold].concat());
    assert!(made.contains("3 of these 4 release keys"), "{made}");
    let id = |key| fleet.told(&["keys", "show", "--id", key]).trim().to_owned();
    assert!(made.contains(&id("anna-new.pub")) && !made.contains(&id("anna.pub")));
    let said = fleet.refused(&[&rotate[..], &["--root-threshold", "1"]].concat());
    assert!(said.contains("is there already"), "{said}");
}

#[test]
fn private_keys_and_secrets_are_for_their_owner_alone_and_public_ones_are_not_replaced() {
    let fleet = Fleet::new(&[]);
    let meter = fleet.told(&["keys", "show", "--id", "gateway.pub"]);
    let device = [
        "keys",
        "device",
        "device.key",
        "--fleet-key",
        "fleet.key",
        "--meter",
    ];
    fleet.told(&[&device[..], &[meter.trim()]].concat());
    let mode = std::fs::metadata(fleet.0.path("device.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let (fleet_key, device_key) = ["fleet.key", "device.key"]
        .map(|name| std::fs::read_to_string(fleet.0.path(name)).unwrap())
        .into();
    assert_ne!(fleet_key, device_key);
    for words in [
        &["keys", "fleet", "fleet.key"][..],
        &["keys", "new", "--role", "release", "anna.key"],
        &["keys", "new", "--role", "release", "anna.pub"],
    ] {
        assert!(fleet.refused(words).contains("never replaced"), "{words:?}");
    }
    let said = fleet.refused(&[
        "keys",
        "new",
        "--role",
        "release",
        "--no-passphrase",
        "plain.key",
    ]);
    assert!(said.contains("without a passphrase"), "{said}");
    let said = fleet.refused(&["keys", "new", "--role", "root", "--rsa", "rsa.key"]);
    assert!(said.contains("only release keys"), "{said}");
}

#[test]
fn what_devices_would_refuse_is_not_sent() {
    let fleet = Fleet::new(&[]);
    fleet.secret("api.key", "key");
    fleet.image("new.bin", 2);
    fleet.build("new.bin", "new.wwr", &SECOND).unwrap();
    fleet.sign("new.wwr", "anna.key");
    // Nobody listens there: to be asked at all would be another complaint.
    let gateway = format!("http://{}", free_address());
    let to = ["--gateway", &gateway, "--api-key-file", "api.key"];
    let publish = ["firmware", "publish", "new.wwr", "--root", "root-1.cbor"];
    let said = fleet.refused(&[&publish[..], &to].concat());
    assert!(
        said.contains("devices would refuse") && said.contains("1 of the 2"),
        "{said}"
    );
    fleet.sign("new.wwr", "bert.key");
    let confirmed = ["--confirmed-counter", "6"];
    let said = fleet.refused(&[&publish[..], &to, &confirmed].concat());
    assert!(said.contains("devices are at 6"), "{said}");
    let class = ["--hardware-class", "00000000-0000-0000-0000-000000000000"];
    let said = fleet.refused(&[&publish[..], &to, &class].concat());
    assert!(said.contains("another hardware class"), "{said}");
    let said = fleet.refused(&[&publish[..], &to].concat());
    assert!(said.contains("no gateway answers"), "{said}");
    let root = ["keys", "root", "publish", "root-1.cbor"];
    let said = fleet.refused(&[&root[..], &to].concat());
    assert!(said.contains("no gateway answers"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_takes_roots_and_releases_lists_them_and_takes_them_back() {
    let fleet = Fleet::new(&[]);
    let config =
        "[serve]\nfirmware_key_file = \"fleet.key\"\nassignment_key_file = \"gateway.key\"\n";
    std::fs::write(fleet.0.path("wattwitness.toml"), config).unwrap();
    let _gateway = fleet.0.serve().await;
    let gateway = fleet.0.url("");
    let to = ["--gateway", &gateway, "--api-key-file", "data/admin.key"];
    fleet.image("new.bin", 2);
    fleet.build("new.bin", "new.wwr", &SECOND).unwrap();
    for key in ["anna.key", "bert.key"] {
        fleet.sign("new.wwr", key);
    }
    let publish = ["firmware", "publish", "new.wwr", "--root", "root-1.cbor"];
    let publish = [&publish[..], &to].concat();
    let said = fleet.refused(&publish);
    assert!(said.contains("the gateway refused"), "{said}");

    let root = ["keys", "root", "publish", "root-1.cbor"];
    fleet.told(&[&root[..], &to].concat());
    let published = fleet.told(&publish);
    let digest = published.split_whitespace().last().unwrap();
    let list = ["firmware", "list", "--gateway", &gateway];
    let line = fleet.told(&list);
    assert!(
        line.starts_with(digest) && line.contains("published"),
        "{line}"
    );
    assert!(line.contains("1.4.0") && line.contains(CLASS), "{line}");
    // The same once more changes nothing, and other signatures under it are not taken for published.
    fleet.told(&publish);
    fleet.sign("new.wwr", "cleo.key");
    let said = fleet.refused(&publish);
    assert!(said.contains("signed by others"), "{said}");
    fleet.told(&[&["firmware", "withdraw", "new.wwr"], &to[..]].concat());
    assert!(fleet.told(&list).contains("withdrawn"));

    fleet.told(&[
        "keys",
        "revoke",
        "root-1.cbor",
        "root-2.cbor",
        "--key",
        "cleo.pub",
    ]);
    for key in ["anna-root.key", "cleo-root.key"] {
        fleet.told(&["keys", "root", "sign", "root-2.cbor", "--key", key]);
    }
    let root = ["keys", "root", "publish", "root-2.cbor"];
    let said = fleet.refused(&[&root[..], &to].concat());
    assert!(said.contains("--previous"), "{said}");
    fleet.told(&[&root[..], &["--previous", "root-1.cbor"], &to].concat());
}

#[test]
fn a_release_and_its_root_are_sent_whole_with_the_api_key() {
    let fleet = Fleet::new(&[]);
    fleet.secret("api.key", "some-key");
    fleet.image("new.bin", 2);
    fleet.build("new.bin", "new.wwr", &SECOND).unwrap();
    for key in ["anna.key", "bert.key"] {
        fleet.sign("new.wwr", key);
    }
    let sent = |file: &str, words: &[&str]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = format!("http://{}", listener.local_addr().unwrap());
        let body = std::fs::read(fleet.0.path(file)).unwrap();
        let expected = body.clone();
        let taking = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut received = Vec::new();
            while !received.ends_with(&expected) {
                let mut some = [0; 4096];
                let len = stream.read(&mut some).unwrap();
                assert!(len > 0, "it ended early");
                received.extend_from_slice(&some[..len]);
            }
            stream
                .write_all(
                    b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
                )
                .unwrap();
            let head = received.len() - expected.len();
            String::from_utf8(received[..head].to_vec()).unwrap()
        });
        let to = ["--gateway", &gateway, "--api-key-file", "api.key"];
        let said = fleet.run("pass", &[words, &to].concat());
        (taking.join().unwrap().to_ascii_lowercase(), said)
    };
    let publish = ["firmware", "publish", "new.wwr", "--root", "root-1.cbor"];
    let key = ["--fleet-key", "fleet.key"];
    let (head, said) = sent("new.wwr", &[&publish[..], &key].concat());
    assert!(
        head.starts_with("post /api/v1/firmware/releases "),
        "{head}"
    );
    assert!(head.contains("authorization: bearer some-key"), "{head}");
    // What is no gateway's answer is not taken for one.
    let said = said.unwrap_err();
    assert!(said.contains("not answer as gateways do"), "{said}");
    let (head, said) = sent("root-1.cbor", &["keys", "root", "publish", "root-1.cbor"]);
    said.unwrap();
    assert!(head.starts_with("post /api/v1/firmware/roots "), "{head}");
    assert!(head.contains("content-type: application/cbor"), "{head}");
}
