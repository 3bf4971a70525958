#!/usr/bin/env python3
"""What somebody else takes away from the kernel comes back: map entries, routes, addresses, the device, the programs."""
import ipaddress
import json
import subprocess
import unittest

from daemon import DOMAIN, Client, service
from e2e import LabTest
from lab import run
from process import wait_for

VIP4, VIP6 = "203.0.113.201", "2001:db8:ffff::1"
TCP = 6


def key(vip, port):
    """The service maps' key as bpftool takes it: address, port in network order, protocol, scope 0."""
    packed = ipaddress.ip_address(vip).packed + port.to_bytes(2, "big") + bytes([TCP, 0])
    return ["hex"] + [f"{byte:02x}" for byte in packed]


class Repair(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box = cls.node.container()
        cls.box.server(
            "b", f"tcp:{cls.box.v4}:8080", f"tcp:{cls.box.v6}:8080", cgroup=cls.node.cgroup
        )
        cls.daemon = cls.node.daemon(
            {"dataplane": {"reconcile_ms": 1000}},
            {
                "web.toml": service(address=VIP4, backends=[(cls.box.v4, 8080)])
                + service(address=VIP6, backends=[(cls.box.v6, 8080)])
                + service(name="/web", backends=[(cls.box.v4, 8080)])
            },
        )
        cls.daemon.wait_backends(f"web.marathon.{DOMAIN}:80", [f"{cls.box.v4}:8080"])
        cls.sockets, cls.packets, cls.host = (
            Client(cls.box, True),
            Client(cls.box, False),
            Client(cls.node, False),
        )

    def map(self, name):
        return f"{self.node.bpffs}/{name}"

    def works(self, client, vip):
        return "answer" in client.do("tcp", host=vip, port=80)

    def wait_works(self, client, vip, what):
        wait_for(f"{vip} to work again after {what}", lambda: self.works(client, vip), 15)

    def test_a_deleted_service_entry(self):
        for name, vip in (("vd_service4_v1", VIP4), ("vd_service6_v1", VIP6)):
            with self.subTest(name):
                run(["bpftool", "map", "delete", "pinned", self.map(name), "key", *key(vip, 80)])
                wait_for(
                    "the entry",
                    lambda: run(
                        ["bpftool", "map", "lookup", "pinned", self.map(name), "key", *key(vip, 80)]
                    )
                    if self.works(self.sockets, vip)
                    else None,
                    15,
                )
                self.assertTrue(self.works(self.packets, vip))

    def test_an_entry_that_nobody_asked_for(self):
        foreign = key("203.0.113.250", 80)
        value = run(
            [
                "bpftool",
                "-j",
                "map",
                "lookup",
                "pinned",
                self.map("vd_service4_v1"),
                "key",
                *key(VIP4, 80),
            ]
        )
        octets = json.loads(value)["value"]
        run(
            [
                "bpftool",
                "map",
                "update",
                "pinned",
                self.map("vd_service4_v1"),
                "key",
                *foreign,
                "value",
                "hex",
                *[octet.removeprefix("0x") for octet in octets],
            ]
        )

        def gone():
            return (
                subprocess.run(
                    [
                        "bpftool",
                        "map",
                        "lookup",
                        "pinned",
                        self.map("vd_service4_v1"),
                        "key",
                        *foreign,
                    ],
                    capture_output=True,
                ).returncode
                != 0
            )

        wait_for("the foreign entry to go", gone, 15)
        self.assertTrue(self.works(self.sockets, VIP4))

    def test_an_overwritten_backend(self):
        ident = next(iter(self.daemon.backends(f"{VIP4}:80").values()))["id"]
        run(
            [
                "bpftool",
                "map",
                "update",
                "pinned",
                self.map("vd_backend_v1"),
                "key",
                "hex",
                *[f"{b:02x}" for b in ident.to_bytes(4, "little")],
                "value",
                "hex",
                *["00"] * 32,
            ]
        )
        self.wait_works(self.sockets, VIP4, "its backend was zeroed")

    def test_a_deleted_route_to_a_vip(self):
        for vip in (VIP4, VIP6):
            with self.subTest(vip):
                self.node.ip(f"route del {vip}")
                self.wait_works(self.host, vip, "its route was deleted")

    def test_a_deleted_dns_address(self):
        self.node.ip("address del 198.51.100.1/32 dev viaduct0")
        wait_for(
            "DNS at 198.51.100.1",
            lambda: "addresses" in self.packets.do("resolve", host=f"web.marathon.{DOMAIN}"),
            15,
        )

    def test_the_deleted_device(self):
        self.node.ip("link del viaduct0")
        for vip in (VIP4, VIP6):
            self.wait_works(self.host, vip, "viaduct0 was deleted")
        wait_for(
            "DNS",
            lambda: "addresses" in self.packets.do("resolve", host=f"web.marathon.{DOMAIN}"),
            15,
        )

    def test_the_device_set_down(self):
        self.node.ip("link set viaduct0 down")
        self.wait_works(self.host, VIP4, "viaduct0 was set down")


if __name__ == "__main__":
    unittest.main()
