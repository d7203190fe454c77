//! Roots on their way: made from public keys, signed by several people apart, shown and published. The
//! rules that a root keeps, and when devices follow one, are those of `ww_release::root`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use ww_release::canonical::{self, Item};
use ww_release::key::{Algorithm, Key, Suite};
use ww_release::root::{MAX_KEYS, MAX_ROOT, Role, Root, SignedRoot};
use ww_release::signatures::{Approved, Domain, Signed};
use ww_wire::SignerId;

use crate::artifact::{self, Place};
use crate::firmware::gateway::GatewayArguments;
use crate::keys::passphrase::PassphraseArguments;
use crate::keys::public_key::SignersKey;
use crate::keys::signing_key::SigningKey;
use crate::keys::trust::{self, Software, Verdict};
use crate::keys::{grouped, signer_id};

const EXAMPLES: &str = "\
Examples:
  wattwitness keys root new root-1.cbor \\
      --root-key anna-root.pub bert-root.pub cleo-root.pub \\
      --release-key anna.pub bert.pub cleo.pub --assignment-key gateway.pub
      2 of 3 sign roots, 2 of 3 sign releases, the gateway says which device does what
  wattwitness keys root sign root-1.cbor --key anna-root.key
      each signer does this on a computer of his own, and hands the file on
  wattwitness keys root sign root-1.cbor --merge root-1-of-bert.cbor
      takes over what others have signed on copies
  wattwitness keys root sign root-2.cbor --key anna-root.key --previous root-1.cbor
      signs for the root before, whose keys must agree too
  wattwitness keys root show root-1.cbor
  wattwitness keys root publish root-1.cbor --gateway http://127.0.0.1:8000 \\
      --api-key-file admin.key";

const CHANGE_EXAMPLES: &str = "\
Examples:
  wattwitness keys rotate root-1.cbor root-2.cbor --replace anna.pub anna-new.pub
      anna signs releases with another key from now on
  wattwitness keys rotate root-1.cbor root-2.cbor --add-release-key dora.pub
  wattwitness keys revoke root-1.cbor root-2.cbor --key bert.pub
      a key that is lost or stolen has no say any more

The next root must be signed by enough of the root keys of both: those who sign for the root
before, and whose keys it no longer has, name that one by --previous.";

/// What to do with roots.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum RootCommand {
    /// Make root 1 from public keys
    #[command(after_help = EXAMPLES)]
    New(NewRootArguments),
    /// Add a signature to a root, or those of a copy that others have signed
    #[command(after_help = EXAMPLES)]
    Sign(SignRootArguments),
    /// Print who may sign what, who has signed, and whether devices follow
    Show(ShowRootArguments),
    /// Hand a root to a gateway, and by it to the devices
    Publish(PublishRootArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewRootArguments {
    /// Where to write it; never overwritten
    file: PathBuf,
    /// Public keys of those who sign roots (up to 8)
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    root_key: Vec<PathBuf>,
    /// Public keys of those who sign releases, all of P-256 or all of RSA: the suite follows
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    release_key: Vec<PathBuf>,
    /// Public keys of the gateways that say which device does what
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    assignment_key: Vec<PathBuf>,
    #[command(flatten)]
    thresholds: Thresholds,
}

/// How many of each role must sign.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Thresholds {
    /// How many root keys must sign the next root [default: as before; 2 in root 1, or 1 where there is one key]
    #[arg(long, value_name = "N")]
    root_threshold: Option<u8>,
    /// How many release keys must sign a release [default: as before; 2 in root 1, or 1 where there is one key]
    #[arg(long, value_name = "N")]
    release_threshold: Option<u8>,
    /// How many assignment keys must sign [default: as before; 1 in root 1]
    #[arg(long, value_name = "N")]
    assignment_threshold: Option<u8>,
}

