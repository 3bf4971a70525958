#!/usr/bin/env python3
"""A client for tests that runs in a namespace and does what it is told, one JSON request a line, one JSON answer a line.

    {"do": "tcp", "host": H, "port": P}        connects and GETs /: {"answer", "peer", "local"}
    {"do": "udp-connected", ...}               sends "hello" on a connected socket: the same
    {"do": "udp-unconnected", ...}             sendto and recvfrom: "peer" is the address recvfrom gave
    {"do": "resolve", "host": H}               {"addresses": [...]} by the system's resolver
    {"do": "load", "host": H, "port": P, "requests": N}   N GETs, each on a connection of its own, until told to "stop":
                                               answers at once; {"do": "progress"} tells {"done", "failed", "errors"}
    {"do": "hold", ...}, {"do": "ask"}         opens a connection and keeps it; one GET on the kept one
    {"do": "hold-udp", ...}                    keeps a connected UDP socket
    {"do": "wait"}                             reads from what was kept last until something comes: {"data"}; "patience" is
                                               the number of seconds after which it gives up
H is a name or an address; "family" (4 or 6) picks one of a name's addresses; "from" is the port to connect from. An error
is {"error": text, "errno": name}."""
import errno
import http.client
import json
import socket
import sys
import threading

TIMEOUT_S = 3.0


def resolve(request):
    """All addresses of a name for its family, as the system's resolver gives them."""
    families = {4: socket.AF_INET, 6: socket.AF_INET6}
    family = families.get(request.get("family"), socket.AF_UNSPEC)
    found = socket.getaddrinfo(request["host"], request.get("port"), family, socket.SOCK_STREAM)
    return [address for _, _, _, _, address in found]


def open_socket(request, kind):
    address = resolve(request)[0]
    sock = socket.socket(socket.AF_INET6 if len(address) == 4 else socket.AF_INET, kind)
    sock.settimeout(TIMEOUT_S)
    if "from" in request:
        # Another socket may have the port too, towards somebody else.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", request["from"]))
    return sock, address


def where(address):
    return f"{address[0]} {address[1]}"


def connect(request):
    sock, address = open_socket(request, socket.SOCK_STREAM)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def get(sock):
    """One HTTP GET on a connected socket; the body without the newline. The connection stays usable."""
    sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    body = answer.read().decode().strip()
    if answer.status != 200:
        raise ConnectionError(f"HTTP status {answer.status}")
    return body


def tcp(request):
    with connect(request) as sock:
        return {
            "answer": get(sock),
            "peer": where(sock.getpeername()),
            "local": sock.getsockname()[0],
        }


def udp_connected(request):
    sock, address = open_socket(request, socket.SOCK_DGRAM)
    with sock:
        sock.connect(address)
        sock.send(b"hello")
        return {
            "answer": sock.recv(2048).decode(),
            "peer": where(sock.getpeername()),
            "local": sock.getsockname()[0],
        }


def udp_unconnected(request):
    sock, address = open_socket(request, socket.SOCK_DGRAM)
    with sock:
        sock.sendto(b"hello", address)
        data, peer = sock.recvfrom(2048)
        return {"answer": data.decode(), "peer": where(peer), "local": None}


class Load:
    """Requests one after the other, in a thread, until `requests` are done and stop was asked for."""

    def __init__(self):
        self.done, self.failed, self.errors = 0, 0, []
        self.stopping = threading.Event()
        self.thread = None

    def start(self, request):
        self.thread = threading.Thread(target=self._run, args=(request,), daemon=True)
        self.thread.start()
        return {}

    def _run(self, request):
        while self.done < request["requests"] or not self.stopping.is_set():
            try:
                tcp(request)
            except OSError as error:
                self.failed += 1
                self.errors = (self.errors + [f"request {self.done}: {error!r}"])[-5:]
            self.done += 1

    def progress(self, _request):
        return {"done": self.done, "failed": self.failed, "errors": self.errors}

    def stop(self, request):
        self.stopping.set()
        self.thread.join()
        return self.progress(request)


def main():
    load, held = Load(), []

    def hold(request):
        held.append(connect(request))
        return {"peer": where(held[-1].getpeername())}

    def wait(request):
        held[-1].settimeout(request.get("patience", TIMEOUT_S))
        return {"data": held[-1].recv(2048).decode()}

    def hold_udp(request):
        sock, address = open_socket(request, socket.SOCK_DGRAM)
        sock.connect(address)
        held.append(sock)
        return {"peer": where(sock.getpeername())}

    actions = {
        "tcp": tcp,
        "udp-connected": udp_connected,
        "udp-unconnected": udp_unconnected,
        "resolve": lambda request: {"addresses": sorted({a[0] for a in resolve(request)})},
        "load": load.start,
        "progress": load.progress,
        "stop": load.stop,
        "hold": hold,
        "hold-udp": hold_udp,
        "ask": lambda _request: {"answer": get(held[-1])},
        "wait": wait,
    }
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = actions[request["do"]](request)
        except OSError as error:
            answer = {
                "error": str(error),
                "errno": errno.errorcode.get(error.errno, type(error).__name__),
            }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
