#!/bin/sh
# Builds {{name}}.wasm; the first time it installs componentize-py.
set -eu
cd "$(dirname "$0")"
if [ ! -e .venv ]; then
    python3 -m venv .venv
    .venv/bin/pip install --quiet --requirement requirements.txt
fi
.venv/bin/componentize-py --quiet --wit-path wit --world rotation-strategy \
    componentize --stub-wasi --output {{name}}.wasm plugin
