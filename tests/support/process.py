"""Processes of a lab: started into a namespace and a cgroup, ended by their own id, never left behind."""
import os
import select
import subprocess
import time


def wait_for(what, condition, timeout=10.0, interval=0.02):
    """Calls condition() until it gives something true, and returns that.

    Raises TimeoutError that names `what` and the last value (or exception) after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, ValueError, KeyError, AssertionError) as error:
            last = repr(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}; last: {last}")
        time.sleep(interval)


def entering(netns, cgroup=None, etc=None):
    """A command prefix that runs what follows in a network namespace, and dies with the process that starts it.

    cgroup: a cgroup v2 folder to join first. etc: a folder whose files (resolv.conf, ...) stand in for those of /etc.
    Only the network namespace changes (`ip netns exec` would also remount /sys and hide cgroups and bpffs there).
    """
    prefix = []
    if cgroup:
        prefix += ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', cgroup]
    prefix += ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net=/run/netns/{netns}"]
    if etc:
        bind = 'for f in "$0"/*; do mount --bind "$f" "/etc/${f##*/}" || exit 1; done; exec "$@"'
        prefix += ["unshare", "--mount", "--propagation", "private", "sh", "-c", bind, etc]
    return prefix


class Process:
    """A running program. `name` stands in messages; its output goes to `log` (a path) or, with pipe=True, to lines()."""

    def __init__(self, name, argv, log=None, pipe=False, stdin=False, env=None):
        self.name, self.log_path = name, log
        self._tail = b""
        err = open(log, "ab") if log else subprocess.DEVNULL
        self.popen = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipe else err,
            stderr=err,
            env={**os.environ, **(env or {})},
        )
        if log:
            err.close()

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def log(self):
        if not self.log_path:
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def read_line(self, timeout=10.0):
        """The next line of its output (pipe=True) without the newline; TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._tail:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.popen.stdout], [], [], left)[0]:
                raise TimeoutError(
                    f"{self.name}: no line within {timeout:g} s; {self.log()[-2000:]}"
                )
            data = os.read(self.popen.stdout.fileno(), 65536)
            if not data:
                raise RuntimeError(
                    f"{self.name} ended (status {self.popen.wait()}): {self.log()[-2000:]}"
                )
            self._tail += data
        line, _, self._tail = self._tail.partition(b"\n")
        return line.decode()

    def expect(self, line, timeout=10.0):
        """Reads lines until `line` comes: how a server says that it is ready."""
        while self.read_line(timeout) != line:
            pass
        return self

    def write_line(self, line):
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def kill(self):
        """kill -9, and waits until it is gone."""
        if self.alive():
            self.popen.kill()
        self._reap()

    def stop(self, timeout=5.0):
        """Asks it to end; after `timeout` seconds it is killed."""
        if self.alive():
            self.popen.terminate()
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        self._reap()

    def _reap(self):
        self.popen.wait()
        for stream in (self.popen.stdin, self.popen.stdout):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass  # what was not yet sent to a dead process
