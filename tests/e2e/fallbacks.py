#!/usr/bin/env python3
"""What a kernel may lack, forced by the keys of [dataplane]: what is used instead works, and viaductctl says so.

No tcx: shared_ports.py. No native XDP: tunnel.py."""
import json
import unittest

from daemon import DOMAIN, Client, Daemon, service
from e2e import LabTest
from process import wait_for

VIPS = {4: "203.0.113.201", 6: "2001:db8:ffff::1"}
EMPTY = {4: "203.0.113.202", 6: "2001:db8:ffff::2"}


class Fallback(LabTest):
    config = {}

    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box, cls.old, cls.new = (cls.node.container() for _ in range(3))
        for home in (cls.old, cls.new):
            home.server(home.name, *[f"{p}:{a}:8080" for p in ("tcp", "udp") for a in (home.v4, home.v6)])
        cls.daemon = cls.node.daemon(
            config={"dataplane": cls.config}, services={"web.toml": cls.text([cls.old])}
        )
        cls.clients = {
            (space.name, inside): Client(space, inside)
            for space in (cls.node, cls.box)
            for inside in (True, False)
        }

    @classmethod
    def text(cls, homes):
        return "".join(
            service(
                address=VIPS[family],
                protocol=("tcp", "udp"),
                backends=[(home.v4 if family == 4 else home.v6, 8080) for home in homes],
            )
            + service(
                address=EMPTY[family],
                protocol=("tcp", "udp"),
                backends=[(cls.old.v4 if family == 4 else cls.old.v6, 8080, 0)],
            )
            for family in VIPS
        )

    def show(self, *homes):
        self.daemon.write_service("web.toml", self.text(homes))
        for protocol in ("tcp", "udp"):
            self.daemon.wait_backends(f"{VIPS[4]}:80", [f"{home.v4}:8080" for home in homes], protocol)
            self.daemon.wait_backends(f"{VIPS[6]}:80", [f"[{home.v6}]:8080" for home in homes], protocol)

    def setUp(self):
        self.show(self.old)

    def counted(self, key):
        return sum(b[key] for vip in self.daemon.get("/v1/vips") for b in vip["backend"])

    def lacking(self):
        """{name: detail} of the features that viaductd does without."""
        found = self.daemon.get("/v1/status")["capabilities"]
        return {one["name"]: one["detail"] for one in found if not one["available"]}

    def doctor(self):
        shown = self.daemon.ctl("-o", "json", "doctor", check=False).stdout
        return {finding["check"]: finding for finding in json.loads(shown)}

    def for_each_client(self, check):
        for name, client in self.clients.items():
            for family, vip in VIPS.items():
                with self.subTest(f"{name} IPv{family}"):
                    check(client, vip)

    def answered(self, client, action, vip, home):
        answer = client.do(action, host=vip, port=80)
        self.assertTrue(answer.get("answer", "").startswith(f"{home.name} "), answer)
        self.assertEqual(answer["peer"], f"{vip} 80")


class NoSocketHooks(Fallback):
    """Processes in the cgroup send packets to VIPs like all others."""

    config = {"sockets": "off"}
    why = "dataplane.sockets is off"

    def test_packets_serve_every_client(self):
        before = self.counted("flows")

        def check(client, vip):
            for action in ("tcp", "udp-connected", "udp-unconnected"):
                self.answered(client, action, vip, self.old)

        self.for_each_client(check)
        self.assertGreaterEqual(self.counted("flows") - before, len(self.clients) * len(VIPS))
        self.assertEqual(self.counted("connects"), 0)

    def test_a_vip_without_a_backend_refuses_at_once(self):
        for family, vip in EMPTY.items():
            for name, client in self.clients.items():
                for action in ("tcp", "udp-connected"):
                    with self.subTest(f"{name} {action} IPv{family}"):
                        answer = client.do(action, host=vip, port=80)
                        self.assertEqual(answer.get("errno"), "ECONNREFUSED", answer)

    def test_connections_of_a_removed_backend_are_reset(self):
        for client in self.clients.values():
            self.assertNotIn("error", client.do("hold", host=VIPS[4], port=80))
        self.show(self.old, self.new)
        self.show(self.new)
        for name, client in self.clients.items():
            with self.subTest(str(name)):
                self.assertEqual(client.do("ask").get("errno"), "ECONNRESET")
                self.answered(client, "tcp", VIPS[4], self.new)

    def test_viaductctl_says_so(self):
        self.assertIn(self.why, self.lacking()["socket hooks"])
        self.assertIn("passive health", self.lacking())
        found = self.doctor()
        self.assertEqual(found["socket programs"]["level"], "warn")
        self.assertIn(self.why, found["socket programs"]["what"])
        told = json.loads(self.daemon.ctl("-o", "json", "explain", self.node.v4, f"{VIPS[4]}:80").stdout)
        self.assertIn(self.why, told[0]["not_attached"])
        links = self.node.run(["ls", f"{self.node.bpffs}/links"]).stdout.split()
        self.assertEqual([link for link in links if "connect" in link or "msg" in link], [])


