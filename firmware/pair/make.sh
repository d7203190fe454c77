#!/bin/sh
# Builds the four versions and leaves them as 1.0.0.bin … 2.0.0.bin in the folder $1.
#
# It wants the target (`rustup target add riscv32imc-unknown-none-elf`) and an objcopy that knows it
# (`rust-objcopy` of cargo-binutils, or `llvm-objcopy`).
set -eu
out=$(realpath -m "$1")
objcopy=${OBJCOPY:-llvm-objcopy}
target=riscv32imc-unknown-none-elf
cd "$(dirname "$0")"
mkdir -p "$out"

version() {
    cargo build --locked --release --target $target --features "$2"
    "$objcopy" -O binary "${CARGO_TARGET_DIR:-target}/$target/release/firmware-pair" "$out/$1.bin"
}

version 1.0.0 ""
version 1.0.1 fix
version 1.1.0 change
version 2.0.0 dependency
ls -l "$out"
