#!/usr/bin/env python3
"""A name resolves only while its VIP works: published after the kernel has it, withdrawn before the kernel loses it."""
import unittest

from daemon import DOMAIN, Client, service
from e2e import LabTest
from process import wait_for

ROUNDS = 20


class Order(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box = cls.node.container()
        cls.box.server(
            "b", f"tcp:{cls.box.v4}:8080", f"tcp:{cls.box.v6}:8080", cgroup=cls.node.cgroup
        )
        cls.daemon = cls.node.daemon()
        cls.clients = [Client(cls.box, inside) for inside in (True, False)]
        cls.backends = [(cls.box.v4, 8080), (cls.box.v6, 8080)]

    def resolve(self, client, name):
        return client.do("resolve", host=name).get("addresses")

    def test_a_name_that_resolves_works_at_once(self):
        for number in range(ROUNDS):
            name = f"up{number}.marathon.{DOMAIN}"
            client = self.clients[number % 2]
            self.daemon.write_service(
                f"up{number}.toml", service(name=f"/up{number}", backends=self.backends)
            )
            addresses = wait_for(
                f"{name} to resolve", lambda: self.resolve(client, name), 10, interval=0
            )
            for address in addresses:
                answer = client.do("tcp", host=address, port=80)
                self.assertIn(
                    "answer", answer, f"{name} resolves to {address}, which does not work: {answer}"
                )

    def test_a_vip_that_no_longer_works_no_longer_resolves(self):
        for number in range(ROUNDS):
            name = f"down{number}.marathon.{DOMAIN}"
            client = self.clients[number % 2]
            self.daemon.write_service(
                f"down{number}.toml", service(name=f"/down{number}", backends=self.backends)
            )
            address = wait_for(f"{name} to resolve", lambda: self.resolve(client, name))[0]
            self.daemon.remove_service(f"down{number}.toml")
            wait_for(
                f"{name}'s VIP to stop working",
                lambda: "error" in client.do("tcp", host=address, port=80),
                10,
                interval=0,
            )
            self.assertIsNone(
                self.resolve(client, name), f"{name} still resolves although its VIP is gone"
            )


if __name__ == "__main__":
    unittest.main()
