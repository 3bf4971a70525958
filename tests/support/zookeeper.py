"""A real ZooKeeper server in a node of a lab, and what is announced in it."""
import os
import pathlib

from process import wait_for

JARS = [pathlib.Path("/usr/share/java") / name for name in ("zookeeper.jar", "slf4j-simple.jar")]
SETTINGS = """tickTime=200
minSessionTimeout=1000
clientPort={port}
clientPortAddress={address}
dataDir={folder}
maxClientCnxns=0
admin.enableServer=false
"""


class Zookeeper:
    def __init__(self, node, port=2181):
        missing = [str(jar) for jar in JARS if not jar.exists()]
        if missing:
            raise RuntimeError(f"not installed: {' '.join(missing)} (scripts/install.sh test)")
        self.node, self.server = node, f"{node.v4}:{port}"
        folder = f"{node.lab.folder}/{node.name}-zookeeper"
        os.mkdir(folder)
        self.settings = f"{folder}.cfg"
        pathlib.Path(self.settings).write_text(
            SETTINGS.format(port=port, address=node.v4, folder=folder), encoding="utf-8"
        )
        self.process = None

    def _java(self, *words):
        classes = ":".join(map(str, JARS))
        return ["java", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classes, *words]

    def start(self):
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        options = ["-Dzookeeper.forceSync=no", main, self.settings]
        self.process = self.node.start("zookeeper", self._java(*options))
        wait_for("ZooKeeper to answer", lambda: self.do("ls", "/", check=False).returncode == 0, 60, 0.2)
        return self

    def do(self, *words, check=True):
        """One command of ZooKeeper's own client."""
        client = "org.apache.zookeeper.ZooKeeperMain"
        return self.node.run(self._java(client, "-server", self.server, *words), check=check)
