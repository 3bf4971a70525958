#!/usr/bin/env python3
"""The kernel answers plain questions of containers and of the host's processes, with user space's octets, for as long as
viaductd lives."""
import contextlib
import ctypes
import os
import re
import signal
import struct
import time
import unittest

from daemon import DOMAIN, Client, service
from e2e import LabTest
from process import wait_for

SERVERS = ("198.51.100.1", "198.51.100.3", "fd01:d::c633:6401")
NAME = f"web.marathon.{DOMAIN}"
A, SOA, AAAA, ANY = 1, 6, 28, 255
OPT = b"\0\0\x29\x10\0\0\0\x80\0\0\0"  # 4096 octets, DO
STALE_S = 4.0  # VD_DNS_ALIVE_NS


def question(name, kind=A, number=7, opt=b""):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    head = struct.pack(">6H", number, 0x0100, 1, 0, 0, 1 if opt else 0)
    return head + labels + b"\0" + struct.pack(">2H", kind, 1) + opt


@contextlib.contextmanager
def held_thread(process, name):
    """Keeps one thread of a process from running, by ptrace."""
    seize, interrupt, detach, wall = 0x4206, 0x4207, 17, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def ptrace(request, thread):
        if libc.ptrace(request, thread, None, None) == -1:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")

    for task in map(int, os.listdir(f"/proc/{process}/task")):
        with open(f"/proc/{process}/task/{task}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                thread = task
    ptrace(seize, thread)
    ptrace(interrupt, thread)
    os.waitpid(thread, wall)
    try:
        yield
    finally:
        ptrace(detach, thread)


def rcode(answer):
    return answer[3] & 15


class KernelDns(LabTest):
    dataplane = {}

    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node()
        cls.box, cls.skipped = cls.node.container(), cls.node.container()
        cls.config = {
            "dns": {"kernel_skip": [cls.skipped.v4, f"{cls.skipped.v6}/128"]},
            "dataplane": cls.dataplane,
        }
        cls.daemon = cls.node.daemon(config=cls.config, services={"web.toml": cls.text()})
        cls.clients = {
            space.name: Client(space, False) for space in (cls.node, cls.box, cls.skipped)
        }

    @classmethod
    def text(cls, name="web"):
        homes = [(cls.box.v4, 8080), (cls.skipped.v4, 8080)]
        return service(name=name, backends=homes)

    def setUp(self):
        if not self.daemon.alive():
            self.daemon.start()
        wait_for("the kernel to answer", self.in_kernel)

    def in_kernel(self):
        found = self.daemon.get("/v1/status")["capabilities"]
        return {one["name"]: one["available"] for one in found}.get("dns in the kernel")

    def counts(self):
        """({outcome: queries} of the kernel, UDP queries that reached user space).

        viaductd's own probes of its addresses are among the latter, and among the odd ones."""
        text = self.daemon.request("/v1/metrics")[1]
        kernel = re.findall(
            r'^viaduct_dns_kernel_queries_total\{outcome="(\w+)"\} (\d+)', text, re.M
        )
        user = re.findall(
            r'^viaduct_dns_queries_total\{.*protocol="udp".*\} (\d+)', text, re.M
        )
        return {name: int(value) for name, value in kernel}, sum(map(int, user))

    @staticmethod
    def answered(kernel):
        return kernel["answered"] + kernel["no_data"]

    def by_kernel(self, queries, action):
        """Does something of which the kernel answers so many queries.

        Again, if need be: a machine that stops the daemon for long has stale heartbeats, and addresses that are bound
        anew."""

        def done():
            before, _ = self.counts()
            action()
            after, _ = self.counts()
            grown = {n: after[n] - before[n] for n in after if after[n] != before[n]}
            assert self.answered(after) - self.answered(before) == queries, grown
            return True

        wait_for(f"the kernel to answer {queries} queries", done)

    def ask(self, space, query, server=SERVERS[0], patience=3.0):
        """The answer's octets; absent when none came."""
        answer = self.clients[space.name].do(
            "datagram", host=server, port=53, hex=query.hex(), patience=patience
        )
        return bytes.fromhex(answer["hex"]) if "hex" in answer else None

    def test_the_kernel_answers_with_the_octets_of_user_space(self):
        for server in SERVERS:
            for kind in (A, AAAA, ANY):
                for opt in (b"", OPT):
                    for name in (NAME, NAME.upper(), "ready.spartan", DOMAIN):
                        query = question(name, kind, 0x1234, opt)
                        with self.subTest(server=server, kind=kind, opt=bool(opt), name=name):
                            kernel, user = self.counts()
                            wanted = self.ask(self.skipped, query, server)
                            self.assertEqual(rcode(wanted), 0)
                            after, user_after = self.counts()
                            self.assertGreaterEqual(user_after - user, 1)
                            self.assertEqual(self.answered(after), self.answered(kernel))
                            got = {}

                            def ask_both():
                                for space in (self.box, self.node):
                                    got[space.name] = self.ask(space, query, server)

                            self.by_kernel(2, ask_both)
                            self.assertEqual(set(got.values()), {wanted})

    def test_what_is_not_plain_is_answered_by_user_space(self):
        cookie = b"\0\0\x29\x10\0\0\0\0\0\0\x0c\0\x0a\0\x08abcdefgh"
        for space in (self.box, self.node):
            for query, code, why in (
                (question(f"none.marathon.{DOMAIN}"), 3, "unknown"),
                (question("www.example.com"), 5, "unknown"),
                (question(NAME, opt=cookie), 0, "odd"),
                (question(NAME) + b"x", 1, "odd"),
                (question(NAME.replace("directory", "global")), 0, "unknown"),
            ):
                with self.subTest(space=space.name, query=query):
                    kernel, user = self.counts()
                    self.assertEqual(rcode(self.ask(space, query)), code)
                    after, user_after = self.counts()
                    self.assertGreaterEqual(user_after - user, 1)
                    self.assertGreaterEqual(after[why] - kernel[why], 1)
                    self.assertEqual(self.answered(after), self.answered(kernel))

    def test_checksums_are_right_wherever_they_are_made(self):
        """With the offload off, queries carry a whole checksum, or the answer's is made on its way out, and is checked.

        The loopback device cannot do without."""
        for owner, link, client in (
            (self.box, "eth0", self.box),
            (self.node, self.box.veth, self.box),
        ):
            owner.offload(link, "tx", False)
            try:
                for server in SERVERS:
                    for query in (question(NAME), question(NAME, AAAA, 9, OPT)):
                        with self.subTest(link=link, server=server):
                            wanted, got = self.ask(self.skipped, query, server), []
                            self.by_kernel(1, lambda: got.append(self.ask(client, query, server)))
                            self.assertEqual(set(got), {wanted})
            finally:
                owner.offload(link, "tx", True)

    def test_a_changed_name_is_answered_as_it_is(self):
        self.daemon.write_service("new.toml", self.text("new"))
        query = question(NAME.replace("web", "new"))
        wait_for("the new name", lambda: rcode(self.ask(self.box, query)) == 0)
        self.by_kernel(1, lambda: self.ask(self.box, query))
        self.daemon.remove_service("new.toml")
        wait_for("the name to go", lambda: rcode(self.ask(self.box, query)) == 3)

    def test_a_stopped_viaductd_is_answered_for_until_its_heartbeat_is_old(self):
        query, wanted = question(NAME), self.ask(self.box, question(NAME))
        try:
            for _ in range(5):  # a machine that is busy for seconds may take too long to ask
                os.kill(self.daemon.process.pid, signal.SIGSTOP)
                begin = time.monotonic()
                got = [self.ask(space, query, patience=1) for space in (self.box, self.node)]
                if time.monotonic() - begin < 1:
                    break
                os.kill(self.daemon.process.pid, signal.SIGCONT)
                self.by_kernel(1, lambda: self.ask(self.box, query))
            self.assertEqual(got, [wanted, wanted])

            def silent():
                answer = self.ask(self.box, query, patience=0.3)
                self.assertIn(answer, (wanted, None))
                return answer is None

            wait_for("the kernel to give up", silent, STALE_S + 3)
            self.assertGreater(time.monotonic() - begin, STALE_S / 2)
            self.assertIsNone(self.ask(self.node, query, patience=0.3))
        finally:
            os.kill(self.daemon.process.pid, signal.SIGCONT)
        kernel, _ = self.counts()
        wait_for("an answer", lambda: self.ask(self.box, query) == wanted)
        wait_for(
            "the kernel to answer again",
            lambda: self.ask(self.box, query) == wanted
            and self.counts()[0]["answered"] > kernel["answered"],
        )

    def test_a_worker_that_is_stuck_ends_the_kernels_answers(self):
        query, wanted = question(NAME), self.ask(self.box, question(NAME))
        with held_thread(self.daemon.process.pid, "vd-dns-0"):
            wait_for(
                "the kernel to give up",
                lambda: self.ask(self.box, query, patience=0.3) is None,
                STALE_S + 5,
            )
            self.assertIn("capabilities", self.daemon.get("/v1/status"), "the others live")
        wait_for("an answer", lambda: self.ask(self.box, query) == wanted)
        self.by_kernel(1, lambda: self.ask(self.box, query))

    def test_a_killed_viaductd_is_answered_for_until_the_next_has_its_own_table(self):
        wanted = self.ask(self.box, question(NAME))
        self.daemon.write_service("gone.toml", self.text("gone"))
        gone = question(NAME.replace("web", "gone"))
        wait_for("the name", lambda: rcode(self.ask(self.box, gone)) == 0)
        self.daemon.kill()
        self.assertEqual(self.ask(self.box, question(NAME)), wanted)
        self.daemon.remove_service("gone.toml")
        self.daemon.start()
        wait_for("the kernel to answer", self.in_kernel)
        wait_for("the name to go", lambda: rcode(self.ask(self.box, gone)) == 3)
        self.by_kernel(
            1, lambda: self.assertEqual(self.ask(self.box, question(NAME))[12:], wanted[12:])
        )

    def expect_first(self):
        """What is answered is not seen by the balancer's program on the same hook."""

        def seen():
            text = self.daemon.request("/v1/metrics")[1]
            found = re.findall(
                r'^viaduct_dataplane_reasons_total\{hook="request".*\} (\d+)', text, re.M
            )
            return sum(map(int, found))

        queries, before = 100, []

        def ask_often():
            before.append(seen())
            for _ in range(queries):
                self.assertIsNotNone(self.ask(self.box, question(NAME)))

        self.by_kernel(queries, ask_often)
        self.assertLess(seen() - before[-1], queries / 2)

    def test_links_have_the_program_before_the_others(self):
        self.expect_first()
        pins = set(os.listdir(f"{self.node.bpffs}/links"))
        if self.dataplane.get("tc") == "clsact":
            self.assertEqual([pin for pin in pins if pin.endswith("-dns")], [])
            return
        self.assertIn("tc-1-egress-dns", pins)
        self.assertEqual(len([pin for pin in pins if pin.endswith("-ingress-dns")]), 2)

    def test_y_a_stop_ends_the_kernels_answers_at_once(self):
        self.daemon.stop()
        for space in (self.box, self.node):
            self.assertIsNone(self.ask(space, question(NAME), patience=0.5))

    def test_z_it_can_be_switched_off(self):
        self.daemon.stop()
        path = self.daemon.config_path
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("[dns]\n", "[dns]\nkernel = false\n"))
        try:
            self.daemon.start()
            for space in (self.box, self.node):
                self.assertEqual(rcode(self.ask(space, question(NAME))), 0)
            self.assertEqual(self.counts()[0], {})
            self.assertFalse(self.in_kernel())
            pins = os.listdir(f"{self.node.bpffs}/links")
            self.assertEqual([pin for pin in pins if pin.endswith("-dns")], [])
        finally:
            self.daemon.stop()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.daemon.start()
        wait_for("the kernel to answer", self.in_kernel)
        self.expect_first()


class KernelDnsByClsact(KernelDns):
    """The same by clsact filters, as before Linux 6.6."""

    dataplane = {"tc": "clsact"}


if __name__ == "__main__":
    unittest.main()
