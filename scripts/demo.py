"""The steps of scripts/demo.sh, run against real programs in namespaces that the lab of tests/support makes and removes."""
import collections
import pathlib
import sys
import time

from daemon import DOMAIN, Daemon, service
from lab import Lab

RECORDING = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data" / "mesos" / "life"
NAME = f"web.marathon.{DOMAIN}"
URL = f"http://{NAME}"
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")

PICTURE = """
   node1 10.77.0.21                             node2 10.77.0.22
   +--------------------------------------+     +---------------------------+
   | viaductd     Mesos agent :5051       |     |                           |
   | web.1 :20001   web.2 :20003          |-----|  container web.3 10.78.2.1|
   |                                      |     |  container web.4 10.78.2.2|
   | container "client" 10.78.1.9         |     |                           |
   +--------------------------------------+     +---------------------------+
"""


class Demo:
    def __init__(self, lab, programs):
        self.lab, self.programs, self.step_number = lab, programs, 0

    def step(self, title, *explanation):
        self.step_number += 1
        print(f"\n{BOLD}{self.step_number}. {title}{PLAIN}")
        for line in explanation:
            print(f"   {line}")

    def show(self, space, command, shorten=0, **options):
        """Prints a command and what it says, as if typed in that namespace."""
        print(f"{DIM}{space.name}#{PLAIN} {command}")
        output = space.run(["sh", "-c", command], **options).stdout.rstrip("\n").splitlines()
        for line in output[: shorten or None]:
            print(f"   {line}")
        if shorten and len(output) > shorten:
            print(f"   ... {len(output) - shorten} more lines")
        return output

    def curl(self, count):
        """`count` requests by name from the client container, each on a connection of its own; who answered how often."""
        print(
            f"{DIM}client#{PLAIN} for i in $(seq {count}); do curl -s {URL}; done | sort | uniq -c"
        )
        loop = f"for i in $(seq {count}); do curl -sS --max-time 5 {URL}; done"
        spread = collections.Counter(
            self.client.run(["sh", "-c", loop], **self.inside).stdout.splitlines()
        )
        for answer, times in sorted(spread.items()):
            name, peer = answer.split()
            print(f"   {times:3} x answered by {name} (it saw the client as {peer})")
        return spread

    def set_up(self):
        lab = self.lab
        self.node1, self.node2 = lab.node("node1", v4="10.77.0.21"), lab.node(
            "node2", v4="10.77.0.22"
        )
        self.client = self.node1.container("client", v4="10.78.1.9", v6="fd78:1::9")
        boxes = [
            self.node2.container(f"web{n + 3}", v4=f"10.78.2.{n + 1}", v6=f"fd78:2::{n + 1}")
            for n in range(2)
        ]
        # In the client's container: its own cgroup's parent is the node's, and its names come from the node's DNS.
        self.inside = {"cgroup": self.node1.cgroup, "etc": lab.etc}
        self.servers = {
            f"web.{n}": self.node1.server(
                f"web.{n}", f"tcp:{self.node1.v4}:{port}", cgroup=self.node1.cgroup
            )
            for n, port in ((1, 20001), (2, 20003))
        }
        for number, box in enumerate(boxes):
            self.servers[f"web.{number + 3}"] = box.server(
                f"web.{number + 3}", f"tcp:{box.v4}:8080"
            )
        self.agent = self.node1.python(
            "agent", "mesos_agent.py", "127.0.0.1:5051", RECORDING, stdin=True
        )
        self.mesos_says("web-1-and-2")
        self.daemon = Daemon(
            self.node1, {"mesos": {"agent": "http://127.0.0.1:5051"}, "log": {"level": "info"}}, {}
        )
        self.daemon.write_service(
            "web.toml", service(name="/web", backends=[(box.v4, 8080) for box in boxes])
        )

    def mesos_says(self, state):
        self.agent.write_line(f"state {state}")
        assert self.agent.read_line() == "ok"

    def run(self):
        print(f"{BOLD}Viaduct: virtual IPs and names for containers, inside the kernel{PLAIN}")
        print(PICTURE)
        print(
            "Every box above is a network namespace of this machine; every server is a real HTTP server."
        )
        self.set_up()

        self.step(
            "Where backends come from",
            "The Mesos agent of node1 runs two tasks, web.1 and web.2. Their port carries the label VIP_0=/web:80.",
            "(The agent's API answers with the recorded state of a real Mesos 1.12 agent.)",
        )
        self.show(
            self.node1,
            """curl -s -H 'Content-Type: application/json' -d '{"type":"GET_STATE"}' http://127.0.0.1:5051/api/v1 |"""
            """ grep -oE '"(number":2000[0-9]|value":"/[a-z]+:80")' | head -4""",
        )
        print("   node2 has no Mesos: an operator wrote its two containers into a service file.")
        self.show(self.node1, f"cat {self.node1.services}/web.toml")

        self.step("Start viaductd on node1")
        started = time.monotonic()
        self.daemon.start()
        dials = ["10.77.0.21:20001", "10.77.0.21:20003", "10.78.2.1:8080", "10.78.2.2:8080"]
        self.daemon.wait_backends(f"{NAME}:80", dials)
        print(
            f"   Read both sources, loaded its programs and wrote the maps in {(time.monotonic() - started) * 1000:.0f} ms."
        )

        self.step(
            "The name has an address", "The client container asks the node's DNS (198.51.100.1)."
        )
        address = self.show(self.client, f"dig +short {NAME}", **self.inside)[0]
        self.show(self.client, f"dig +noall +comments +answer {NAME} @198.51.100.1", **self.inside)

        self.step(
            "20 requests by name",
            "connect() to the virtual IP becomes connect() to one of the four backends, in the kernel, on either node.",
            "The backend sees the client's own address: there is no proxy in between.",
        )
        spread = self.curl(20)
        assert sum(spread.values()) == 20, spread

        self.step("What viaductctl knows")
        self.show(self.node1, f"{self.programs}/viaductctl --socket {self.daemon.socket} vips")

        self.step(
            "What the kernel holds",
            "The service map, read by an independent tool. The name's address is " + address + ".",
        )
        self.show(
            self.node1, f"bpftool map dump pinned {self.node1.bpffs}/vd_service4_v1", shorten=24
        )

        self.step(
            "A backend is killed",
            "web.1 dies, and the agent's next report no longer has it (polled every 1 to 5 seconds).",
        )
        self.servers["web.1"].kill()
        self.mesos_says("web-1-killed")
        started = time.monotonic()
        self.daemon.wait_backends(f"{NAME}:80", dials[1:])
        print(
            f"   Gone from the kernel {(time.monotonic() - started) * 1000:.0f} ms after the agent said so."
        )
        spread = self.curl(20)
        assert sum(spread.values()) == 20 and not any(
            answer.startswith("web.1 ") for answer in spread
        ), spread

        self.step(
            "viaductd is killed (kill -9) while requests go on",
            "400 requests by one curl, each on a new connection. The programs and maps stay in the kernel.",
        )
        print(f"{DIM}client#{PLAIN} curl -s --rate 200/s -H 'Connection: close' '{URL}/?[1-400]'")
        results = self.client.start(
            "curl",
            [
                "curl",
                "-sS",
                "--rate",
                "12000/m",
                "-H",
                "Connection: close",
                "-w",
                "%{http_code}\\n",
                "-o",
                "/dev/null",
                f"{URL}/?[1-400]",
            ],
            pipe=True,
            **self.inside,
        )
        lines = [results.read_line()]
        print(f"{DIM}node1#{PLAIN} kill -9 {self.daemon.process.pid}")
        self.daemon.kill()
        while len(lines) < 400:
            lines.append(results.read_line())
        codes = collections.Counter(lines)
        print(
            f"   {codes['200']} requests answered, {sum(codes.values()) - codes['200']} failed; viaductd was dead for all but the first."
        )
        assert codes == {"200": 400}, codes

        self.step(
            "viaductd is started again",
            "It finds its maps and programs where it left them, and nothing changes for clients.",
        )
        self.daemon.start()
        self.daemon.wait_backends(f"{NAME}:80", dials[1:])
        spread = self.curl(20)
        assert sum(spread.values()) == 20, spread
        self.show(self.node1, f"{self.programs}/viaductctl --socket {self.daemon.socket} status")
        print(
            f"\n{BOLD}Done.{PLAIN} Namespaces, maps, programs and processes of this demo are removed."
        )


def main():
    with Lab(sys.argv[1]) as lab:
        demo = Demo(lab, sys.argv[1])
        try:
            demo.run()
        except Exception:
            if hasattr(demo, "daemon") and demo.daemon.process:
                print(f"\nviaductd's last words:\n{demo.daemon.log()[-4000:]}", file=sys.stderr)
            raise


if __name__ == "__main__":
    main()
