#!/usr/bin/env bash
# Shows Viaduct's main job on this machine: a container's VIP label becomes a name that everybody can dial.
#   sudo scripts/demo.sh
# Installs and builds what is missing, then works inside network namespaces of its own; nothing of it stays.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "demo.sh: needs root for namespaces, cgroups and BPF" >&2; exit 1; }
  exec sudo "$0" "$@"
fi
scripts/install.sh build demo
log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ -x build/bin/viaductd ] || echo "Building Viaduct, which takes some minutes the first time ..."
if ! scripts/build.sh release viaductd viaductctl >"$log" 2>&1; then
  tail -40 "$log" >&2
  exit 1
fi
PYTHONPATH=tests/support scripts/own-mounts.sh python3 -B scripts/demo.py build/bin