class NoCgroup(NoSocketHooks):
    """The folder that should be a cgroup is none, as where no cgroup v2 is mounted."""

    config = {"cgroup": "/proc"}
    why = "/proc is in no cgroup v2"


class SocketHooksSwitchedOff(Fallback):
    def test_a_restart_with_the_key_takes_the_hooks_off(self):
        client = self.clients[self.node.name, True]
        before = self.counted("connects")
        self.answered(client, "tcp", VIPS[4], self.old)
        self.assertEqual(self.counted("connects"), before + 1)
        self.assertNotIn("error", client.do("hold", host=VIPS[4], port=80))
        self.daemon.kill()
        with open(self.daemon.config_path, encoding="utf-8") as file:
            text = file.read()
        with open(self.daemon.config_path, "w", encoding="utf-8") as file:
            file.write(text.replace("[dataplane]", '[dataplane]\nsockets = "off"'))
        self.daemon.start()
        self.assertTrue(client.do("ask").get("answer", "").startswith(self.old.name), "what was connected lives")
        flows = self.counted("flows")
        self.answered(client, "tcp", VIPS[4], self.old)
        self.assertEqual(self.counted("flows"), flows + 1)


class NoSocketDestroy(Fallback):
    """Sockets of a removed backend are left to their own timeouts; what packets translate is reset."""

    config = {"socket_destroy": "off"}

    def test_sockets_of_a_removed_backend_live_as_long_as_it_answers(self):
        for client in self.clients.values():
            self.assertNotIn("error", client.do("hold", host=VIPS[4], port=80))
        self.show(self.old, self.new)
        self.show(self.new)
        for (name, inside), client in self.clients.items():
            with self.subTest(f"{name} inside={inside}"):
                answer = client.do("ask")
                if inside:
                    self.assertTrue(answer.get("answer", "").startswith(f"{self.old.name} "), answer)
                else:
                    self.assertEqual(answer.get("errno"), "ECONNRESET", answer)
                self.answered(client, "tcp", VIPS[4], self.new)
        self.assertEqual(self.daemon.get("/v1/status")["dataplane"]["sockets_destroyed"], 0)

    def test_viaductctl_says_so(self):
        self.assertIn("dataplane.socket_destroy is off", self.lacking()["socket destroy"])
        self.assertEqual(self.doctor()["feature socket destroy"]["level"], "warn")
        self.assertNotIn("socket hooks", self.lacking())


class NoBpf(LabTest):
    """Without a BPF file system nothing can be loaded: names are answered all the same."""

    def test_dns_and_the_api_run(self):
        node = self.lab.node()
        daemon = Daemon(
            node,
            {"dataplane": {"bpffs": f"{self.lab.folder}/no-bpffs"}},
            {"web.toml": service(name="/web", backends=[("203.0.113.5", 8080)])},
        ).start(ready=False)
        client = Client(node, False)
        name = f"web.marathon.{DOMAIN}"
        wait_for("the name", lambda: client.do("resolve", host=name, family=4).get("addresses"))
        status = daemon.get("/v1/status")
        self.assertEqual(status["dataplane"]["state"], "failed")
        self.assertIn("is in no BPF file system", status["dataplane"]["last_error"])
        self.assertIn("data_plane_failed", daemon.log())
        shown = json.loads(daemon.ctl("-o", "json", "doctor", check=False).stdout)
        levels = {finding["check"]: finding["level"] for finding in shown}
        self.assertEqual(levels["data plane"], "fault")
        self.assertEqual(levels["bpffs"], "fault")
        self.assertEqual(levels["DNS 198.51.100.1:53"], "ok")


del Fallback  # only its subclasses are tests

if __name__ == "__main__":
    unittest.main()
