"""What several hosts do to disks of an array, one step an argument: `DEVICE VERB NUMBER...`.

    scsi-disk.py '/dev/sda register 1' '/dev/sda reserve 1' '/dev/sdb write 0'

Prints a line a step: what was read, `ok`, `conflict`, or the name of the error. Most steps are the
ioctls of linux/pr.h, with the reservation "write exclusive, registrants only"; `preempt OWN OTHER`
takes it from who registered OTHER. `keys` and `holder` are PERSISTENT RESERVE IN by SG_IO; `read`
and `write` are of the 4 KiB at a byte offset, past the system's memory; `unit` is the disk's serial
number.
"""
import ctypes, errno, fcntl, mmap, os, struct, sys

REGISTRANTS_ONLY = 3
PR_REGISTER, PR_RESERVE, PR_RELEASE = 0x401870C8, 0x401070C9, 0x401070CA
PR_PREEMPT, PR_PREEMPT_ABORT, PR_CLEAR = 0x401870CB, 0x401870CC, 0x401070CD
SG_IO, FROM_DEVICE, SECTOR = 0x2285, -3, 4096
CHECK_CONDITION, RESERVATION_CONFLICT, UNIT_ATTENTION = 2, 24, 6


class SgHeader(ctypes.Structure):
    _fields_ = [
        ("interface_id", ctypes.c_int), ("direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte), ("max_sense", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort), ("data_len", ctypes.c_uint),
        ("data", ctypes.c_void_p), ("cmd", ctypes.c_void_p), ("sense", ctypes.c_void_p),
        ("timeout", ctypes.c_uint), ("flags", ctypes.c_uint), ("pack_id", ctypes.c_int),
        ("usr", ctypes.c_void_p), ("status", ctypes.c_ubyte), ("masked", ctypes.c_ubyte),
        ("msg", ctypes.c_ubyte), ("sense_len", ctypes.c_ubyte), ("host", ctypes.c_ushort),
        ("driver", ctypes.c_ushort), ("resid", ctypes.c_int), ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    ]


def scsi_in(disk, command, length):
    data, sense = ctypes.create_string_buffer(length), ctypes.create_string_buffer(32)
    block = ctypes.create_string_buffer(bytes(command), len(command))
    header = SgHeader(
        interface_id=ord("S"), direction=FROM_DEVICE, cmd_len=len(command), max_sense=32,
        data_len=length, data=ctypes.addressof(data), cmd=ctypes.addressof(block),
        sense=ctypes.addressof(sense), timeout=10_000)
    # Once after a change that another host made, a disk answers with news of it and nothing else.
    for _ in range(4):
        fcntl.ioctl(disk, SG_IO, header)
        key = sense.raw[1 if sense.raw[0] & 2 else 2] & 15
        if header.status != CHECK_CONDITION or key != UNIT_ATTENTION:
            break
    if header.status or header.host:
        raise OSError(errno.EIO, "refused")
    return data.raw


def reserve_in(disk, action, length=256):
    return scsi_in(disk, [0x5E, action, 0, 0, 0, 0, 0, length >> 8, length & 255, 0], length)


def keys(disk):
    data = reserve_in(disk, 0)
    generation, length = struct.unpack(">II", data[:8])
    return " ".join(str(key) for (key,) in struct.iter_unpack(">Q", data[8:8 + length])) or "none"


def holder(disk):
    data = reserve_in(disk, 1)
    if struct.unpack(">I", data[4:8])[0] == 0:
        return "nobody"
    return f"key {struct.unpack('>Q', data[8:16])[0]} type {data[21] & 15}"


def unit(disk):
    data = scsi_in(disk, [0x12, 1, 0x80, 0, 255, 0], 255)
    return data[4:4 + data[3]].decode().rstrip("\0")


def read(disk, offset):
    page = mmap.mmap(-1, SECTOR)
    os.preadv(disk, [page], offset)
    return str(page[0])


def write(disk, offset, value):
    page = mmap.mmap(-1, SECTOR)
    page[:] = bytes([value]) * SECTOR
    os.pwritev(disk, [page], offset)


def order(code, layout, *fields):
    def ask(disk, *numbers):
        packed = bytearray(struct.pack(layout, *(field(numbers) for field in fields)))
        # A refusal is no error of the call: it gives the SCSI status, in the lowest byte.
        status = fcntl.ioctl(disk, code, packed) & 255
        return {0: "ok", RESERVATION_CONFLICT: "conflict"}.get(status, f"status {status}")
    return ask


first, second = (lambda n: n[0]), (lambda n: n[1])
kind, zero = (lambda n: REGISTRANTS_ONLY), (lambda n: 0)
VERBS = {
    "register": order(PR_REGISTER, "QQII", zero, first, zero, zero),
    "unregister": order(PR_REGISTER, "QQII", first, zero, zero, zero),
    "reserve": order(PR_RESERVE, "QII", first, kind, zero),
    "release": order(PR_RELEASE, "QII", first, kind, zero),
    "preempt": order(PR_PREEMPT, "QQII", first, second, kind, zero),
    "preempt-abort": order(PR_PREEMPT_ABORT, "QQII", first, second, kind, zero),
    "clear": order(PR_CLEAR, "QII", first, zero, zero),
    "keys": keys, "holder": holder, "unit": unit, "read": read, "write": write,
}

for step in sys.argv[1:]:
    device, verb, *numbers = step.split()
    disk = os.open(device, os.O_RDWR | os.O_DIRECT)
    try:
        print(VERBS[verb](disk, *map(int, numbers)) or "ok")
    except OSError as error:
        print(errno.errorcode.get(error.errno, error.errno))
    finally:
        os.close(disk)
