#!/usr/bin/env python3
"""A node that asks the leading Mesos master: its names come from the master's stream, outlive fail-over, and frameworks and masters are
told to nodes that ask no master. The masters' words were recorded from real ones; ZooKeeper is real."""
import json
import pathlib
import threading
import time
import unittest

import dns_wire
from daemon import Client
from e2e import LabTest
from process import wait_for
from zookeeper import Zookeeper

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "mesos" / "master"
FIRST, SECOND, AGENT = "10.77.0.11", "10.77.0.12", "10.77.0.21"  # the machines of the recordings
SERVER = "198.51.100.1"
API = "127.0.0.1:8123"
WEB = "web.marathon.mesos"


class Asking(threading.Thread):
    """Asks for a name again and again and notes every answer that is none."""

    def __init__(self, ask, name):
        super().__init__(daemon=True)
        self.ask, self.name = ask, name
        self.asked, self.bad, self.ending = 0, [], False
        self.start()

    def run(self):
        while not self.ending:
            reply = self.ask(self.name)
            self.asked += 1
            if reply.rcode != "NOERROR" or not reply.answer:
                self.bad.append(reply.rcode)
            time.sleep(0.005)

    def end(self):
        self.ending = True
        self.join(10)


class MasterTest(LabTest):
    ZOOKEEPER = False

    @classmethod
    def set_up_lab(cls):
        cls.first_node, cls.second_node = cls.lab.node(v4=FIRST), cls.lab.node(v4=SECOND)
        cls.node, cls.other = cls.lab.node(v4=AGENT), cls.lab.node(v4="10.77.0.22")
        cls.first, cls.second = (
            node.python("master", "mesos_master.py", f"{node.v4}:5050", DATA, stdin=True)
            for node in (cls.first_node, cls.second_node)
        )
        cls.zookeeper = Zookeeper(cls.first_node).start() if cls.ZOOKEEPER else None
        gossip = {"enabled": True, "insecure": True, "seeds": [AGENT]}
        cls.daemon = cls.node.daemon({"gossip": gossip, "mesos": cls.masters(), "dns": {"mesos": "master", "http_listen": API}})
        cls.local = cls.other.daemon({"gossip": gossip})
        cls.clients = {node: Client(node, True) for node in (cls.node, cls.other)}
        cls.asker = Client(cls.node, True)

    @classmethod
    def masters(cls):
        return {"masters": [f"{FIRST}:5050", f"{SECOND}:5050"]}

    def tell(self, master, line):
        master.write_line(line)
        self.assertEqual(master.read_line(), "ok")

    @staticmethod
    def exchange(client, name, rtype="A"):
        question = dns_wire.query(dns_wire.name_of(name), rtype, 7)
        reply = client.do("datagram", host=SERVER, port=53, hex=question.hex(), patience=6)
        return dns_wire.Message(bytes.fromhex(reply["hex"]))

    def ask(self, name, rtype="A", node=None):
        return self.exchange(self.clients[node or self.node], name, rtype)

    def answers(self, name, rtype="A", node=None):
        """The code, or what the records say."""
        reply = self.ask(name, rtype, node)
        if reply.rcode != "NOERROR":
            return reply.rcode
        return sorted(data[0] if rtype == "A" else data for _, _, _, data in reply.answer)

    def wait_answers(self, name, expected, **arguments):
        wait_for(f"{name} to be {expected}, not {self.answers(name, **arguments)}",
                 lambda: self.answers(name, **arguments) == expected, 40)

    def api(self, path):
        return json.loads(self.node.run(["curl", "-sS", "--max-time", "10", f"http://{API}{path}"]).stdout)

    def status(self):
        return self.daemon.get("/v1/status")["mesos_master"]

    def wait_status(self, what, condition):
        wait_for(f"{what}; {self.status()}", lambda: condition(self.status()), 40)


