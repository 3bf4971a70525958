#!/usr/bin/env python3
"""CPU of a UDP query: ours and the echo beside knot, nsd, unbound and dnsmasq, each with 10,000 names and one worker.

    tests/bench/dns/dns_peers.py [ROUNDS]     needs build/bin/bench/dns_user_space (-DVIADUCT_BENCH=ON); servers that are not installed are left out

Each listens on a port of 127.0.0.1 of its own and writes into a folder that goes with the run."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ZONE = "bench.example"
NAMES = 10_000
ROOT = pathlib.Path(__file__).resolve().parents[3]


def hosts():
    for i in range(NAMES):
        yield f"service-{i}.marathon.{ZONE}", f"11.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def write_zone(folder):
    lines = [f"$TTL 3600\n{ZONE}. SOA ns.{ZONE}. root.{ZONE}. 1 3600 600 86400 60", f"{ZONE}. NS ns.{ZONE}.", f"ns.{ZONE}. A 127.0.0.1"]
    lines += [f"{name}. A {address}" for name, address in hosts()]
    (folder / "zone").write_text("\n".join(lines) + "\n")


def knot(folder, port):
    (folder / "knot.conf").write_text(
        f"server:\n  rundir: {folder}\n  udp-workers: 1\n  listen: 127.0.0.1@{port}\n  user: root\n"
        f"database:\n  storage: {folder}\nzone:\n  - domain: {ZONE}\n    file: {folder}/zone\n    zonefile-sync: -1\n    journal-content: none\n"
    )
    return ["knotd", "-c", f"{folder}/knot.conf"]


def nsd(folder, port):
    (folder / "nsd.conf").write_text(
        f"server:\n  server-count: 1\n  ip-address: 127.0.0.1@{port}\n  username: root\n  zonesdir: {folder}\n  pidfile: {folder}/nsd.pid\n"
        f"  xfrdfile: {folder}/xfrd\n  xfrdir: {folder}\n  database: ''\n  zonelistfile: {folder}/zones\nremote-control:\n  control-enable: no\n"
        f"zone:\n  name: {ZONE}\n  zonefile: zone\n"
    )
    return ["nsd", "-d", "-c", f"{folder}/nsd.conf"]


def unbound(folder, port):
    data = "".join(f'  local-data: "{name}. A {address}"\n' for name, address in hosts())
    (folder / "unbound.conf").write_text(
        f"server:\n  num-threads: 1\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  username: ''\n  chroot: ''\n  directory: {folder}\n"
        f"  pidfile: ''\n  use-syslog: no\n  logfile: {folder}/unbound.log\n  local-zone: {ZONE}. static\n{data}remote-control:\n  control-enable: no\n"
    )
    return ["unbound", "-d", "-c", f"{folder}/unbound.conf"]


def dnsmasq(folder, port):
    (folder / "hosts").write_text("".join(f"{address} {name}\n" for name, address in hosts()))
    return ["dnsmasq", "-k", "-C", "/dev/null", "-h", "-R", "-p", str(port), "-a", "127.0.0.1", "-z", "-u", "root", "-H", f"{folder}/hosts", "-x", f"{folder}/pid"]


def answers(port):
    name = b"".join(bytes([len(label)]) + label.encode() for label in f"service-7.marathon.{ZONE}".split(".")) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        asking.connect(("127.0.0.1", port))
        try:
            asking.send(b"\0\7\0\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1")
            reply = asking.recv(512)
            return reply[3] & 15 == 0 and reply[7] == 1
        except OSError:
            return False


def family(pid):
    """A process and all below it: nsd's children answer."""
    found = [str(pid)]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += family(child)
    return found


def main():
    rounds = sys.argv[1] if len(sys.argv) > 1 else "9"
    running, peers = [], []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vd-dns-peers-"))
    try:
        for index, make in enumerate((knot, nsd, unbound, dnsmasq)):
            own = folder / make.__name__
            own.mkdir()
            write_zone(own)
            command = make(own, port := 15353 + index)
            program = shutil.which(command[0], path=os.environ["PATH"] + ":/usr/sbin")
            if not program:
                print(f"{command[0]} is not installed")
                continue
            log = open(own / "log", "wb")  # pylint: disable=consider-using-with
            process = subprocess.Popen([program, *command[1:]], stdout=log, stderr=log)  # pylint: disable=consider-using-with
            running.append(process)
            deadline = time.monotonic() + 20
            while not answers(port) and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.1)
            if not answers(port):
                print(f"{command[0]} does not answer: {(own / 'log').read_text()[-300:]}")
                continue
            peers.append(f"{make.__name__}={','.join(family(process.pid))}@{port}")
        subprocess.run([ROOT / "build/bin/bench/dns_user_space", rounds, ZONE, *peers], check=True)
    finally:
        for process in running:
            process.terminate()
            process.wait(timeout=10)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
