"""Writes the pickles that the tests read, with the Python it is run by.

    python2 make.py py2; python3 make.py py3

numpy is not needed: the classes below reduce themselves to exactly what
numpy's ndarray and dtype reduce themselves to.
"""
import pickle
import sys
import types


def module(name):
    m = types.ModuleType(name)
    sys.modules[name] = m
    return m


numpy, core, multi = module("numpy"), module("numpy.core"), module("numpy.core.multiarray")


class dtype(object):
    def __init__(self, name, align=0, copy=1):
        self.name = name

    def __reduce__(self):
        order = "|" if self.name == "u1" else "<"
        return dtype, (self.name, 0, 1), (3, order, None, None, None, -1, -1, 0)


class ndarray(object):
    def __init__(self, shape=(0,), kind=None, data=b""):
        self.shape, self.kind, self.data = shape, kind, data

    def __reduce__(self):
        return _reconstruct, (ndarray, (0,), b"b"), (1, self.shape, self.kind, False, self.data)


def _reconstruct(cls, shape, kind):
    return cls()


for owner, thing in (("numpy", dtype), ("numpy", ndarray), ("numpy.core.multiarray", _reconstruct)):
    thing.__module__ = owner
    setattr(sys.modules[owner], thing.__name__, thing)

pixels = ndarray((2, 3072), dtype("u1"), bytes(bytearray((i * 7 + i // 251) % 256 for i in range(6144))))
labels = ndarray((2,), dtype("i8"), b"\x07\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff")
values = [None, True, False, 0, -1, 255, 65535, 65536, -2147483648, 2 ** 40, -2 ** 40, 1.5, -0.25, u"caf\xe9 \u20ac\n\\", b"it's \"x\"\n\t\\\xff\0", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, []]
batch = {"batch_label": "testing batch 1 of 1", "labels": [3, 8], "data": pixels, "filenames": ["a_s_000001.png", "b_s_000002.png"]}
for protocol in range(3 if sys.version_info[0] == 2 else 5):
    for name, value in (("batch", batch), ("values", values), ("labels", labels)):
        with open("%s-%s-%d.pickle" % (name, sys.argv[1], protocol), "wb") as f:
            pickle.dump(value, f, protocol)
