#!/usr/bin/env bash
# Runs a command in a mount namespace of its own, so that what it mounts goes with it.
#   scripts/own-mounts.sh COMMAND [ARGUMENT...]
# Also in a plain chroot, whose root is no mount point and can't be made private: there the command gets the same
# tree once more, bound to a folder.
set -euo pipefail
if grep -qE '^[^ ]+ [^ ]+ [^ ]+ [^ ]+ / ' /proc/self/mountinfo; then
  exec unshare --mount --propagation private "$@"
fi
folder=$(mktemp -d)
trap 'rmdir "$folder"' EXIT
unshare --mount --propagation unchanged bash -c '
  folder=$1 home=$2; shift 2
  mount --rbind / "$folder"
  mount --make-rprivate "$folder"
  exec chroot "$folder" bash -c '\''cd "$1"; shift; exec "$@"'\'' own-mounts "$home" "$@"' own-mounts "$folder" "$PWD" "$@"
