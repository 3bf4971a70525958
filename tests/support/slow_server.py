#!/usr/bin/env python3
"""A backend that serves one request at a time and takes its time for each.

    slow_server.py ADDRESS:PORT SERVICE_MS

HTTP/1.0: each connection is one GET, answered SERVICE_MS after its turn has come. Those that wait for their turn are
connected already: the kernel accepts them. Prints "ready" once it listens."""
import socket
import sys
import time

BACKLOG = 4096
TIMEOUT_S = 5.0


def serve(connection, service_s):
    connection.settimeout(TIMEOUT_S)
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        more = connection.recv(4096)
        if not more:
            return
        request += more
    time.sleep(service_s)
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


def main():
    address, _, port = sys.argv[1].rpartition(":")
    service_s = float(sys.argv[2]) / 1000
    listener = socket.create_server((address, int(port)), backlog=BACKLOG)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                serve(connection, service_s)
            except OSError:
                pass  # the client went away; its own report says so


if __name__ == "__main__":
    main()