impl Thresholds {
    const fn is_empty(&self) -> bool {
        self.root_threshold.is_none()
            && self.release_threshold.is_none()
            && self.assignment_threshold.is_none()
    }
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("signed").required(true).multiple(true))]
pub(crate) struct SignRootArguments {
    /// The root; the signature is added to this file
    file: PathBuf,
    /// The private key of who signs
    #[arg(long, value_name = "FILE", group = "signed")]
    key: Option<PathBuf>,
    /// A copy of the same root, whose signatures are taken over; may be given several times
    #[arg(long, value_name = "FILE", group = "signed")]
    merge: Vec<PathBuf>,
    /// The root before, for whose keys you sign
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowRootArguments {
    /// The root
    file: PathBuf,
    /// The root before, which devices trust so far
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PublishRootArguments {
    /// The root
    file: PathBuf,
    /// The root before, which devices trust so far; needed from root 2 on
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    #[command(flatten)]
    gateway: GatewayArguments,
}

#[derive(Debug, clap::Args)]
#[command(after_help = CHANGE_EXAMPLES)]
pub(crate) struct RotateArguments {
    /// The root that is in force
    file: PathBuf,
    /// Where to write the next one; never overwritten
    out: PathBuf,
    /// Put a new public key in the place of one that the root has (its file or its id); may be given
    /// several times
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2)]
    replace: Vec<String>,
    /// Add a public key to those who sign roots
    #[arg(long, value_name = "FILE")]
    add_root_key: Vec<PathBuf>,
    /// Add a public key to those who sign releases
    #[arg(long, value_name = "FILE")]
    add_release_key: Vec<PathBuf>,
    /// Add a public key to those who sign assignments
    #[arg(long, value_name = "FILE")]
    add_assignment_key: Vec<PathBuf>,
    #[command(flatten)]
    thresholds: Thresholds,
}

#[derive(Debug, clap::Args)]
#[command(after_help = CHANGE_EXAMPLES)]
pub(crate) struct RevokeArguments {
    /// The root that is in force
    file: PathBuf,
    /// Where to write the next one; never overwritten
    out: PathBuf,
    /// The key that has no say any more: its public file or its id; may be given several times
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,
    #[command(flatten)]
    thresholds: Thresholds,
}

/// A root's bytes as a file has them.
pub(crate) struct RootFile(Vec<u8>);

impl RootFile {
    /// Reads a file with a root.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        let bytes = artifact::read(file, MAX_ROOT)?;
        SignedRoot::decode(&bytes).with_context(|| {
            format!(
                "{} holds no root; make one with: wattwitness keys root new",
                file.display()
            )
        })?;
        Ok(Self(bytes))
    }

    /// What it says.
    pub(crate) fn signed(&self) -> SignedRoot<'_> {
        SignedRoot::decode(&self.0).expect("it was read before")
    }

    /// The root that devices would trust if they were made with it. Whether they follow it from another
    /// is for that one to say, so a root that has lost keys since is taken too.
    pub(crate) fn in_force(&self, file: &Path) -> anyhow::Result<Root<'_>> {
        let signed = self.signed();
        let root = *signed.claimed();
        let (count, threshold) = (
            trust::count(signed.approved(), Domain::Root, &root.root),
            usize::from(root.root.threshold()),
        );
        ensure!(
            count >= threshold,
            "{count} of the {threshold} signatures that {} needs are there; collect them with: \
             wattwitness keys root sign",
            file.display()
        );
        Ok(root)
    }
}

/// Does what was asked of roots, and gives what to print.
pub(crate) fn run(command: &RootCommand) -> anyhow::Result<String> {
    match command {
        RootCommand::New(arguments) => new(arguments),
        RootCommand::Sign(arguments) => sign(arguments),
        RootCommand::Show(arguments) => show(arguments),
        RootCommand::Publish(arguments) => publish(arguments),
    }
}

/// A role that is being put together.
struct RoleDraft {
    name: &'static str,
    threshold: u8,
    keys: Vec<SignersKey>,
}

impl RoleDraft {
    fn of(name: &'static str, role: &Role<'_>) -> Self {
        let keys = role.keys().filter_map(|key| SignersKey::new(key.bytes()));
        Self {
            name,
            threshold: role.threshold(),
            keys: keys.collect(),
        }
    }

    fn loaded(name: &'static str, files: &[PathBuf], usual: u8) -> anyhow::Result<Self> {
        let mut role = Self {
            name,
            threshold: usual.min(u8::try_from(files.len()).unwrap_or(u8::MAX)),
            keys: Vec::new(),
        };
        files.iter().try_for_each(|file| role.add(file))?;
        Ok(role)
    }

    fn add(&mut self, file: &Path) -> anyhow::Result<()> {
        let key = SignersKey::load(file)?;
        ensure!(
            !self.keys.contains(&key),
            "{} is among the {} keys already",
            file.display(),
            self.name
        );
        self.keys.push(key);
        Ok(())
    }

    fn place(&self, id: SignerId) -> Option<usize> {
        self.keys.iter().position(|key| key.id() == id)
    }