class Masters(MasterTest):
    def test_names_follow_the_leader_and_outlive_its_end(self):
        self.assertEqual(self.answers(WEB), "SERVFAIL", "nobody has said anything yet")
        self.assertIn("never heard", self.daemon.ctl("status").stdout)

        # The second one leads to the first, and its records become names.
        self.tell(self.second, f"follow {FIRST}:5050")
        self.tell(self.first, "lead first-leader")
        self.wait_status("a master to be heard", lambda status: status["known"])
        self.assertEqual(self.answers(WEB), "NXDOMAIN", "no task runs yet")
        self.tell(self.first, "until 11")
        self.wait_answers(WEB, [AGENT])
        self.assertEqual(self.answers("hc.marathon.mesos"), [AGENT])
        self.assertEqual(self.answers("slave.mesos"), [AGENT])
        self.assertEqual(self.answers("leader.mesos"), [FIRST])
        self.assertEqual(self.answers("master.mesos"), [FIRST, SECOND])
        self.assertEqual(self.answers("master1.mesos"), [SECOND])
        self.assertEqual(self.ask("_web._tcp.marathon.mesos", "SRV").rcode, "NOERROR")
        self.assertIn(f"{FIRST}:5050 tells its events", self.daemon.ctl("status").stdout)
        self.assertIn("of the leading master", self.daemon.ctl("dns", WEB).stdout)

        # The HTTP API of Mesos-DNS says the same.
        self.assertEqual(self.api(f"/v1/hosts/{WEB}"), [{"host": f"{WEB}.", "ip": AGENT}])
        ports = [int(service["port"]) for service in self.api("/v1/services/_web._tcp.marathon.slave.mesos")]
        self.assertEqual(ports, [data[2] for _, _, _, data in self.ask("_web._tcp.marathon.slave.mesos", "SRV").answer])
        self.assertEqual(len(ports), 1)
        self.assertEqual(self.api("/v1/axfr")["Records"]["As"]["leader.mesos."], [FIRST])
        frameworks = self.api("/v1/enumerate")["frameworks"]
        self.assertEqual({task["id"] for task in frameworks[0]["tasks"]}, {"web.1", "hc.1"})

        # A node without masters knows them, and who leads, by gossip.
        self.wait_answers("leader.mesos", [FIRST], node=self.other)
        self.assertEqual(self.answers("master.mesos", node=self.other), [FIRST, SECOND])

        # The leader dies; for a while none is elected; the next one knows no agent at first.
        asking = Asking(lambda name: self.exchange(self.asker, name), WEB)
        self.tell(self.second, "elect")
        self.tell(self.first, "die")
        self.wait_status("the end to be noticed", lambda status: status["last_error"])
        self.assertEqual(self.answers(WEB), [AGENT])
        self.tell(self.second, "lead second-leader")
        self.wait_status("the next leader", lambda status: status["leader"] == f"{SECOND}:5050")
        self.wait_status("tasks to be held", lambda status: status["held"] == 2)
        self.assertEqual(self.answers(WEB), [AGENT])
        self.assertIn("2 held", self.daemon.ctl("status").stdout)
        self.wait_answers("leader.mesos", [SECOND])
        self.wait_answers("leader.mesos", [SECOND], node=self.other)
        self.tell(self.second, "until 7")
        self.wait_status("the agent to be back", lambda status: status["held"] == 0)
        asking.end()
        self.assertEqual(asking.bad, [], f"of {asking.asked}")
        self.assertGreater(asking.asked, 50)

        # What ends, ends at once.
        self.tell(self.second, "until 16")
        self.wait_answers(WEB, "NXDOMAIN")
        self.wait_answers("marathon.mesos", "NXDOMAIN")

        # A master without event stream is polled.
        self.tell(self.first, f"follow {SECOND}:5050")
        self.tell(self.second, "poll web-2.state.json")
        self.wait_answers(WEB, [AGENT])
        self.wait_status("polls", lambda status: not status["streaming"])
        self.assertIn("is polled", self.daemon.ctl("status").stdout)
        self.assertIn("viaduct_mesos_master_age_seconds", self.daemon.request("/v1/metrics")[1])


class ElectedInZookeeper(MasterTest):
    ZOOKEEPER = True

    @classmethod
    def masters(cls):
        return {"zk": f"zk://{FIRST}:2181/mesos", "zk_timeout_ms": 2000}

    @classmethod
    def announce(cls, number, address):
        node = f'{{"address":{{"ip":"{address}","port":5050}},"hostname":"{address}"}}'
        cls.zookeeper.do("create", f"/mesos/json.info_{number:010}", node)

    def test_the_leader_is_the_one_that_is_elected(self):
        self.tell(self.first, "lead first-leader")
        self.tell(self.first, "until 11")
        self.tell(self.second, "lead second-leader")
        self.tell(self.second, "until 7")
        self.zookeeper.do("create", "/mesos", "")
        self.announce(7, FIRST)
        self.announce(9, SECOND)
        self.wait_answers("leader.mesos", [FIRST])
        self.wait_answers(WEB, [AGENT])
        self.assertEqual(self.answers("master0.mesos"), [FIRST])
        self.wait_answers("master1.mesos", [SECOND])
        asking = Asking(lambda name: self.exchange(self.asker, name), WEB)
        self.zookeeper.do("delete", "/mesos/json.info_0000000007")
        self.wait_answers("leader.mesos", [SECOND])
        self.wait_status("the elected one to be asked", lambda status: status["leader"] == f"{SECOND}:5050")

        # ZooKeeper's end is not the leader's.
        self.zookeeper.process.kill()
        self.wait_status("ZooKeeper to be missed", lambda status: status["zookeeper"] != "connected")
        self.assertEqual(self.answers("leader.mesos"), [SECOND])
        self.zookeeper.start()
        self.wait_status("ZooKeeper to be back", lambda status: status["zookeeper"] == "connected")
        self.zookeeper.do("delete", "/mesos/json.info_0000000009")
        self.announce(11, FIRST)
        self.wait_answers("leader.mesos", [FIRST])
        asking.end()
        self.assertEqual(asking.bad, [], f"of {asking.asked}")


if __name__ == "__main__":
    unittest.main()
