"""A laboratory of network namespaces on one machine: nodes, containers, and the processes in them.

    with Lab("build/bin") as lab:
        node = lab.node()                  # a namespace with 192.0.2.1 and 2001:db8:0:1::1, a cgroup v2, a bpffs folder
        box = node.container()             # a namespace behind a veth of the node, with a /32 and a /128
        daemon = node.daemon(services={"web.toml": "..."})

The lab has mounts of its own (named namespaces, bpffs), so that they vanish with its last process however it ends; a
guard process outside of it removes cgroups and files. Its names begin with vd and its process id. Needs root; standard
library only. Every node hangs on one bridge in a namespace of the lab: no packet leaves the machine."""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from daemon import Daemon
from process import Process, entering, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77  # the exit code that ctest takes for a skip
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

# Ends with the pipe on its standard input: the lab closes it, or dies. cgroup.kill ends what is left in a cgroup.
GUARD = """
trap '' INT TERM HUP
cat >&2
for kill in "$0"/*/cgroup.kill "$0"/cgroup.kill; do [ ! -e "$kill" ] || echo 1 >"$kill"; done
for try in $(seq 200); do
  for folder in "$0"/*/ "$0"; do [ ! -d "$folder" ] || rmdir "$folder" 2>"$1/rmdir"; done
  [ -d "$0" ] || break
  sleep 0.05
done
umount -R -l "$1"
rmdir "$1"
"""

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def require_privileges():
    """Ends the program when namespaces cannot be made: a skip, or a failure under VIADUCT_REQUIRE_PRIVILEGED=1."""
    missing = [
        tool for tool in ("ip", "nsenter", "setpriv", "unshare", "mount") if not shutil.which(tool)
    ]
    reason = None
    if os.geteuid() != 0:
        reason = "needs root"
    elif missing:
        reason = "not installed: " + " ".join(missing)
    elif subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True).returncode:
        reason = "needs CAP_SYS_ADMIN to make namespaces"
    if reason:
        required = os.environ.get("VIADUCT_REQUIRE_PRIVILEGED") == "1"
        print(f"{'failed' if required else 'skipped'}: {reason}", file=sys.stderr)
        sys.exit(1 if required else SKIPPED)


def run(argv, **options):
    """subprocess.run that takes text, captures it, and raises RuntimeError with the program's own words."""
    done = subprocess.run(argv, capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(argv)}: status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


