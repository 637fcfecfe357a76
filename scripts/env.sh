# shellcheck shell=bash
# What the other scripts share: sourced, not run. Puts the tools that
# scripts/setup installed behind those that the machine has itself.

ONCALLD_TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/oncalld-tools"
export ONCALLD_TOOLS

case ":$PATH:" in
    *":$ONCALLD_TOOLS/bin:"*) ;;
    *) export PATH="$PATH:$ONCALLD_TOOLS/bin" ;;
esac
