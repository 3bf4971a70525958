#!/usr/bin/env python3
"""A Mesos agent's tasks become names and addresses: recorded states of a real agent, with real servers where its tasks were."""
import pathlib
import unittest

from daemon import DOMAIN, Client, Daemon
from e2e import LabTest
from process import wait_for

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "mesos" / "life"
AGENT, AGENT6 = "10.77.0.21", "fd77::21"  # the node of the recordings
WEB, CONTAINER = f"web.marathon.{DOMAIN}", f"c.marathon.{DOMAIN}"
CONFIG = {"mesos": {"agent": "http://127.0.0.1:5051", "poll_min_ms": 200, "poll_max_ms": 400}}


class MesosTest(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node(v4=AGENT, v6=AGENT6)
        # Where the recorded agent's CNI network "dcos" put its container.
        cls.box = cls.node.container(v4="10.78.1.2", v6="fd78:1::2")
        cls.client_box = cls.node.container()
        cls.node.server(
            "web",
            *[f"tcp:{AGENT}:{port}" for port in (20001, 20002, 20003)],
            cgroup=cls.node.cgroup,
        )
        cls.box.server(
            "c", f"tcp:{cls.box.v4}:8080", f"tcp:{cls.box.v6}:8080", cgroup=cls.node.cgroup
        )
        cls.agent = cls.node.python("agent", "mesos_agent.py", "127.0.0.1:5051", DATA, stdin=True)
        cls.clients = [Client(cls.client_box, inside) for inside in (True, False)]

    def tell_agent(self, line):
        self.agent.write_line(line)
        self.assertEqual(self.agent.read_line(), "ok")

    def ask(self, host, **arguments):
        """The answer's first word by both paths, or the error's name."""
        answers = [client.do("tcp", host=host, port=80, **arguments) for client in self.clients]
        return [
            answer["answer"].split()[0] if "answer" in answer else answer["errno"]
            for answer in answers
        ]


class Containers(MesosTest):
    def test_tasks_of_an_agent_whose_host_name_nobody_resolves(self):
        self.tell_agent("state host")
        daemon = self.node.daemon(CONFIG)
        daemon.wait_backends(f"{WEB}:80", [f"{AGENT}:20001"])
        self.assertEqual(self.ask(WEB), ["web", "web"])
        self.assertEqual(daemon.backends(f"{CONTAINER}:80"), {})

        self.tell_agent("state host-and-container")
        daemon.wait_backends(f"{CONTAINER}:80", ["10.78.1.2:8080", "[fd78:1::2]:8080"])
        for family in (4, 6):
            self.assertEqual(self.ask(CONTAINER, family=family), ["c", "c"])

        addresses = [self.clients[0].do("resolve", host=CONTAINER)["addresses"] for _ in range(2)]
        self.assertEqual(len(addresses[0]), 2)
        self.tell_agent("state all-killed")
        daemon.wait_backends(f"{CONTAINER}:80", [])
        daemon.wait_backends(f"{WEB}:80", [])
        self.assertEqual(self.clients[0].do("resolve", host=WEB).get("errno"), "gaierror")
        daemon.stop()


class States(MesosTest):
    def test_tasks_that_come_and_go_and_an_agent_that_is_down_for_a_while(self):
        self.tell_agent("state web-1")
        daemon = self.node.daemon(CONFIG)
        daemon.wait_backends(f"{WEB}:80", [f"{AGENT}:20001"])
        self.tell_agent("state web-1-and-2")
        daemon.wait_backends(f"{WEB}:80", [f"{AGENT}:20001", f"{AGENT}:20003"])
        self.tell_agent("state web-1-killed")
        daemon.wait_backends(f"{WEB}:80", [f"{AGENT}:20003"])

        self.tell_agent("status 503")
        wait_for("failed polls", lambda: self.failures(daemon) >= 2)
        self.assertEqual(
            set(daemon.backends(f"{WEB}:80")),
            {f"{AGENT}:20003"},
            "the rows of a source that is down stay",
        )
        self.assertEqual(self.ask(WEB), ["web", "web"])

        # A daemon that starts while its agent is down goes on with the rows it remembers.
        address = self.clients[0].do("resolve", host=WEB)["addresses"][0]
        wait_for("the last rows to be remembered", self.remembers_only_the_second)
        daemon.kill()
        daemon.start()
        wait_for("failed polls of the new daemon", lambda: self.failures(daemon) >= 2)
        self.assertEqual(set(daemon.backends(f"{WEB}:80")), {f"{AGENT}:20003"})
        self.assertEqual(self.ask(WEB), ["web", "web"])

        # One that remembers nothing knows nothing, and so removes nothing.
        daemon.kill()
        daemon = Daemon(self.node, {**CONFIG, "node": {"state": ""}}, {}).start(ready=False)
        wait_for("failed polls without memory", lambda: self.failures(daemon) >= 2)
        self.assertFalse(daemon.get("/v1/status")["complete"])
        self.assertEqual(self.ask(address), ["web", "web"])

        self.tell_agent("state web-1-killed")
        daemon.wait_ready()
        daemon.wait_backends(f"{WEB}:80", [f"{AGENT}:20003"])
        self.assertEqual(self.ask(WEB), ["web", "web"])

    def remembers_only_the_second(self):
        rows = pathlib.Path(f"{self.lab.folder}/{self.node.name}-state/rows.json").read_text()
        return f"{AGENT}:20003" in rows and f"{AGENT}:20001" not in rows

    def failures(self, daemon):
        return daemon.get("/v1/rows")["sources"]["mesos-agent"]["failures"]


class Names(LabTest):
    """Two nodes, each with an agent: what runs on one has its names on the other."""

    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node(v4=AGENT, v6=AGENT6)
        cls.other = cls.lab.node(v4="10.77.0.22", v6="fd77::22")
        cls.node.container(v4="10.78.1.2", v6="fd78:1::2")
        cls.client = Client(cls.other.container(), True)
        config = {
            **CONFIG,
            "gossip": {"enabled": True, "insecure": True, "seeds": [AGENT], "probe_interval_ms": 500},
            "dns": {
                "masters": ["192.0.2.71", "192.0.2.72"],
                "container_subnets": ["10.78.0.0/16", "fd78::/16"],
                "cnames": ["registry.component.thisdcos.directory=master.dcos.thisdcos.directory"],
            },
        }
        cls.agents = {
            node: node.python("agent", "mesos_agent.py", "127.0.0.1:5051", DATA, stdin=True)
            for node in (cls.node, cls.other)
        }
        # The other node's agent has a task of the same name.
        text = (DATA / "web-1.GET_STATE.json").read_text().replace(AGENT, cls.other.v4)
        path = pathlib.Path(cls.lab.folder) / "other.json"
        path.write_text(text.replace('"web.1"', '"web.9"'))
        cls.tell(cls.node, "state host-and-container")
        cls.tell(cls.other, f"raw {path}")
        cls.daemons = {node: node.daemon(config) for node in (cls.node, cls.other)}

    @classmethod
    def tell(cls, node, line):
        cls.agents[node].write_line(line)
        answer = cls.agents[node].read_line()
        assert answer == "ok", answer

    def resolve(self, host):
        return self.client.do("resolve", host=host).get("addresses", [])

    def wait_resolves(self, host, addresses, timeout=10.0):
        wait_for(
            f"{host} to lead to {sorted(addresses)}",
            lambda: sorted(self.resolve(host)) == sorted(addresses),
            timeout,
        )

    def test_tasks_of_one_node_have_their_names_on_the_other(self):
        dcos, own = "dcos.thisdcos.directory", self.other.v4
        box = ["10.78.1.2", "fd78:1::2"]
        self.wait_resolves(f"c.marathon.containerip.{dcos}", box)
        self.wait_resolves(f"web.marathon.agentip.{dcos}", [AGENT, own])
        for host, addresses in {
            f"c.marathon.agentip.{dcos}": [AGENT],
            "c.marathon.autoip.dcos.thisdcos.global": box,
            "c.marathon.mesos": box,
            "c.marathon.mesos.thisdcos.directory": box,
            "c.marathon.slave.mesos": [AGENT],
            "web.marathon.mesos": [AGENT, AGENT6, own],
            "slave.mesos": [AGENT, own],
            "zk-4.zk": ["192.0.2.72"],
            "leader.mesos": ["192.0.2.71", "192.0.2.72"],
            f"master.{dcos}": ["192.0.2.71", "192.0.2.72"],
            "registry.component.thisdcos.directory": ["192.0.2.71", "192.0.2.72"],
        }.items():
            self.assertEqual(sorted(self.resolve(host)), sorted(addresses), host)
        self.assertEqual(self.resolve("nobody.marathon.mesos"), [])

        # Each instance by a name of its own, with the ports that it has.
        srv = self.client.do("srv", host="_c._tcp.marathon.mesos")["srv"]
        self.assertEqual(len(srv), 1)
        target, port = srv[0].split(":")
        self.assertEqual(port, "8080")
        self.assertRegex(target, r"^c-[a-z0-9]{5}-s0\.marathon\.mesos$")
        self.assertEqual(sorted(self.resolve(target)), sorted(box))
        webs = self.client.do("srv", host="_web._tcp.marathon.slave.mesos")["srv"]
        self.assertEqual({one.split(":")[1] for one in webs}, {"20001"})
        self.assertEqual(
            sorted(address for one in webs for address in self.resolve(one.split(":")[0])),
            [AGENT, own],
        )
        self.assertEqual(self.client.do("srv", host=f"_80._tcp.{WEB}")["srv"], [f"{WEB}:80"])
        for address in box:
            self.assertEqual(
                self.client.do("reverse", host=address)["name"], f"c.marathon.containerip.{dcos}"
            )

        # A dead node's tasks leave the names that others have too; those that it alone has stay a while.
        self.daemons[self.node].kill()
        self.wait_resolves(f"web.marathon.agentip.{dcos}", [own], 20)
        self.assertEqual(sorted(self.resolve("c.marathon.mesos")), sorted(box))
        self.daemons[self.node].start()
        self.wait_resolves(f"web.marathon.agentip.{dcos}", [AGENT, own], 20)

        self.tell(self.node, "state all-killed")
        self.wait_resolves("c.marathon.mesos", [])
        self.wait_resolves("web.marathon.slave.mesos", [own])


if __name__ == "__main__":
    unittest.main()
