#!/usr/bin/env python3
"""Every way to reach a VIP: who asks, who answers, by which protocol, family and kind of VIP, through sockets or packets.

A client in the node's cgroup meets the socket hooks, a client outside of it sends packets to the VIP that tc rewrites.
"same" is a backend in the client's own container: it asks itself. For a host process the host is that already."""
import unittest

from daemon import DOMAIN, Client, service
from e2e import LabTest
from process import wait_for

CLIENTS = ("host", "container")
ACTIONS = ("tcp", "udp-connected", "udp-unconnected")
PORT = 80
VIPS = {  # backend -> (IPv4, IPv6) of its address VIP
    "host": ("203.0.113.201", "2001:db8:ffff::1"),
    "container": ("203.0.113.202", "2001:db8:ffff::2"),
    "same": ("203.0.113.203", "2001:db8:ffff::3"),
}


def cases():
    for client in CLIENTS:
        for backend in ("host", "container") + (("same",) if client == "container" else ()):
            for action in ACTIONS:
                for family in (4, 6):
                    for kind in ("name", "address"):
                        yield client, backend, action, family, kind


class Matrix(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box, cls.other = cls.node.container(), cls.node.container()
        cls.spaces = {"host": cls.node, "container": cls.box}
        homes = {"host": cls.node, "container": cls.other, "same": cls.box}
        files = {}
        for name, home in homes.items():
            home.server(
                name,
                *[
                    f"{protocol}:{address}:8080"
                    for protocol in ("tcp", "udp")
                    for address in (home.v4, home.v6)
                ],
                cgroup=cls.node.cgroup,
            )
            backends = {4: (home.v4, 8080), 6: (home.v6, 8080)}
            files[f"{name}.toml"] = (
                service(name=f"/{name}", protocol=("tcp", "udp"), backends=backends.values())
                + service(address=VIPS[name][0], protocol=("tcp", "udp"), backends=[backends[4]])
                + service(address=VIPS[name][1], protocol=("tcp", "udp"), backends=[backends[6]])
            )
        cls.daemon = cls.node.daemon(services=files)
        for name, home in homes.items():
            for protocol in ("tcp", "udp"):
                cls.daemon.wait_backends(
                    f"{name}.marathon.{DOMAIN}:80",
                    [f"{home.v4}:8080", f"[{home.v6}]:8080"],
                    protocol,
                )
        cls.clients = {
            (where, inside): Client(space, inside)
            for where, space in cls.spaces.items()
            for inside in (True, False)
        }

    def counted(self, key):
        """How many picks the socket hooks ("connects") or how many flows the packet hooks ("flows") have counted."""
        return sum(b[key] for vip in self.daemon.get("/v1/vips") for b in vip["backend"])

    def check(self, client, backend, action, family, kind, inside):
        vip = VIPS[backend][0 if family == 4 else 1]
        host = vip
        if kind == "name":
            host = f"{backend}.marathon.{DOMAIN}"
            answer = self.clients[client, inside].do("resolve", host=host, family=family)
            self.assertEqual(len(answer.get("addresses", ())), 1, answer)
            vip = answer["addresses"][0]
        answer = self.clients[client, inside].do(action, host=host, port=PORT, family=family)
        self.assertNotIn("error", answer)
        self.assertEqual(
            answer["peer"], f"{vip} {PORT}", "the client sees the VIP, never the backend"
        )
        name, saw, *payload = answer["answer"].split(" ", 2)
        self.assertEqual(name, backend)
        self.assertEqual(payload, [] if action == "tcp" else ["hello"])
        space = self.spaces[client]
        own = space.v4 if family == 4 else space.v6
        # A packet to oneself through the host needs another source address; all else routes back as it is.
        if inside or (client == "container" and backend != "same"):
            self.assertEqual(saw, own, "the backend sees the client's own address")

    def run_all(self, inside):
        for case in cases():
            with self.subTest(" ".join(map(str, case))):
                self.check(*case, inside)

    def test_through_socket_hooks(self):
        before = self.counted("connects"), self.counted("flows")
        self.run_all(inside=True)
        self.assertGreaterEqual(self.counted("connects") - before[0], len(list(cases())))
        self.assertEqual(self.counted("flows"), before[1], "no packet hook had to help")

    def test_through_packet_hooks(self):
        before = self.counted("connects"), self.counted("flows")
        self.run_all(inside=False)
        self.assertGreaterEqual(self.counted("flows") - before[1], len(list(cases())))
        self.assertEqual(self.counted("connects"), before[0], "no socket hook had to help")

    def test_a_vip_without_a_backend_for_new_connections_refuses_at_once(self):
        self.daemon.write_service(
            "drained.toml",
            service(
                address="203.0.113.204", protocol=("tcp", "udp"), backends=[(self.node.v4, 8080, 0)]
            ),
        )
        self.daemon.wait_backends("203.0.113.204:80", [f"{self.node.v4}:8080"])
        for inside in (True, False):
            for action in ("tcp", "udp-connected"):
                with self.subTest(f"{action} inside={inside}"):
                    answer = self.clients["container", inside].do(
                        action, host="203.0.113.204", port=PORT
                    )
                    self.assertEqual(answer.get("errno"), "ECONNREFUSED", answer)

    def test_a_container_added_later_reaches_vips_and_is_reached(self):
        late = self.node.container()
        late.server("late", f"tcp:{late.v4}:8080", cgroup=self.node.cgroup)
        self.daemon.write_service("late.toml", service(name="/late", backends=[(late.v4, 8080)]))
        self.daemon.wait_backends(f"late.marathon.{DOMAIN}:80", [f"{late.v4}:8080"])
        outside = Client(late, False)
        wait_for(
            "the new container's packets to be balanced",
            lambda: "answer" in outside.do("tcp", host=VIPS["host"][0], port=PORT),
        )
        self.assertEqual(
            outside.do("tcp", host=f"container.marathon.{DOMAIN}", port=PORT, family=4)["answer"],
            f"container {late.v4}",
        )
        for inside in (True, False):
            answer = self.clients["container", inside].do(
                "tcp", host=f"late.marathon.{DOMAIN}", port=PORT
            )
            self.assertEqual(answer.get("answer"), f"late {self.box.v4}", answer)

    def test_a_backend_on_another_node_is_reached(self):
        far = self.lab.node()
        box = far.container()
        box.server("far", f"tcp:{box.v4}:8080", f"tcp:{box.v6}:8080")
        self.daemon.write_service(
            "far.toml", service(name="/far", backends=[(box.v4, 8080), (box.v6, 8080)])
        )
        self.daemon.wait_backends(
            f"far.marathon.{DOMAIN}:80", [f"{box.v4}:8080", f"[{box.v6}]:8080"]
        )
        for (where, inside), client in self.clients.items():
            for family in (4, 6):
                with self.subTest(f"{where} inside={inside} IPv{family}"):
                    answer = client.do(
                        "tcp", host=f"far.marathon.{DOMAIN}", port=PORT, family=family
                    )
                    self.assertTrue(answer.get("answer", "").startswith("far "), answer)


if __name__ == "__main__":
    unittest.main()
