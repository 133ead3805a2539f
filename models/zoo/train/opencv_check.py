#!/usr/bin/env python3
"""Opens the shipped networks in another Caffe reader, OpenCV's dnn module
(Debian: python3-opencv), and counts right answers on the test pictures.

    python3 opencv_check.py --data DIR [--zoo DIR]

DIR of --data holds the idx .gz files of Fashion-MNIST, as for train.py.
"""
import argparse, gzip, os

import cv2
import numpy as np


def idx(path):
    raw = gzip.open(path).read()
    dims = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(dims)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--zoo", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    a = p.parse_args()
    x = idx(os.path.join(a.data, "t10k-images-idx3-ubyte.gz"))[:, None].astype(np.float32) / 256
    y = idx(os.path.join(a.data, "t10k-labels-idx1-ubyte.gz"))
    for name in "lenet5", "resnet18":
        net = cv2.dnn.readNetFromCaffe(os.path.join(a.zoo, name, "deploy.prototxt"), os.path.join(a.zoo, name, name + ".caffemodel"))
        right = 0
        for i in range(0, len(x), 500):
            net.setInput(x[i:i + 500])
            right += int((net.forward().reshape(-1, 10).argmax(1) == y[i:i + 500]).sum())
        print(f"{name}: OpenCV {cv2.__version__} opens it; {right}/{len(y)} right")


if __name__ == "__main__":
    main()
