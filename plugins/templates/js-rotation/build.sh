#!/bin/sh
# Builds {{name}}.wasm; the first time it installs componentize-js.
set -eu
cd "$(dirname "$0")"
[ -e node_modules ] || npm install --no-audit --no-fund
npm run --silent build
