"""A running mesos_zone, and questions to it as the recordings have them."""

import contextlib
import socket
import struct
import subprocess

import dns_wire

PROBE = 0x7A7A  # the id of a question whose answer shows that the one before got none
SECONDS = 5


@contextlib.contextmanager
def serve(command):
    """Yields the port that it serves on."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline()
        if not port:
            raise OSError(f"{command[0]} has not started")
        yield int(port)
    finally:
        process.stdin.close()
        process.wait(SECONDS)


def message_of(question):
    if "raw" in question:
        return bytes.fromhex(question["raw"])
    return dns_wire.query(dns_wire.name_of(question["name"]), question["type"], 1, rd=question.get("rd", True),
                          cd=question.get("cd", False), opcode=question.get("opcode", 0),
                          rclass=question.get("class", "IN"), edns=question.get("edns"),
                          dnssec=question.get("do", False))


def receive_exactly(client, octets):
    got = b""
    while len(got) < octets:
        more = client.recv(octets - len(got))
        if not more:
            return b""
        got += more
    return got


def exchange_udp(port, messages):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(SECONDS)
        client.connect(("127.0.0.1", port))
        for message in messages:
            client.send(message)
        return client.recv(65535)


def exchange_tcp(port, messages):
    with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
        client.sendall(b"".join(struct.pack("!H", len(message)) + message for message in messages))
        length = receive_exactly(client, 2)
        return receive_exactly(client, struct.unpack("!H", length)[0]) if length else b""


def ask(port, question):
    """The answer; None: there is none, for that to the next question came first or the connection ended."""
    probe = dns_wire.query((b"localhost",), "A", PROBE)
    exchange = exchange_tcp if question["transport"] == "tcp" else exchange_udp
    answer = exchange(port, [message_of(question), probe])
    if not answer:
        return None
    got = dns_wire.Message(answer)
    return None if got.number == PROBE else got
