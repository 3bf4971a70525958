#!/usr/bin/env python3
"""Turns an offload of a network device on or off (ETHTOOL ioctls, linux/ethtool.h).

    offload.py LINK gro|tx on|off"""
import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
COMMANDS = {"tx": 0x17, "gro": 0x2C}  # ETHTOOL_STXCSUM, ETHTOOL_SGRO


def main():
    link, feature, state = sys.argv[1:]
    value = array.array("B", struct.pack("II", COMMANDS[feature], state == "on"))
    request = struct.pack("16sP", link.encode(), value.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, request)


if __name__ == "__main__":
    main()
