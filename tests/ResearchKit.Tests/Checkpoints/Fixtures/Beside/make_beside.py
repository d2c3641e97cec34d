"""Writes files with more than a state dict in them: python3 make_beside.py (made with torch 1.13)."""
import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import os
import pathlib
import random
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple

import numpy
import torch

state = OrderedDict(weight=torch.arange(6.0).reshape(2, 3), bias=torch.tensor([0.5, -0.5]))


class Kind(enum.Enum):
    FIRST = 1


class Flags(enum.IntFlag):
    A = 1
    B = 2


class Settings(OrderedDict):
    pass


class Attributes(dict):
    def __getattr__(self, name):
        return self[name]


class Words(list):
    pass


class Slots:
    __slots__ = ("a",)

    def __init__(self):
        self.a = 3


class Reduced:
    def __reduce__(self):
        return (os.system, ("touch /tmp/run-by-a-pickle",))


class Given:
    def __init__(self, *, name):
        self.name = name

    def __getnewargs_ex__(self):
        return (), {"name": self.name}

    def __new__(cls, *, name):
        return super().__new__(cls)


@dataclasses.dataclass
class Options:
    rate: float = 0.1


Point = namedtuple("Point", "x y")
itself = []
itself.append(itself)
beside = {
    "counter": Counter("abca"), "default": defaultdict(list, a=[1]), "set": {1, 2}, "frozen": frozenset([1]), "deque": deque([1]),
    "settings": Settings(a=1), "attributes": Attributes(a=1), "words": Words([1, 2]), "point": Point(1, 2), "slots": Slots(),
    "namespace": argparse.Namespace(lr=0.1), "simple": types.SimpleNamespace(a=1), "options": Options(), "given": Given(name="a"),
    "kind": Kind.FIRST, "flags": Flags.A | Flags.B, "keys": {Kind.FIRST: 1, (1, 2): 3, None: 4, 1.5: 5, b"x": 6, frozenset([1]): 7},
    "date": datetime.datetime(2024, 1, 2), "delta": datetime.timedelta(1), "zone": datetime.timezone.utc, "path": pathlib.Path("/tmp/a"),
    "windows": pathlib.PureWindowsPath("c:/a"), "uuid": uuid.UUID(int=5), "decimal": decimal.Decimal("1.5"),
    "fraction": fractions.Fraction(1, 3), "complex": 1 + 2j, "range": range(3), "slice": slice(1, 2), "bytes": b"abc", "long": b"x" * 300,
    "array": bytearray(b"abc"), "big": 2 ** 300, "negative": -2 ** 70, "text": "caf\u00e9 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "function": os.path.join, "builtin": len, "class": OrderedDict, "module": torch.nn.functional.relu, "ran": Reduced(), "itself": itself,
    "ellipsis": ..., "numpy": numpy.float64(0.5), "ints": numpy.arange(3), "objects": numpy.array(["a", None], dtype=object),
    "dtypes": numpy.dtype("f4"), "numpy_rng": numpy.random.RandomState(0).get_state()[:1], "random": random.Random(0).getstate(),
    "rng": {"torch": torch.arange(16, dtype=torch.uint8), "cuda": [torch.arange(16, dtype=torch.uint8)]},
    "dtype": torch.bfloat16, "device": torch.device("cuda", 1), "size": torch.Size([2]), "layout": torch.strided,
    "parameter": torch.nn.Parameter(torch.ones(1)), "sparse": torch.eye(2).to_sparse(), "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    "channels": torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.quint8),
    "double": torch.ones(2, dtype=torch.complex128), "meta": torch.empty(2, device="meta"), "storage": torch.ones(2).storage(), "epoch": 3,
}
layer = torch.nn.Linear(3, 2)
layer.load_state_dict(state)
optimizer = torch.optim.AdamW(layer.parameters())
layer(torch.ones(1, 3)).sum().backward()
optimizer.step()
layer.load_state_dict(state)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)


def prefixed(prefix):
    return OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def save(value, name, **how):
    torch.save(value, name, **how)


everything = {"model": state, "beside": beside, "optimizer": optimizer.state_dict(), "scheduler": schedule.state_dict()}
save(everything, "everything.pt")
save(everything, "everything.legacy.pt", _use_new_zipfile_serialization=False)
save(everything, "everything.protocol4.pt", pickle_protocol=4)
save(everything, "everything.legacy.protocol4.pt", pickle_protocol=4, _use_new_zipfile_serialization=False)
for name in ("slots", "attributes", "given"):   # objects that protocol 1 cannot write
    del beside[name]
save(everything, "everything.protocol1.pt", pickle_protocol=1)
save({**state, **{f"beside.{name}": value for name, value in beside.items() if not torch.is_tensor(value)}}, "flat.pt")
save(Settings(state), "subclass.pt")
save(defaultdict(dict, state), "default.pt")
save({"checkpoint": {"ema_model": prefixed("module."), "model": state, "step": 3}}, "deep.pt")
save({"module": state, "ema": {**state, "weight": state["weight"] * 2}, "best": torch.tensor(0.5)}, "ema.pt")
save({"state_dict": state, "mean": torch.ones(3), "std": torch.ones(3)}, "mean.pt")
save({"epoch": 1, "global_step": 10, "pytorch-lightning_version": "1.9", "state_dict": state, "optimizer_states": [optimizer.state_dict()],
      "lr_schedulers": [schedule.state_dict()], "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best_model_score": torch.tensor(0.5), "dirpath": pathlib.Path("a")}},
      "hyper_parameters": Attributes(weights=torch.ones(4, 4), lr=0.1), "loops": {"fit_loop": {"state_dict": {}}}}, "lightning.pt")
save((state, optimizer.state_dict(), argparse.Namespace(a=1)), "tuple.pt")
save({"model": {"encoder": dict(state), "decoder": dict(state)}, "epoch": 1}, "parts.pt")
save({"generator": dict(state), "discriminator": dict(state)}, "pair.pt")

inner = torch.nn.Sequential(OrderedDict(linear=layer, norm=torch.nn.BatchNorm1d(2)))
inner.norm.register_buffer("passing", torch.ones(1), persistent=False)
save(inner, "module.pt")
save(inner, "module.legacy.pt", _use_new_zipfile_serialization=False)
save({"epoch": 1, "model": layer, "ema": layer, "optimizer": None, "date": "2024"}, "module-in-dict.pt")
torch.jit.script(inner.eval()).save("script.pt")
save({"model": {"weight": torch.quantize_per_tensor(state["weight"], 0.5, 0, torch.qint8), "bias": state["bias"]}}, "quantized.pt")
