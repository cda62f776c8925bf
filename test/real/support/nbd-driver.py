"""Stamped writes and reads over NBD, by libnbd: the client is none of ours.

    nbd-driver.py write URI SEED FIRST_SEQ DEPTH BLOCKS UNITS_MAX
    nbd-driver.py read  URI SEED
    nbd-driver.py stay  URI SEED FIRST_SEQ BLOCKS
    nbd-driver.py pages URI SEED FIRST_SEQ BLOCKS LOG_URI LOG_BLOCKS

`write` keeps DEPTH writes in flight at random places, never two over the same 4 KiB block, until a
line comes in on standard input or the connection ends. After a write that is refused it issues no
other, since nobody knows what the blocks hold, and waits for the connection to end. It prints, in
the order in which things happen: `I seq block units` before a write is handed to libnbd, `A seq`
when it was acknowledged, `E seq errno` when it was refused or lost, `F` when a flush was
acknowledged, `X reason` at the end.

`stay` is an application that keeps its device: one write at a time, again and again until it is
acknowledged, over a new connection whenever one ends, until a line comes in. It prints
`A seq block waited_ms` for each, where waited_ms is how long the write took from first to last try.

`pages` is a database with its log on another export: before each page, in write 2n, it writes a
record of the log, in write 2n - 1, and awaits each. It prints `A seq` for each, `F` for a flush of
one of the two, and `X reason` at the end.

`read` prints one JSON array: for each 4 KiB block the sequence of the write that filled it, 0 for
all zeroes, -1 for bytes that no write of this SEED put there.
"""

import hashlib
import json
import random
import select
import sys
import time

import nbd

UNIT = 4096


def content(seed, seq, block):
    """What write `seq` puts into `block`: a stamp, then bytes that only it has."""
    head = seq.to_bytes(8, "little") + block.to_bytes(8, "little")
    return head + hashlib.shake_128(seed.encode() + head).digest(UNIT - len(head))


def connect(uri):
    handle = nbd.NBD()
    handle.connect_uri(uri)
    return handle


class Writer:
    def __init__(self, handle, seed, first, depth, blocks, units_max):
        self.handle = handle
        self.seed = seed
        self.seq = first
        self.depth = depth
        self.blocks = blocks
        self.units_max = units_max
        self.random = random.Random(f"{seed}:{first}")
        self.busy = set()
        self.said = []
        self.refused = False

    def say(self, text):
        self.said.append(text)

    def flush_said(self):
        if self.said:
            sys.stdout.write("\n".join(self.said) + "\n")
            sys.stdout.flush()
            self.said = []

    def place(self):
        while True:
            units = self.random.randint(1, self.units_max)
            block = self.random.randrange(self.blocks - units + 1)
            span = range(block, block + units)
            if not any(each in self.busy for each in span):
                self.busy.update(span)
                return block, units

    def issue(self):
        seq = self.seq
        self.seq += 1
        block, units = self.place()
        data = b"".join(content(self.seed, seq, each) for each in range(block, block + units))
        self.say(f"I {seq} {block} {units}")

        def done(error):
            self.busy.difference_update(range(block, block + units))
            self.refused = self.refused or error.value != 0
            self.say(f"A {seq}" if error.value == 0 else f"E {seq} {error.value}")
            return 1

        self.handle.aio_pwrite(data, block * UNIT, completion=done)

    def issue_flush(self):
        def done(error):
            self.say("F" if error.value == 0 else f"X flush {error.value}")
            return 1

        self.handle.aio_flush(completion=done)

    def run(self):
        issued = 0
        stopping = False
        while True:
            while not (stopping or self.refused) and self.handle.aio_in_flight() < self.depth:
                self.issue()
                issued += 1
                if issued % 500 == 0:
                    self.issue_flush()
            self.flush_said()
            if stopping and self.handle.aio_in_flight() == 0:
                self.say("X stopped")
                return
            self.handle.poll(100)
            if not stopping and select.select([sys.stdin], [], [], 0)[0]:
                stopping = True


def write(uri, seed, first, depth, blocks, units_max):
    writer = Writer(connect(uri), seed, first, depth, blocks, units_max)
    try:
        writer.run()
        writer.handle.shutdown()
    except nbd.Error as error:
        # Callbacks of what was in flight have run by now, each with an error.
        writer.say(f"X {str(error)!r}")
    writer.flush_said()


def stay(uri, seed, seq, blocks):
    draw = random.Random(f"{seed}:{seq}")
    handle = None
    while not select.select([sys.stdin], [], [], 0)[0]:
        block = draw.randrange(blocks)
        data = content(seed, seq, block)
        began = time.monotonic()
        while True:
            try:
                handle = handle or connect(uri)
                handle.pwrite(data, block * UNIT)
                break
            except nbd.Error:
                handle = None
                if time.monotonic() - began > 60:
                    raise
                time.sleep(0.005)
        waited = (time.monotonic() - began) * 1000
        print(f"A {seq} {block} {waited:.0f}", flush=True)
        seq += 1
    handle.shutdown()


def place_of(seq, blocks, log_blocks):
    """The block of write `seq` on its export; test/real/support/page-log.ts has the same."""
    turn = (seq + 1) // 2
    return turn % log_blocks if seq % 2 == 1 else turn * 7919 % blocks


def pages(uri, seed, seq, blocks, log_uri, log_blocks):
    handles = [connect(uri), connect(log_uri)]
    try:
        while not select.select([sys.stdin], [], [], 0)[0]:
            block = place_of(seq, blocks, log_blocks)
            handles[seq % 2].pwrite(content(seed, seq, block), block * UNIT)
            print(f"A {seq}", flush=True)
            if seq % 100 < 2:
                handles[seq % 2].flush()
                print("F", flush=True)
            seq += 1
        print("X stopped", flush=True)
    except nbd.Error as error:
        print(f"X {str(error)!r}", flush=True)


def read(uri, seed):
    handle = connect(uri)
    size = handle.get_size()
    found = []
    zeroes = bytes(UNIT)
    step = 1024 * 1024
    for start in range(0, size, step):
        piece = handle.pread(min(step, size - start), start)
        for at in range(0, len(piece), UNIT):
            unit = bytes(piece[at : at + UNIT])
            if unit == zeroes:
                found.append(0)
                continue
            seq = int.from_bytes(unit[:8], "little")
            good = seq < 2**53 and unit == content(seed, seq, (start + at) // UNIT)
            found.append(seq if good else -1)
    handle.shutdown()
    print(json.dumps(found, separators=(",", ":")))


if __name__ == "__main__":
    mode, uri, seed, *numbers = sys.argv[1:]
    if mode == "write":
        write(uri, seed, *(int(number) for number in numbers))
    elif mode == "pages":
        first, blocks, log_uri, log_blocks = numbers
        pages(uri, seed, int(first), int(blocks), log_uri, int(log_blocks))
    elif mode == "stay":
        stay(uri, seed, *(int(number) for number in numbers))
    else:
        read(uri, seed)
