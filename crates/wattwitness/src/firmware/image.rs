//! The image that a release brings: a raw one as it is, or an ELF program of 32-bit RISC-V laid out flat
//! as it stands in flash. It runs nothing, and knows nothing of where a boot loader puts it.

use anyhow::{Context as _, bail, ensure};
use object::LittleEndian;
use object::elf::{EM_RISCV, FileHeader32, PT_LOAD};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

/// The longest image: 16 MiB, as much flash as these devices have at most.
pub(crate) const MAX_IMAGE: usize = 16 << 20;

/// What an ELF file begins with.
const ELF: &[u8] = b"\x7fELF";

/// What flash is where nothing was written.
const ERASED: u8 = 0xff;

/// Whether these bytes are an ELF file.
pub(crate) fn is_elf(file: &[u8]) -> bool {
    file.starts_with(ELF)
}

/// A flat image, and where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FlatImage {
    /// The address of its first byte.
    pub(crate) base: u32,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// A segment that is loaded.
struct Segment<'a> {
    address: u64,
    content: &'a [u8],
}

/// Lays the segments of an ELF file out: each that is loaded and has content, at its physical address,
/// from `base` on or the lowest of them, with erased flash in the gaps.
pub(crate) fn flat(file: &[u8], base: Option<u32>) -> anyhow::Result<FlatImage> {
    let header = FileHeader32::<LittleEndian>::parse(file)
        .ok()
        .filter(|header| header.e_ident().data == object::elf::ELFDATA2LSB)
        .context("it is no ELF file of 32 bits, little end first")?;
    let machine = header.e_machine(LittleEndian);
    ensure!(
        machine == EM_RISCV,
        "it is an ELF file for machine {} instead of RISC-V (243)",
        machine.0
    );
    let headers = header
        .program_headers(LittleEndian, file)
        .ok()
        .context("its program headers cannot be read")?;
    let mut segments = Vec::new();
    for (number, segment) in headers.iter().enumerate() {
        if segment.p_type(LittleEndian) != PT_LOAD || segment.p_filesz(LittleEndian) == 0 {
            continue;
        }
        let content = segment.data(LittleEndian, file).ok();
        segments.push(Segment {
            address: segment.p_paddr(LittleEndian).into(),
            content: content.with_context(|| format!("segment {number} is not in the file"))?,
        });
    }
    segments.sort_by_key(|segment| segment.address);
    let lowest = segments.first().context("nothing in it is loaded")?.address;
    laid_out(&segments, base.map_or(lowest, u64::from))
}

fn laid_out(segments: &[Segment<'_>], base: u64) -> anyhow::Result<FlatImage> {
    let mut bytes = Vec::new();
    for Segment { address, content } in segments {
        let Some(at) = address.checked_sub(base) else {
            bail!("it loads something at {address:#x}, below the base address {base:#x}");
        };
        let end = at + content.len() as u64;
        ensure!(
            end <= MAX_IMAGE as u64,
            "from {base:#x} to {:#x} are more than the {MAX_IMAGE} bytes that an image may have; does \
             it load something into RAM by its physical address?",
            base + end
        );
        ensure!(
            at >= bytes.len() as u64,
            "two segments overlap at {address:#x}"
        );
        bytes.resize(at as usize, ERASED);
        bytes.extend_from_slice(content);
    }
    let base = u32::try_from(base).context("it lies above 4 GiB")?;
    Ok(FlatImage { base, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: u32 = 1;

    /// An ELF file of this machine with segments of (type, address, content, size in memory).
    fn elf(machine: u16, segments: &[(u32, u32, &[u8], u32)]) -> Vec<u8> {
        let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        for half in [2, machine] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        for word in [1_u32, 0x4200_0000, 52, 0, 0] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        for half in [52, 32, segments.len() as u16, 40, 0, 0] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        let mut at = 52 + 32 * segments.len() as u32;
        for (kind, address, content, memory) in segments {
            let len = content.len() as u32;
            for word in [*kind, at, 0x9000_0000, *address, len, *memory, 5, 4] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            at += len;
        }
        for (_, _, content, _) in segments {
            file.extend_from_slice(content);
        }
        file
    }

    fn refused(file: &[u8], base: Option<u32>) -> String {
        format!("{:#}", flat(file, base).unwrap_err())
    }

    #[test]
    fn segments_lie_at_their_physical_addresses_with_erased_flash_between() {
        let file = elf(
            243,
            &[
                (LOAD, 0x4200_0008, b"data", 4),
                (LOAD, 0x4200_0000, b"code", 4),
                (LOAD, 0x3fc8_0000, b"", 64),
                (6, 0, b"not loaded", 10),
            ],
        );
        let image = flat(&file, None).unwrap();
        let expected = b"code\xff\xff\xff\xffdata".to_vec();
        let base = 0x4200_0000;
        assert_eq!(
            image,
            FlatImage {
                base,
                bytes: expected
            }
        );
        let image = flat(&file, Some(0x41ff_fffe)).unwrap();
        assert_eq!(&image.bytes[..4], b"\xff\xffco");
    }

    #[test]
    fn what_is_below_the_base_overlaps_or_is_too_far_is_refused() {
        let one = elf(243, &[(LOAD, 0x100, b"code", 4)]);
        assert!(refused(&one, Some(0x101)).contains("below the base"));
        let two = elf(243, &[(LOAD, 0x100, b"code", 4), (LOAD, 0x103, b"data", 4)]);
        assert!(refused(&two, None).contains("overlap"));
        let far = elf(
            243,
            &[(LOAD, 0x100, b"code", 4), (LOAD, 0x8000_0000, b"data", 4)],
        );
        assert!(refused(&far, None).contains("RAM"));
    }

    #[test]
    fn programs_for_other_machines_and_other_files_are_refused() {
        assert!(refused(&elf(40, &[(LOAD, 0, b"code", 4)]), None).contains("machine 40"));
        assert!(refused(b"\x7fELF", None).contains("no ELF file"));
        assert!(refused(&elf(243, &[]), None).contains("nothing in it"));
    }

    #[test]
    fn no_cut_or_changed_elf_file_makes_the_reader_panic() {
        let file = elf(243, &[(LOAD, 0x100, b"code", 4), (LOAD, 0x110, b"data", 4)]);
        for len in 0..file.len() {
            let _ = flat(&file[..len], None);
        }
        for at in 0..file.len() {
            for byte in [0, 0x7f, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] = byte;
                let _ = flat(&changed, None);
                let _ = flat(&changed, Some(0xffff_ffff));
            }
        }
    }
}
