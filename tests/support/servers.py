#!/usr/bin/env python3
"""Backends for tests: HTTP over TCP and an echo over UDP that tell who they are and whom they saw.

    servers.py NAME tcp:ADDRESS:PORT udp:ADDRESS:PORT ...      (IPv6 addresses without brackets)

A GET answers "NAME PEER-ADDRESS\\n"; a datagram is answered with "NAME PEER-ADDRESS PAYLOAD". Prints "ready" once all listen."""
import http.server
import socket
import socketserver
import sys
import threading


def plain(address):
    """An address as text, IPv4 even where an IPv6 socket saw it."""
    return address.removeprefix("::ffff:")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    name = ""

    def do_GET(self):
        body = f"{self.name} {plain(self.client_address[0])}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def server_bind(self):
        """As HTTPServer does it, without asking DNS for the own name: there may be none, and that takes seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


class Server6(Server):
    address_family = socket.AF_INET6


def echo(sock, name):
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(f"{name} {plain(peer[0])} ".encode() + data, peer)


def main():
    name, listeners = sys.argv[1], sys.argv[2:]
    Handler.name = name
    loops = []
    for listener in listeners:
        protocol, _, where = listener.partition(":")
        address, _, port = where.rpartition(":")
        if protocol == "tcp":
            loops.append(
                (Server6 if ":" in address else Server)((address, int(port)), Handler).serve_forever
            )
        elif protocol == "udp":
            sock = socket.socket(
                socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM
            )
            sock.bind((address, int(port)))
            loops.append(lambda sock=sock: echo(sock, name))
        else:
            sys.exit(f"servers.py: not tcp or udp: {listener}")
    threads = [threading.Thread(target=loop) for loop in loops]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
