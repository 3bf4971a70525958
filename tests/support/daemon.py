"""A viaductd of a lab: its configuration, its life, and its API over the unix socket."""
import http.client
import json
import os
import socket

from process import Process, entering, wait_for

DOMAIN = "l4lb.thisdcos.directory"


def toml(tables):
    """{table: {key: value}} as TOML; JSON's forms of text, numbers, booleans and lists are TOML's too."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def service(name=None, address=None, port=80, backends=(), protocol=("tcp",), **policy):
    """The text of one [[service]]; backends are (address, port) or (address, port, weight)."""
    keys = {
        "name": name,
        "framework": "marathon" if name else None,
        "address": address,
        "port": port,
        "protocol": list(protocol),
        **policy,
    }
    lines = ["[[service]]"] + [
        f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None
    ]
    for backend in backends:
        lines += ["[[service.backend]]", f'address = "{backend[0]}"', f"port = {backend[1]}"]
        lines += [f"weight = {backend[2]}"] if len(backend) > 2 else []
    return "\n".join(lines) + "\n"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("viaduct", timeout=5)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    def __init__(self, node, config, services):
        self.node, self.lab = node, node.lab
        self.socket = f"{self.lab.folder}/{node.name}.sock"
        self.config_path = f"{self.lab.folder}/{node.name}.toml"
        self.process = None
        tables = {
            "node": {
                "name": node.name,
                "address": node.v4,
                "state": f"{self.lab.folder}/{node.name}-state",
            },
            "log": {"level": "debug"},
            "api": {"socket": self.socket},
            "files": {"directory": node.services},
            "dataplane": {"bpffs": node.bpffs, "cgroup": node.cgroup, "uplinks": ["eth0"]},
            "gossip": {"state": f"{self.lab.folder}/{node.name}-gossip"},
            "mesos": {},
            "l4lb": {},
            "dns": {},
        }
        for table, keys in config.items():
            tables[table].update(keys)
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(toml(tables))
        for name, text in services.items():
            self.write_service(name, text)

    def start(self, ready=True):
        """Starts viaductd and, with ready=True, waits until it answers and has written its rows to the kernel."""
        self.process = self.node.start(
            "viaductd",
            [f"{self.lab.bin_dir}/viaductd", "--config", self.config_path],
            cgroup=self.node.cgroup,
        )
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=20.0):
        def ready():
            if not self.alive():
                raise RuntimeError(
                    f"viaductd ended with status {self.process.popen.returncode}:\n{self.process.log()[-4000:]}"
                )
            status = self.get("/v1/status")
            return (
                status["complete"] and status["dataplane"]["applied_revision"] == status["revision"]
            )

        wait_for(f"viaductd of {self.node.name} to be ready", ready, timeout)

    def alive(self):
        return self.process.alive()

    def kill(self):
        self.process.kill()

    def stop(self):
        self.process.stop()

    def log(self):
        return self.process.log()

    def write_service(self, name, text):
        """Puts a service file in place in one step, as an editor or a configuration tool does."""
        path = f"{self.node.services}/{name}"
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(f"{path}.new", path)

    def remove_service(self, name):
        os.unlink(f"{self.node.services}/{name}")

    def request(self, path, method="GET"):
        """(status, body as text) of a request over the unix socket."""
        connection = _UnixConnection(self.socket)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def get(self, path):
        status, body = self.request(path)
        if status != 200:
            raise ValueError(f"{path}: status {status}: {body}")
        return json.loads(body)

    def backends(self, vip, protocol="tcp"):
        """{"ADDRESS:PORT": backend} of a VIP as /v1/vips names it ("web.marathon.l4lb.thisdcos.directory:80"); {} if absent."""
        return {
            b["dial"]: b
            for v in self.get("/v1/vips")
            if v["vip"] == vip and v["protocol"] == protocol
            for b in v["backend"]
        }

    def wait_backends(self, vip, dials, protocol="tcp", timeout=10.0):
        """Waits until a VIP has exactly these backends, all of them in the kernel."""

        def there():
            found = self.backends(vip, protocol)
            assert set(found) == set(dials), f"{sorted(found)} instead of {sorted(dials)}"
            return all(b["in_kernel"] for b in found.values()) if found else not dials

        try:
            wait_for(f"{vip} to have {sorted(dials)}", there, timeout) if dials else wait_for(
                f"{vip} to go", lambda: not self.backends(vip, protocol), timeout
            )
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log()[-3000:]}") from None

    def ctl(self, *arguments, check=True):
        """Runs viaductctl against this daemon; returns the CompletedProcess."""
        return self.node.run(
            [f"{self.lab.bin_dir}/viaductctl", "--socket", self.socket, *arguments], check=check
        )


class Client:
    """client.py in a namespace: inside=True in the node's cgroup (socket hooks), else outside of it (packet path)."""

    def __init__(self, space, inside):
        cgroup = space.cgroup if inside else None
        name = "client-in" if inside else "client-out"
        self.process = space.python(
            f"{name}{space.lab.number()}", "client.py", cgroup=cgroup, etc=space.lab.etc, stdin=True
        )

    def do(self, action, timeout=60.0, **arguments):
        """Sends a request, returns the answer; a failed action is an answer with "error"."""
        self.begin(action, **arguments)
        return self.finish(timeout)

    def begin(self, action, **arguments):
        """Sends a request whose answer finish() returns: the client is busy meanwhile."""
        self.process.write_line(json.dumps({"do": action, **arguments}))

    def finish(self, timeout=60.0):
        return json.loads(self.process.read_line(timeout))


__all__ = ["Client", "Daemon", "DOMAIN", "Process", "entering", "service", "toml"]