    fn role(&mut self) -> anyhow::Result<Role<'_>> {
        self.keys.sort();
        let (count, threshold, name) = (self.keys.len(), self.threshold, self.name);
        ensure!(
            count <= MAX_KEYS,
            "{count} {name} keys are more than the {MAX_KEYS} that a role may have"
        );
        ensure!(threshold > 0, "at least one {name} key must sign");
        ensure!(
            usize::from(threshold) <= count,
            "{threshold} {name} keys must sign, and there would be {count}: nobody could ever sign. \
             Add a key first (wattwitness keys rotate), or lower the threshold with \
             --{name}-threshold"
        );
        let keys: Vec<Key<'_>> = self.keys.iter().map(SignersKey::key).collect();
        Role::new(threshold, &keys).context("the keys make no role")
    }
}

/// A root that is being put together.
struct Draft {
    number: u32,
    root: RoleDraft,
    release: RoleDraft,
    assignment: RoleDraft,
}

impl Draft {
    /// The root after this one, which has the same keys so far.
    fn after(root: &Root<'_>) -> anyhow::Result<Self> {
        let number = root.number.checked_add(1);
        Ok(Self {
            number: number.context("no root comes after the last number")?,
            root: RoleDraft::of("root", &root.root),
            release: RoleDraft::of("release", &root.release),
            assignment: RoleDraft::of("assignment", &root.assignment),
        })
    }

    fn roles(&mut self) -> [&mut RoleDraft; 3] {
        [&mut self.root, &mut self.release, &mut self.assignment]
    }

    fn set(&mut self, thresholds: &Thresholds) {
        let wanted = [
            thresholds.root_threshold,
            thresholds.release_threshold,
            thresholds.assignment_threshold,
        ];
        for (role, threshold) in self.roles().into_iter().zip(wanted) {
            role.threshold = threshold.unwrap_or(role.threshold);
        }
    }

    /// The role that has a key, and its place there.
    fn find(&mut self, name: &str) -> anyhow::Result<(&mut RoleDraft, usize)> {
        let id = named(name)?;
        self.roles()
            .into_iter()
            .find_map(|role| role.place(id).map(|place| (role, place)))
            .with_context(|| format!("the root has no key {name} ({})", grouped(id)))
    }

    /// The file with this root, that nobody has signed yet.
    fn unsigned(&mut self) -> anyhow::Result<Vec<u8>> {
        let is_rsa = |key: &SignersKey| key.key().algorithm() == Algorithm::Rs256;
        let suite = match self.release.keys.iter().any(is_rsa) {
            true => Suite::Rsa2048Aes256Cbc,
            false => Suite::Es256Aes256Ctr,
        };
        let root = Root {
            number: self.number,
            suite,
            root: self.root.role()?,
            release: self.release.role()?,
            assignment: self.assignment.role()?,
        };
        let content = encoded(&root);
        let bytes = encoded(&Approved::new(&content));
        SignedRoot::decode(&bytes).context("these keys make no root")?;
        Ok(bytes)
    }
}

fn encoded<'a, T: Item<'a>>(item: &T) -> Vec<u8> {
    let mut bytes = vec![0; canonical::length(item)];
    canonical::encode(item, &mut bytes).expect("there is as much room as it takes");
    bytes
}

/// The id of a key that is named by its file or by the id itself.
fn named(name: &str) -> anyhow::Result<SignerId> {
    match signer_id(name) {
        Ok(id) => Ok(id),
        Err(_) => SignersKey::load(Path::new(name)).map(|key| key.id()),
    }
}

fn new(arguments: &NewRootArguments) -> anyhow::Result<String> {
    let mut draft = Draft {
        number: 1,
        root: RoleDraft::loaded("root", &arguments.root_key, 2)?,
        release: RoleDraft::loaded("release", &arguments.release_key, 2)?,
        assignment: RoleDraft::loaded("assignment", &arguments.assignment_key, 1)?,
    };
    draft.set(&arguments.thresholds);
    let bytes = draft.unsigned()?;
    artifact::write(&arguments.file, &bytes, Place::New)?;
    described(&RootFile(bytes), None)
}

