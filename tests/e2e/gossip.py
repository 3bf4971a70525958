#!/usr/bin/env python3
"""Five nodes in one encrypted cluster: each one's backends serve all, and what happens to a node shows on all others."""
import base64
import json
import os
import threading
import time
import unittest

from daemon import Client, service
from e2e import LabTest
from process import wait_for

NODES = 5
VIP = "shop.marathon.l4lb.thisdcos.directory"
FAST = {"probe_interval_ms": 500, "probe_timeout_ms": 200}


def keyring(path, *keys):
    with open(path, "w", encoding="utf-8") as file:
        json.dump([base64.b64encode(key).decode() for key in keys], file)
    os.chmod(path, 0o600)
    return path


class Requests(threading.Thread):
    """GETs a VIP from a node about 100 times a second, each on a connection of its own, and notes what fails when."""

    def __init__(self, node, vip):
        super().__init__(daemon=True)
        self.client = Client(node, True)
        self.vip = vip
        self.done, self.failures, self.servers = 0, [], []
        self.ending = False
        self.start()

    def run(self):
        while not self.ending:
            answer = self.client.do("tcp", host=self.vip, port=80)
            if "error" in answer:
                self.failures.append((time.monotonic(), answer["error"]))
            else:
                self.servers.append((time.monotonic(), answer["answer"].split()[0]))
            self.done += 1
            time.sleep(0.01)

    def end(self):
        self.ending = True
        self.join(10)
        return self

    def failed_after(self, then):
        return [error for when, error in self.failures if when > then]

    def served_by(self, name, then):
        return sum(1 for when, server in self.servers if server == name and when > then)


