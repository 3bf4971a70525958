#!/usr/bin/env python3
"""A backend that is removed takes its clients' sockets along, so that they connect anew at once; a drained one does not."""
import time
import unittest

from daemon import Client, service
from e2e import LabTest
from process import wait_for

VIPS = {4: "203.0.113.201", 6: "2001:db8:ffff::1"}
MAX_SECONDS = 1.0  # from the change of the service file to the client's error


class Removal(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box, cls.old, cls.new = (cls.node.container() for _ in range(3))
        for home in (cls.old, cls.new):
            home.server(
                home.name,
                *[f"{p}:{a}:8080" for p in ("tcp", "udp") for a in (home.v4, home.v6)],
                cgroup=cls.node.cgroup,
            )
        cls.daemon = cls.node.daemon(services={"web.toml": cls.text({"old": 1})})

    @classmethod
    def address(cls, name, family):
        home = {"old": cls.old, "new": cls.new}[name]
        return home.v4 if family == 4 else home.v6

    @classmethod
    def text(cls, weights, **policy):
        """Both VIPs with the backends of that name and weight."""
        return "".join(
            service(
                address=vip,
                protocol=("tcp", "udp"),
                backends=[(cls.address(name, family), 8080, w) for name, w in weights.items()],
                **policy,
            )
            for family, vip in VIPS.items()
        )

    def show(self, weights, **policy):
        self.daemon.write_service("web.toml", self.text(weights, **policy))

    def wait_shown(self, weights):
        for family, vip in VIPS.items():
            dial = "{}:8080" if family == 4 else "[{}]:8080"
            for protocol in ("tcp", "udp"):
                self.daemon.wait_backends(
                    f"{vip}:80",
                    [dial.format(self.address(name, family)) for name in weights],
                    protocol,
                )
        wait_for(
            "the weights to be in the kernel",
            lambda: {b["weight"] for b in self.daemon.backends(f"{VIPS[4]}:80").values()}
            == set(weights.values()),
        )

    def holding_clients(self, patience=10):
        """{name: client that waits in recv() for its backend}, on the host and in a container.

        patience: seconds after which a client gives up."""
        self.show({"old": 1})
        self.wait_shown({"old": 1})
        clients = {}
        for space in (self.box, self.node):
            for family, vip in VIPS.items():
                for action in ("hold", "hold-udp"):
                    client = Client(space, True)
                    answer = client.do(action, host=vip, port=80)
                    self.assertEqual(answer, {"peer": f"{vip} 80"})
                    client.begin("wait", patience=patience)
                    clients[f"{space.name} {action} IPv{family}"] = (client, vip)
        return clients

    def test_clients_of_a_removed_backend_fail_at_once_and_reach_another(self):
        clients = self.holding_clients()
        self.show({"old": 1, "new": 1})
        self.wait_shown({"old": 1, "new": 1})
        began = time.monotonic()
        self.show({"new": 1})
        for name, (client, vip) in clients.items():
            with self.subTest(name):
                answer = client.finish()
                took = time.monotonic() - began
                self.assertEqual(answer.get("errno"), "ECONNABORTED", answer)
                self.assertLess(took, MAX_SECONDS)
        print(f"{len(clients)} clients failed within {time.monotonic() - began:.3f} s")
        for name, (client, vip) in clients.items():
            with self.subTest(name):
                action = "udp-connected" if "udp" in name else "tcp"
                answer = client.do(action, host=vip, port=80)
                self.assertTrue(answer.get("answer", "").startswith(f"{self.new.name} "), answer)
        status = self.daemon.get("/v1/status")["dataplane"]
        self.assertEqual(status["sockets_destroyed"] % len(clients), 0, status)
        self.assertEqual(status["sockets_failed"], 0, status)
        metrics = self.daemon.request("/v1/metrics")[1]
        self.assertIn(
            f"viaduct_dataplane_sockets_destroyed_total {status['sockets_destroyed']}", metrics
        )
        self.assertIn("because their backend is gone", self.daemon.ctl("status").stdout)
        self.assertIn("sockets_destroyed", self.daemon.log())

    def test_clients_of_a_removed_vip_fail_at_once(self):
        clients = self.holding_clients()
        began = time.monotonic()
        self.daemon.remove_service("web.toml")
        for name, (client, _) in clients.items():
            with self.subTest(name):
                self.assertEqual(client.finish().get("errno"), "ECONNABORTED")
                self.assertLess(time.monotonic() - began, MAX_SECONDS)

    def test_clients_of_a_drained_backend_stay(self):
        clients = self.holding_clients()
        self.show({"old": 0, "new": 1})
        self.wait_shown({"old": 0, "new": 1})
        for name, (client, vip) in clients.items():
            with self.subTest(name):
                self.assertEqual(client.finish().get("errno"), "TimeoutError", "nothing came")
                if "udp" not in name:
                    answer = client.do("ask").get("answer", "")
                    self.assertTrue(answer.startswith(f"{self.old.name} "), answer)
                    answer = client.do("tcp", host=vip, port=80).get("answer", "")
                    self.assertTrue(answer.startswith(f"{self.new.name} "), answer)

    def test_clients_of_a_drained_backend_fail_when_its_drain_time_is_over(self):
        clients = self.holding_clients()
        began = time.monotonic()
        self.show({"old": 0, "new": 1}, drain=1)
        for name, (client, _) in clients.items():
            with self.subTest(name):
                self.assertEqual(client.finish().get("errno"), "ECONNABORTED")
                self.assertGreater(time.monotonic() - began, 1)
                self.assertLess(time.monotonic() - began, 1 + MAX_SECONDS)
        self.assertFalse(self.daemon.backends(f"{VIPS[4]}:80")[f"{self.old.v4}:8080"]["in_kernel"])
        self.show({"old": 1, "new": 1}, drain=1)
        self.wait_shown({"old": 1, "new": 1})

    def test_a_wrong_drain_time_is_rejected_with_a_reason(self):
        self.show({"old": 1}, drain="soon")
        reasons = lambda: [
            r["reason"] for r in self.daemon.get("/v1/rows")["sources"]["files"]["rejected"]
        ]
        wait_for("a rejection", lambda: any('drain "soon" is not' in r for r in reasons()))
        self.show({"old": 1})
        wait_for("the rejection to go", lambda: not reasons())

    def test_what_was_removed_while_viaductd_was_dead_is_destroyed_at_its_start(self):
        clients = self.holding_clients(patience=30)
        self.daemon.kill()
        self.show({"new": 1})
        self.daemon.start()
        for name, (client, _) in clients.items():
            with self.subTest(name):
                self.assertEqual(client.finish().get("errno"), "ECONNABORTED")


if __name__ == "__main__":
    unittest.main()
