//! What devices ask about firmware, and what is refused to whom.

use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use ww_release::assignment::Stage;
use ww_release::cipher::SectorCipher;
use ww_release::file::ReleaseFile;
use ww_release::key::Suite;
use ww_release::question::UpdateState;
use ww_release::release::SignedRelease;
use ww_release::root::SignedRoot;
use ww_release::secret::Session;
use ww_release::signatures::Distrust;
use ww_wire::{Hash, SignerId, UpdateObstacle, UpdateOutcome};

use crate::fleet::{Checker, Device, FleetWorld, Published};
use crate::world::{World, problem};

/// An image that is no whole number of records or sectors.
fn image(mark: u8) -> Vec<u8> {
    (0..10_000_u32)
        .map(|place| (place % 241) as u8 ^ mark)
        .collect()
}

/// A fleet of one device that is told to fetch a release.
async fn fetching() -> (FleetWorld, Device, Published) {
    let world = FleetWorld::start().await;
    let device = world.device(1).await;
    let release = world.publish("1.4.0", 1, &image(1)).await;
    world.begun(&release, |_| {}).await;
    (world, device, release)
}

/// The records of a chunk, each of which is held against its tag.
fn records(session: &Session, object: &Hash, first: u32, body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    for (number, tagged) in (first..).zip(body.chunks(8 + 1024)) {
        let (tag, record) = tagged.split_at(8);
        let tag = tag.try_into().unwrap();
        assert!(session.holds(object, number, record, &tag), "{number}");
        content.extend_from_slice(record);
    }
    content
}

