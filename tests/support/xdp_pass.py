#!/usr/bin/env python3
"""Holds an XDP program that passes everything on a network device until it is ended: a veth's other end can send by XDP
only then.

    xdp_pass.py LINK...        prints "ready" once all have it"""
import ctypes
import os
import platform
import socket
import struct
import sys

BPF_PROG_LOAD, BPF_LINK_CREATE = 5, 28
BPF_PROG_TYPE_XDP, BPF_XDP = 6, 37
SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]

_libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    fd = _libc.syscall(SYS_BPF, command, buffer, len(buffer))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def main():
    # r0 = XDP_PASS; exit
    code = ctypes.create_string_buffer(
        struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)
    )
    text = ctypes.create_string_buffer(b"GPL")
    program = bpf(
        BPF_PROG_LOAD,
        struct.pack(
            "=IIQQ", BPF_PROG_TYPE_XDP, 2, ctypes.addressof(code), ctypes.addressof(text)
        ),
    )
    links = [
        bpf(BPF_LINK_CREATE, struct.pack("=IIII", program, socket.if_nametoindex(link), BPF_XDP, 0))
        for link in sys.argv[1:]
    ]
    print("ready", flush=True)
    sys.stdin.read()
    for link in links:
        os.close(link)


if __name__ == "__main__":
    main()
