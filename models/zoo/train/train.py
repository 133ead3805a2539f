#!/usr/bin/env python3
"""Trains the two networks that ship with bench on Fashion-MNIST and writes them
as Caffe files (deploy.prototxt and .caffemodel).

    python3 train.py --data DIR --out DIR [--net lenet5|resnet18]

DIR of --data holds the four idx .gz files of Fashion-MNIST (Debian package
dataset-fashion-mnist: /usr/share/datasets/fashion-mnist). Needs PyTorch 2; a
GPU trains both in minutes.

Protocol: the schedule is fixed before a training, all 60,000 training pictures
are used, the weights are the exponential moving average at the last step, and
a training looks at the 10,000 test pictures once, at the end. The recipe as a
whole is the second: see ../README.md for what the first showed on them.
"""
import argparse, gzip, json, math, os, struct, time

import torch
import torch.nn as nn
import torch.nn.functional as F

SCALE = 1 / 256  # network input = pixel / 256, exact in binary
SEED = 20210202


# --- networks ---------------------------------------------------------------

class LeNet5(nn.Module):
    """Caffe's LeNet: no activation after the convolutions."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.ip1, self.ip2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.ip2(F.relu(self.ip1(x.flatten(1))))


class ConvBN(nn.Module):
    def __init__(self, cin, cout, kernel, stride):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        return self.bn(self.conv(x))


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv0, self.conv1 = ConvBN(cin, cout, 3, stride), ConvBN(cout, cout, 3, 1)
        self.proj = ConvBN(cin, cout, 1, stride) if cin != cout else None

    def forward(self, x):
        y = self.conv1(F.relu(self.conv0(x)))
        return F.relu(y + (self.proj(x) if self.proj else x))


class ResNet18(nn.Module):
    """3-3-2 residual blocks of 16, 32 and 64 channels: 18 layers with weights on
    the longest path and two projections."""

    GROUPS = ((16, 3), (32, 3), (64, 2))

    def __init__(self):
        super().__init__()
        self.first = ConvBN(1, 16, 3, 1)
        cin, self.blocks = 16, nn.ModuleDict()
        for g, (cout, n) in enumerate(self.GROUPS):
            for b in range(n):
                self.blocks[f"group{g}_block{b}"] = Block(cin, cout, 2 if g and not b else 1)
                cin = cout
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.first(x))
        for block in self.blocks.values():
            x = block(x)
        return self.fc(x.mean((2, 3)))


# --- Caffe files ------------------------------------------------------------

class Caffe:
    """Collects layers and writes prototxt and caffemodel (field numbers of
    Caffe's NetParameter, LayerParameter and BlobProto)."""

    def __init__(self, name):
        self.text = [f'name: "{name}"', 'layer {\n  name: "data"\n  type: "Input"\n  top: "data"\n'
                     '  input_param { shape { dim: 1 dim: 1 dim: 28 dim: 28 } }\n}']
        self.model = self.field(1, name.encode())

    @staticmethod
    def varint(n):
        out = b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])

    def field(self, number, payload):
        return self.varint(number << 3 | 2) + self.varint(len(payload)) + payload

    def blob(self, t):
        t = t.detach().float().cpu().contiguous()
        shape = b"".join(self.varint(d) for d in t.shape)
        data = struct.pack(f"<{t.numel()}f", *t.flatten().tolist())
        return self.field(7, self.field(1, shape)) + self.field(5, data)

    def layer(self, name, type, bottoms, top, params="", blobs=()):
        bottoms = [bottoms] if isinstance(bottoms, str) else bottoms
        lines = "".join(f'  bottom: "{b}"\n' for b in bottoms)
        self.text.append(f'layer {{\n  name: "{name}"\n  type: "{type}"\n{lines}  top: "{top}"\n'
                         + (f"  {params}\n" if params else "") + "}")
        body = self.field(1, name.encode()) + self.field(2, type.encode())
        body += b"".join(self.field(3, b.encode()) for b in bottoms) + self.field(4, top.encode())
        self.model += self.field(100, body + b"".join(self.field(7, self.blob(b)) for b in blobs))
        return top

    def conv(self, name, bottom, m):
        p = (f"convolution_param {{ num_output: {m.out_channels} kernel_size: {m.kernel_size[0]}"
             f" stride: {m.stride[0]} pad: {m.padding[0]} }}")
        return self.layer(name, "Convolution", bottom, name, p, (m.weight, m.bias))

    def conv_bn(self, name, bottom, m, relu):
        self.conv(name, bottom, m.conv)
        one = torch.ones(1)
        self.layer(name + "_bn", "BatchNorm", name, name, "", (m.bn.running_mean, m.bn.running_var, one))
        self.layer(name + "_scale", "Scale", name, name, "scale_param { bias_term: true }", (m.bn.weight, m.bn.bias))
        if relu:
            self.layer(name + "_relu", "ReLU", name, name)
        return name

    def fc(self, name, bottom, m):
        return self.layer(name, "InnerProduct", bottom, name,
                          f"inner_product_param {{ num_output: {m.out_features} }}", (m.weight, m.bias))


def export_lenet5(m):
    c = Caffe("lenet5-fashion-mnist")
    pool = "pooling_param { pool: MAX kernel_size: 2 stride: 2 }"
    c.layer("pool1", "Pooling", c.conv("conv1", "data", m.conv1), "pool1", pool)
    c.layer("pool2", "Pooling", c.conv("conv2", "pool1", m.conv2), "pool2", pool)
    c.layer("relu1", "ReLU", c.fc("ip1", "pool2", m.ip1), "ip1")
    c.layer("prob", "Softmax", c.fc("ip2", "ip1", m.ip2), "prob")
    return c


