"""How answers for names in Mesos-DNS' domain differ here from its own, as rules about questions and records.

README.md of userspace/dns lists the same, with the reasons in full."""

import struct

import dns_wire
from dns_wire import folded, name_of, text_of

REASONS = {
    "any": "ANY is answered with one record set (RFC 8482)",
    "as-written": "a discovery name can be asked for whatever letters it has",
    "class": "another class than IN is refused",
    "ds": "DS is a type like others that do not exist",
    "edns": "an OPT is answered with one, and its size counts",
    "existence": "the apex and names that only have names below exist",
    "long-labels": "a label over 63 octets is cut; Mesos-DNS does not answer",
    "long-queries": "queries of more than 512 octets are read",
    "messages": "exactly one question and nothing behind the last record, else FORMERR",
    "negative-soa": "the SOA of a negative answer is the zone's, not the name's",
    "negative-srv": "SRV that does not exist is NXDOMAIN or NODATA with the SOA",
    "opcode": "other opcodes than QUERY are not implemented",
    "other-zones": "zones of our own that Mesos-DNS does not have",
    "owner": "records belong to the name as it was asked, its stars included",
    "ports": "discovery ports over 65535 are left out, not wrapped",
    "soa-ns": "SOA and NS are in the answer at the apex, and nowhere else",
    "transfer": "AXFR and IXFR are refused",
    "truncation": "a record set is whole or left out with TC; addresses of SRV targets go without TC",
}
OTHER_ZONES = [name_of(text) for text in (
    "spartan", "localhost", "zk", "11.in-addr.arpa", "0.0.0.0.0.0.0.0.c.0.0.0.1.0.d.f.ip6.arpa",
    *(f"{label}.thisdcos.{end}" for label in ("l4lb", "dclb", "mesos", "dcos", "thisnode")
      for end in ("directory", "global")))]
NS_TTL = 3600
MAX_LABEL = 63
MAX_PORT = 65535


def is_within(name, apex):
    return name[len(name) - len(apex):] == apex if len(name) >= len(apex) else False


def without_stars(name):
    """Each ".*" taken out of the text: what is left of its label joins the one before."""
    labels = []
    for label in name:
        if labels and label.startswith(b"*"):
            labels[-1] += label[1:]
        else:
            labels.append(label)
    return tuple(labels)


def plain_name(text):
    """A name as Mesos-DNS keeps it: no character is special but the dot. None: it cannot be asked for."""
    labels = text.removesuffix(".").encode("utf-8", "surrogateescape").split(b".")
    return tuple(labels) if all(labels) else None


