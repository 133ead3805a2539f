"""Writes the databases that the tests read, with LMDB's own library (liblmdb.so.0).

    python3 make.py
"""
import ctypes
import os
import struct
import zlib

lib = ctypes.CDLL("liblmdb.so.0")
P = ctypes.c_void_p


class Val(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.c_char_p)]


def ok(code):
    if code:
        raise SystemExit("LMDB error %d" % code)


class Env:
    def __init__(self, path, maxdbs=0):
        if os.path.exists(path):
            os.remove(path)
        self.env = P()
        ok(lib.mdb_env_create(ctypes.byref(self.env)))
        ok(lib.mdb_env_set_mapsize(self.env, ctypes.c_size_t(1 << 24)))
        ok(lib.mdb_env_set_maxdbs(self.env, maxdbs))
        ok(lib.mdb_env_open(self.env, path.encode(), 0x4000, 0o644))  # MDB_NOSUBDIR
        self.path = path

    def commit(self, puts, deletes=(), name=None, flags=0):
        txn, dbi = P(), ctypes.c_uint()
        ok(lib.mdb_txn_begin(self.env, None, 0, ctypes.byref(txn)))
        ok(lib.mdb_dbi_open(txn, name, flags, ctypes.byref(dbi)))
        for k, v in puts:
            ok(lib.mdb_put(txn, dbi, ctypes.byref(Val(len(k), k)), ctypes.byref(Val(len(v), v)), 0))
        for k in deletes:
            ok(lib.mdb_del(txn, dbi, ctypes.byref(Val(len(k), k)), None))
        ok(lib.mdb_txn_commit(txn))

    def close(self):
        lib.mdb_env_close(self.env)
        os.remove(self.path + "-lock")


def varint(v):
    out = b""
    while v >= 128:
        out += bytes([v % 128 + 128])
        v //= 128
    return out + bytes([v])


def datum(c, h, w, data, label, encoded=False):
    return (b"\x08" + varint(c) + b"\x10" + varint(h) + b"\x18" + varint(w) + b"\x22" + varint(len(data)) + data
            + b"\x28" + varint(label) + (b"\x38\x01" if encoded else b""))


def pixels(n, seed):
    return bytes((seed + 3 * i) % 256 for i in range(n))


def png(shade):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes([0, shade, 1, 2, shade, 1, 2]))) + chunk(b"IEND", b""))


few = Env("few.mdb")
few.commit([(b"%08d_x" % i, datum(3, 2, 2, pixels(12, i), i % 2)) for i in range(3)] + [(b"%08d_x" % 3, datum(0, 0, 0, png(200), 1, True))])
few.close()

# A tree of two levels; pictures on pages of their own; pages that earlier
# transactions used; the newest of the two meta pages alternates.
many = Env("many.mdb")
many.commit([(b"%08d_x" % i, datum(1, 2, 8, pixels(16, i), i % 10)) for i in range(0, 400, 2)])
many.commit([(b"%08d_x" % i, datum(1, 2, 8, pixels(16, i), i % 10)) for i in range(1, 400, 2)], [b"%08d_x" % i for i in range(0, 20, 2)])
many.commit([(b"%08d_x" % i, datum(1, 64, 48, pixels(3072, i), i % 10)) for i in range(0, 20, 2)])
many.close()

empty = Env("empty.mdb")
empty.commit([])
empty.close()

named = Env("named.mdb", 2)
named.commit([(b"a", b"b")], name=b"images", flags=0x40000)  # MDB_CREATE
named.close()

double = Env("double.mdb")
double.commit([(b"a", b"b"), (b"a", b"c")], flags=0x04)  # MDB_DUPSORT
double.close()
