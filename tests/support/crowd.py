#!/usr/bin/env python3
"""Many connections that are kept and used, for tests.

    crowd.py HOST PORT COUNT          opens COUNT connections and GETs / on each again and again

Prints "ready" once each was answered or failed, then a JSON line for each line on standard input: {"open", "done", "failed",
"errors", "servers": {name: connections that it answered last}}. A connection that fails is not opened again."""
import asyncio
import collections
import json
import sys

PAUSE_S = 0.05
TIMEOUT_S = 5.0


class Crowd:
    def __init__(self, host, port, count):
        self.host, self.port, self.count = host, port, count
        self.done, self.failed, self.errors, self.servers = 0, 0, [], {}

    async def get(self, reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: crowd\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        return (await reader.readexactly(length)).decode().split()[0]

    async def one(self, number, opened):
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(self.host, self.port), TIMEOUT_S
            )
            while True:
                first = number not in self.servers
                self.servers[number] = await asyncio.wait_for(self.get(reader, writer), TIMEOUT_S)
                if first:
                    opened.release()
                self.done += 1
                await asyncio.sleep(PAUSE_S)
        except (OSError, asyncio.TimeoutError, EOFError) as error:
            if self.servers.pop(number, None) is None:
                opened.release()
            self.failed += 1
            self.errors = (self.errors + [f"{number}: {error!r}"])[-5:]

    def report(self):
        return json.dumps(
            {
                "open": len(self.servers),
                "done": self.done,
                "failed": self.failed,
                "errors": self.errors,
                "servers": collections.Counter(self.servers.values()),
            }
        )

    async def run(self):
        opened = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(self.one(n, opened)) for n in range(self.count)]
        for _ in tasks:
            await opened.acquire()
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(self.report(), flush=True)


if __name__ == "__main__":
    crowd = Crowd(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    asyncio.run(crowd.run())