def walk(value, key):
    """All values of a key anywhere."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from walk(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, key)


class Wanted:
    """What an answer has to be; `differences` is what set it apart from the recorded one."""

    def __init__(self, rcode, *, aa=False, ra=False, opt=False):
        self.rcode, self.aa, self.ra, self.opt = rcode, aa, ra, opt
        self.answer, self.authority, self.additional = set(), set(), []
        self.reply = True       # False: none comes
        self.may_cut = False    # TC and nothing is as good
        self.checked = True     # False: only that it is no refusal
        self.count_only = False  # of the answers
        self.differences = set()

    def faults(self, got):
        if got is None or not self.reply:
            return [] if (got is None) == (not self.reply) else ["answered" if got else "not answered"]
        if not self.checked:
            return ["refused"] if got.rcode == "REFUSED" else []
        faults = [f"{what} is {have}, not {want}" for what, have, want in (
            ("rcode", got.rcode, self.rcode), ("AA", got.aa, self.aa), ("RA", got.ra, self.ra),
            ("OPT", got.opt, self.opt)) if have != want]
        if self.may_cut and got.tc:
            return faults + (["TC with records"] if got.answer or got.additional else [])
        if got.tc:
            faults.append("TC")
        if self.count_only:
            return faults + ([] if len(got.answer) == len(self.answer) else ["another number of records"])
        for section, have, want in (("answer", got.answer, self.answer), ("authority", got.authority, self.authority)):
            if len(set(have)) != len(have):
                faults.append(f"{section} has a record twice")
            faults += [f"{section} lacks {show(one)}" for one in sorted(want - set(have), key=show)]
            faults += [f"{section} has {show(one)}" for one in sorted(set(have) - want, key=show)]
        return faults + self.additional_faults(got)

    def additional_faults(self, got):
        left = list(got.additional)
        faults = []
        for choice in self.additional:
            found = [one for one in left if one in choice]
            if len(found) == 1:
                left.remove(found[0])
            elif not self.may_cut or found:
                faults.append(f"additional has {len(found)} of {' | '.join(sorted(map(show, choice)))}")
        return faults + [f"additional has {show(one)}" for one in left]


def show(record):
    owner, ttl, rtype, data = record
    return f"{text_of(owner)} {ttl} {rtype} " + " ".join(text_of(one) if isinstance(one, tuple) else str(one)
                                                       for one in data)


class Model:
    """What is wanted here of a recorded cluster."""

    def __init__(self, zone, config, dump, state, queries):
        self.zone = folded(name_of(zone))
        self.ttl = config.get("TTL", 60)
        self.weight = config.get("SRVRecordDefaultWeight", 1)
        self.ra = config.get("RecurseOn", True)
        self.plain = {(folded(name_of(one["name"])), one["type"]): one for one in queries
                      if one.get("rcode") == "NOERROR" and not {"raw", "edns", "opcode", "class"} & one.keys()}
        self.soa = next((self.as_soa(one) for one in queries if one["type"] == "SOA" and one.get("authority")), None)
        self.wrapped = self.wrapped_ports(state)
        self.records = {}
        self.left_out = set()  # names whose ports were wrapped
        self.take_dump(dump.get("Records") or {})
        if not self.records:
            for one in self.plain.values():
                for line in one["answer"]:
                    self.add(dns_wire.record_of(line))

    def as_soa(self, question):
        _, _, _, data = dns_wire.record_of(question["authority"][0])
        return (self.zone, self.ttl, "SOA", data[:2] + (1,) + data[3:])  # the serial is the snapshot's

    @staticmethod
    def wrapped_ports(state):
        numbers = {one for one in walk(state, "number") if isinstance(one, int)}
        return {one & MAX_PORT for one in numbers if one > MAX_PORT} - numbers

    def take_dump(self, records):
        for rtype, key in (("A", "As"), ("AAAA", "AAAAs")):
            for name, addresses in (records.get(key) or {}).items():
                for address in addresses:
                    if owner := plain_name(name):
                        self.add(dns_wire.record_of(f"x. {self.ttl} IN {rtype} {address}"), owner)
        for name, targets in (records.get("SRVs") or {}).items():
            for target in targets:
                host, _, port = target.rpartition(":")
                owner, host = plain_name(name), plain_name(host)
                if owner and host:
                    self.add((owner, self.ttl, "SRV", (0, self.weight, int(port), folded(host))), owner)

    def add(self, record, owner=None):
        owner = folded(owner or record[0])
        if record[2] == "SRV" and record[3][2] in self.wrapped:
            self.left_out.add(owner)
        elif all(len(label) <= MAX_LABEL for label in owner):
            self.records.setdefault(owner, set()).add((owner,) + record[1:])

    def exists(self, name):
        return name == self.zone or any(is_within(other, name) for other in self.records)

    def negative(self, wanted, name, recorded):
        """NODATA or NXDOMAIN, with the zone's SOA."""
        exists = self.exists(name) or (recorded.get("rcode") == "NOERROR" and recorded["type"] != "SRV"
                                       and name not in self.left_out)
        wanted.rcode = "NOERROR" if exists else "NXDOMAIN"
        wanted.authority = {self.soa}
        if recorded.get("rcode") == "NXDOMAIN" and wanted.rcode == "NOERROR":
            wanted.differences.add("existence")
        return wanted

    def wanted(self, question):
        if "raw" in question:
            return self.of_octets(question)
        name, rtype = folded(name_of(question["name"])), question["type"]
        opt = bool(question.get("edns"))
        wanted = Wanted("REFUSED", opt=opt)
        if opt:
            wanted.differences.add("edns")
        if question.get("opcode"):
            wanted.rcode = "NOTIMP"
            wanted.differences.add("opcode")
        elif question.get("class", "IN") != "IN":
            wanted.differences.add("class")
        elif rtype in ("AXFR", "IXFR"):
            wanted.differences.add("transfer")
        elif is_within(name, self.zone):
            wanted.rcode, wanted.aa, wanted.ra = "NOERROR", True, self.ra
            return self.in_zone(wanted, name, rtype, question)
        elif any(is_within(name, other) for other in OTHER_ZONES):
            wanted.checked = False
            wanted.differences.add("other-zones")
        return wanted

    def in_zone(self, wanted, asked, rtype, recorded):
        name = asked if self.exists(asked) else without_stars(asked)
        if recorded.get("rcode") == "NOREPLY":
            wanted.differences.add("long-labels")
            wanted.count_only = True
        if rtype == "ANY":
            wanted.differences.add("any")
        if rtype in ("SOA", "NS") or (rtype == "ANY" and name == self.zone):
            wanted.differences.add("soa-ns")
            if name != self.zone:
                return self.negative(wanted, name, {})
            server = (self.zone, NS_TTL, "NS", self.soa[3][:1])
            wanted.answer = {self.soa if rtype == "SOA" else server}
            return wanted
        if rtype == "DS":
            wanted.differences.add("ds")
        found = self.found(name, rtype)
        if not found and asked != self.zone and name in self.left_out and recorded.get("answer"):
            wanted.differences.add("ports")
        if not found:
            if rtype == "SRV":
                wanted.differences.add("negative-srv")
            elif recorded.get("authority") and asked != self.zone:
                wanted.differences.add("negative-soa")
            return self.negative(wanted, name, recorded)
        wanted.answer = {(asked,) + record[1:] for record in found}
        return self.positive(wanted, asked, name, rtype, recorded)

    def found(self, name, rtype):
        sets = {kind: {one for one in self.records.get(name, ()) if one[2] == kind} for kind in ("A", "AAAA", "SRV")}
        if rtype == "ANY":
            return next((one for one in sets.values() if one), None)
        return sets.get(rtype)

    def positive(self, wanted, asked, name, rtype, recorded):
        if name != asked and rtype in ("A", "AAAA"):
            wanted.differences.add("owner")
        if name in self.left_out:
            wanted.differences.add("ports")
        if recorded.get("tc"):
            wanted.differences.add("truncation")
            wanted.may_cut = True
        if rtype == "ANY" or recorded.get("rcode") == "NOREPLY":
            return wanted
        if not recorded.get("answer"):
            wanted.differences.add("as-written")
            wanted.additional = self.addresses_of(wanted.answer)
            return wanted
        if not recorded.get("tc") and name not in self.left_out:
            told = {(asked,) + dns_wire.record_of(line)[1:] for line in recorded["answer"]}
            assert told == wanted.answer, f"{text_of(asked)} {rtype}: the recordings contradict each other"
        wanted.additional = self.addresses_of(wanted.answer)
        if not recorded.get("tc") and name not in self.left_out:
            lines = recorded.get("additional_choice") or [[line] for line in recorded.get("additional", [])]
            wanted.additional = [{dns_wire.record_of(line) for line in choice} for choice in lines]
        return wanted

    def addresses_of(self, records):
        """Of each target of SRV records and each family, the addresses one of which comes along."""
        targets = {record[3][3] for record in records if record[2] == "SRV"}
        choices = [self.found(target, rtype) for target in sorted(targets) for rtype in ("A", "AAAA")]
        return [choice for choice in choices if choice]

    def of_octets(self, question):
        """A message that was made octet by octet."""
        raw = bytes.fromhex(question["raw"])
        if len(raw) < 12 or raw[2] & 0x80:
            wanted = Wanted("")
            wanted.reply = False
            return wanted
        try:
            name, rtype, opt = self.read(raw)
        except (ValueError, IndexError, struct.error):
            wanted = Wanted("FORMERR")
            if question["rcode"] != "FORMERR":
                wanted.differences.add("messages")
            return wanted
        plain = self.plain[(folded(name), rtype)]
        wanted = self.wanted(plain)
        wanted.opt = opt
        if question["rcode"] == "FORMERR":
            wanted.differences.add("long-queries")
        return wanted

    @staticmethod
    def read(raw):
        questions, *counts = struct.unpack_from("!4H", raw, 4)
        if questions != 1:
            raise ValueError("not one question")
        name, at = dns_wire.read_name(raw, 12)
        if any(octet >= 0x40 for octet in raw[12:13]):
            raise ValueError("compression in the question")
        rtype = struct.unpack_from("!H", raw, at)[0]
        at, opt = at + 4, False
        for _ in range(sum(counts)):
            _, at = dns_wire.read_name(raw, at)
            kind, _, _, length = struct.unpack_from("!2HIH", raw, at)
            opt = opt or kind == dns_wire.TYPES["OPT"]
            at += 10 + length
        if at != len(raw):
            raise ValueError("not where the message ends")
        return name, dns_wire.NAMES.get(rtype, f"TYPE{rtype}"), opt
