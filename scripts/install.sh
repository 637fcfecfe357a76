# shellcheck shell=bash
# What the scripts that install something share: sourced, not run.

say() { printf '%s: %s\n' "${0#"$PWD/"}" "$*" >&2; }
die() {
    say "$*"
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE…: as root or through sudo; 1 where neither is possible.
apt_updated=
apt_install() {
    local sudo=()
    have apt-get || return 1
    if [[ $EUID -ne 0 ]]; then
        have sudo && sudo -n true 2>/dev/null || return 1
        sudo=(sudo -n)
    fi
    say "installing $* with apt"
    if [[ -z $apt_updated ]]; then
        "${sudo[@]}" apt-get update -qq || return 1
        apt_updated=yes
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null || return 1
}

# make_venv FOLDER: a Python environment.
make_venv() {
    have python3 || return 1
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        apt_install python3-venv || return 1
    fi
    python3 -m venv "$1"
}