class Space:
    """A network namespace with lo up; `name` is its short name, `netns` the one `ip -n` takes."""

    def __init__(self, lab, name):
        self.lab, self.name, self.netns = lab, name, f"{lab.prefix}-{name}"
        run(["ip", "netns", "add", self.netns])
        self.sysctl({"net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0})
        self.ip("link set lo up")

    def ip(self, *lines):
        """Runs lines of `ip` (without the word ip) in this namespace."""
        run(["ip", "-n", self.netns, "-batch", "-"], input="\n".join(lines) + "\n")

    def sysctl(self, values):
        script = "".join(
            f"echo {value} >/proc/sys/{key.replace('.', '/')} || exit 1\n"
            for key, value in values.items()
        )
        run(["nsenter", f"--net=/run/netns/{self.netns}", "sh", "-c", script])

    def run(self, argv, cgroup=None, etc=None, check=True, **options):
        """Runs a program here to its end; returns the CompletedProcess."""
        done = subprocess.run(
            entering(self.netns, cgroup, etc) + argv, capture_output=True, text=True, **options
        )
        if check and done.returncode:
            raise RuntimeError(
                f"{' '.join(argv)}: status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done

    def start(self, name, argv, cgroup=None, etc=None, **options):
        """Starts a program here that the lab ends; from the main thread only, whose end would end it too."""
        process = Process(
            f"{self.name}/{name}",
            entering(self.netns, cgroup, etc) + argv,
            log=f"{self.lab.folder}/{self.name}-{name}.log",
            **options,
        )
        self.lab.processes.append(process)
        return process

    def python(self, name, script, *arguments, **options):
        """Starts a script of tests/support and waits until it says that it is ready."""
        process = self.start(
            name,
            [sys.executable, "-SB", f"{HERE}/{script}", *map(str, arguments)],
            pipe=True,
            **options,
        )
        return process.expect("ready")

    def offload(self, link, feature, on):
        """Turns an offload of a device on or off: "gro", or "tx" for checksums."""
        script = f"{HERE}/offload.py"
        self.run([sys.executable, "-SB", script, link, feature, "on" if on else "off"])

    def server(self, name, *listeners, **options):
        """Starts backends: "tcp:ADDRESS:PORT" speaks HTTP, "udp:..." echoes; each answer is `name` and the peer it saw."""
        return self.python(name, "servers.py", name, *listeners, **options)


class Container(Space):
    """A container's namespace: eth0 with addresses v4/32 and v6/128, everything routed through the node's veth end."""

    def __init__(self, node, name, v4, v6):
        super().__init__(node.lab, name)
        self.node, self.v4, self.v6 = node, v4, v6
        self.veth = f"veth{node.lab.number()}"
        run(
            [
                "ip",
                "link",
                "add",
                self.veth,
                "netns",
                node.netns,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                self.netns,
            ]
        )
        # The gateway addresses are the same for all containers, as with any routed veth set-up.
        node.ip(
            f"link set {self.veth} up",
            f"address add 169.254.1.1/32 dev {self.veth} scope link",
            f"address add fe80::1/64 dev {self.veth} nodad",
            f"route add {v4}/32 dev {self.veth} src {node.v4}",
            f"route add {v6}/128 dev {self.veth} src {node.v6}",
        )
        self.ip(
            "link set eth0 up",
            f"address add {v4}/32 dev eth0",
            f"address add {v6}/128 dev eth0 nodad",
            "route add 169.254.1.1 dev eth0 scope link",
            f"route add default via 169.254.1.1 dev eth0 src {v4}",
            f"route add default via fe80::1 dev eth0 src {v6}",
        )
        for other in node.lab.nodes:
            if other is not node:
                other.ip(f"route add {v4}/32 via {node.v4}", f"route add {v6}/128 via {node.v6}")

    @property
    def cgroup(self):
        return self.node.cgroup


class Node(Space):
    """A machine: a namespace on the lab's bridge (eth0), a cgroup, a bpffs folder; routes between its containers."""

    def __init__(self, lab, name, v4, v6):
        super().__init__(lab, name)
        self.v4, self.v6 = v4, v6
        self.cgroup, self.bpffs = f"{lab.cgroup}/{name}", f"{lab.folder}/bpf/{name}"
        self.services = f"{lab.folder}/{name}-services.d"
        os.mkdir(self.cgroup)
        os.mkdir(self.services)
        self.containers = []
        run(
            [
                "ip",
                "link",
                "add",
                f"port{name}",
                "netns",
                lab.fabric.netns,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                self.netns,
            ]
        )
        lab.fabric.ip(f"link set port{name} master bridge0", f"link set port{name} up")
        self.sysctl(
            {
                "net.ipv4.ip_forward": 1,
                "net.ipv6.conf.all.forwarding": 1,
                "net.ipv6.conf.default.forwarding": 1,
            }
        )
        self.ip(
            "link set eth0 up",
            f"address add {v4}/24 dev eth0",
            f"address add {v6}/64 dev eth0 nodad",
        )
        for other in lab.nodes:
            for box in other.containers:
                self.ip(
                    f"route add {box.v4}/32 via {other.v4}",
                    f"route add {box.v6}/128 via {other.v6}",
                )

    def container(self, name=None, v4=None, v6=None):
        """A new container of this node; by default with the next of 203.0.113.1.. and 2001:db8:0:2::1.. ."""
        number = self.lab.number()
        box = Container(
            self,
            name or f"c{number}",
            v4 or f"203.0.113.{number}",
            v6 or f"2001:db8:0:2::{number:x}",
        )
        self.containers.append(box)
        return box

    def daemon(self, config=None, services=None):
        """Starts viaductd here: config is {table: {key: value}} over the lab's own settings, services {file: text}."""
        return Daemon(self, config or {}, services or {}).start()


class Lab:
    """The set-up; a context manager. bin_dir holds viaductd and viaductctl."""

    def __init__(self, bin_dir):
        self.bin_dir = os.path.abspath(bin_dir)
        self.nodes, self.processes, self._numbers = [], [], 0

    def __enter__(self):
        require_privileges()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupted)
        self.prefix = f"vd{os.getpid()}"
        _checked(_libc.unshare(CLONE_NEWNS), "unshare mounts")
        _checked(_libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "make mounts private")
        self.folder = tempfile.mkdtemp(prefix=f"{self.prefix}-")
        run(["mount", "-t", "tmpfs", "-o", "mode=755", self.prefix, self.folder])
        os.makedirs("/run/netns", exist_ok=True)
        run(["mount", "-t", "tmpfs", self.prefix, "/run/netns"])
        os.mkdir(f"{self.folder}/bpf")
        run(["mount", "-t", "bpf", "bpf", f"{self.folder}/bpf"])
        self.cgroup = f"{self._cgroup_root()}/{self.prefix}"
        os.mkdir(self.cgroup)
        self._start_guard()
        try:
            self._write_etc()
            self.fabric = Space(self, "fabric")
            self.fabric.ip("link add bridge0 type bridge mcast_snooping 0", "link set bridge0 up")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def number(self):
        """1, 2, 3, ... : what makes names and addresses of this lab unique."""
        self._numbers += 1
        return self._numbers

    def node(self, name=None, v4=None, v6=None):
        """A new node, by default node1 with 192.0.2.1 and 2001:db8:0:1::1, and so on."""
        number = len(self.nodes) + 1
        node = Node(
            self,
            name or f"node{number}",
            v4 or f"192.0.2.{number}",
            v6 or f"2001:db8:0:1::{number:x}",
        )
        self.nodes.append(node)
        return node

    def close(self):
        """Ends every process of the lab and removes all it made."""
        for process in reversed(self.processes):
            process.kill()
        self.processes.clear()
        if self._guard:
            os.close(self._guard)
            self._guard = None
            wait_for("the lab's guard to clean up", lambda: not os.path.isdir(self.folder), 15)

    _guard = None

    def _start_guard(self):
        """Its parent ends at once, so that nobody who ends this process and its children ends the guard too."""
        reading, self._guard = os.pipe()
        script = 'exec 3<&0; setsid sh -c "$2" "$0" "$1" <&3 3<&- >"$1/guard.log" 2>&1 &'
        subprocess.run(
            ["sh", "-c", script, self.cgroup, self.folder, GUARD], stdin=reading, check=True
        )
        os.close(reading)

    def _cgroup_root(self):
        """Where cgroup v2 is mounted; mounted for this lab alone where it is not."""
        with open("/proc/self/mountinfo", encoding="ascii") as mounts:
            for line in mounts:
                fields = line.split()
                if fields[fields.index("-") + 1] == "cgroup2":
                    return fields[4]
        os.mkdir(f"{self.folder}/cgroup2")
        run(["mount", "-t", "cgroup2", "cgroup2", f"{self.folder}/cgroup2"])
        return f"{self.folder}/cgroup2"

    def _write_etc(self):
        """What a container's /etc says: names come from the node's DNS addresses and from nowhere else."""
        self.etc = f"{self.folder}/etc"
        os.mkdir(self.etc)
        for name, text in (
            ("resolv.conf", "nameserver 198.51.100.1\noptions timeout:1 attempts:3\n"),
            ("nsswitch.conf", "hosts: files dns\n"),
        ):
            if os.path.exists(f"/etc/{name}"):
                with open(f"{self.etc}/{name}", "w", encoding="ascii") as file:
                    file.write(text)

    def _interrupted(self, number, _frame):
        signal.signal(number, signal.SIG_IGN)
        sys.exit(128 + number)
