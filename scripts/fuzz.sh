#!/usr/bin/env bash
# Runs every libFuzzer target for a while, under the address and undefined-behaviour sanitizers, from its kept corpus.
#   scripts/fuzz.sh [SECONDS [TARGET...]]      SECONDS: for each target (default: 20)
# An input that fails is left in build-dev/findings/ with a name that says how; kept corpora are not changed.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
[ $# -eq 0 ] || shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for corpus in tests/fuzz/corpus/*/; do targets+=("$(basename "$corpus")"); done
fi

scripts/build.sh dev "${targets[@]}"
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
grown=$(mktemp -d)
trap 'rm -rf "$grown"' EXIT
mkdir -p build-dev/findings

fuzz() { # TARGET: its last lines and what it found
  local target=$1 log=$grown/$1.log
  mkdir "$grown/$target"
  if ! build-dev/bin/tests/"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build-dev/findings/$target-" "$grown/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    echo "$target FAILED:"
    tail -n 60 "$log"
    return 1
  fi
  echo "$target: $(grep -o 'Done [0-9]* runs' "$log" || echo 'done')"
}

failed=0
running=0
for target in "${targets[@]}"; do
  [ "$running" -lt "$(nproc)" ] || { wait -n || failed=1; running=$((running - 1)); }
  fuzz "$target" &
  running=$((running + 1))
done
for ((; running > 0; running--)); do wait -n || failed=1; done
exit "$failed"
