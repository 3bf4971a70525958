#!/usr/bin/env python3
"""Stands in for a Mesos master: streams what a real one was recorded to say, as far as it is told to.

    mesos_master.py ADDRESS:PORT FOLDER

POST /api/v1 SUBSCRIBE gives the records of FOLDER/NAME.recordio, each a chunk, and holds the stream. A line on standard input
commands: "lead NAME" leads with that recording's first two records, "until N" lets the records before the N-th go, "follow
ADDRESS:PORT" redirects there and cuts all streams, "elect" answers 503, "poll FILE" knows no v1 API and serves FILE for /state, "die"
cuts all streams and answers nobody until the next command; each is answered with "ok". "count" prints the number of SUBSCRIBE calls.
Prints "ready" once it listens. Statuses, heads and texts are those of a real master."""
import http.server
import json
import pathlib
import socket
import socketserver
import sys
import threading


def records(path):
    octets, at, found = path.read_bytes(), 0, []
    while at < len(octets):
        line = octets.index(b"\n", at)
        end = line + 1 + int(octets[at:line])
        found.append(octets[at:end])
        at = end
    return found


class Master:
    """What it is at the moment."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.changed = threading.Condition()
        self.mode, self.records, self.until = "elect", [], 0
        self.leader, self.state, self.calls, self.life = "", b"", 0, 0

    def command(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "count":
            return str(self.calls)
        with self.changed:
            if word == "lead":
                self.mode, self.records, self.until = "lead", records(self.folder / f"{rest}.recordio"), 2
            elif word == "until":
                self.until = int(rest)
            elif word == "follow":
                self.mode, self.leader = "follow", rest
            elif word == "poll":
                self.mode, self.state = "poll", (self.folder / rest).read_bytes()
            elif word in ("elect", "die"):
                self.mode = word
            else:
                return f"unknown command: {line.strip()}"
            if word != "until":
                self.life += 1  # streams of before end
            self.changed.notify_all()
        return "ok"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    master = None

    def refused(self):
        """Whether the process as it is now answers whatever is asked."""
        master = self.master
        if master.mode == "die":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif master.mode == "follow":
            self.send(307, b"", Location=f"//{master.leader}/master/api/v1")
        elif master.mode == "elect":
            self.send(503, b"No leader elected")
        else:
            return False
        return True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.refused():
            return
        if self.master.mode == "poll" or not self.path.rstrip("/").endswith("/api/v1"):
            return self.send(404, b"Not found")
        if self.headers.get("Content-Type") != "application/json" or json.loads(body)["type"] != "SUBSCRIBE":
            return self.send(415, b"Expecting 'Content-Type' of application/json")
        self.master.calls += 1
        self.stream()

    def stream(self):
        master = self.master
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        life, sent = master.life, 0
        try:
            while True:
                with master.changed:
                    while sent >= min(master.until, len(master.records)) and master.life == life:
                        master.changed.wait(1)
                    if master.life != life:
                        return self.connection.shutdown(socket.SHUT_RDWR)
                    record = master.records[sent]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(record), record))
                sent += 1
        except (BrokenPipeError, ConnectionResetError):
            pass

    def do_GET(self):
        if self.refused():
            return
        path = self.path.rstrip("/")
        if self.master.mode == "poll" and path in ("/state", "/master/state"):
            return self.send(200, self.master.state, "application/json")
        self.send(404, b"Not found")

    def send(self, status, body, kind="text/plain; charset=utf-8", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        """As HTTPServer does it, without asking DNS for the own name: there may be none, and that takes seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        """Clients hang up, and "die" cuts them off."""


def main():
    address, _, port = sys.argv[1].rpartition(":")
    Handler.master = Master(sys.argv[2])
    server = Server((address, int(port)), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        print(Handler.master.command(line), flush=True)


if __name__ == "__main__":
    main()