async fn bytes(response: Response) -> Vec<u8> {
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_device_fetches_what_the_thresholds_have_signed_and_can_read_it() {
    let (world, device, release) = fetching().await;
    let answered = world.ask(&device, "/ota/check").await;
    assert_eq!(answered.told(), (Stage::Fetch, Some(release.digest)));
    let root = bytes(world.world.get("/ota/root/1").await).await;
    let root = SignedRoot::decode(&root).unwrap();
    let path = format!("/ota/release/{}", release.digest);
    let response = world.world.get(&path).await;
    let kept = response.headers()["cache-control"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(kept.contains("immutable"), "{kept}");
    let envelope = bytes(response).await;
    let signed = SignedRelease::decode(&envelope).unwrap();
    let trusted = signed.trust(root.claimed(), &mut Checker).unwrap();
    let encoding = trusted.encodings().next().unwrap();
    let session = device.session(&answered);
    let nonce = device.question.nonce;
    let list = world.chunk(&device, &nonce, &encoding.list, 0, 1024).await;
    let list = records(&session, &encoding.list, 0, &bytes(list).await);
    assert_eq!(Hash::of(&[&list]), encoding.list);
    let mut content = Vec::new();
    for from in [0, 4, 8] {
        let chunk = world
            .chunk(&device, &nonce, &encoding.object, from, 4)
            .await;
        assert_eq!(chunk.headers()["content-type"], "application/octet-stream");
        let body = bytes(chunk).await;
        content.extend(records(&session, &encoding.object, from as u32, &body));
    }
    assert_eq!(Hash::of(&[&content]), encoding.object);
    assert_eq!(answered.keys.len(), 1);
    let (object, wrapped) = &answered.keys[0];
    let key = device.secret.unwrap(object, wrapped).unwrap();
    assert_eq!(key.check(), encoding.key_check);
    let cipher = SectorCipher::new(Suite::Es256Aes256Ctr, &key, encoding.nonce);
    for (number, sector) in (0..).zip(content.chunks_mut(4096)) {
        cipher.decrypt(number, false, sector).unwrap();
    }
    assert_eq!(content, image(1));
}

#[tokio::test]
async fn an_answer_has_no_header_that_a_device_does_not_need() {
    let (world, device, release) = fetching().await;
    let response = world.post_cbor("/ota/check", device.proven()).await;
    let mut names: Vec<_> = response
        .headers()
        .keys()
        .map(|name| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type"]);
    let nonce = device.question.nonce;
    let response = world.chunk(&device, &nonce, &release.object, 0, 2).await;
    let names: Vec<_> = response
        .headers()
        .keys()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn questions_that_come_together_are_signed_together_and_each_answer_is_for_its_own() {
    let world = FleetWorld::start().await;
    let mut devices = Vec::new();
    for number in 0..12 {
        devices.push(world.device(number).await);
    }
    let answers = devices
        .iter()
        .map(|device| world.post_cbor("/ota/check", device.proven()));
    let mut bodies = Vec::new();
    for answer in futures_util::future::join_all(answers).await {
        bodies.push(bytes(answer).await);
    }
    for (device, body) in devices.iter().zip(&bodies) {
        let answered = device.trust(&world.fleet, body).unwrap();
        assert_eq!(answered.told(), (Stage::Hold, None));
    }
    let foreign = devices[0].trust(&world.fleet, &bodies[1]).unwrap_err();
    assert_eq!(foreign, Distrust::OtherDevice);
}

#[tokio::test]
async fn a_question_that_is_repeated_gets_the_same_session() {
    let (world, device, _) = fetching().await;
    let one = world.ask(&device, "/ota/check").await;
    let again = world.ask(&device, "/ota/check").await;
    assert_eq!(one, again);
}

#[tokio::test]
async fn a_newer_question_supersedes_the_session_before_it() {
    let (world, mut device, release) = fetching().await;
    let first = device.question.nonce;
    world.ask(&device, "/ota/check").await;
    let newest = world.ask_anew(&mut device).await;
    let refused = world.chunk(&device, &first, &release.object, 0, 1).await;
    let refused = problem(refused).await;
    assert_eq!(refused["type"], "/problems/session-superseded");
    assert_eq!(refused["status"], 409);
    let nonce = newest.assignment.device_nonce;
    let chunk = world.chunk(&device, &nonce, &release.object, 0, 1).await;
    records(
        &device.session(&newest),
        &release.object,
        0,
        &bytes(chunk).await,
    );
}

#[tokio::test]
async fn a_replayed_question_takes_no_session_from_its_device() {
    let (world, mut device, release) = fetching().await;
    let overheard = device.proven();
    world.ask(&device, "/ota/check").await;
    let newest = world.ask_anew(&mut device).await;
    let refused = world.post_cbor("/ota/check", overheard).await;
    assert_eq!(
        problem(refused).await["type"],
        "/problems/session-superseded"
    );
    let nonce = newest.assignment.device_nonce;
    let chunk = world.chunk(&device, &nonce, &release.object, 0, 1).await;
    records(
        &device.session(&newest),
        &release.object,
        0,
        &bytes(chunk).await,
    );
}

#[tokio::test]
async fn a_lost_connection_locks_nothing() {
    let (world, device, release) = fetching().await;
    let answered = world.ask(&device, "/ota/check").await;
    let nonce = device.question.nonce;
    for _ in 0..3 {
        let mut broken = world.chunk(&device, &nonce, &release.object, 0, 9).await;
        assert!(broken.chunk().await.unwrap().is_some());
        drop(broken);
    }
    let chunk = world.chunk(&device, &nonce, &release.object, 9, 9).await;
    let session = device.session(&answered);
    let last = records(&session, &release.object, 9, &bytes(chunk).await);
    assert_eq!(last.len(), 10_000 - 9 * 1024);
}

#[tokio::test]
async fn a_session_goes_on_after_a_new_start_of_the_gateway() {
    let (world, device, release) = fetching().await;
    let answered = world.ask(&device, "/ota/check").await;
    let world = world.restarted().await;
    let nonce = device.question.nonce;
    let chunk = world.chunk(&device, &nonce, &release.object, 1, 1).await;
    records(
        &device.session(&answered),
        &release.object,
        1,
        &bytes(chunk).await,
    );
    assert_eq!(world.ask(&device, "/ota/check").await, answered);
}

#[tokio::test]
async fn two_gateways_on_one_store_know_the_newest_session() {
    let (world, mut device, release) = fetching().await;
    let first = world.ask(&device, "/ota/check").await;
    let nonce = first.assignment.device_nonce;
    // Its row is written behind the answer, by which it is known elsewhere.
    let chunk = world.chunk(&device, &nonce, &release.object, 0, 1).await;
    assert_eq!(chunk.status(), 200);
    device.next_question();
    let row = loop {
        let id = ww_store::InstallationId(device.meter.id as u32);
        let row = ww_store::Store::firmware_question(&*world.world.store, id).await;
        if let Some(row) = row.unwrap() {
            break row;
        }
        tokio::task::yield_now().await;
    };
    let elsewhere = ww_store::DeviceQuestion {
        device_nonce: device.question.nonce,
        server_nonce: [7; 16],
        question: device.proven(),
        ..row
    };
    let written = ww_store::Store::put_firmware_questions(&*world.world.store, vec![elsewhere]);
    written.await.unwrap();
    let session = device.secret.session(&device.question.nonce, &[7; 16]);
    let mut refused = 200;
    for _ in 0..1_000 {
        // What this gateway wrote itself may still be on its way.
        let chunk = world.chunk(&device, &nonce, &release.object, 0, 1).await;
        refused = chunk.status().as_u16();
        if refused == 409 {
            break;
        }
    }
    assert_eq!(refused, 409);
    let chunk = world
        .chunk(&device, &device.question.nonce, &release.object, 0, 1)
        .await;
    records(&session, &release.object, 0, &bytes(chunk).await);
}

#[tokio::test]
async fn the_nonce_of_another_device_is_worth_nothing() {
    let (world, device, release) = fetching().await;
    let other = world.device(2).await;
    world.ask(&device, "/ota/check").await;
    world.ask(&other, "/ota/check").await;
    let nonce = other.question.nonce;
    let refused = world.chunk(&device, &nonce, &release.object, 0, 1).await;
    assert_eq!(
        problem(refused).await["type"],
        "/problems/session-superseded"
    );
}

#[tokio::test]
async fn cross_device_replay_of_records() {
    let (world, device, release) = fetching().await;
    let other = world.device(2).await;
    world.ask(&device, "/ota/check").await;
    let answered = world.ask(&other, "/ota/check").await;
    let nonce = device.question.nonce;
    let chunk = world.chunk(&device, &nonce, &release.object, 0, 1).await;
    let body = bytes(chunk).await;
    let (tag, record) = body.split_at(8);
    let tag = tag.try_into().unwrap();
    let session = other.session(&answered);
    assert!(!session.holds(&release.object, 0, record, &tag));
}

#[tokio::test]
async fn key_of_another_device() {
    let (world, device, _) = fetching().await;
    let other = world.device(2).await;
    let unknown = SignerId([3; 32]);
    let unknown_secret = world.fleet.key.device_secret(unknown);
    let mut answers = Vec::new();
    for body in [
        device.claiming(device.question.device, &other.secret),
        device.claiming(unknown, &unknown_secret),
    ] {
        let refused = problem(world.post_cbor("/ota/check", body).await).await;
        assert_eq!(refused["type"], "/problems/question-not-proven");
        assert_eq!(refused["status"], 401);
        answers.push(refused);
    }
    assert_eq!(
        answers[0], answers[1],
        "nobody is told which meters there are"
    );
}

#[tokio::test]
async fn a_revoked_meter_is_answered_nothing() {
    let (world, mut device, release) = fetching().await;
    world.ask(&device, "/ota/check").await;
    let path = format!("/api/v1/installations/{}/revoke", device.meter.id);
    let body = json!({"reason": "lost"});
    assert_eq!(world.world.admin_post(&path, &body).await.status(), 200);
    let nonce = device.question.nonce;
    let refused = world.chunk(&device, &nonce, &release.object, 0, 1).await;
    assert_eq!(refused.status(), 409);
    device.next_question();
    let refused = world.post_cbor("/ota/check", device.proven()).await;
    assert_eq!(
        problem(refused).await["type"],
        "/problems/question-not-proven"
    );
}

#[tokio::test]
async fn junk_upload() {
    let (world, device, _) = fetching().await;
    for (path, body, kind) in [
        ("/ota/check", vec![], "question-malformed"),
        ("/ota/check", vec![0xff; 100], "question-malformed"),
        ("/ota/verify", vec![0x00; 256], "question-malformed"),
        ("/ota/check", vec![0x80; 257], "body-too-large"),
        ("/ota/verify", vec![0x80; 1 << 20], "body-too-large"),
    ] {
        let refused = world.post_cbor(path, body).await;
        let shown = problem(refused).await;
        assert_eq!(shown["type"], format!("/problems/{kind}"), "{path}");
    }
    let mut cut = device.proven();
    for flip in 0..cut.len() {
        cut[flip] ^= 0x10;
        let refused = world.post_cbor("/ota/check", cut.clone()).await;
        assert!([401, 422].contains(&refused.status().as_u16()), "{flip}");
        cut[flip] ^= 0x10;
    }
    for (body, kind) in [
        (vec![0xa0; 40], "cose-malformed"),
        (vec![0xd2; 10_000], "body-too-large"),
    ] {
        let request = world.world.client.post(world.world.url("/ota/complete"));
        let request = request
            .header("content-type", "application/cose")
            .body(body);
        let shown = problem(request.send().await.unwrap()).await;
        assert_eq!(shown["type"], format!("/problems/{kind}"));
    }
}

#[tokio::test]
async fn another_media_type_and_another_method_are_refused_by_name() {
    let (world, device, _) = fetching().await;
    let request = world.world.client.post(world.world.url("/ota/check"));
    let request = request.header("content-type", "application/json");
    let refused = request.body(device.proven()).send().await.unwrap();
    let shown = problem(refused).await;
    assert_eq!(shown["type"], "/problems/unsupported-media-type");
    let refused = world.world.get("/ota/check").await;
    assert_eq!(refused.headers()["allow"], "POST");
    assert_eq!(
        problem(refused).await["type"],
        "/problems/method-not-allowed"
    );
    let refused = world.post_cbor("/ota/chunk", vec![]).await;
    assert_eq!(refused.headers()["allow"], "GET");
    let refused = world.world.get("/ota/nothing").await;
    assert_eq!(problem(refused).await["type"], "/problems/not-found");
}

#[tokio::test]
async fn slow_loris() {
    let world = FleetWorld::with(|config| config.limits.request_timeout_ms = 100).await;
    for (path, length) in [("/ota/check", 200), ("/ota/complete", 200)] {
        let address = world.world.gateway.local_addr();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\nab");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 1024];
        let len = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..len]);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("/problems/request-timeout"), "{answer}");
    }
}

#[tokio::test]
async fn many_records_come_in_one_answer_each_behind_its_own_tag() {
    let world = FleetWorld::start().await;
    let device = world.device(1).await;
    let image: Vec<u8> = (0..300_001_u32).map(|place| (place / 3) as u8).collect();
    let release = world.publish("1.4.0", 1, &image).await;
    let answered = world.ask(&device, "/ota/check").await;
    let nonce = device.question.nonce;
    let chunk = world.chunk(&device, &nonce, &release.object, 3, 1024).await;
    let body = bytes(chunk).await;
    assert_eq!(body.len(), 300_001 - 3 * 1024 + 8 * 290);
    let rest = records(&device.session(&answered), &release.object, 3, &body);
    let path = format!("/ota/object/{}", release.object);
    let whole = bytes(world.world.get(&path).await).await;
    assert_eq!(Hash::of(&[&whole]), release.object);
    assert_eq!(rest, whole[3 * 1024..]);
}

#[tokio::test]
async fn a_chunk_says_by_name_what_is_wrong_with_it() {
    let (world, device, release) = fetching().await;
    world.ask(&device, "/ota/check").await;
    let nonce = device.question.nonce;
    for (object, from, n, kind, status) in [
        (release.object, 10, 1, "past-the-end", 416),
        (release.object, u64::MAX, 1, "past-the-end", 416),
        (release.list, 1, 1, "past-the-end", 416),
        (release.object, 0, 0, "invalid-field", 422),
        (release.object, 0, 1025, "invalid-field", 422),
        (Hash([1; 32]), 0, 1, "not-found", 404),
    ] {
        let refused = world.chunk(&device, &nonce, &object, from, n).await;
        let shown = problem(refused).await;
        assert_eq!(shown["type"], format!("/problems/{kind}"), "{from} {n}");
        assert_eq!(shown["status"], status);
    }
    for query in ["", "device=00", "device=zz&nonce=00"] {
        let refused = world.world.get(&format!("/ota/chunk?{query}")).await;
        let shown = problem(refused).await;
        assert_eq!(shown["type"], "/problems/invalid-field", "{query}");
        assert_eq!(shown["field"], "device");
    }
}

#[tokio::test]
async fn a_mirror_takes_objects_whole_or_in_ranges() {
    let (world, _, release) = fetching().await;
    let file = ReleaseFile::decode(&release.file).unwrap();
    let (_, object) = file.objects().next().unwrap();
    let path = format!("/ota/object/{}", release.object);
    let response = world.world.get(&path).await;
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", release.object));
    assert_eq!(bytes(response).await, object.ciphertext);
    let list = format!("/ota/object/{}", release.list);
    assert_eq!(bytes(world.world.get(&list).await).await, object.list);
    let ask = |name: &'static str, value: String| {
        let request = world.world.client.get(world.world.url(&path));
        request.header(name, value).send()
    };
    let part = ask("range", "bytes=9990-".to_owned()).await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 9990-9999/10000");
    assert_eq!(part.bytes().await.unwrap(), &object.ciphertext[9990..]);
    let past = ask("range", "bytes=10000-".to_owned()).await.unwrap();
    assert_eq!(problem(past).await["type"], "/problems/past-the-end");
    let known = ask("if-none-match", tag).await.unwrap();
    assert_eq!(known.status(), 304);
    for missing in [
        "/ota/object/00",
        "/ota/root/2",
        "/ota/release/zz",
        "/ota/root/x",
    ] {
        assert_eq!(world.world.get(missing).await.status(), 404, "{missing}");
    }
}

