#!/usr/bin/env python3
"""viaductd may die at any moment: what the kernel holds goes on, and the next viaductd takes it over."""
import unittest

from daemon import Client, service
from e2e import LabTest
from process import wait_for

REQUESTS = 10_000
RESTARTS = 10
VIPS = ("203.0.113.201", "2001:db8:ffff::1")


class Restart(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box = cls.node.container()
        cls.homes = [cls.node.container() for _ in range(3)]
        for home in cls.homes:
            home.server(
                home.name, f"tcp:{home.v4}:8080", f"tcp:{home.v6}:8080", cgroup=cls.node.cgroup
            )
        cls.daemon = cls.node.daemon(
            services={
                "web.toml": "".join(
                    service(
                        address=vip,
                        backends=[(home.v6 if ":" in vip else home.v4, 8080) for home in cls.homes],
                    )
                    for vip in VIPS
                )
            }
        )
        cls.daemon.wait_backends(f"{VIPS[0]}:80", [f"{home.v4}:8080" for home in cls.homes])
        cls.daemon.wait_backends(f"{VIPS[1]}:80", [f"[{home.v6}]:8080" for home in cls.homes])

    def test_no_request_fails_and_no_connection_breaks_while_it_is_killed_and_started_ten_times(
        self,
    ):
        clients = {
            f"{path} {vip}": (Client(self.box, path == "sockets"), vip)
            for path in ("sockets", "packets")
            for vip in VIPS
        }
        for client, vip in clients.values():
            self.assertNotIn("error", client.do("hold", host=vip, port=80))
            client.do("load", host=vip, port=80, requests=REQUESTS // len(clients))

        def done():
            return sum(client.do("progress")["done"] for client, _ in clients.values())

        for restart in range(RESTARTS):
            self.daemon.kill()
            # The kernel alone serves a good share of the requests, and so does each new viaductd.
            served = done()
            wait_for("requests while viaductd is dead", lambda: done() > served + 100, 30)
            self.daemon.start()
            served = done()
            wait_for("requests after a restart", lambda: done() > served + 100, 30)
            for name, (client, _) in clients.items():
                self.assertIn(
                    "answer", client.do("ask"), f"the connection held by {name}, restart {restart}"
                )
        totals = {name: client.do("stop", timeout=120) for name, (client, _) in clients.items()}
        print(totals)
        self.assertGreaterEqual(sum(total["done"] for total in totals.values()), REQUESTS)
        self.assertEqual([total["errors"] for total in totals.values() if total["failed"]], [])

    def test_what_changed_while_it_was_dead_is_applied_at_the_next_start(self):
        self.daemon.kill()
        self.daemon.write_service(
            "web.toml", service(address=VIPS[0], backends=[(self.homes[0].v4, 8080)])
        )
        client = Client(self.box, True)
        self.assertIn(
            "answer",
            client.do("tcp", host=VIPS[1], port=80),
            "the kernel still serves what the file no longer has",
        )
        self.daemon.start()
        self.daemon.wait_backends(f"{VIPS[0]}:80", [f"{self.homes[0].v4}:8080"])
        answers = {client.do("tcp", host=VIPS[0], port=80)["answer"] for _ in range(30)}
        self.assertEqual(answers, {f"{self.homes[0].name} {self.box.v4}"})
        wait_for(
            "the removed VIP to leave the kernel",
            lambda: "error" in client.do("tcp", host=VIPS[1], port=80),
        )

    def test_zz_a_stop_ends_cleanly_and_leaves_the_kernel_serving(self):
        self.daemon.stop()
        self.assertEqual(self.daemon.process.popen.returncode, 0, self.daemon.log()[-2000:])
        self.assertIn("answer", Client(self.box, True).do("tcp", host=VIPS[0], port=80))


if __name__ == "__main__":
    unittest.main()