/// Makes the next root with other keys.
pub(crate) fn rotate(arguments: &RotateArguments) -> anyhow::Result<String> {
    let changes = [
        &arguments.add_root_key,
        &arguments.add_release_key,
        &arguments.add_assignment_key,
    ];
    ensure!(
        !arguments.replace.is_empty()
            || changes.iter().any(|added| !added.is_empty())
            || !arguments.thresholds.is_empty(),
        "say what changes: --replace, --add-root-key, --add-release-key, --add-assignment-key or a \
         threshold"
    );
    let before = RootFile::load(&arguments.file)?;
    let mut draft = Draft::after(&before.in_force(&arguments.file)?)?;
    for pair in arguments.replace.chunks_exact(2) {
        let new = SignersKey::load(Path::new(&pair[1]))?;
        let (role, place) = draft.find(&pair[0])?;
        ensure!(
            !role.keys.contains(&new),
            "{} is among the {} keys already",
            pair[1],
            role.name
        );
        role.keys[place] = new;
    }
    for (role, added) in draft.roles().into_iter().zip(changes) {
        added.iter().try_for_each(|file| role.add(file))?;
    }
    draft.set(&arguments.thresholds);
    finished(&mut draft, &before, &arguments.out)
}

/// Makes the next root without a key.
pub(crate) fn revoke(arguments: &RevokeArguments) -> anyhow::Result<String> {
    let before = RootFile::load(&arguments.file)?;
    let mut draft = Draft::after(&before.in_force(&arguments.file)?)?;
    for name in &arguments.key {
        let (role, place) = draft.find(name)?;
        role.keys.remove(place);
    }
    draft.set(&arguments.thresholds);
    finished(&mut draft, &before, &arguments.out)
}

fn finished(draft: &mut Draft, before: &RootFile, out: &Path) -> anyhow::Result<String> {
    let bytes = draft.unsigned()?;
    artifact::write(out, &bytes, Place::New)?;
    described(&RootFile(bytes), Some(before))
}

fn sign(arguments: &SignRootArguments) -> anyhow::Result<String> {
    let file = &arguments.file;
    let root = RootFile::load(file)?;
    let previous = arguments.previous.as_deref().map(RootFile::load);
    let previous = previous.transpose()?;
    if let Some(previous) = &previous {
        follows(&root, previous)?;
    }
    let signed = root.signed();
    let mut approved = *signed.approved();
    let copies: Vec<RootFile> = arguments
        .merge
        .iter()
        .map(|copy| RootFile::load(copy))
        .collect::<Result<_, _>>()?;
    let copies: Vec<SignedRoot<'_>> = copies.iter().map(RootFile::signed).collect();
    for (copy, name) in copies.iter().zip(&arguments.merge) {
        ensure!(
            copy.approved().content == approved.content,
            "{} is another root than {}: only copies of the same have signatures in common",
            name.display(),
            file.display()
        );
        for signature in copy.approved().signatures() {
            ensure_holds(&root, previous.as_ref(), copy.approved(), signature)
                .with_context(|| format!("nothing of {} is taken over", name.display()))?;
            approved = added(approved, *signature)?;
        }
    }
    let made = match &arguments.key {
        None => None,
        Some(key_file) => {
            let key = SigningKey::load(key_file, &arguments.passphrase)?;
            ensure!(
                signers(&root, previous.as_ref(), key.public().id()).is_some(),
                "{} has no say in {}: it is no root key{}",
                key_file.display(),
                file.display(),
                match previous {
                    Some(_) => " of it or of the root before",
                    None => " of it; who signs for the root before names that by --previous",
                }
            );
            Some(key.sign(Domain::Root, approved.content)?)
        }
    };
    if let Some(made) = &made {
        approved = added(approved, made.signed())?;
    }
    let bytes = encoded(&approved);
    SignedRoot::decode(&bytes).context("the root has no room for more signatures")?;
    artifact::write(file, &bytes, Place::Replaced)?;
    described(&RootFile(bytes), previous.as_ref())
}

fn added<'a>(approved: Approved<'a>, signature: Signed<'a>) -> anyhow::Result<Approved<'a>> {
    approved
        .with(signature)
        .context("there are as many signatures as there can be")
}

/// The root key with this id, of the root or of the one before.
fn signers(root: &RootFile, previous: Option<&RootFile>, id: SignerId) -> Option<SignersKey> {
    let key_of = |root: &RootFile| {
        let signed = root.signed();
        let key = signed.claimed().root.key(id);
        key.and_then(|key| SignersKey::new(key.bytes()))
    };
    key_of(root).or_else(|| previous.and_then(key_of))
}

/// A signature that no root key made would make every device refuse the root.
fn ensure_holds(
    root: &RootFile,
    previous: Option<&RootFile>,
    approved: &Approved<'_>,
    signature: &Signed<'_>,
) -> anyhow::Result<()> {
    let id = signature.signer();
    let Some(key) = signers(root, previous, id) else {
        bail!(
            "{} signed it, who is no root key of it; where he signs for the root before, name that \
             by --previous",
            grouped(id)
        );
    };
    ensure!(
        trust::verdict(approved, Domain::Root, key.key()) == Verdict::Signed,
        "the signature of {} does not hold",
        grouped(id)
    );
    Ok(())
}

