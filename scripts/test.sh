#!/usr/bin/env bash
# Sets everything up, builds, and runs every test through ctest; ends with ctest's summary of the release build.
#   sudo scripts/test.sh                        everything; this is what continuous integration runs
#   sudo scripts/test.sh CTEST-OPTION...        only the tests that these options choose, e.g. -R e2e_matrix
# Everything: first the unit, io and fuzz tests under the address and undefined-behaviour sanitizers (preset dev), and
# the threaded ones under the thread sanitizer (preset tsan), then libFuzzer for 20 s on each fuzz target (preset dev;
# VIADUCT_FUZZ_SECONDS is another time, 0: none), at last all others, with the programs as users get them (preset
# release). VIADUCT_SANITIZERS=0 leaves sanitizers and fuzzing out and runs every test with the release build.
# A missing privilege is a failure here, not a skip.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "test.sh: needs root for namespaces, cgroups and BPF" >&2; exit 1; }
  exec sudo --preserve-env=VIADUCT_SANITIZERS,VIADUCT_FUZZ_SECONDS,VIADUCT_JOBS "$0" "$@"
fi

step() { printf '\n== %s (%d s since the start)\n' "$*" "$SECONDS"; }

# Mounts that a test needs are made for this run alone.
if [ -z "${VIADUCT_TEST_MOUNTS:-}" ]; then
  step "Packages"
  scripts/install.sh build test
  VIADUCT_TEST_MOUNTS=own exec scripts/own-mounts.sh "scripts/$(basename "$0")" "$@"
fi
unset VIADUCT_TEST_MOUNTS
[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ] || mount -t bpf bpf /sys/fs/bpf
if ! grep -q ' - cgroup2 ' /proc/self/mountinfo; then
  folder=$(mktemp -d) # stays as an empty folder; the mount goes with this run
  mount -t cgroup2 cgroup2 "$folder"
fi

export VIADUCT_REQUIRE_PRIVILEGED=1
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
ctest=(ctest --output-on-failure --no-tests=error)
sanitized=0

step "Release build"
targets=()
rest=("$@")
if [ $# -eq 0 ] && [ "${VIADUCT_SANITIZERS:-1}" != 0 ]; then
  targets=(programs tests_bpf tests_sim)
  rest=(-LE '^(unit|io|fuzz)$')
fi
scripts/build.sh release "${targets[@]}"

if [ ${#targets[@]} -ne 0 ]; then
  step "Build with address and undefined-behaviour sanitizers"
  scripts/build.sh dev tests_unit tests_io tests_fuzz
  step "Unit, io and fuzz tests with these sanitizers"
  "${ctest[@]}" --test-dir build-dev -j "$(nproc)" -L '^(unit|io|fuzz)$' || sanitized=$?
  step "Build of the threaded tests with the thread sanitizer"
  scripts/build.sh tsan tests_threads
  step "Threaded tests with the thread sanitizer"
  # Without address randomisation: the sanitizer's fixed memory map does not fit all of this kernel's random ones.
  setarch --addr-no-randomize "${ctest[@]}" --test-dir build-tsan -L '^threads$' || sanitized=$?
  if [ "${VIADUCT_FUZZ_SECONDS:-20}" != 0 ]; then
    step "Fuzzing, ${VIADUCT_FUZZ_SECONDS:-20} s each target"
    scripts/fuzz.sh "${VIADUCT_FUZZ_SECONDS:-20}" || sanitized=$?
  fi
  [ "$sanitized" = 0 ] || echo "test.sh: tests under a sanitizer FAILED, see above; this run will fail"
fi

step "Tests of the release build"
"${ctest[@]}" --test-dir build -j "$(nproc)" "${rest[@]}" || exit $?
exit "$sanitized"
