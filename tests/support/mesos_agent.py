#!/usr/bin/env python3
"""Stands in for a Mesos agent's v1 operator API: answers GET_STATE and GET_AGENT with what a real agent was recorded to say.

    mesos_agent.py ADDRESS:PORT FOLDER

FOLDER holds NAME.GET_STATE.json for each state and, where it was recorded, NAME.GET_AGENT.json. A line on standard
input switches: "state NAME" serves that state, "raw FILE" serves a file's bytes for GET_STATE, "size N" serves
N bytes of JSON that never ends well, "status N" answers with that status; each is answered with "ok". "count" prints the
number of GET_STATE calls so far. Prints "ready" once it listens. Checks requests as an agent does (facts of the real one:
415 for another content type, 405 for GET, 400 for a call it does not know)."""
import http.server
import json
import pathlib
import socketserver
import sys
import threading


class Recording:
    """What is served at the moment."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.status, self.calls = 200, 0
        self.state = self.agent = b""
        self.size = 0

    def load(self, name):
        state = self.folder / f"{name}.GET_STATE.json"
        self.state, self.status, self.size = state.read_bytes(), 200, 0
        agent = self.folder / f"{name}.GET_AGENT.json"
        self.agent = (
            agent.read_bytes() if agent.exists() else self._agent_of(json.loads(self.state))
        )

    @staticmethod
    def _agent_of(state):
        """GET_AGENT where the recording lacks it: the id that the state's tasks name."""
        tasks = state["get_state"].get("get_tasks", {})
        ids = [task["agent_id"] for kind in tasks.values() for task in kind]
        return json.dumps(
            {
                "type": "GET_AGENT",
                "get_agent": {"agent_info": {"id": ids[0], "hostname": "agent-one.example"}},
            }
        ).encode()

    def command(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "state":
            self.load(rest)
        elif word == "raw":
            self.state, self.status, self.size = pathlib.Path(rest).read_bytes(), 200, 0
        elif word == "size":
            self.size, self.status = int(rest), 200
        elif word == "status":
            self.status = int(rest)
        elif word == "count":
            return str(self.calls)
        else:
            return f"unknown command: {line.strip()}"
        return "ok"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recording = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if not self.path.rstrip("/").endswith("/api/v1"):
            return self.fail(404, "Not found")
        if self.headers.get("Content-Type") != "application/json":
            return self.fail(
                415, "Expecting 'Content-Type' of application/json or application/x-protobuf"
            )
        try:
            call = json.loads(body)["type"]
        except (ValueError, KeyError, TypeError):
            return self.fail(400, "Failed to parse body into JSON")
        recording = self.recording
        if call == "GET_STATE":
            recording.calls += 1
        if recording.status != 200:
            return self.fail(recording.status, "Agent has not finished recovery")
        if call == "GET_STATE":
            return (
                self.send_large(recording.size)
                if recording.size
                else self.send(200, "application/json", recording.state)
            )
        if call == "GET_AGENT":
            return self.send(200, "application/json", recording.agent)
        return self.fail(400, f"Failed to validate agent::Call: unknown call {call}")

    def do_GET(self):
        self.fail(405, "Expecting a 'POST' request")

    def fail(self, status, text):
        self.send(status, "text/plain; charset=utf-8", text.encode())

    def send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_large(self, size):
        """A body of `size` bytes; a client that hangs up in the middle is what the tests expect."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.write(b'{"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":[')
            block = b'{"name":"filler"},' * 3640
            for _ in range(size // len(block)):
                self.wfile.write(block)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        """As HTTPServer does it, without asking DNS for the own name: there may be none, and that takes seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


def main():
    address, _, port = sys.argv[1].rpartition(":")
    Handler.recording = Recording(sys.argv[2])
    server = Server((address, int(port)), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        print(Handler.recording.command(line), flush=True)


if __name__ == "__main__":
    main()
