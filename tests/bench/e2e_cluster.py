#!/usr/bin/env python3
"""What one viaductd takes in a cluster of 1,000 members with 100,000 backends: memory, CPU idle and under 30 changes a second.

    VIADUCT_BIN=build/bin PYTHONPATH=tests/support tests/bench/e2e_cluster.py [MEMBERS] [ROWS of each] [CHANGES] [SLOT_LINES]

The others are one process with sockets of their own on loopback, whose members know each other's rows from the start
(build/bin/bench/gossip_crowd, -DVIADUCT_BENCH=ON); all run in a
namespace of a lab. A crowd of 1,000 keeps one core busy, answers late, and so some of it is doubted at any time: the
figures are taken when nearly all are alive, and say how many were."""
import os
import resource
import sys
import time

from e2e import bin_dir
from lab import Lab, require_privileges

SECONDS = 20
NEARLY = 0.99
ROOM = 3 << 19  # dataplane.max_slot_lines: 1,000 VIPs of 100 backends take 16 million slots, and more while they grow; its default is 11.5 million


def cpu(pid):
    """Seconds of CPU that a process has taken."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """(memory of its own, all that is resident: programs and the kernel's maps too) in MB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        values = dict(line.split(":", 1) for line in file)
    return tuple(int(values[key].split()[0]) / 1024 for key in ("RssAnon", "VmRSS"))


def measure(pid, seconds):
    before, began = cpu(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (cpu(pid) - before) / (time.monotonic() - began)


def run(lab, members, rows, changes, slot_lines):
    node = lab.node()
    daemon = node.daemon(
        config={
            "gossip": {"enabled": True, "listen": "127.0.0.2", "insecure": True},
            "log": {"level": "info"},
            "dataplane": {"max_slot_lines": slot_lines},
        },
    )
    crowd = node.start(
        "crowd",
        [f"{bin_dir()}/bench/gossip_crowd", str(members - 1), str(rows), "127.0.0.2", str(changes)],
        pipe=True,
        stdin=True,
    )
    if crowd.read_line(1800) != "ready":
        raise RuntimeError(crowd.log())
    pid = daemon.process.pid
    deadline = time.monotonic() + 1800  # a crowd of 999 tables has one thread
    while True:
        view = daemon.get("/v1/members")["members"]
        total = sum(member["rows"] for member in view)
        alive = sum(m["state"] == "alive" for m in view)
        if total >= NEARLY * (members - 1) * rows and alive >= NEARLY * members:
            break
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(view)} members, {alive} of them alive, {total} rows after 1800 s")
        time.sleep(1)
    plane = daemon.get("/v1/status")["dataplane"]
    missing = len(plane["problems"])
    if plane["pending"] or plane["last_error"] or (missing and slot_lines >= ROOM):
        raise RuntimeError(f"not all of it is in the kernel: {plane['problems'][:3]} {plane['last_error']}")
    time.sleep(SECONDS)  # news of the beginning is still sent
    idle = measure(pid, SECONDS)
    crowd.write_line("go")
    busy = measure(pid, SECONDS)
    own, resident = memory(pid)
    print(
        f"{members} members, {alive} alive, {total} backends, {missing} VIPs without room in the kernel: "
        f"{own:.0f} MB of its own ({resident:.0f} MB resident with the kernel's maps), {idle:.1f} % of a CPU idle, {busy:.1f} % under {changes} changes/s",
        flush=True,
    )
    crowd.kill()
    daemon.stop()


def main():
    members, rows, changes, slot_lines = (int(a) for a in (sys.argv[1:] + ["1000", "100", "30", str(ROOM)][len(sys.argv) - 1 :])[:4])
    require_privileges()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # each member has two sockets and its streams
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Lab(bin_dir()) as lab:
        run(lab, members, rows, changes, slot_lines)


if __name__ == "__main__":
    main()
