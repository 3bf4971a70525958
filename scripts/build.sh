#!/usr/bin/env bash
# Builds Viaduct: installs the build packages that are missing, configures a preset, compiles.
#   scripts/build.sh [PRESET [TARGET...]]     PRESET: release (default, in build/), dev, tsan
# VIADUCT_JOBS sets how many compilers run at once (default: one a core, at most one per 2 GB of memory).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
[ $# -eq 0 ] || shift

scripts/install.sh build
# Without the test packages there is nothing to build the tests with; scripts/test.sh installs them first.
tests=OFF
[ -e /usr/include/gmock/gmock.h ] && tests=ON

if [ -z "${VIADUCT_JOBS:-}" ]; then
  cores=$(nproc)
  fits=$(awk '/^MemAvailable:/ { print int($2 / 2097152) }' /proc/meminfo)
  VIADUCT_JOBS=$((fits < 1 ? 1 : fits < cores ? fits : cores))
fi
cmake --preset "$preset" -DVIADUCT_TESTS=$tests
cmake --build "$([ "$preset" = release ] && echo build || echo "build-$preset")" -j "$VIADUCT_JOBS" ${1:+--target "$@"}
