#!/usr/bin/env python3
"""scripts/check-layers.sh finds each kind of violation, and passes a tree without one."""
import pathlib
import subprocess
import tempfile
import unittest

import tree


def findings(files):
    """Runs the check over a tree of {path: text}; returns (exit code, output)."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        run = subprocess.run(
            [tree.ROOT / "scripts/check-layers.sh", folder], capture_output=True, text=True
        )
        return run.returncode, run.stdout + run.stderr


VIOLATIONS = {
    "a module of a higher rank": ("userspace/base/a.h", '#include "dns/b.h"'),
    "another module of the same rank": ("userspace/mesos/a.h", '#include "files/b.h"'),
    "an unknown module": ("userspace/dns/a.h", '#include "utils/b.h"'),
    "an include without a module": ("userspace/dns/a.h", '#include "b.h"'),
    "a relative include": ("userspace/dns/a.h", '#include "../base/b.h"'),
    "a module folder that is not listed": ("userspace/utils/a.h", "int a;"),
    "a pure file that includes a shell": ("userspace/dns/a.h", '#include "base/io/log.h"'),
    "a pure file that includes its own shell": ("userspace/dns/a.h", '#include "dns/io/b.h"'),
    "a pure file with sockets": ("userspace/dns/a.cpp", "#include <sys/socket.h>"),
    "a pure file with files": ("userspace/dns/a.cpp", "#include <fstream>"),
    "a pure file with threads": ("userspace/dns/a.cpp", "#include <thread>"),
    "a pure file with Asio": ("userspace/dns/a.cpp", "#include <boost/asio.hpp>"),
    "a pure file with a part of Asio": ("userspace/dns/a.cpp", "#include <boost/asio/post.hpp>"),
    "a pure file with libbpf": ("userspace/dataplane/a.cpp", "#include <bpf/libbpf.h>"),
    "a pure file with spdlog": ("userspace/dns/a.cpp", "#include <spdlog/spdlog.h>"),
    "a pure file that reads a clock": (
        "userspace/dns/a.cpp",
        "auto t = std::chrono::steady_clock::now();",
    ),
    "a pure file that reads the environment": ("userspace/dns/a.cpp", 'auto* t = getenv("HOME");'),
    "a pure file with a random device": ("userspace/dns/a.cpp", "std::random_device device;"),
    "a pure file with a mutex": ("userspace/dns/a.h", "std::mutex mutex_;"),
    "abi/ outside dataplane": ("userspace/dns/a.cpp", "#include <viaduct/abi/service.h>"),
    "a skeleton outside dataplane/io": ("userspace/dataplane/a.cpp", '#include "sock_lb.skel.h"'),
    "a skeleton in another module": ("userspace/dns/io/a.cpp", '#include "sock_lb.skel.h"'),
    "abi/ with another header": ("include/viaduct/abi/a.h", "#include <linux/bpf.h>"),
    "bpf/ with a libc header": ("bpf/a.bpf.c", "#include <stdint.h>"),
    "bpf/ with vmlinux.h": ("bpf/a.bpf.c", '#include "vmlinux.h"'),
    "bpf/ with user space": ("bpf/lib/a.h", '#include "base/address.h"'),
    "somebody who includes tools/": ("userspace/daemon/a.cpp", '#include "tools/a.h"'),
}

ALLOWED = {
    "include/viaduct/abi/a.h": "#include <linux/types.h>\n#include <viaduct/abi/b.h>\n",
    "bpf/lib/a.h": '#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include <viaduct/abi/a.h>\n#include "lib/b.h"\n#include "maps.h"\n',
    "userspace/dns/a.h": '// the caller reads std::chrono::steady_clock::now()\n#include <arpa/inet.h>\n#include <vector>\n#include "service/vip.h"\n',
    "userspace/dns/io/a.cpp": '#include <sys/socket.h>\n#include <boost/asio.hpp>\n#include "base/io/log.h"\n#include "dns/a.h"\nauto t = std::chrono::steady_clock::now();\n',
    "userspace/dataplane/io/a.cpp": '#include <bpf/libbpf.h>\n#include <viaduct/abi/service.h>\n#include "sock_lb.skel.h"\n',
    "userspace/dataplane/a.cpp": '#include <viaduct/abi/service.h>\n#include "lb/a.h"\n',
    "tools/viaductctl/io/a.cpp": '#include "sock_flows.skel.h"\n',
    "tools/viaductctl/a.cpp": '#include <unistd.h>\n#include <viaduct/abi/service.h>\n#include "dataplane/io/a.h"\n#include "tools/viaductctl/b.h"\n',
}


class CheckLayers(unittest.TestCase):
    def test_each_violation_is_found_at_its_line(self):
        for what, (path, line) in VIOLATIONS.items():
            with self.subTest(what):
                code, output = findings({path: f"// one line before\n{line}\n"})
                self.assertEqual(code, 1, output)
                self.assertRegex(output, rf"^{path}:[12]: ")

    def test_a_tree_without_violations_passes_silently(self):
        self.assertEqual(findings(ALLOWED), (0, ""))

    def test_a_tree_without_sources_is_an_error(self):
        code, output = findings({"README.md": "nothing\n"})
        self.assertNotEqual(code, 0, output)


if __name__ == "__main__":
    unittest.main()
