#!/usr/bin/env bash
# Checks who includes whom, and that files outside io/ stay pure (no sockets, files, threads, clocks, logs).
#   scripts/check-layers.sh [ROOT]      ROOT: the tree to check (default: this one)
# Prints one line a finding, "file:line: what is wrong", and exits 1 if there is any. scripts/layers.txt has the ranks.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/..}"

folders=()
for folder in userspace include bpf tools; do [ ! -d "$folder" ] || folders+=("$folder"); done
mapfile -t files < <(find "${folders[@]}" -type f \( -name '*.h' -o -name '*.c' -o -name '*.cpp' \) | LC_ALL=C sort)
[ ${#files[@]} -gt 0 ] || { echo "check-layers.sh: no source files under $PWD" >&2; exit 2; }

LC_ALL=C awk -v layers="$here/layers.txt" '
function complain(what) { printf "%s:%d: %s\n", FILENAME, FNR, what; found = 1 }

function module_of(path,    part) {
	split(path, part, "/")
	return part[1] == "userspace" ? part[2] : part[1]
}

# "module/file.h" or "module/io/file.h" in a file of userspace/ or tools/
function check_module_include(name,    part, to) {
	if (name ~ /\.skel\.h$/) {
		if (!((module == "dataplane" || module == "tools") && in_io))
			complain("only io/ of dataplane and tools includes a skeleton (" name ")")
		return
	}
	split(name, part, "/")
	to = part[1]
	if (name !~ /\// || !(to in rank)) {
		complain("\"" name "\" does not begin with a module of scripts/layers.txt")
		return
	}
	if (to != module && rank[to] >= rank[module])
		complain(module " (rank " rank[module] ") includes " to " (rank " rank[to] "): only lower ranks")
	if (pure && part[2] == "io") complain("a file outside io/ includes " name)
}

function check_system_include(name) {
	if (name ~ /^viaduct\/abi\//) {
		# What the kernel answers from is the table that dns writes.
		if (module == "dns" && name == "viaduct/abi/dns.h") return
		if (module != "dataplane" && module != "tools") complain("only dataplane, tools and tests include " name)
		return
	}
	if (!pure) return
	if (name in impure_header || name ~ /^(sys|netlink|bpf|spdlog|boost\/asio|boost\/beast|boost\/filesystem)\// || name ~ /^boost\/(asio|beast)\.hpp$/)
		complain("a file outside io/ includes <" name ">")
}

function check_kernel_include(name, quoted) {
	if (name ~ /vmlinux\.h$/) complain("vmlinux.h: bpf/ uses UAPI headers")
	else if (FILENAME ~ /^include\//) {
		if (quoted || name !~ /^(linux\/types\.h$|viaduct\/abi\/)/) complain("abi/ includes <linux/types.h> and itself, not " name)
	} else if (quoted ? name !~ /^(maps\.h$|lib\/)/ : name !~ /^(stdbool\.h$|(linux|asm|bpf|viaduct\/abi)\/)/)
		complain("bpf/ includes abi/, UAPI headers, libbpf and itself, not " name)
}

function check_purity(line) {
	if (line ~ /_clock::now[ \t]*\(/) complain("a clock outside io/: time is an argument")
	if (line ~ /(^|[^a-zA-Z0-9_])(secure_)?getenv[ \t]*\(/) complain("the environment outside io/")
	if (line ~ /std::random_device/) complain("a random device outside io/: randomness is an argument")
	if (line ~ /std::(jthread|thread|mutex|shared_mutex|condition_variable|async)([^a-zA-Z0-9_]|$)/) complain("threads outside io/")
	if (line ~ /std::(i|o)?fstream|std::(cout|cerr|clog|cin)([^a-zA-Z0-9_]|$)/) complain("files or output outside io/")
}

BEGIN {
	while ((getline line < layers) > 0) {
		if (line ~ /^[ \t]*(#|$)/) continue
		split(line, field, /[ \t]+/)
		rank[field[2]] = field[1] + 0
		ranks++
	}
	if (!ranks) { print "check-layers.sh: no ranks in " layers; exit 2 }
	n = split("unistd.h fcntl.h poll.h netdb.h ifaddrs.h signal.h pthread.h sched.h time.h dirent.h syslog.h " \
		"csignal thread mutex shared_mutex condition_variable future stop_token semaphore latch barrier " \
		"fstream iostream filesystem net/if.h", header, " ")
	for (i = 1; i <= n; i++) impure_header[header[i]] = 1
}

FNR == 1 {
	module = module_of(FILENAME)
	in_io = FILENAME ~ /^(userspace|tools)\/[^\/]+\/io\//
	kernel = FILENAME ~ /^(bpf|include)\//
	pure = !kernel && !in_io && module != "tools"
	if (!kernel && !(module in rank)) complain("module " module " is not in scripts/layers.txt")
}

/^[ \t]*#[ \t]*include/ {
	if (match($0, /["<][^">]+[">]/)) {
		quoted = substr($0, RSTART, 1) == "\""
		name = substr($0, RSTART + 1, RLENGTH - 2)
		if (name ~ /(^|\/)\.\.?\//) complain("a relative include: " name)
		else if (kernel) check_kernel_include(name, quoted)
		else if (quoted) check_module_include(name)
		else check_system_include(name)
	}
	next
}

pure {
	line = $0
	sub(/\/\/.*/, "", line)
	check_purity(line)
}

END { exit found ? 1 : 0 }
' "${files[@]}"
