#!/bin/sh
# Builds {{name}}.wasm. It takes the target once: rustup target add wasm32-unknown-unknown
set -eu
cd "$(dirname "$0")"
cargo build --release --target wasm32-unknown-unknown
cp "${CARGO_TARGET_DIR:-target}/wasm32-unknown-unknown/release/plugin.wasm" {{name}}.wasm
