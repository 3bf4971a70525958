#!/usr/bin/env python3
"""The lab leaves nothing behind, however it ends: namespaces, mounts, cgroups, files, processes."""
import glob
import os
import signal
import subprocess
import sys
import unittest

from e2e import bin_dir
from lab import require_privileges
from process import Process, wait_for

LAB = """
import sys, time
from lab import Lab
with Lab(sys.argv[1]) as lab:
    node = lab.node()
    box = node.container()
    server = box.server("b", f"tcp:{box.v4}:8080", cgroup=node.cgroup)
    print(server.pid, lab.cgroup, lab.folder, flush=True)
    print("ready", flush=True)
    if sys.argv[2] == "raise":
        raise RuntimeError("an error in the middle")
    if sys.argv[2] == "wait":
        time.sleep(600)
"""


def mounts():
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        return len(file.readlines())


def ended(pid):
    """Whether a process is gone, or waits only for its new parent to notice."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Leftovers(unittest.TestCase):
    def check(self, how, number, status):
        before = mounts(), sorted(glob.glob("/run/netns/*"))
        lab = Process(how, [sys.executable, "-B", "-c", LAB, bin_dir(), how], pipe=True)
        server, cgroup, folder = lab.read_line(30).split()
        lab.expect("ready")
        self.assertTrue(os.path.isdir(cgroup))
        if number:
            os.kill(lab.pid, number)
        self.assertEqual(lab.popen.wait(30), status)
        lab.stop()
        wait_for("the lab's files to go", lambda: not os.path.exists(folder))
        self.assertFalse(os.path.exists(cgroup), "its cgroup")
        wait_for("its server to end", lambda: ended(server))
        self.assertEqual((mounts(), sorted(glob.glob("/run/netns/*"))), before)
        links = subprocess.run(
            ["ip", "-o", "link"], capture_output=True, text=True, check=True
        ).stdout
        self.assertNotIn("bridge0", links)

    def test_at_its_end(self):
        self.check("end", None, 0)

    def test_on_an_exception(self):
        self.check("raise", None, 1)

    def test_on_ctrl_c(self):
        self.check("wait", signal.SIGINT, 128 + signal.SIGINT)

    def test_on_sigterm(self):
        self.check("wait", signal.SIGTERM, 128 + signal.SIGTERM)

    def test_on_sigkill(self):
        self.check("wait", signal.SIGKILL, -signal.SIGKILL)


if __name__ == "__main__":
    require_privileges()
    unittest.main()
