#!/usr/bin/env python3
"""A DNS server for tests: A 203.0.113.7 for every name below `.example`, over UDP and TCP; says "ready" when it listens.

    dns_upstream.py ADDRESS"""
import socketserver
import sys
import threading


def answer(query):
    end = query.index(b"\0", 12) + 5
    name, kind = query[12 : end - 4], query[end - 4 : end - 2]
    known = name.lower().endswith(b"\x07example\0")
    found = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\7" if known and kind == b"\0\1" else b""
    flags = bytes([0x81, 0x80 if known else 0x83])
    return query[:2] + flags + b"\0\1" + bytes([0, bool(found)]) + b"\0\0\0\0" + query[12:end] + found


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        message, sock = self.request
        sock.sendto(answer(message), self.client_address)


class Tcp(socketserver.StreamRequestHandler):
    def handle(self):
        while length := self.rfile.read(2):
            reply = answer(self.rfile.read(int.from_bytes(length, "big")))
            self.wfile.write(len(reply).to_bytes(2, "big") + reply)


def main():
    here = (sys.argv[1], 53)
    udp = socketserver.ThreadingUDPServer(here, Udp)
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    tcp = socketserver.ThreadingTCPServer(here, Tcp)
    threading.Thread(target=tcp.serve_forever, daemon=True).start()
    print("ready", flush=True)
    udp.serve_forever()


if __name__ == "__main__":
    main()
