"""DNS messages for tests: names are tuples of labels (bytes), records (owner, ttl, type, data)."""

import ipaddress
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "OPT": 41,
         "DS": 43, "DNSKEY": 48, "HTTPS": 65, "IXFR": 251, "AXFR": 252, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}
CLASSES = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}
RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]


def name_of(text):
    """A name in presentation form: a backslash escapes a character, or stands before three digits."""
    labels, label, at = [], bytearray(), 0
    raw = text.encode("utf-8", "surrogateescape")
    while at < len(raw):
        if raw[at] == ord("\\") and raw[at + 1:at + 4].isdigit():
            label.append(int(raw[at + 1:at + 4]))
            at += 4
        elif raw[at] == ord("\\"):
            label.append(raw[at + 1])
            at += 2
        elif raw[at] == ord("."):
            labels.append(bytes(label))
            label.clear()
            at += 1
        else:
            label.append(raw[at])
            at += 1
    if label:
        labels.append(bytes(label))
    return tuple(part for part in labels if part)


def folded(name):
    return tuple(label.lower() for label in name)


def text_of(name):
    return ".".join(label.decode("ascii", "backslashreplace") for label in name) + "."


def type_number(text):
    return TYPES[text] if text in TYPES else int(text.removeprefix("TYPE"))


def wire_of(name):
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def query(name, rtype, number, *, rd=True, cd=False, opcode=0, rclass="IN", edns=None, dnssec=False):
    flags = opcode << 11 | (0x0100 if rd else 0) | (0x0010 if cd else 0)
    message = struct.pack("!6H", number, flags, 1, 0, 0, 1 if edns else 0)
    message += wire_of(name) + struct.pack("!2H", type_number(rtype), CLASSES[rclass])
    if edns:
        message += b"\0" + struct.pack("!2HIH", TYPES["OPT"], edns, 0x8000 if dnssec else 0, 0)
    return message


def read_name(message, at):
    labels, end = [], None
    for _ in range(256):
        length = message[at]
        if length >= 0xC0:
            end = end or at + 2
            at = (length & 0x3F) << 8 | message[at + 1]
        elif length == 0:
            return tuple(labels), end or at + 1
        else:
            labels.append(message[at + 1:at + 1 + length])
            at += 1 + length
    raise ValueError("a name has a loop")


def data_of(message, at, length, rtype):
    if rtype in ("A", "AAAA"):
        return (str(ipaddress.ip_address(message[at:at + length])),)
    if rtype in ("NS", "CNAME", "PTR"):
        return (folded(read_name(message, at)[0]),)
    if rtype == "SRV":
        return struct.unpack_from("!3H", message, at) + (folded(read_name(message, at + 6)[0]),)
    if rtype == "SOA":
        primary, at = read_name(message, at)
        mailbox, at = read_name(message, at)
        return (folded(primary), folded(mailbox)) + struct.unpack_from("!5I", message, at)
    return (message[at:at + length],)


class Message:
    """A message that was received; OPT is not among its additional records."""

    def __init__(self, message):
        self.number, flags, questions, *counts = struct.unpack_from("!6H", message)
        self.rcode = RCODES[flags & 15] if flags & 15 < len(RCODES) else str(flags & 15)
        self.aa, self.tc, self.rd, self.ra = (bool(flags & bit) for bit in (0x0400, 0x0200, 0x0100, 0x0080))
        self.opt = False
        self.octets = len(message)
        at, sections = 12, []
        for _ in range(questions):
            at = read_name(message, at)[1] + 4
        for count in counts:
            section = []
            for _ in range(count):
                owner, at = read_name(message, at)
                number, _, ttl, length = struct.unpack_from("!2HIH", message, at)
                rtype = NAMES.get(number, f"TYPE{number}")
                if rtype == "OPT":
                    self.opt = True
                else:
                    section.append((folded(owner), ttl, rtype, data_of(message, at + 10, length, rtype)))
                at += 10 + length
            sections.append(section)
        self.answer, self.authority, self.additional = sections
        if at != len(message):
            raise ValueError("octets behind the last record")


def record_of(line):
    """A record in presentation form. A serial that is "<serial>" is 0."""
    owner, ttl, _, rtype, *data = line.split()
    if rtype == "SRV":
        data = [int(part) for part in data[:3]] + [folded(name_of(data[3]))]
    elif rtype == "SOA":
        numbers = [0 if part == "<serial>" else int(part) for part in data[2:]]
        data = [folded(name_of(data[0])), folded(name_of(data[1]))] + numbers
    elif rtype in ("NS", "CNAME", "PTR"):
        data = [folded(name_of(data[0]))]
    else:
        data = [str(ipaddress.ip_address(data[0]))]
    return (folded(name_of(owner)), int(ttl), rtype, tuple(data))