fn follows(root: &RootFile, previous: &RootFile) -> anyhow::Result<()> {
    let (number, before) = (
        root.signed().claimed().number,
        previous.signed().claimed().number,
    );
    ensure!(
        Some(number) == before.checked_add(1),
        "root {number} does not come after root {before}"
    );
    Ok(())
}

fn show(arguments: &ShowRootArguments) -> anyhow::Result<String> {
    let root = RootFile::load(&arguments.file)?;
    let previous = arguments.previous.as_deref().map(RootFile::load);
    let previous = previous.transpose()?;
    if let Some(previous) = &previous {
        follows(&root, previous)?;
    }
    described(&root, previous.as_ref())
}

/// Everything about a root in words.
fn described(file: &RootFile, previous: Option<&RootFile>) -> anyhow::Result<String> {
    let signed = file.signed();
    let (root, approved) = (signed.claimed(), signed.approved());
    let signatures = Some((approved, Domain::Root));
    let mut lines = vec![
        format!("root {} of suite {}", root.number, root.suite.name()),
        role_line(&root.root, "root", "sign the next root"),
    ];
    lines.extend(trust::keys(&root.root, signatures));
    if let Some(previous) = previous.map(RootFile::signed) {
        let before = previous.claimed();
        let what = format!("sign for root {}", before.number);
        lines.push(role_line(&before.root, "root", &what));
        lines.extend(trust::keys(&before.root, signatures));
    }
    lines.push(role_line(&root.release, "release", "sign a release"));
    lines.extend(trust::keys(&root.release, None));
    lines.push(role_line(
        &root.assignment,
        "assignment",
        "say what devices do",
    ));
    lines.extend(trust::keys(&root.assignment, None));
    lines.push(verdict(&signed, previous)?);
    Ok(lines.join("\n"))
}

fn role_line(role: &Role<'_>, name: &str, what: &str) -> String {
    let (count, threshold) = (role.keys().count(), role.threshold());
    match count {
        1 => format!("the one {name} key must {what}:"),
        _ => format!("{threshold} of these {count} {name} keys must {what}:"),
    }
}

/// Whether devices take it, and what is missing.
fn verdict(signed: &SignedRoot<'_>, previous: Option<&RootFile>) -> anyhow::Result<String> {
    let root = signed.claimed();
    if let Some(previous) = previous.map(RootFile::signed) {
        let before = previous.claimed();
        return Ok(match signed.follow(before, &mut Software) {
            Ok(_) => format!("Devices that trust root {} follow it.", before.number),
            Err(why) => format!(
                "Devices that trust root {} do not follow it: {why}.",
                before.number
            ),
        });
    }
    let strangers = trust::strangers(signed.approved(), &[&root.root]);
    let own = trust::count(signed.approved(), Domain::Root, &root.root);
    let enough = own >= usize::from(root.root.threshold());
    Ok(match (root.number, enough, strangers.is_empty()) {
        (1, true, true) => match signed.stand_alone(&mut Software) {
            Ok(_) => "Devices may be made with it.".to_owned(),
            Err(why) => format!("No device may be made with it: {why}."),
        },
        (_, false, _) => format!(
            "No device takes it: {own} of the {} signatures that it needs are there.",
            root.root.threshold()
        ),
        (1, true, false) => "No device may be made with it: others have signed it.".to_owned(),
        (number, true, _) => format!(
            "Its own keys have signed it. Whether devices follow it, `--previous` with root {} says.",
            number - 1
        ),
    })
}

fn publish(arguments: &PublishRootArguments) -> anyhow::Result<String> {
    let file = RootFile::load(&arguments.file)?;
    let signed = file.signed();
    let number = signed.claimed().number;
    let refused = "the gateway was not asked: devices would not take this root";
    match &arguments.previous {
        Some(previous) => {
            let previous = RootFile::load(previous)?;
            signed
                .follow(previous.signed().claimed(), &mut Software)
                .context(refused)?;
        }
        None if number == 1 => drop(signed.stand_alone(&mut Software).context(refused)?),
        None => bail!("name the root before by --previous, by which devices judge this one"),
    }
    let server = arguments.gateway.server()?;
    let body = Some(("application/cbor", file.0.clone()));
    crate::online(server.upload("api/v1/firmware/roots", body))?;
    Ok(format!("root {number} is published"))
}
