"""A node that speaks just enough memberlist to misbehave: what it sends is written by hand, sealed or not.

    memberlist.py [--key BASE64] udp|tcp ADDRESS:PORT HEX...     sends each message on its own, a datagram or a stream

Tests build the messages with alive(), push_pull() and MALFORMED and let this program send them from a namespace."""
import argparse
import base64
import ctypes
import ctypes.util
import ipaddress
import os
import socket
import struct

ALIVE, PUSH_PULL, COMPOUND, USER, COMPRESS, ENCRYPT = 4, 6, 7, 8, 9, 10
SERF_VERSIONS = bytes([1, 5, 2, 2, 5, 5])
GCM_GET_TAG, TAG_BYTES = 0x10, 16


def seal(key, plain, bound=b""):
    """Version 1, nonce, AES-GCM's text and tag, as memberlist encrypts."""
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    for name in ("EVP_CIPHER_CTX_new", f"EVP_aes_{8 * len(key)}_gcm"):
        getattr(crypto, name).restype = ctypes.c_void_p
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    nonce, written = os.urandom(12), ctypes.c_int()
    out, tag = ctypes.create_string_buffer(len(plain) + 16), ctypes.create_string_buffer(TAG_BYTES)
    cipher = ctypes.c_void_p(getattr(crypto, f"EVP_aes_{8 * len(key)}_gcm")())
    done = crypto.EVP_EncryptInit_ex(context, cipher, None, key, nonce) == 1
    if bound:
        done &= crypto.EVP_EncryptUpdate(context, None, ctypes.byref(written), bound, len(bound)) == 1
    done &= crypto.EVP_EncryptUpdate(context, out, ctypes.byref(written), plain, len(plain)) == 1
    length = written.value
    done &= crypto.EVP_EncryptFinal_ex(context, None, ctypes.byref(written)) == 1
    done &= crypto.EVP_CIPHER_CTX_ctrl(context, GCM_GET_TAG, TAG_BYTES, tag) == 1
    crypto.EVP_CIPHER_CTX_free(context)
    if not done:
        raise RuntimeError("libcrypto does not encrypt")
    return b"\x01" + nonce + out.raw[:length] + tag.raw


def seal_stream(key, plain):
    head = struct.pack(">BI", ENCRYPT, 1 + 12 + len(plain) + TAG_BYTES)
    return head + seal(key, plain, head)


def pack(value):
    """msgpack in memberlist's old dialect, for what the messages need."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        if value < 0:
            return struct.pack(">bq", -45, value)  # d3
        return struct.pack("B", value) if value < 128 else struct.pack(">BQ", 0xCF, value)
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(pack(k) + pack(v) for k, v in value.items())
    octets = value.encode() if isinstance(value, str) else value
    return (bytes([0xA0 | len(octets)]) if len(octets) < 32 else struct.pack(">BH", 0xDA, len(octets))) + octets


def alive(name, address, versions=SERF_VERSIONS, incarnation=1, port=7946):
    fields = {
        "Addr": ipaddress.ip_address(address).packed,
        "Incarnation": incarnation,
        "Meta": None,
        "Node": name,
        "Port": port,
        "Vsn": versions,
    }
    return bytes([ALIVE]) + pack(fields)


def push_pull(members=(), nodes=None, state_bytes=0):
    """members: (name, address, versions); nodes and state_bytes may lie."""
    header = {"Join": True, "Nodes": len(members) if nodes is None else nodes, "UserStateLen": state_bytes}
    text = bytes([PUSH_PULL]) + pack(header)
    for name, address, versions in members:
        fields = {
            "Addr": ipaddress.ip_address(address).packed,
            "Incarnation": 1,
            "Meta": None,
            "Name": name,
            "Port": 7946,
            "State": 0,
            "Vsn": versions,
        }
        text += pack(fields)
    return text


def lzw_run(octet, count):
    """About `count` equal octets, compressed as Go does."""
    clear, bits, used, out = 256, 0, 0, bytearray()

    def put(code, width):
        nonlocal bits, used
        bits |= code << used
        used += width
        while used >= 8:
            out.append(bits & 255)
            bits >>= 8
            used -= 8

    put(clear, 9)
    while count > 0:
        put(octet, 9)
        count -= 1
        code, length = 258, 2
        while count > 0 and code < 4094:
            put(code, max(9, (code).bit_length()))
            count -= length
            code, length = code + 1, length + 1
        put(clear, 12)
    put(257, 9)
    put(0, 7)
    return bytes(out)


def compressed(octets):
    return (
        bytes([COMPRESS])
        + b"\x82"
        + pack("Algo")
        + b"\x00"
        + pack("Buf")
        + struct.pack(">BI", 0xDB, len(octets))
        + octets
    )


# What ends a Serf of Debian 12 with one message, or makes it take much memory.
MALFORMED_UDP = {
    "compound with an empty part": bytes([COMPOUND, 1, 0, 0]),
    "compressed nothing": compressed(b""),
    "compression bomb": compressed(lzw_run(8, 20_000_000)),
    "one version": alive("short", "192.0.2.200", b"\x01"),
    "four versions": alive("short", "192.0.2.200", b"\x01\x05\x02\x02"),
    "an address of three octets": alive("short", "192.0.2.200").replace(b"\xa4\xc0\x00\x02\xc8", b"\xa3\xc0\x00\x02"),
    "a text that is too long": bytes([ALIVE, 0x81, 0xA4]) + b"Node" + b"\xdb\x80\x00\x00\x00",
    "nothing but a type": bytes([ALIVE]),
}
MALFORMED_TCP = {
    "minus one node": push_pull(nodes=-1),
    "2^31 nodes": push_pull(nodes=2**31),
    "a state of 2^40 octets": push_pull(state_bytes=2**40),
    "a user message of 2^40 octets": bytes([USER]) + pack({"UserMsgLen": 2**40}),
    "compressed nothing": compressed(b""),
    "one version": push_pull([("short", "192.0.2.200", b"\x01")]),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--key")
    parser.add_argument("transport", choices=("udp", "tcp"))
    parser.add_argument("to")
    parser.add_argument("message", nargs="+")
    options = parser.parse_args()
    host, port = options.to.rsplit(":", 1)
    key = base64.b64decode(options.key) if options.key else None
    for text in options.message:
        message = bytes.fromhex(text)
        if options.transport == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(seal(key, message) if key else message, (host, int(port)))
            continue
        with socket.create_connection((host, int(port)), 5) as sock:
            sock.sendall(seal_stream(key, message) if key else message)
            sock.settimeout(5)
            try:
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            except OSError:
                pass  # hung up on, as it should be


if __name__ == "__main__":
    main()
