#!/usr/bin/env python3
"""A client may use one source port towards a VIP and towards its backend; NAT must not mix the two up."""
import unittest

from daemon import Client, service
from e2e import LabTest

FIRST_PORT = 40001


class SharedPorts(LabTest):
    config = {}

    @classmethod
    def set_up_lab(cls):
        cls.node, far = cls.lab.node(), cls.lab.node()
        cls.box, near_home, far_home = cls.node.container(), cls.node.container(), far.container()
        cls.homes = {"near": near_home, "far": far_home}
        files = {}
        cls.vips = {}
        for number, (name, home) in enumerate(cls.homes.items()):
            home.server(
                name, *[f"{p}:{a}:8080" for p in ("tcp", "udp") for a in (home.v4, home.v6)]
            )
            cls.vips[name] = {4: f"203.0.113.{201 + number}", 6: f"2001:db8:ffff::{1 + number}"}
            files[f"{name}.toml"] = "".join(
                service(address=vip, protocol=("tcp", "udp"), backends=[(backend, 8080)])
                for vip, backend in ((cls.vips[name][4], home.v4), (cls.vips[name][6], home.v6))
            )
        cls.daemon = cls.node.daemon(config=cls.config, services=files)
        for name, home in cls.homes.items():
            cls.daemon.wait_backends(f"{cls.vips[name][4]}:80", [f"{home.v4}:8080"])
            cls.daemon.wait_backends(f"{cls.vips[name][6]}:80", [f"[{home.v6}]:8080"])
        cls.ports = iter(range(FIRST_PORT, 60000))

    def for_each_case(self, check):
        """Calls check(client, backend's name, VIP, backend, port); the client is outside of the cgroup."""
        for where, space in (("container", self.box), ("host", self.node)):
            client = Client(space, False)
            for name, home in self.homes.items():
                for family in (4, 6):
                    backend = home.v4 if family == 4 else home.v6
                    with self.subTest(f"{where} to {name}, IPv{family}"):
                        check(client, name, self.vips[name][family], backend, next(self.ports))

    def ask(self, client, action, name, host, number, port):
        answer = client.do(action, host=host, port=number, **{"from": port})
        self.assertTrue(answer.get("answer", "").startswith(f"{name} "), answer)

    def hold(self, client, name, host, number, port, meanwhile):
        """A connection that lives on while another one from its port is made and used."""
        held = client.do("hold", host=host, port=number, **{"from": port})
        self.assertNotIn("error", held)
        self.ask(client, "tcp", name, *meanwhile, port)
        answer = client.do("ask")
        self.assertTrue(answer.get("answer", "").startswith(f"{name} "), answer)

    def test_a_direct_connection_from_the_port_of_an_ended_one(self):
        def check(client, name, vip, backend, port):
            for action in ("tcp", "udp-connected"):
                self.ask(client, action, name, vip, 80, port)
                self.ask(client, action, name, backend, 8080, port)
                self.ask(client, action, name, vip, 80, port)

        self.for_each_case(check)

    def test_a_direct_connection_beside_one_through_the_vip(self):
        self.for_each_case(
            lambda client, name, vip, backend, port: self.hold(
                client, name, vip, 80, port, (backend, 8080)
            )
        )

    def test_one_through_the_vip_beside_a_direct_connection(self):
        self.for_each_case(
            lambda client, name, vip, backend, port: self.hold(
                client, name, backend, 8080, port, (vip, 80)
            )
        )


class SharedPortsClsact(SharedPorts):
    """The same where the kernel has no tcx: filters of clsact."""

    config = {"dataplane": {"tc": "clsact"}}

    def test_no_tcx_link_is_used(self):
        links = self.node.run(["ls", f"{self.node.bpffs}/links"]).stdout.split()
        self.assertEqual([link for link in links if link.startswith("tc-")], [])
        shown = self.node.run(["tc", "filter", "show", "dev", self.box.veth, "ingress"]).stdout
        self.assertIn("vd_tc_request", shown)


if __name__ == "__main__":
    unittest.main()