#[tokio::test]
async fn an_arm_answers_the_question_of_a_device_that_has_fetched_all() {
    let (world, mut device, release) = fetching().await;
    let refused = world.post_cbor("/ota/verify", device.proven()).await;
    assert_eq!(problem(refused).await["type"], "/problems/not-staged");
    world.ask(&device, "/ota/check").await;
    device.is_at(UpdateState::Staged, &release);
    let answered = world.ask(&device, "/ota/verify").await;
    assert_eq!(answered.told(), (Stage::Arm, Some(release.digest)));
    assert_eq!(answered.keys, []);
}

#[tokio::test]
async fn an_abort_reaches_devices_that_have_fetched_and_not_started() {
    let (world, mut device, release) = fetching().await;
    device.is_at(UpdateState::Staged, &release);
    assert_eq!(world.order(1, "abort").await.status(), 200);
    let answered = world.ask(&device, "/ota/verify").await;
    assert_eq!(answered.told(), (Stage::Hold, None));
    let answered = world.ask_anew(&mut device).await;
    assert_eq!(answered.told(), (Stage::Hold, None));
}

#[tokio::test]
async fn indefinite_replay() {
    let (world, mut device, release) = fetching().await;
    device.is_at(UpdateState::Staged, &release);
    let asked = device.proven();
    let armed = bytes(world.post_cbor("/ota/verify", asked.clone()).await).await;
    assert!(device.trust(&world.fleet, &armed).is_ok());
    assert_eq!(world.order(1, "pause").await.status(), 200);
    // The device asks again: an old "go" is none, and the old question is answered as it stands now.
    device.next_question();
    let refused = device.trust(&world.fleet, &armed).unwrap_err();
    assert_eq!(refused, Distrust::NotFresh);
    let answered = world.ask(&device, "/ota/verify").await;
    assert_eq!(answered.told(), (Stage::Hold, Some(release.digest)));
    let replayed = world.post_cbor("/ota/verify", asked).await;
    assert_eq!(
        problem(replayed).await["type"],
        "/problems/session-superseded"
    );
}