class Cluster(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.nodes = [cls.lab.node() for _ in range(NODES)]
        cls.homes = {node: node.container() for node in cls.nodes}
        cls.key = os.urandom(32)
        cls.servers = {}
        for node, home in cls.homes.items():
            cls.servers[node] = home.server(node.name, f"tcp:{home.v4}:8080", cgroup=node.cgroup)
        cls.daemons = {
            node: node.daemon(config={"gossip": cls.gossip(node)}, services={"shop.toml": cls.shop(node)})
            for node in cls.nodes
        }
        for node in cls.nodes:
            cls.wait_all(node)

    @classmethod
    def gossip(cls, node):
        return {
            "enabled": True,
            "seeds": [seed.v4 for seed in cls.nodes[:2]],
            "keyring": keyring(f"{cls.lab.folder}/{node.name}.keys", cls.key),
            **FAST,
        }

    @classmethod
    def shop(cls, node, weight=1):
        return service(name="shop", backends=[(cls.homes[node].v4, 8080, weight)])

    @classmethod
    def dials(cls, nodes):
        return [f"{cls.homes[node].v4}:8080" for node in nodes]

    @classmethod
    def wait_all(cls, node, timeout=15.0):
        cls.daemons[node].wait_backends(f"{VIP}:80", cls.dials(cls.nodes), timeout=timeout)

    def others(self, node):
        return [other for other in self.nodes if other is not node]

    def states(self, node):
        """{name: state} as a node sees it."""
        return {m["name"]: m["state"] for m in self.daemons[node].get("/v1/members")["members"]}

    def plug(self, node, state):
        """Takes a node's port on the fabric down or up; its own routes stay."""
        self.lab.fabric.ip(f"link set port{node.name} {state}")

    def tearDown(self):
        for node in self.nodes:
            self.plug(node, "up")
            if not self.daemons[node].alive():
                self.daemons[node].start()
        for node in self.nodes:
            self.daemons[node].write_service("shop.toml", self.shop(node))
        for node in self.nodes:
            self.wait_all(node, 30)

    def resolve(self, node):
        client = Client(node, True)
        return client.do("resolve", host=VIP, port=80)["addresses"]

    def test_every_node_serves_the_backends_of_all_under_one_address(self):
        addresses = {tuple(sorted(self.resolve(node))) for node in self.nodes}
        self.assertEqual(len(addresses), 1, "all nodes give the name the same address")
        for node in self.nodes:
            requests = Requests(node, VIP)
            time.sleep(1.5)
            requests.end()
            self.assertEqual(requests.failures, [])
            self.assertEqual({server for _, server in requests.servers}, {n.name for n in self.nodes})
            self.assertEqual(set(self.states(node).values()), {"alive"})

    def test_a_backend_drains_goes_and_comes_on_all_nodes(self):
        node = self.nodes[2]
        self.daemons[node].write_service("shop.toml", self.shop(node, 0))
        dial = self.dials([node])[0]
        for other in self.nodes:
            wait_for(
                f"{other.name} to drain",
                lambda: self.daemons[other].backends(f"{VIP}:80")[dial]["weight"] == 0,
                5,
            )
        self.daemons[node].remove_service("shop.toml")
        for other in self.nodes:
            self.daemons[other].wait_backends(f"{VIP}:80", self.dials(self.others(node)), timeout=5)
        began = time.monotonic()
        self.daemons[node].write_service("shop.toml", self.shop(node))
        for other in self.nodes:
            self.wait_all(other, 5)
        print(f"a backend is on all {NODES} nodes after {time.monotonic() - began:.2f} s", flush=True)

    def lose(self, node, how):
        """Failures on the other nodes when a node is lost, from the third second on, and how many there were before."""
        crowd = {other: Requests(other, VIP) for other in self.others(node)[:2]}
        time.sleep(1)
        began = time.monotonic()
        how()
        time.sleep(6)
        late, all_failures = [], 0
        for requests in crowd.values():
            requests.end()
            self.assertGreater(requests.done, 30)
            late += requests.failed_after(began + 3)
            all_failures += len(requests.failures)
        return late, all_failures

    def test_a_node_that_is_off_costs_no_request_after_three_seconds(self):
        node = self.nodes[4]

        def cut():
            self.daemons[node].kill()
            self.plug(node, "down")

        late, failures = self.lose(node, cut)
        print(f"a node off: {failures} requests failed in the first 3 s", flush=True)
        self.assertEqual(late, [])
        for other in self.others(node):
            self.assertIn(self.states(other)[node.name], ("suspect", "dead"))

    def test_a_port_that_refuses_costs_three_connects_a_node(self):
        node = self.nodes[3]

        def kill():
            self.daemons[node].kill()
            self.servers[node].kill()

        try:
            late, failures = self.lose(node, kill)
        finally:
            home = self.homes[node]
            type(self).servers[node] = home.server(node.name, f"tcp:{home.v4}:8080", cgroup=node.cgroup)
        print(f"a port that refuses: {failures} requests of two clients failed", flush=True)
        self.assertEqual(late, [])
        # Three connects of each node, and the request of each client that was under way.
        self.assertLessEqual(failures, 2 * (3 + 1))

    def test_a_stopped_daemon_is_no_black_hole_when_it_goes_on(self):
        node = self.nodes[1]
        address = self.resolve(node)[0]  # its DNS stands still with it
        inside = Requests(node, address)
        other = Requests(self.nodes[0], address)
        self.daemons[node].process.popen.send_signal(19)  # SIGSTOP
        wait_for(
            "the others to doubt it",
            lambda: self.states(self.nodes[0])[node.name] in ("suspect", "dead"),
            10,
        )
        time.sleep(5)
        masked = time.monotonic()
        time.sleep(1)
        self.assertEqual(other.served_by(node.name, masked), 0, "a node in doubt gets no new connections")
        self.daemons[node].process.popen.send_signal(18)  # SIGCONT
        resumed = time.monotonic()
        for every in self.nodes:
            wait_for(
                f"{every.name} to see all alive",
                lambda: set(self.states(every).values()) == {"alive"},
                15,
            )
        print(f"all alive again after {time.monotonic() - resumed:.2f} s", flush=True)
        back = time.monotonic()
        wait_for("its backend to be used again", lambda: other.served_by(node.name, back) > 0, 10)
        self.assertEqual(inside.end().failures, [], "its own clients went on")
        self.assertEqual(other.end().failures, [])

    def test_a_node_that_starts_alone_serves_what_it_knew(self):
        node = self.nodes[0]
        time.sleep(6)  # what is known is written every five seconds
        self.daemons[node].kill()
        self.plug(node, "down")
        self.daemons[node].start(ready=False)
        self.daemons[node].wait_backends(f"{VIP}:80", self.dials(self.nodes), timeout=10)
        members = {m["name"]: m for m in self.daemons[node].get("/v1/members")["members"]}
        for other in self.others(node):
            self.assertTrue(members[other.name]["restored"], members[other.name])
        self.assertRegex(self.daemons[node].ctl("members").stdout, r"\(from .* ago\)")
        self.plug(node, "up")
        wait_for(
            "it to join again", lambda: set(self.states(node).values()) == {"alive"}, 20
        )

    def test_a_node_leaves_and_another_is_removed(self):
        gone = self.nodes[4]
        self.assertIn("leaves", self.daemons[gone].ctl("leave").stdout)
        for other in self.others(gone):
            wait_for("it to have left", lambda: self.states(other)[gone.name] == "left", 10)
            self.daemons[other].wait_backends(f"{VIP}:80", self.dials(self.others(gone)), timeout=5)
        self.daemons[gone].kill()
        self.daemons[gone].start()
        for node in self.nodes:
            self.wait_all(node)
        self.daemons[gone].kill()
        first = self.daemons[self.nodes[0]]
        wait_for("it to be dead", lambda: self.states(self.nodes[0])[gone.name] == "dead", 20)
        self.assertEqual(first.ctl("force-remove", gone.name).stdout, f"removed {gone.name}\n")
        for other in self.others(gone):
            wait_for("it to be removed", lambda: self.states(other)[gone.name] == "left", 10)
        refused = first.ctl("force-remove", "nobody", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("nobody", refused.stderr)

    def test_keys_are_changed_in_safe_steps(self):
        new = os.urandom(32)
        text = base64.b64encode(new).decode()
        first = self.daemons[self.nodes[0]]

        def ctl(daemon, *arguments, check=True, **options):
            return daemon.node.run(
                [f"{self.lab.bin_dir}/viaductctl", "--socket", daemon.socket, *arguments],
                check=check,
                **options,
            )

        old_id = first.get("/v1/members")["keys"][0]
        ctl(first, "keys", "install", input=text + "\n")
        new_id = first.get("/v1/members")["keys"][1]
        early = ctl(first, "keys", "use", new_id, check=False)
        self.assertEqual(early.returncode, 1)
        self.assertIn("install the key first on", early.stderr)
        for node in self.nodes[1:]:
            ctl(self.daemons[node], "keys", "install", input=text + "\n")
        wait_for(
            "all to know of the key",
            lambda: ctl(first, "keys", "use", new_id, check=False).returncode == 0,
            10,
        )
        early = ctl(first, "keys", "remove", old_id, check=False)
        self.assertEqual(early.returncode, 1)
        self.assertIn("use another key first on", early.stderr)
        for node in self.nodes[1:]:
            wait_for("use", lambda: ctl(self.daemons[node], "keys", "use", new_id, check=False).returncode == 0, 10)
        for node in self.nodes:
            wait_for("removal", lambda: ctl(self.daemons[node], "keys", "remove", old_id, check=False).returncode == 0, 10)
        wait_for("no node to have the old key", lambda: old_id not in ctl(first, "keys", "list").stdout, 10)
        for node in self.nodes:
            self.assertEqual(set(self.states(node).values()), {"alive"})


if __name__ == "__main__":
    unittest.main()