def export_resnet18(m):
    c = Caffe("resnet18-fashion-mnist")
    x = c.conv_bn("first_conv", "data", m.first, True)
    for name, b in m.blocks.items():
        y = c.conv_bn(name + "_conv0", x, b.conv0, True)
        y = c.conv_bn(name + "_conv1", y, b.conv1, False)
        operands = [c.conv_bn(name + "_proj", x, b.proj, False), y] if b.proj else [y, x]
        x = c.layer(name + "_sum", "Eltwise", operands, name + "_sum", "eltwise_param { operation: SUM }")
        c.layer(name + "_relu", "ReLU", x, x)
    x = c.layer("global_avg_pool", "Pooling", x, "global_avg_pool", "pooling_param { pool: AVE global_pooling: true }")
    c.layer("softmax", "Softmax", c.fc("fc", x, m.fc), "softmax")
    return c


# --- training ---------------------------------------------------------------

def idx(path):
    data = gzip.open(path).read()
    dims = struct.unpack(">" + "I" * data[3], data[4:4 + 4 * data[3]])
    return torch.frombuffer(bytearray(data[4 + 4 * data[3]:]), dtype=torch.uint8).view(*dims)


def augment(x):
    """Random shift by up to 2 pixels, and a mirror image half of the time."""
    n = len(x)
    x = F.pad(x, (2, 2, 2, 2))
    dy, dx = torch.randint(0, 5, (2, n), device=x.device)
    r = torch.arange(28, device=x.device)
    rows, cols = dy[:, None] + r, dx[:, None] + r
    flip = torch.rand(n, device=x.device) < 0.5
    cols = torch.where(flip[:, None], cols.flip(1), cols)
    return x[torch.arange(n, device=x.device)[:, None, None], 0, rows[:, :, None], cols[:, None, :]][:, None]


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    correct = sum((model(a).argmax(1) == b).sum().item() for a, b in zip(x.split(1000), y.split(1000)))
    return correct, len(y)


def train(net, data, device, log):
    recipe = {
        "lenet5": dict(make=LeNet5, epochs=60, batch=128, lr=0.02, decay=5e-4, smoothing=0.0),
        "resnet18": dict(make=ResNet18, epochs=120, batch=256, lr=0.2, decay=5e-4, smoothing=0.1),
    }[net]
    torch.manual_seed(SEED)
    torch.backends.cudnn.deterministic = True
    xs, ys, xt, yt = (t.to(device) for t in data)
    model = recipe["make"]().to(device)
    ema = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999), use_buffers=True)
    steps = recipe["epochs"] * (len(ys) // recipe["batch"])
    # Decay on BatchNorm's factors would shrink whole filters to nothing; a filter
    # of 1e-7 is harmless in float32 and ruins per-filter int8 (one bias shift
    # for all channels of a layer).
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    opt = torch.optim.SGD([{"params": decayed, "weight_decay": recipe["decay"]}, {"params": others}],
                          recipe["lr"], 0.9, nesterov=True)
    sched = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda s: min(s / 500, 1) * 0.5 * (1 + math.cos(math.pi * s / steps)))
    log(f"{net}: {sum(p.numel() for p in model.parameters())} trained parameters, torch {torch.__version__}, seed {SEED}, "
        + json.dumps({k: v for k, v in recipe.items() if k != "make"}))
    start = time.time()
    for epoch in range(recipe["epochs"]):
        model.train()
        order, total = torch.randperm(len(ys), device=device), torch.zeros((), device=device)
        for b in order.split(recipe["batch"]):
            if len(b) < recipe["batch"]:
                continue
            loss = F.cross_entropy(model(augment(xs[b])), ys[b], label_smoothing=recipe["smoothing"])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            sched.step()
            ema.update_parameters(model)
            total += loss.detach()
        if epoch % 10 == 9:
            log(f"{net}: epoch {epoch + 1}, training loss {total.item() * recipe['batch'] / len(ys):.4f}, {time.time() - start:.0f} s")
    correct, n = accuracy(ema.module, xt, yt)
    log(f"{net}: test pictures, looked at once: {correct}/{n} = {100 * correct / n:.2f} %")
    return ema.module


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--net", choices=("lenet5", "resnet18"), action="append")
    a = p.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    f = lambda s: idx(os.path.join(a.data, s + "-ubyte.gz"))
    pixels = lambda s: f(s).unsqueeze(1).float() * SCALE
    labels = lambda s: f(s).long()
    data = pixels("train-images-idx3"), labels("train-labels-idx1"), pixels("t10k-images-idx3"), labels("t10k-labels-idx1")
    os.makedirs(a.out, exist_ok=True)
    for net in a.net or ("lenet5", "resnet18"):
        with open(os.path.join(a.out, net + ".log"), "w") as lf:
            def log(s):
                print(s, flush=True)
                print(s, file=lf, flush=True)
            model = train(net, data, device, log)
        c = {"lenet5": export_lenet5, "resnet18": export_resnet18}[net](model)
        with open(os.path.join(a.out, net + ".prototxt"), "w") as o:
            o.write("\n".join(c.text) + "\n")
        with open(os.path.join(a.out, net + ".caffemodel"), "wb") as o:
            o.write(c.model)


if __name__ == "__main__":
    main()
