#!/usr/bin/env python3
"""A backend whose port closes is ejected by the kernel: three connects fail, and no more, without help from user space."""
import os
import signal
import unittest

from daemon import Client, service
from e2e import LabTest

BACKENDS = 5


class Health(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.homes = [cls.node.container() for _ in range(BACKENDS)]
        cls.servers = [
            home.server(f"b{number}", f"tcp:{home.v4}:8080")
            for number, home in enumerate(cls.homes)
        ]
        cls.client = Client(cls.node.container(), True)
        cls.vip = "203.0.113.210"
        cls.daemon = cls.node.daemon(
            services={
                "web.toml": service(
                    address=cls.vip, protocol=("tcp",), backends=[(h.v4, 8080) for h in cls.homes]
                )
            }
        )
        cls.daemon.wait_backends(f"{cls.vip}:80", [f"{h.v4}:8080" for h in cls.homes])

    def failures(self, count):
        return sum(
            "error" in self.client.do("tcp", host=self.vip, port=80) for _ in range(count)
        )

    def test_a_killed_backend_fails_three_connects_while_the_daemon_stands_still(self):
        self.assertEqual(self.failures(50), 0)
        os.kill(self.daemon.process.pid, signal.SIGSTOP)
        try:
            self.servers[0].kill()
            self.assertEqual(self.failures(200), 3)
            self.assertEqual(self.failures(100), 0)
        finally:
            os.kill(self.daemon.process.pid, signal.SIGCONT)
        shown = self.daemon.backends(f"{self.vip}:80")[f"{self.homes[0].v4}:8080"]
        self.assertEqual(shown["failures"], 3)
        self.assertEqual(shown["last_error"], "Connection refused")
        self.assertIn("ejected for", self.daemon.ctl("backends").stdout)


if __name__ == "__main__":
    unittest.main()
