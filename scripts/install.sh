#!/usr/bin/env bash
# Installs what Viaduct needs from Debian 12's own packages, and only what is missing.
#   scripts/install.sh [build] [test] [demo] [bench]      default: build
# Needs root, or sudo. Asks nothing, and works on a minimal system: bash, apt and dpkg are enough.
set -euo pipefail

# shellcheck disable=SC2034  # read by name below
build="g++ cmake ninja-build pkg-config clang bpftool libbpf-dev libelf-dev zlib1g-dev
  libboost1.81-dev libboost-system1.81-dev libboost-json1.81-dev libboost-url1.81-dev
  libnl-3-dev libnl-route-3-dev libtomlplusplus-dev libcli11-dev libspdlog-dev libssl-dev libldns-dev
  libzookeeper-st-dev"
demo="python3 iproute2 util-linux mount procps curl bind9-dnsutils bpftool"
# shellcheck disable=SC2034
test="$demo git libgtest-dev libgmock-dev clang-format libclang-rt-dev serf
  libzookeeper-java libslf4j-java default-jre-headless"
# shellcheck disable=SC2034
bench="$demo wrk nginx-light libbenchmark-dev"

wanted=()
for set in "${@:-build}"; do
  case $set in
    build | demo | test | bench) read -r -d '' -a more <<<"${!set}" || : ;; # read ends at end of input: status 1
    *) echo "install.sh: unknown set '$set' (build, test, demo, bench)" >&2; exit 2 ;;
  esac
  wanted+=("${more[@]}")
done

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>&1) || status=absent
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "install.sh: no apt-get here. These Debian 12 packages, or what carries their files, are needed:" >&2
  echo "  ${missing[*]}" >&2
  exit 1
fi
run=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "install.sh: needs root to install: ${missing[*]}" >&2; exit 1; }
  run=(sudo)
fi
apt=("${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)

echo "install.sh: installing ${missing[*]}"
# A list that cannot be fetched (a third party's, say) is not fatal; the install below tells what matters.
"${apt[@]}" update || echo "install.sh: apt-get update reported errors, going on" >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}"
