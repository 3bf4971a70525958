#!/usr/bin/env python3
"""One backend of ten takes ten times as long: least-loaded and peak-ewma send it what it can serve, random does not.

Backends serve one request at a time. A tenth of the requests is twice what the slow one can serve, so under random its queue
grows as long as the load lasts, and the others are mostly idle. Rules that look at open connections see the queue."""
import json
import sys
import unittest

from daemon import service
from e2e import LabTest
from lab import HERE

BACKENDS = 10
QUICK_MS, SLOW_MS = 5, 50
RATE, SECONDS = 400, 4  # the slow one can serve 20 a second
VIPS = {
    "random": "203.0.113.201",
    "least-loaded": "203.0.113.202",
    "peak-ewma": "203.0.113.203",
}


class SlowBackend(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.homes = [cls.node.container() for _ in range(BACKENDS)]
        for number, home in enumerate(cls.homes):
            service_ms = SLOW_MS if number == 0 else QUICK_MS
            home.python("server", "slow_server.py", f"{home.v4}:8080", service_ms)
        cls.client = cls.node.container()
        dials = [(home.v4, 8080) for home in cls.homes]
        cls.daemon = cls.node.daemon(
            services={
                "shop.toml": "".join(
                    service(address=vip, lb=rule, backends=dials) for rule, vip in VIPS.items()
                )
            }
        )
        for vip in VIPS.values():
            cls.daemon.wait_backends(f"{vip}:80", [f"{home.v4}:8080" for home in cls.homes])

    def load(self, rule):
        """The client's report, with how many connections the slow backend got."""
        argv = [sys.executable, "-SB", f"{HERE}/open_loop.py", VIPS[rule], 80, RATE, SECONDS]
        done = self.client.run([str(word) for word in argv], cgroup=self.node.cgroup, timeout=60)
        report = json.loads(done.stdout)
        backends = self.daemon.backends(f"{VIPS[rule]}:80")
        report["at_the_slow_one"] = backends[f"{self.homes[0].v4}:8080"]["connects"]
        print(f"{rule}: {report}", flush=True)
        self.assertEqual(report["requests"], RATE * SECONDS)
        self.assertEqual(report["failed"], 0)
        return report

    def test_rules_that_look_at_the_load_have_a_lower_p99_than_random(self):
        reports = {rule: self.load(rule) for rule in VIPS}
        for rule in ("least-loaded", "peak-ewma"):
            self.assertLess(reports[rule]["p99_ms"], reports["random"]["p99_ms"], rule)


if __name__ == "__main__":
    unittest.main()
