#!/usr/bin/env python3
"""Requests and new connections per second through a VIP against the same backend dialled by address.

    PYTHONPATH=tests/support tests/bench/e2e_vip.py [--bin build/bin] [--rounds 7] [--seconds 2] [--vips 1,10000]
        [--paths sockets,packets]

A container asks an nginx in another container of the same node with wrk, 32 connections: first by the backend's address
("direct"), then through a VIP that has this one backend, in turns that swap places each round; the ratio is the median
of the rounds' ratios. "sockets" is a client in the node's cgroup, "packets" one outside of it (tc, NAT on each packet). Each number
of VIPs gets a lab of its own. Needs nothing else to run on the machine. Budgets are for sockets: keep-alive >= 0.99 of direct,
new connections >= 0.90, and no drop from 1 to 10,000 VIPs."""
import argparse
import re
import statistics
import sys

from daemon import DOMAIN, service
from lab import Lab
from process import wait_for

BUDGETS = {"keep-alive": 0.99, "new": 0.90}
VIPS_PER_FILE = 1000
NGINX = """daemon off; worker_processes 1; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.err crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/n1; proxy_temp_path {folder}/n2; fastcgi_temp_path {folder}/n3;
  uwsgi_temp_path {folder}/n4; scgi_temp_path {folder}/n5;
  server {{ listen 8080 backlog=8192; location / {{ return 200 'hello'; }} }}
}}
"""


class Bench:
    def __init__(self, lab, vips):
        self.node = lab.node()
        self.client, self.box = self.node.container(), self.node.container()
        for space in (self.node, self.client, self.box):
            space.sysctl(
                {
                    "net.core.somaxconn": 8192,
                    "net.ipv4.ip_local_port_range": '"1024 65000"',
                    "net.ipv4.tcp_tw_reuse": 1,
                }
            )
        with open(f"{lab.folder}/nginx.conf", "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=lab.folder))
        self.box.start(
            "nginx",
            ["nginx", "-c", f"{lab.folder}/nginx.conf", "-e", f"{lab.folder}/nginx.err"],
            cgroup=self.node.cgroup,
        )
        backend = [(self.box.v4, 8080)]
        names = [f"/vip{number}" for number in range(vips)]
        files = {
            f"vips{first}.toml": "".join(
                service(name=name, backends=backend)
                for name in names[first : first + VIPS_PER_FILE]
            )
            for first in range(0, vips, VIPS_PER_FILE)
        }
        self.daemon = self.node.daemon(services=files)
        target = f"vip{vips - 1}.marathon.{DOMAIN}:80"
        self.daemon.wait_backends(target, [f"{self.box.v4}:8080"], timeout=60)
        shown = self.daemon.get("/v1/vips")
        assert len(shown) == vips, f"{len(shown)} VIPs instead of {vips}"
        self.vip = next(v["address"] for v in shown if v["vip"] == target)
        wait_for("the VIP", lambda: self.wrk("new", self.vip, 80, True, 1) > 0)

    def wrk(self, kind, address, port, inside, seconds):
        """Requests per second; an error of any kind ends the benchmark."""
        close = ["-H", "Connection: close"] if kind == "new" else []
        output = self.client.run(
            ["wrk", "-t1", "-c32", f"-d{seconds}s", *close, f"http://{address}:{port}/"],
            cgroup=self.node.cgroup if inside else None,
        ).stdout
        errors = re.search(r"Socket errors:.*|Non-2xx.*", output)
        # wrk counts the server's close after each answer as a read error.
        if errors and not re.match(
            r"Socket errors: connect 0, read \d+, write 0, timeout 0", errors.group()
        ):
            raise RuntimeError(f"{kind} {address}: {errors.group()}")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))

    def measure(self, kind, inside, rounds, seconds):
        """Medians over the rounds: requests per second direct, through the VIP, and the ratio of the two."""
        ways = {"direct": (self.box.v4, 8080), "vip": (self.vip, 80)}
        figures = []
        for number in range(rounds):
            order = sorted(ways, reverse=number % 2 == 1)
            figures.append({way: self.wrk(kind, *ways[way], inside, seconds) for way in order})
        return (
            statistics.median(figure["direct"] for figure in figures),
            statistics.median(figure["vip"] for figure in figures),
            statistics.median(figure["vip"] / figure["direct"] for figure in figures),
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--vips", default="1,10000")
    parser.add_argument("--paths", default="sockets,packets")
    options = parser.parse_args()
    counts = [int(count) for count in options.vips.split(",")]
    ratios = {}
    print(
        f"{'VIPs':>6} {'path':8} {'requests':11} {'direct/s':>9} {'VIP/s':>9} {'ratio':>6}  budget"
    )
    for count in counts:
        with Lab(options.bin) as lab:
            bench = Bench(lab, count)
            for path in options.paths.split(","):
                inside = path == "sockets"
                for kind, budget in BUDGETS.items():
                    direct, vip, ratio = bench.measure(
                        kind, inside, options.rounds, options.seconds
                    )
                    ratios[count, path, kind] = ratio
                    note = (
                        f">= {budget:.2f} {'met' if ratio >= budget else 'MISSED'}"
                        if inside
                        else "none"
                    )
                    print(
                        f"{count:6} {path:8} {kind:11} {direct:9.0f} {vip:9.0f} {ratio:6.3f}  {note}",
                        flush=True,
                    )
    for kind in BUDGETS:
        if len(counts) > 1 and "sockets" in options.paths:
            first, last = ratios[counts[0], "sockets", kind], ratios[counts[-1], "sockets", kind]
            print(
                f"{kind}: {last / first:.3f} of the ratio with {counts[0]} VIPs remains with {counts[-1]} (no drop: 1.00, noise about 0.02)"
            )
    missed = [
        case for case, ratio in ratios.items() if case[1] == "sockets" and ratio < BUDGETS[case[2]]
    ]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
