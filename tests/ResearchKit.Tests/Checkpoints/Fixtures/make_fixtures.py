"""Writes the small PyTorch files of this folder: python3 make_fixtures.py (made with torch 1.13)."""
from collections import OrderedDict

import torch

torch.manual_seed(0)
dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]
numbers = torch.arange(-3, 9).reshape(3, 4)


def state():
    table = torch.arange(20, dtype=torch.float32).reshape(5, 4)
    tensors = OrderedDict((f"all.{str(dtype)[6:]}", numbers.to(dtype)) for dtype in dtypes)
    tensors["table"] = table                                 # three names for one storage
    tensors["tied"] = table
    tensors["row"] = table[2]                                # an offset
    tensors["transposed"] = table.t()                        # strides
    tensors["every.second"] = table.flatten()[1::2]
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.empty(0, 3)
    tensors["parameter"] = torch.nn.Parameter(torch.full((2,), 7.0))
    return tensors


layer = torch.nn.Linear(3, 2)
optimizer = torch.optim.AdamW(layer.parameters())
layer(torch.ones(1, 3)).sum().backward()
optimizer.step()
training = {
    "epoch": 3, "loss": 0.25, "note": "caf\u00e9", "big": 2**40, "negative": -5, "done": True, "none": None, "betas": (0.9, 0.999),
    "names": ["a", "b"], "dtype": torch.bfloat16, "shape": torch.Size([2, 3]), "device": torch.device("cpu"),
    "state_dict": layer.state_dict(), "optimizer": optimizer.state_dict(),
}
for zipped in (True, False):
    ending = "" if zipped else ".legacy"
    torch.save(state(), f"tensors{ending}.pt", _use_new_zipfile_serialization=zipped)
    torch.save(training, f"training{ending}.pt", _use_new_zipfile_serialization=zipped)
positions = torch.arange(40.0).reshape(1, 10, 4).sin()   # a class token and 3 x 3 patches
resized = {"from": positions}
for side in (2, 5):                                      # as transformers interpolates them
    grid = positions[:, 1:].reshape(1, 3, 3, 4).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    resized[f"to{side}"] = torch.cat([positions[:, :1], grid.permute(0, 2, 3, 1).reshape(1, side * side, 4)], 1)
torch.save(resized, "positions.pt")
torch.save({"model": layer.state_dict(), "teacher": layer.state_dict()}, "two.pt")
torch.save(layer, "whole-module.pt")                         # names a class, which is not made
torch.save(layer.state_dict(), "protocol4.pt", pickle_protocol=4)
