#!/usr/bin/env python3
"""A client for tests that runs in a namespace and does what it is told, one JSON request a line, one JSON answer a line.

    {"do": "tcp", "host": H, "port": P}        connects and GETs /: {"answer", "peer", "local"}
    {"do": "udp-connected", ...}               sends "hello" on a connected socket: the same
    {"do": "udp-unconnected", ...}             sendto and recvfrom: "peer" is the address recvfrom gave
    {"do": "datagram", ..., "hex": octets}     sends these octets on a connected socket: {"hex", "peer"} of what comes back;
                                               "patience" is the number of seconds after which it gives up
    {"do": "resolve", "host": H}               {"addresses": [...]} by the system's resolver
    {"do": "reverse", "host": ADDRESS}         {"name": ...} of an address by the system's resolver
    {"do": "srv", "host": H}                   {"srv": ["TARGET:PORT", ...]}, asked over UDP from the first server of resolv.conf
    {"do": "load", "host": H, "port": P, "requests": N}   N GETs, each on a connection of its own, until told to "stop":
                                               answers at once; {"do": "progress"} tells {"done", "failed", "errors"}
    {"do": "upload", ..., "bytes": N}          POSTs N bytes: {"sent"}
    {"do": "ping", "host": H, "port": 0}       an ICMP echo: {"from"}
    {"do": "udp-largest", ..., "size": N}      the largest datagram up to N that need not be fragmented: {"fits"}
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
import struct
import sys
import threading

TIMEOUT_S = 3.0


def resolve(request):
    """All addresses of a name for its family, as the system's resolver gives them."""
    families = {4: socket.AF_INET, 6: socket.AF_INET6}
    family = families.get(request.get("family"), socket.AF_UNSPEC)
    found = socket.getaddrinfo(request["host"], request.get("port"), family, socket.SOCK_STREAM)
    return [address for _, _, _, _, address in found]


def read_name(message, at):
    """(name without the final dot, where it ends); compression pointers are followed."""
    labels, end = [], None
    while message[at]:
        if message[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from("!H", message, at)[0] & 0x3FFF
            continue
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), end or at + 1


def srv(request):
    with open("/etc/resolv.conf", encoding="ascii") as file:
        server = next(line.split()[1] for line in file if line.startswith("nameserver"))
    name = b"".join(bytes([len(label)]) + label.encode() for label in request["host"].split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(TIMEOUT_S)
        sock.connect((server, 53))
        sock.send(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + name + struct.pack("!BHH", 0, 33, 1))
        message = sock.recv(4096)
    answers = struct.unpack_from("!H", message, 6)[0]
    at = 12 + len(name) + 5
    found = []
    for _ in range(answers):
        _, at = read_name(message, at)
        kind, _, _, length = struct.unpack_from("!HHIH", message, at)
        at += 10
        if kind == 33:
            found.append(f"{read_name(message, at + 6)[0]}:{struct.unpack_from('!H', message, at + 4)[0]}")
        at += length
    return {"srv": sorted(found)}


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
        result = {
            "answer": get(sock),
            "peer": where(sock.getpeername()),
            "local": sock.getsockname()[0],
        }
        if "from" in request:
            # Until the other side closes too, nobody may connect from that port again.
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)
        return result


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


def datagram(request):
    sock, address = open_socket(request, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(request.get("patience", TIMEOUT_S))
        sock.connect(address)
        sock.send(bytes.fromhex(request["hex"]))
        return {"hex": sock.recv(65535).hex(), "peer": where(sock.getpeername())}


def upload(request):
    """POSTs so many bytes."""
    with connect(request) as sock:
        head = f"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {request['bytes']}\r\n\r\n"
        sock.sendall(head.encode() + bytes(request["bytes"]))
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        answer.read()
        return {"sent": request["bytes"]}


def checksum(data):
    """RFC 1071."""
    words = struct.unpack(f"!{len(data) // 2}H", data)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(request):
    """An ICMP echo with 32 bytes of data; the kernel computes ICMPv6's checksum."""
    address = resolve(request)[0]
    v6 = len(address) == 4
    family, protocol, kind = (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128) if v6 else (socket.AF_INET, socket.IPPROTO_ICMP, 8)
    )
    with socket.socket(family, socket.SOCK_RAW, protocol) as sock:
        sock.settimeout(TIMEOUT_S)
        body = struct.pack("!HH", 7, 1) + bytes(range(32))
        check = 0 if v6 else checksum(struct.pack("!BBH", kind, 0, 0) + body)
        sock.sendto(struct.pack("!BBH", kind, 0, check) + body, address)
        while True:
            data, peer = sock.recvfrom(2048)
            message = data if v6 else data[(data[0] & 15) * 4 :]
            if message[0] == (129 if v6 else 0) and message[4:] == body:
                return {"from": peer[0]}


def udp_largest(request):
    """Sends datagrams that may not be fragmented, as large as the path is said to allow, until one is answered."""
    sock, address = open_socket(request, socket.SOCK_DGRAM)
    v6 = sock.family == socket.AF_INET6
    level, discover, mtu, headers = (
        (socket.IPPROTO_IPV6, 23, 24, 48) if v6 else (socket.IPPROTO_IP, 10, 14, 28)
    )
    size, tries = request["size"], 0
    with sock:
        sock.settimeout(0.5)
        sock.setsockopt(level, discover, 2)  # IP_PMTUDISC_DO
        sock.connect(address)
        while tries < 5:
            tries += 1
            try:
                sock.send(bytes(size))
                if len(sock.recv(65536)) > size:
                    return {"fits": size, "tries": tries}
            except OSError as error:
                if error.errno not in (errno.EMSGSIZE, None):
                    raise
            size = min(size, sock.getsockopt(level, mtu) - headers)
    return {"error": f"no answer, at last with {size} bytes", "errno": "TIMEOUT"}


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
        "udp-largest": udp_largest,
        "datagram": datagram,
        "upload": upload,
        "ping": ping,
        "resolve": lambda request: {"addresses": sorted({a[0] for a in resolve(request)})},
        "reverse": lambda request: {"name": socket.gethostbyaddr(request["host"])[0]},
        "srv": srv,
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
