#!/usr/bin/env python3
"""A real viaductd's DNS beside a real upstream: which names it answers itself, what it forwards, keeps and says of it, and what becomes of
resolv.conf."""
import json
import pathlib
import unittest

from daemon import DOMAIN, Client, service
from e2e import LabTest
from process import wait_for

SERVER = "198.51.100.1"
UPSTREAM = "127.0.0.9"


def question(name, kind=1):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\0\7\1\0\0\1\0\0\0\0\0\0" + labels + b"\0" + kind.to_bytes(2, "big") + b"\0\1"


class Dns(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box = cls.node.container()
        cls.upstream = cls.start_upstream()
        cls.resolv_conf = pathlib.Path(cls.lab.folder) / "resolv.conf"
        cls.daemon = cls.node.daemon(
            config={
                "dns": {
                    "upstreams": [UPSTREAM],
                    "forward_zones": ["void.example=127.0.0.10"],
                    "resolv_conf": str(cls.resolv_conf),
                    "search": [f"marathon.{DOMAIN}"],
                    "fallback_resolvers": ["192.0.2.53"],
                },
            },
            services={"web.toml": service(name="web", backends=[(cls.box.v4, 8080)])},
        )
        cls.client = Client(cls.box, False)

    @classmethod
    def start_upstream(cls):
        return cls.node.python(f"upstream{cls.lab.number()}", "dns_upstream.py", UPSTREAM)

    def ask(self, name, kind=1):
        """(code, answers, the last four octets) of a reply."""
        reply = self.client.do("datagram", host=SERVER, port=53, hex=question(name, kind).hex(), patience=6)
        octets = bytes.fromhex(reply["hex"])
        return octets[3] & 15, octets[7], octets[-4:]

    def ctl(self, *arguments):
        return self.daemon.ctl(*arguments).stdout

    def test_our_names_are_answered_and_others_forwarded(self):
        code, answers, _ = self.ask(f"web.marathon.{DOMAIN}")
        self.assertEqual((code, answers), (0, 1))
        self.assertEqual(self.ask("www.example"), (0, 1, bytes([203, 0, 113, 7])))
        self.assertEqual(self.ask("no.such.name")[0], 3)

    def test_dns_says_zone_source_slot_and_who_answers(self):
        text = self.ctl("dns", f"web.marathon.{DOMAIN}")
        for part in (f"{DOMAIN}., serial", f"backend {self.box.v4}:8080", "slot ", "the kernel, and user space", "says NOERROR, 1 record"):
            self.assertIn(part, text)
        found = json.loads(self.ctl("-o", "json", "dns", f"_80._tcp.web.marathon.{DOMAIN}", "srv"))
        self.assertEqual(found["type"], "SRV")
        self.assertTrue(found["records"])
        self.assertIn("NXDOMAIN", self.ctl("dns", f"nobody.{DOMAIN}"))

    def test_dns_says_which_upstream_is_asked(self):
        self.ask("cached.example")
        text = self.ctl("dns", "cached.example")
        self.assertIn(f"{UPSTREAM}:53", text)
        self.assertIn("answer from  the cache", text)
        text = self.ctl("dns", "fresh.example")
        self.assertIn(f"answer from  upstream {UPSTREAM}:53", text)
        text = self.ctl("dns", "a.void.example")
        self.assertIn("void.example.", text)
        self.assertIn("no upstream answers", text)

    def test_records_lists_what_is_served(self):
        text = self.ctl("records", "web.marathon")
        self.assertIn(f"web.marathon.{DOMAIN}.", text)
        self.assertNotIn("localhost", text)
        self.assertIn("localhost", self.ctl("records"))

    def test_kept_answers_outlive_the_upstream(self):
        self.ask("stays.example")
        self.upstream.kill()
        try:
            self.assertEqual(self.ask("stays.example"), (0, 1, bytes([203, 0, 113, 7])))
            self.assertEqual(self.ask("unknown.example")[0], 2)
        finally:
            type(self).upstream = self.start_upstream()
        wait_for("the upstream to be asked again", lambda: self.ask("later.example")[0] == 0, 20)

    def test_resolv_conf_names_us_while_we_answer(self):
        wait_for("resolv.conf", lambda: self.resolv_conf.exists() and SERVER in self.resolv_conf.read_text(), 20)
        self.assertIn(f"search marathon.{DOMAIN}\n", self.resolv_conf.read_text())
        self.daemon.stop()
        try:
            self.assertIn("nameserver 192.0.2.53\n", self.resolv_conf.read_text())
            self.assertNotIn(SERVER, self.resolv_conf.read_text())
        finally:
            self.daemon.start()

    def test_an_address_that_is_taken_away_comes_back(self):
        def has_it():
            return SERVER in self.node.run(["ip", "-4", "addr", "show", "dev", "viaduct0"]).stdout

        wait_for("the address", has_it)
        self.node.run(["ip", "addr", "del", f"{SERVER}/32", "dev", "viaduct0"])
        wait_for("the address to come back", has_it)
        self.assertEqual(self.ask(f"web.marathon.{DOMAIN}")[0], 0)


if __name__ == "__main__":
    unittest.main()
