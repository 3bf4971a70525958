#!/usr/bin/env python3
"""Three nodes and a client outside: VIP traffic reaches other machines' backends through tunnels, and the answers come directly."""
import json
import time
import unittest

from daemon import Client, service
from e2e import LabTest
from process import wait_for

VIP4, VIP6 = "203.0.113.250", "2001:db8:ffff::250"
CROWD = 200


class Tunnel(LabTest):
    mode = "native"

    @classmethod
    def set_up_lab(cls):
        cls.gate, cls.near, cls.far = (cls.lab.node() for _ in range(3))
        cls.outside = cls.lab.node()
        cls.homes = {node: [node.container(), node.container()] for node in (cls.near, cls.far)}
        for node, homes in cls.homes.items():
            for number, home in enumerate(homes):
                home.server(
                    f"{node.name}.{number}",
                    *[f"{p}:{a}:8080" for p in ("tcp", "udp") for a in (home.v4, home.v6)],
                )
        # XDP sends what the sender's checksum offload left undone, and over a veth only to another XDP program.
        cls.outside.offload("eth0", "tx", False)
        if cls.mode == "native":
            ports = [f"port{node.name}" for node in (cls.gate, cls.near, cls.far)]
            cls.lab.fabric.python("xdp", "xdp_pass.py", *ports, stdin=True)
        cls.outside.ip(f"route add {VIP4}/32 via {cls.gate.v4}", f"route add {VIP6}/128 via {cls.gate.v6}")
        cls.daemons = {
            node: node.daemon(
                config={"dataplane": {"xdp": cls.mode}, "node": {"address6": node.v6}},
                services={"web.toml": cls.services(lambda home: 1)},
            )
            for node in (cls.gate, cls.near, cls.far)
        }
        for node in cls.daemons:
            cls.wait(node, 4)
        cls.client = Client(cls.outside, False)

    @classmethod
    def services(cls, weight):
        """The same file for each node; weight(home) None: not there."""
        text = ""
        for vip, family in ((VIP4, "v4"), (VIP6, "v6")):
            text += service(address=vip, protocol=("tcp", "udp"), backends=[], lb="maglev")
            for node, homes in cls.homes.items():
                for home in homes:
                    if weight(home) is not None:
                        text += (
                            f'[[service.backend]]\naddress = "{getattr(home, family)}"\nport = 8080\n'
                            f'weight = {weight(home)}\nnode = "{getattr(node, family)}"\n'
                        )
        return text

    @classmethod
    def wait(cls, node, count):
        daemon = cls.daemons[node]
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            shown = daemon.backends(f"{VIP4}:80")
            if len(shown) == count and all(b["in_kernel"] for b in shown.values()):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{node.name} does not show {count} backends: {sorted(shown)}\n{daemon.log()[-2000:]}")

    def apply(self, weight):
        count = sum(weight(home) is not None for homes in self.homes.values() for home in homes)
        for node, daemon in self.daemons.items():
            before = daemon.get("/v1/status")["revision"]
            daemon.write_service("web.toml", self.services(weight))
            deadline = time.monotonic() + 10
            while daemon.get("/v1/status")["dataplane"]["applied_revision"] <= before:
                self.assertLess(time.monotonic(), deadline, "a change does not arrive")
                time.sleep(0.02)
            self.wait(node, count)

    def setUp(self):
        for node, daemon in self.daemons.items():
            daemon.write_service("web.toml", self.services(lambda home: 1))
            self.wait(node, 4)

    def xdp(self, node):
        """{reason: count} of the XDP hook."""
        counts = {}
        status, text = self.daemons[node].request("/v1/metrics")
        self.assertEqual(status, 200)
        for line in text.splitlines():
            if line.startswith("viaduct_dataplane_reasons_total{") and 'hook="xdp"' in line:
                reason = line.split('reason="')[1].split('"')[0]
                counts[reason] = int(float(line.rsplit(" ", 1)[1]))
        return counts

    def test_both_versions_and_protocols_reach_backends_of_both_nodes_directly_back(self):
        seen = {}
        for _ in range(20):
            for vip, own in ((VIP4, self.outside.v4), (VIP6, self.outside.v6)):
                for action in ("tcp", "udp-connected"):
                    answer = self.client.do(action, host=vip, port=80)
                    self.assertNotIn("error", answer)
                    server, peer = answer["answer"].split()[:2]
                    self.assertEqual(peer, own, "the backend sees the client's own address")
                    self.assertTrue(answer["peer"].startswith(f"{vip} "), answer)
                    seen.setdefault((vip, action), set()).add(server.split(".")[0])
        for (_, action), nodes in seen.items():
            # UDP may go by the slots of the test before for a while.
            self.assertEqual(nodes | ({"node3"} if action != "tcp" else set()), {"node2", "node3"})
        self.assertGreater(self.xdp(self.gate)["encapsulated"], 100)
        for node in (self.near, self.far):
            self.assertGreater(self.xdp(node)["decapsulated"], 20)
            self.assertNotIn("encapsulated", self.xdp(node), "answers take no tunnel")

    def test_a_path_that_is_too_small_is_found_out(self):
        answer = self.client.do("udp-largest", host=VIP4, port=80, size=1472)
        self.assertEqual(answer.get("fits"), 1480 - 28, answer)
        answer = self.client.do("udp-largest", host=VIP6, port=80, size=1452)
        self.assertEqual(answer.get("fits"), 1460 - 48, answer)
        for vip in (VIP4, VIP6):
            self.assertEqual(self.client.do("upload", host=vip, port=80, bytes=2000000).get("sent"), 2000000)
        self.assertGreater(self.xdp(self.gate)["too_big"], 1)

    def test_a_ping_is_answered(self):
        for vip in (VIP4, VIP6):
            for _ in range(2):
                answer = self.client.do("ping", host=vip, port=0)
                self.assertEqual(answer.get("from"), vip, answer)
        self.assertEqual(self.xdp(self.gate)["echoed"], 4)

    def explained(self, node, vip, port=None):
        """{hook: what it says} of a TCP flow of the client outside."""
        own = self.outside.v4 if vip == VIP4 else f"[{self.outside.v6}]"
        client = f"{own}:{port}" if port else own.strip("[]")
        target = f"{vip}:80" if vip == VIP4 else f"[{vip}]:80"
        shown = self.daemons[node].ctl("-o", "json", "explain", client, target).stdout
        return {answer["hook"]: answer for answer in json.loads(shown)}

    def test_explain_tells_what_xdp_does_and_changes_nothing(self):
        before = self.xdp(self.gate)
        seen = set()
        for vip, far, near in ((VIP4, self.far.v4, self.near.v4), (VIP6, self.far.v6, self.near.v6)):
            for port in range(20000, 20006):
                told = self.explained(self.gate, vip, port)["xdp"]
                self.assertTrue(told["attached"], told)
                self.assertEqual((told["reason"], told["tunnel"], told["pick"]), ("encapsulated", True, "hash of the flow"))
                self.assertIn(told["node"], (far, near))
                answer = self.client.do("tcp", host=vip, port=80, **{"from": port})
                address = told["backend"].rsplit(":", 1)[0].strip("[]")
                home = next(
                    f"{node.name}.{number}"
                    for node, homes in self.homes.items()
                    for number, one in enumerate(homes)
                    if address in (one.v4, one.v6)
                )
                self.assertEqual(answer["answer"].split()[0], home, "explain was right")
                seen.add(home)
                there = self.explained(self.near, vip, port)
                self.assertIn(there["uplink"]["reason"], ("forwarded", "no_local_backend"))
        self.assertGreater(len(seen), 1)
        told = self.explained(self.gate, VIP4)["uplink"]
        self.assertEqual((told["reason"], told["verdict"]), ("no_local_backend", "refuse"))
        asked = sum(self.xdp(self.gate).values())
        for _ in range(20):
            self.explained(self.gate, VIP4)
        self.assertLess(sum(self.xdp(self.gate).values()) - asked, 20, "other packets may pass, explain's do not count")
        self.assertGreater(self.xdp(self.gate)["encapsulated"], before.get("encapsulated", 0))

    def doctor(self, node):
        shown = self.daemons[node].ctl("-o", "json", "doctor", check=False).stdout
        return {finding["check"]: finding for finding in json.loads(shown)}

    def test_doctor_counts_the_tunnels_header_and_sees_merged_packets(self):
        found = self.doctor(self.gate)
        self.assertEqual(found["tunnel MTU"]["level"], "ok", found["tunnel MTU"])
        self.assertIn("1460 bytes fit: eth0 takes 1500", found["tunnel MTU"]["what"])
        self.assertNotIn("tunnel routes", found)
        self.gate.offload("eth0", "gro", True)
        self.gate.ip("link set eth0 mtu 1300")
        try:
            found = self.doctor(self.gate)
            self.assertEqual("generic XDP" in found, self.mode == "generic", found)
            self.assertEqual(found["tunnel MTU"]["level"], "fault", "IPv6 does not fit into it")
        finally:
            self.gate.ip("link set eth0 mtu 1500")
            self.gate.offload("eth0", "gro", False)

    def ask(self, crowd):
        crowd.write_line("report")
        return json.loads(crowd.read_line(20))

    def crowd(self):
        return self.outside.python("crowd", "crowd.py", VIP4, 80, CROWD, stdin=True)

    def test_drained_and_added_backends_cost_no_connection(self):
        crowd = self.crowd()
        before = self.ask(crowd)
        self.assertEqual((before["open"], before["failed"]), (CROWD, 0), before)
        drained = self.homes[self.near][0]
        self.apply(lambda home: 0 if home is drained else 1)
        time.sleep(1)
        self.apply(lambda home: 1)
        time.sleep(1)
        added = self.homes[self.far][1]
        self.apply(lambda home: 0 if home in (added, drained) else 1)
        time.sleep(1)
        after = self.ask(crowd)
        self.assertEqual((after["open"], after["failed"]), (CROWD, 0), after)
        self.assertEqual(after["servers"], before["servers"], "every connection stays where it was")
        self.assertGreater(after["done"], before["done"] + CROWD * 10)
        crowd.kill()
        for _ in range(20):
            answer = self.client.do("tcp", host=VIP4, port=80)
            self.assertIn(answer["answer"].split()[0], ("node2.1", "node3.0"), "new ones avoid the drained")

    def test_a_lost_nodes_clients_fail_over(self):
        crowd = self.crowd()
        before = self.ask(crowd)
        self.assertEqual(before["failed"], 0, before)
        lost = sum(n for name, n in before["servers"].items() if name.startswith("node3"))
        self.lab.fabric.ip(f"link set port{self.far.name} down")
        try:
            gone = self.homes[self.far]
            for node in (self.gate, self.near):
                self.daemons[node].write_service(
                    "web.toml", self.services(lambda home: None if home in gone else 1)
                )
                self.wait(node, 2)
            # Each is reset by the answer to its next packet, which may be one that is sent again after seconds.
            wait_for("the lost node's connections to be reset, not hung", lambda: self.ask(crowd)["failed"] >= lost, 20)
            after = self.ask(crowd)
            self.assertEqual(after["failed"], lost)
            self.assertEqual(after["open"], CROWD - lost)
            for _ in range(20):
                self.assertNotIn("error", self.client.do("tcp", host=VIP4, port=80))
        finally:
            crowd.kill()
            self.lab.fabric.ip(f"link set port{self.far.name} up")


class GenericTunnel(Tunnel):
    mode = "generic"


class NoTunnel(LabTest):
    """A veth as the uplink: XDP is left off it, and viaductctl says so."""

    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        home = cls.node.container()
        home.server("home", f"tcp:{home.v4}:8080")
        cls.daemon = cls.node.daemon(services={"web.toml": service(address=VIP4, backends=[(home.v4, 8080)])})
        cls.daemon.wait_backends(f"{VIP4}:80", [f"{home.v4}:8080"])

    def test_explain_says_why_xdp_is_not_there(self):
        shown = json.loads(self.daemon.ctl("-o", "json", "explain", "198.51.100.77", f"{VIP4}:80").stdout)
        told = {answer["hook"]: answer for answer in shown}
        self.assertFalse(told["xdp"]["attached"])
        self.assertIn("a veth", told["xdp"]["not_attached"])
        self.assertEqual(told["xdp"]["reason"], "local")
        self.assertTrue(told["uplink"]["attached"], told["uplink"])
        self.assertEqual(told["uplink"]["reason"], "forwarded")


if __name__ == "__main__":
    unittest.main()
