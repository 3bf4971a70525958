#!/usr/bin/env python3
"""Serf agents and viaductds in one encrypted cluster: what happens to one is seen by all, and who may not come in
disturbs nobody. VIADUCT_SERF_STEADY_S: for so many seconds nothing happens and nobody is doubted."""
import base64
import json
import os
import re
import shutil
import sys
import time
import unittest

import memberlist
from e2e import LabTest
from lab import SKIPPED
from process import wait_for

STEADY_S = float(os.environ.get("VIADUCT_SERF_STEADY_S", "20"))
PORT = 7946
RPC = "127.0.0.1:7373"
# What both call it. Viaduct forgets those who ended after half a minute.
WORDS = {"dead": "failed", "alive": "alive", "left": "left", "suspect": "suspect", "gone": "gone"}
SCRIPT = memberlist.__file__


class Agent:
    """A Serf agent in a node."""

    def __init__(self, node, key, joins):
        self.node, self.key, self.joins = node, base64.b64encode(key).decode(), joins
        self.process = None

    def start(self):
        joins = [f"-retry-join={address}" for address in self.joins if address != self.node.v4]
        self.process = self.node.start(
            "serf",
            [
                "serf",
                "agent",
                f"-node={self.node.name}",
                f"-bind={self.node.v4}:{PORT}",
                f"-rpc-addr={RPC}",
                f"-encrypt={self.key}",
                "-log-level=debug",
                "-retry-interval=1s",
                *joins,
            ],
        )
        wait_for(f"serf of {self.node.name}", lambda: self.view(), 20, 0.1)
        return self

    def alive(self):
        return self.process.alive()

    def kill(self):
        self.process.kill()

    def log(self):
        return self.process.log()

    def run(self, *words):
        done = self.node.run(["serf", words[0], f"-rpc-addr={RPC}", *words[1:]], check=False)
        if done.returncode:
            raise ValueError(f"serf {words[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def view(self):
        return {m["name"]: m["status"] for m in json.loads(self.run("members", "-format=json"))["members"]}

    def leave(self):
        self.run("leave")
        wait_for("the agent to end", lambda: not self.alive(), 20)


class Cluster(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.key = os.urandom(32)
        nodes = [cls.lab.node() for _ in range(6)]
        cls.seeds = [nodes[0].v4, nodes[3].v4]
        cls.agents = {node.name: Agent(node, cls.key, cls.seeds).start() for node in nodes[:3]}
        cls.daemons = {node.name: node.daemon(config={"gossip": cls.gossip(node)}) for node in nodes[3:]}
        for daemon in cls.daemons.values():
            daemon.view = lambda daemon=daemon: cls.view(daemon)
        cls.all = {**cls.agents, **cls.daemons}
        cls.stray = cls.lab.node("stray")
        cls.strange_daemon = None
        cls.wait_all({})

    @classmethod
    def gossip(cls, node, **more):
        keys = f"{cls.lab.folder}/{node.name}.keys"
        with open(keys, "w", encoding="utf-8") as file:
            json.dump([base64.b64encode(cls.key).decode()], file)
        os.chmod(keys, 0o600)
        return {
            "enabled": True,
            "seeds": cls.seeds,
            "keyring": keys,
            "probe_interval_ms": 500,
            "probe_timeout_ms": 200,
            "push_pull_interval_ms": 2000,
            **more,
        }

    @staticmethod
    def view(daemon):
        members = json.loads(daemon.ctl("-o", "json", "members").stdout)["members"]
        return {m["name"]: WORDS.get(m["state"], m["state"]) for m in members}

    @classmethod
    def views(cls, by=None):
        return {name: cls.all[name].view() for name in by or cls.all if cls.all[name].alive()}

    @classmethod
    def wait_all(cls, expected, by=None, timeout=30.0):
        """Waits until all (or `by`) see `expected`, and all others alive; returns how long it took."""
        want = {**{name: "alive" for name in cls.all}, **expected}
        began = time.monotonic()

        def agreed():
            for name, view in cls.views(by).items():
                wrong = {n: s for n, s in view.items() if want.get(n) != s} | {n: None for n in want if n not in view}
                assert not wrong, f"{name} sees {wrong}, wanted {want}"
            return True

        try:
            wait_for(f"all to see {expected or 'all alive'}", agreed, timeout, 0.2)
        except TimeoutError as error:
            logs = "".join(f"\n--- {name}\n{one.log()[-2000:]}" for name, one in cls.all.items())
            raise TimeoutError(f"{error}{logs}") from None
        return time.monotonic() - began

    def others(self, *names):
        return [name for name in self.all if name not in names]

    def plug(self, name, state):
        self.lab.fabric.ip(f"link set port{name} {state}")

    def metric(self, daemon, name, **labels):
        """The sum of a metric's series that bear these labels."""
        total = 0.0
        for line in daemon.request("/v1/metrics")[1].splitlines():
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if match and match[1] == name:
                has = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
                if all(has.get(label) == value for label, value in labels.items()):
                    total += float(match[3])
        return total

    def syncs(self, result):
        return {
            name: self.metric(daemon, "viaduct_gossip_syncs_total", kind="members", result=result)
            for name, daemon in self.daemons.items()
        }

    def send(self, transport, to, messages, key=None):
        """Lets the stray node send messages to a member."""
        argv = [sys.executable, "-SB", SCRIPT] + (["--key", base64.b64encode(key).decode()] if key else [])
        self.stray.run(argv + [transport, f"{to}:{PORT}", *(message.hex() for message in messages)])

    def undisturbed(self, seconds):
        """For so long nobody's view changes, nobody is doubted, and members are compared with success."""
        done, failed = self.syncs("done"), self.syncs("failed")
        doubts = {name: self.metric(d, "viaduct_gossip_suspicions_total") for name, d in self.daemons.items()}
        end = time.monotonic() + seconds
        looks = 0
        while time.monotonic() < end:
            for name, view in self.views().items():
                self.assertEqual(view, {n: "alive" for n in self.all}, name)
            looks += 1
            time.sleep(0.5)
        for name, before in done.items():
            self.assertGreater(self.syncs("done")[name], before, name)
        self.assertEqual(self.syncs("failed"), failed)
        for name, daemon in self.daemons.items():
            self.assertEqual(self.metric(daemon, "viaduct_gossip_suspicions_total"), doubts[name], name)
        return looks

    def tearDown(self):
        if self.strange_daemon:
            self.strange_daemon.kill()
            type(self).strange_daemon = None
        for name, one in self.all.items():
            self.plug(name, "up")
            if not one.alive():
                one.start()
        self.wait_all({}, timeout=60)

    def test_all_see_all_alive_for_long(self):
        lengths = {name: len(agent.log()) for name, agent in self.agents.items()}
        looks = self.undisturbed(STEADY_S)
        for name, agent in self.agents.items():
            log = agent.log()[lengths[name] :]
            self.assertNotRegex(log, r"\[ERR\]|Suspect|Marking", name)
        print(f"all saw all alive for {STEADY_S:g} s in {looks} looks", flush=True)

    def test_killed_agents_and_daemons_fail_and_come_back(self):
        self.all["node3"].kill()
        self.all["node6"].kill()
        took = self.wait_all({"node3": "failed", "node6": "failed"}, self.others("node3", "node6"))
        print(f"two killed nodes are failed on all after {took:.1f} s", flush=True)
        self.all["node3"].start()
        self.all["node6"].start()
        print(f"they are alive on all after {self.wait_all({}):.1f} s more", flush=True)

    def test_cut_off_nodes_fail_and_heal(self):
        self.plug("node2", "down")
        self.plug("node5", "down")
        took = self.wait_all({"node2": "failed", "node5": "failed"}, self.others("node2", "node5"))
        print(f"two nodes that are cut off are failed on all after {took:.1f} s", flush=True)
        # A lone agent of Serf waits for others to confirm, for up to half a minute: the daemon is enough.
        wait_for("node5 to miss others", lambda: "failed" in self.all["node5"].view().values(), 30, 0.2)
        self.plug("node2", "up")
        self.plug("node5", "up")
        print(f"they are alive on all after {self.wait_all({}, timeout=60):.1f} s more", flush=True)

    def test_who_leaves_has_left_and_may_come_back(self):
        for attempt in range(2):
            self.daemons["node4"].ctl("leave")
            took = self.wait_all({"node4": "left"}, self.others("node4"))
            print(f"a viaductd has left on all after {took:.1f} s", flush=True)
            self.daemons["node4"].kill()
            self.daemons["node4"].start()
            print(f"it is alive on all after {self.wait_all({}):.1f} s more", flush=True)
        self.agents["node1"].leave()
        took = self.wait_all({"node1": "left"}, self.others("node1"))
        print(f"an agent has left on all after {took:.1f} s", flush=True)
        self.agents["node1"].start()
        print(f"it is alive on all after {self.wait_all({}):.1f} s more", flush=True)

    def test_a_dead_daemon_is_removed_from_all(self):
        self.daemons["node6"].kill()
        self.wait_all({"node6": "failed"}, self.others("node6"))
        self.daemons["node4"].ctl("force-remove", "node6")
        self.wait_all({"node6": "left"}, self.others("node6"))

    def keep_out(self, reason, **config):
        """A daemon that cannot come in: it is alone, the members count it, and go on."""
        before = {
            name: self.metric(daemon, "viaduct_gossip_drops_total", transport="tcp", reason=reason)
            for name, daemon in self.daemons.items()
        }
        gossip = {**self.gossip(self.stray), "seeds": [one.node.v4 for one in self.all.values()], **config}
        type(self).strange_daemon = self.stray.daemon(config={"gossip": gossip})
        counted = lambda name: self.metric(
            self.daemons[name], "viaduct_gossip_drops_total", transport="tcp", reason=reason
        )
        for name in self.daemons:
            wait_for(f"{name} to count {reason}", lambda: counted(name) > before[name], 15)
        self.undisturbed(3)
        self.assertEqual(self.view(self.strange_daemon), {"stray": "alive"})
        self.strange_daemon.kill()
        type(self).strange_daemon = None

    def test_wrong_and_missing_keys_are_kept_out(self):
        keys = f"{self.lab.folder}/wrong.keys"
        with open(keys, "w", encoding="utf-8") as file:
            json.dump([base64.b64encode(os.urandom(32)).decode()], file)
        os.chmod(keys, 0o600)
        self.keep_out("wrong_key", keyring=keys)
        self.keep_out("not_encrypted", keyring="", insecure=True)
        wrong = memberlist.alive("stray", self.stray.v4)
        for daemon in self.daemons.values():
            for key, reason in ((os.urandom(32), "wrong_key"), (None, "not_encrypted")):
                count = lambda: self.metric(daemon, "viaduct_gossip_drops_total", transport="udp", reason=reason)
                before = count()
                self.send("udp", daemon.node.v4, [wrong], key)
                wait_for(f"a datagram to be dropped as {reason}", lambda: count() > before, 5)

    def refused(self, reason):
        return {
            name: self.metric(daemon, "viaduct_gossip_refused_members_total", reason=reason)
            for name, daemon in self.daemons.items()
        }

    def test_a_member_of_incompatible_versions_is_neither_accepted_nor_relayed(self):
        poison = memberlist.alive("stray", self.stray.v4, bytes([1, 5, 2, 0, 0, 0]))
        state = memberlist.push_pull([("stray", self.stray.v4, bytes([1, 5, 2, 0, 0, 0]))])
        for transport, message in (("udp", poison), ("tcp", state)):
            before = self.refused("versions")
            for daemon in self.daemons.values():
                self.send(transport, daemon.node.v4, [message], self.key)
            for name in self.daemons:
                wait_for(f"{name} to refuse it", lambda: self.refused("versions")[name] > before[name], 5)
        self.undisturbed(4)

    def test_daemons_go_on_when_serf_accepts_an_incompatible_member(self):
        """Serf 0.9.4 has this defect: its agents compare members no more. That of the viaductds must not end."""
        before = self.refused("versions")
        poison = memberlist.alive("stray", self.stray.v4, bytes([1, 5, 2, 0, 0, 0]))
        try:
            for name, agent in self.agents.items():
                self.send("udp", agent.node.v4, [poison], self.key)  # their gossip may pass over one of them
                wait_for(f"serf of {name} to take it", lambda: "stray" in self.agents[name].view(), 10)
            for name in self.daemons:
                wait_for(f"{name} to refuse it", lambda: self.refused("versions")[name] > before[name], 10)
            done = self.syncs("done")
            for name in self.daemons:
                wait_for(f"{name} to compare members", lambda: self.syncs("done")[name] > done[name], 20)
            for name, daemon in self.daemons.items():
                self.assertEqual(self.view(daemon), {n: "alive" for n in self.all}, name)
        finally:
            for agent in self.agents.values():  # at once: else those who stay tell the others of it
                agent.kill()
            for agent in self.agents.values():
                agent.start()

    def test_malformed_messages_are_counted_and_no_more(self):
        daemon = self.daemons["node6"]

        def drops(transport):  # a push-pull goes on without a member that cannot be read
            kinds = {"udp": ["udp"], "tcp": ["tcp", "push_pull"]}[transport]
            return sum(self.metric(daemon, "viaduct_gossip_drops_total", transport=kind) for kind in kinds)

        def memory():
            with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
                return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1])

        before = memory()
        for key in (self.key, None):
            for transport, samples in (("udp", memberlist.MALFORMED_UDP), ("tcp", memberlist.MALFORMED_TCP)):
                for what, message in samples.items():
                    count = drops(transport)
                    self.send(transport, daemon.node.v4, [message], key)
                    try:
                        wait_for("a drop", lambda: drops(transport) > count, 5)
                    except TimeoutError as error:
                        self.fail(f"{transport} {'sealed' if key else 'plain'} {what}: {error}")
        grown = memory() - before
        print(f"malformed messages cost {grown} KiB", flush=True)
        self.assertLess(grown, 16 << 10)
        self.undisturbed(3)


if __name__ == "__main__":
    if not shutil.which("serf"):
        required = os.environ.get("VIADUCT_REQUIRE_PRIVILEGED") == "1"
        print(f"{'failed' if required else 'skipped'}: not installed: serf", file=sys.stderr)
        sys.exit(1 if required else SKIPPED)
    unittest.main()
