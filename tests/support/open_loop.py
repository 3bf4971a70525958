#!/usr/bin/env python3
"""Requests at a steady rate, whatever the answers take: what many clients that know nothing of each other make.

    open_loop.py ADDRESS PORT RATE_PER_S SECONDS

Each GET has a connection of its own. Its time runs from when it was due to the end of its answer, so that a client that is
late hides nothing. Prints {"requests", "failed", "p50_ms", "p99_ms"} once all are answered."""
import asyncio
import json
import sys
import time

TIMEOUT_S = 30.0
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


async def get(address, port):
    """The whole answer of one GET on a connection of its own."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(REQUEST)
        return await reader.read()
    finally:
        writer.close()


async def one(address, port, due):
    """@return seconds since it was due; None: no answer."""
    try:
        answer = await asyncio.wait_for(get(address, port), TIMEOUT_S)
    except (OSError, asyncio.TimeoutError):
        return None
    return time.monotonic() - due if answer.startswith(b"HTTP/1.0 200") else None


async def load(address, port, rate, seconds):
    begin, tasks = time.monotonic(), []
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(address, port, due)))
    return await asyncio.gather(*tasks)


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    times = asyncio.run(load(address, port, float(sys.argv[3]), float(sys.argv[4])))
    answered = sorted(t for t in times if t is not None)

    def at(share):
        return round(answered[int(share * len(answered))] * 1000, 1) if answered else None

    print(
        json.dumps(
            {
                "requests": len(times),
                "failed": len(times) - len(answered),
                "p50_ms": at(0.5),
                "p99_ms": at(0.99),
            }
        )
    )


if __name__ == "__main__":
    main()
