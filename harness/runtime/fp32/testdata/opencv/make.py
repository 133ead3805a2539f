"""Records what OpenCV's dnn module computes for every layer of some networks.

python3 make.py DIR: for each DIR/NAME.prototxt, with NAME.caffemodel, NAME.f32
(the input, float32, C x H x W of one picture), and NAME.layers (one line a
layer: step, then the layer's name), writes DIR/NAME.golden: a line of JSON,
{"opencv": version, "layers": [{"name", "shape", "step"}]}, then every step-th
value of each layer's output, little-endian float32, in that order.

Layers are not fused and run on OpenCV's own CPU kernels, one thread.
"""

import glob
import json
import os
import re
import sys

import cv2
import numpy


def record(base):
    net = cv2.dnn.readNetFromCaffe(base + ".prototxt", base + ".caffemodel")
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    net.setPreferableTarget(cv2.dnn.DNN_TARGET_CPU)
    net.enableFusion(False)
    lines = open(base + ".layers").read().splitlines()
    shape = [1] + [int(d) for d in lines[0].split()]
    net.setInput(numpy.fromfile(base + ".f32", "<f4").reshape(shape))
    steps, names = zip(*(line.split(" ", 1) for line in lines[1:]))
    layers, data = [], b""
    for name, step in zip(names, steps):
        # Asking for one layer at a time keeps layers that work in place from
        # overwriting it.
        out = numpy.ascontiguousarray(net.forward(name), "<f4")
        layers.append({"name": name, "shape": list(out.shape[1:]), "step": int(step)})
        data += out.ravel()[:: int(step)].tobytes()
    with open(base + ".golden", "wb") as f:
        head = {"opencv": cv2.__version__, "layers": layers}
        f.write(json.dumps(head, separators=(",", ":")).encode() + b"\n" + data)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.prototxt"))):
        try:
            record(re.sub(r"\.prototxt$", "", path))
        except cv2.error as e:
            sys.exit("%s: %s" % (path, e))