#[tokio::test]
async fn a_report_is_stored_once_and_shown_as_it_was_signed() {
    let (world, mut device, release) = fetching().await;
    world.ask(&device, "/ota/check").await;
    let report = device.report(&release, UpdateOutcome::Refused, UpdateObstacle::BadSector);
    for _ in 0..2 {
        assert_eq!(world.complete(&device, &report).await.status(), 204);
    }
    let path = format!("/ota/status/{}", device.meter.meter());
    let shown = world.world.json(&path).await;
    assert_eq!(shown["reports"].as_array().unwrap().len(), 1);
    let reported = &shown["reports"][0];
    assert_eq!(reported["outcome"], "refused");
    assert_eq!(reported["obstacle"], "bad-sector");
    assert_eq!(reported["version"], "1.4.0");
    let audit = world
        .world
        .admin_json("/api/v1/audit?action=firmware.report")
        .await;
    assert_eq!(audit.as_array().unwrap().len(), 1);
    // What another has signed is not this device's.
    let other = world.device(2).await;
    device.meter = other.meter;
    let refused = world.complete(&device, &report).await;
    assert_eq!(
        problem(refused).await["type"],
        "/problems/signature-invalid"
    );
}

#[tokio::test]
async fn what_a_meter_runs_is_what_its_signed_record_says() {
    let (world, mut device, release) = fetching().await;
    device.question.running = release.payload;
    device.is_at(UpdateState::Confirmed, &release);
    world.ask(&device, "/ota/check").await;
    let status = async || -> Value {
        let list = world.world.json("/ota/status").await;
        list[0].clone()
    };
    let claimed = status().await;
    assert_eq!(claimed["running_digest"], Value::Null);
    assert_eq!(claimed["state"], "confirmed");
    world.start_device(&mut device, release.payload).await;
    let signed = status().await;
    assert_eq!(signed["running_digest"], release.payload.to_string());
    assert_eq!(signed["running_release"], release.digest.to_string());
    let path = format!("/api/v1/firmware/releases/{}", release.digest);
    assert_eq!(world.world.json(&path).await["installed"], 1);
}

#[tokio::test]
async fn a_gateway_without_keys_says_that_it_updates_no_firmware() {
    let world = World::with(|config| {
        config.public_read = true;
        config.limits.peer_burst = 5;
    })
    .await;
    let admin = |path: &str| {
        let request = world.client.post(world.url(path));
        request
            .bearer_auth(&world.admin_key)
            .header("content-length", "0")
            .send()
    };
    for path in [
        "/ota/check",
        "/ota/verify",
        "/ota/complete",
        "/api/v1/firmware/roots",
        "/api/v1/firmware/releases",
    ] {
        let shown = problem(admin(path).await.unwrap()).await;
        assert_eq!(shown["type"], "/problems/firmware-not-configured", "{path}");
    }
    // Devices that ask nevertheless take nothing from the records that they send.
    for path in ["/ota/chunk", "/ota/root/1"].repeat(5) {
        let shown = problem(world.get(path).await).await;
        assert_eq!(shown["type"], "/problems/firmware-not-configured", "{path}");
    }
    assert_eq!(world.json("/api/v1/firmware/releases").await, json!([]));
}
