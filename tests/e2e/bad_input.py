#!/usr/bin/env python3
"""Bad input gives a message that names its place, loses nothing else, and never stops the daemon."""
import copy
import json
import pathlib
import unittest

from daemon import DOMAIN, Client, service
from e2e import LabTest
from process import wait_for

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "mesos" / "life"
AGENT = "10.77.0.21"  # the node of the recordings
GOOD = [f"{AGENT}:20001", f"{AGENT}:20003"]
WEB = f"web.marathon.{DOMAIN}:80"
MAX_RSS_KB = 400_000

# File -> (its text, what the message must contain beside the file's name).
BAD_FILES = {
    "syntax": ('[[service]]\nname = "/x"\nport = = 80\n', "3"),
    "typo-key": (
        '[[service]]\nname = "/x"\nprot = 80\n[[service.backend]]\naddress = "192.0.2.9"\nport = 80\n',
        "prot",
    ),
    "typo-table": ('[[servise]]\nname = "/x"\nport = 80\n', "servise"),
    "wrong-type": ('[[service]]\nname = "/x"\nport = "80"\n', "port"),
    "port-0": ('[[service]]\nname = "/x"\nport = 0\n', "port"),
    "port-70000": (
        '[[service]]\nname = "/x"\nport = 80\n[[service.backend]]\naddress = "192.0.2.9"\nport = 70000\n',
        "70000",
    ),
    "empty-name": ('[[service]]\nname = ""\nport = 80\n', "name"),
    "slash-name": ('[[service]]\nname = "/"\nport = 80\n', "name"),
    "name-and-address": (
        '[[service]]\nname = "/x"\naddress = "203.0.113.9"\nport = 80\n',
        "address",
    ),
    "bracketed": ('[[service]]\naddress = "[v6]:80"\nport = 80\n', "[v6]:80"),
    "no-backend-address": (
        '[[service]]\nname = "/x"\nport = 80\n[[service.backend]]\nport = 80\n',
        "address",
    ),
    "weight": (
        '[[service]]\nname = "/x"\nport = 80\n[[service.backend]]\naddress = "192.0.2.9"\nport = 80\nweight = 1001\n',
        "weight",
    ),
    "protocol": ('[[service]]\nname = "/x"\nport = 80\nprotocol = "sctp"\n', "sctp"),
    "not-text": ("\x00\x01\x02", ""),
    "huge": ("# a comment\n" * (17 * 1024 * 1024 // 12), ""),  # over the limit of 16 MiB a file
}

# A task's port label -> what its rejection must mention.
BAD_LABELS = {
    "": "",
    ":80": '""',
    "/:80": '"/"',
    "/x": "/x",
    "/x:0": '"0"',
    "/x:70000": "70000",
    "/x:-1": "-1",
    "/x:80x": "80x",
    "[v6]:80": "[v6]",
    "/a:b:80": "/a:b",
    "fd01:c::5": "fd01:c:",
    "0.0.0.0:80": "0.0.0.0",
    "127.0.0.1:80": "127.0.0.1",
    "[fd01:c::7]:80": "family",  # an IPv6 VIP of a task that has only an IPv4 address
}


class BadInput(LabTest):
    @classmethod
    def set_up_lab(cls):
        cls.node = cls.lab.node(v4=AGENT)
        cls.box = cls.node.container()
        cls.node.server("web", *[f"tcp:{dial}" for dial in GOOD], cgroup=cls.node.cgroup)
        cls.agent = cls.node.python("agent", "mesos_agent.py", "127.0.0.1:5051", DATA, stdin=True)
        cls.tell_agent("state web-1-and-2")
        cls.daemon = cls.node.daemon(
            {
                "mesos": {
                    "agent": "http://127.0.0.1:5051",
                    "poll_min_ms": 200,
                    "poll_max_ms": 400,
                    "timeout_ms": 3000,
                }
            },
            {"good.toml": service(name="/good", backends=[(AGENT, 20001)])},
        )
        cls.daemon.wait_backends(WEB, GOOD)
        cls.client = Client(cls.box, True)

    @classmethod
    def tell_agent(cls, line):
        cls.agent.write_line(line)
        answer = cls.agent.read_line()
        assert answer == "ok", answer

    def tearDown(self):
        self.tell_agent("state web-1-and-2")
        self.wait_success()
        self.assert_alive_and_serving()

    def assert_alive_and_serving(self):
        self.assertTrue(self.daemon.alive(), self.daemon.log()[-3000:])
        self.daemon.wait_backends(WEB, GOOD)
        for name in ("good", "web"):
            answer = self.client.do("tcp", host=f"{name}.marathon.{DOMAIN}", port=80)
            self.assertEqual(answer.get("answer"), f"web {self.box.v4}", answer)

    def rejected(self):
        rows = self.daemon.get("/v1/rows")
        return [r for source in rows["sources"].values() for r in source["rejected"]] + rows[
            "merge_rejected"
        ]

    def wait_rejected(self, where, about):
        """Waits for a rejection whose place contains `where` and that mentions `about`."""

        def found():
            matches = [
                r
                for r in self.rejected()
                if where in r["where"] and about in r["where"] + " " + r["reason"]
            ]
            assert matches, self.rejected()
            return matches[0]

        return wait_for(f"a rejection of {where} that mentions {about!r}", found)

    def test_service_files(self):
        for name, (text, about) in BAD_FILES.items():
            with self.subTest(name):
                self.daemon.write_service(f"{name}.toml", text)
                rejection = self.wait_rejected(f"{name}.toml", about)
                self.assertGreater(len(rejection["reason"]), 5, rejection)
                self.assertIn(f"{name}.toml", self.daemon.log(), "it is logged")
                listing = self.daemon.ctl("rows", "--rejected").stdout
                self.assertIn(f"{name}.toml", listing)
                self.assert_alive_and_serving()
                self.daemon.remove_service(f"{name}.toml")
                wait_for(
                    "the rejection to go with the file",
                    lambda: not any(f"{name}.toml" in r["where"] for r in self.rejected()),
                )

    def test_a_file_that_turns_bad_keeps_its_last_good_rows(self):
        self.daemon.write_service("kept.toml", service(name="/kept", backends=[(AGENT, 20001)]))
        self.daemon.wait_backends(f"kept.marathon.{DOMAIN}:80", GOOD[:1])
        self.daemon.write_service("kept.toml", "[[service]\nname = \n")
        self.wait_rejected("kept.toml", "")
        self.daemon.wait_backends(f"kept.marathon.{DOMAIN}:80", GOOD[:1])
        self.assertIn("answer", self.client.do("tcp", host=f"kept.marathon.{DOMAIN}", port=80))
        self.daemon.remove_service("kept.toml")
        self.daemon.wait_backends(f"kept.marathon.{DOMAIN}:80", [])

    def state(self):
        return json.loads((DATA / "web-1-and-2.GET_STATE.json").read_text())

    def serve(self, content):
        path = pathlib.Path(self.lab.folder, "answer.json")
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        self.tell_agent(f"raw {path}")

    def test_answers_of_the_agent_that_say_nothing(self):
        good = json.dumps(self.state()).encode()
        answers = {
            "broken": good[: len(good) // 2],
            "empty": b"",
            "html": b"<html>busy</html>",
            "number": b"7",
            "null": b"null",
            "another answer": b'{"type":"GET_VERSION","get_version":{}}',
            "wrong type": b'{"type":"GET_STATE","get_state":{"get_tasks":5}}',
            "deep": b"[" * 100_000,
        }
        for name, content in answers.items():
            with self.subTest(name):
                self.serve(content)
                source = self.wait_failure()
                self.assertGreater(len(source["last_error"]), 5, source)
                self.assert_alive_and_serving()
                self.tell_agent("state web-1-and-2")
                self.wait_success()

    def source(self):
        return self.daemon.get("/v1/rows")["sources"]["mesos-agent"]

    def wait_failure(self):
        return wait_for("a failed poll", lambda: (s := self.source())["last_error"] and s, 15)

    def wait_success(self):
        return wait_for("a good poll", lambda: (s := self.source())["last_error"] == "" and s, 15)

    def test_an_answer_of_100_megabytes(self):
        self.tell_agent(f"size {100 * 1024 * 1024}")
        source = self.wait_failure()
        self.assertIn("too large", source["last_error"])
        self.assert_alive_and_serving()
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        self.assertLess(peak, MAX_RSS_KB, "kilobytes of memory at the most")

    def test_a_refusing_agent(self):
        self.tell_agent("status 503")
        self.assertIn("503", self.wait_failure()["last_error"])
        self.assert_alive_and_serving()

    def bad_task(self, number, **changes):
        task = copy.deepcopy(self.state()["get_state"]["get_tasks"]["launched_tasks"][0])
        task["task_id"]["value"] = f"bad.{number}"
        for status in task["statuses"]:
            status["task_id"]["value"] = f"bad.{number}"
        task.update(changes)
        return task

    def test_bad_labels_cost_only_themselves(self):
        state, tasks = self.state(), []
        for number, label in enumerate(BAD_LABELS):
            task = self.bad_task(number)
            task["discovery"]["ports"]["ports"][0]["labels"]["labels"] = [
                {"key": "VIP_0", "value": label},
                {"key": "VIP_1", "value": f"/beside{number}:80"},
            ]
            tasks.append(task)
        state["get_state"]["get_tasks"]["launched_tasks"] += tasks
        self.serve(state)
        for number, (label, about) in enumerate(BAD_LABELS.items()):
            with self.subTest(label):
                self.wait_rejected(f"bad.{number}", about)
                self.daemon.wait_backends(f"beside{number}.marathon.{DOMAIN}:80", GOOD[:1])
        self.assert_alive_and_serving()

    def test_nonsense_within_a_task_costs_only_that_task(self):
        base = self.bad_task(0)
        no_address = copy.deepcopy(base["statuses"])
        for status in no_address:
            status["container_status"]["network_infos"] = []
        tasks = {
            "a status without addresses": self.bad_task(100, statuses=no_address),
            "discovery is text": self.bad_task(101, discovery="web"),
            "statuses is a number": self.bad_task(102, statuses=7),
            "an address is nonsense": self.bad_task(
                103, statuses=json.loads(json.dumps(base["statuses"]).replace(AGENT, "300.1.1.1"))
            ),
            "port 0": self.bad_task(
                104, discovery=json.loads(json.dumps(base["discovery"]).replace("20001", "0"))
            ),
            "port 70000": self.bad_task(
                105, discovery=json.loads(json.dumps(base["discovery"]).replace("20001", "70000"))
            ),
        }
        state = self.state()
        state["get_state"]["get_tasks"]["launched_tasks"] = (
            list(tasks.values()) + state["get_state"]["get_tasks"]["launched_tasks"]
        )
        state["get_state"]["unheard_of"] = {"a": [1, 2, {"b": None}]}
        state["get_state"]["get_tasks"]["launched_tasks"][-1]["unheard_of"] = [1]
        self.serve(state)
        for what, task in list(tasks.items())[1:]:
            with self.subTest(what):
                self.wait_rejected(task["task_id"]["value"], "")
        self.daemon.wait_backends(WEB, GOOD)
        self.assertEqual(self.source()["last_error"], "")


if __name__ == "__main__":
    unittest.main()
