#!/usr/bin/env python3
"""Remakes the golden numbers that need nothing but PyTorch, and torchvision for the convolutional networks.

    apt-get install python3-torch python3-torchvision     # Debian 12: PyTorch 1.13, torchvision 0.14.1
    ./make_golden.py                                      # compares the remade numbers with the committed ones
    ./make_golden.py --write lstm-a adamw                 # writes these files anew

Inputs and weights (model.safetensors, in.*, or the rule of WeightRule.cs) are read, never drawn anew. The other golden
numbers come from implementations that Debian does not package; README.md beside this file names them.
"""
import ast
import json
import struct
import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "BOOL": torch.bool}


def read(path):
    """The tensors of a safetensors file, in the order of the file, and its header."""
    data = Path(path).read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        values = torch.frombuffer(bytearray(data[end + first:end + last]), dtype=DTYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def write(path, tensors):
    """Puts new values into a safetensors file; names, dtypes, shapes and order stay."""
    data = bytearray(Path(path).read_bytes())
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    for name, tensor in tensors.items():
        entry = header[name]
        assert list(tensor.shape) == entry["shape"], f"{path}: {name} has shape {list(tensor.shape)}, the file {entry['shape']}"
        first, last = entry["data_offsets"]
        values = tensor.detach().to(DTYPES[entry["dtype"]]).contiguous()
        data[end + first:end + last] = bytes(values.view(-1).numpy().tobytes())
    Path(path).write_bytes(data)


def gradients(module, loss, golden):
    """The gradients that the file holds."""
    module.zero_grad()
    loss.backward()
    return {name: dict(module.named_parameters())[name[5:]].grad for name in golden if name.startswith("grad.")}


def recurrent(folder, config, golden):
    kind = torch.nn.LSTM if config["architecture"].endswith("LSTM") else torch.nn.GRU
    module = kind(config["input_size"], config["hidden_size"], config["num_layers"],
                  batch_first=config["batch_first"], bidirectional=config["bidirectional"])
    module.load_state_dict(read(folder / "model.safetensors"))
    lengths = golden["in.lengths"]
    state = golden.get("in.h0")
    if "in.c0" in golden:
        state = (golden["in.h0"], golden["in.c0"])
    packed = torch.nn.utils.rnn.pack_padded_sequence(golden["in.x"], lengths, config["batch_first"], enforce_sorted=False)
    output, state = module(packed, state)
    output, _ = torch.nn.utils.rnn.pad_packed_sequence(
        output, config["batch_first"], total_length=golden["out.output"].shape[1 if config["batch_first"] else 0])
    hidden, cell = state if kind is torch.nn.LSTM else (state, None)
    loss = output.square().sum() / lengths.sum() + hidden.mean()
    made = {"out.output": output, "out.h_n": hidden}
    if cell is not None:
        made["out.c_n"] = cell
        loss = loss + 0.5 * cell.mean()
    return {**made, "out.loss": loss, **gradients(module, loss, golden)}


def transformer_layer(folder, config, golden):
    decoder = config["architecture"].endswith("DecoderLayer")
    kind = torch.nn.TransformerDecoderLayer if decoder else torch.nn.TransformerEncoderLayer
    module = kind(config["d_model"], config["nhead"], config["dim_feedforward"], config["dropout"], config["activation"],
                  config["layer_norm_eps"], config["batch_first"], config["norm_first"])
    module.load_state_dict(read(folder / "model.safetensors"))
    module.train()                                   # the slow path: eval mode fuses the layer, and keeps no pattern
    for child in module.modules():
        if isinstance(child, torch.nn.Dropout):
            child.p = 0.0
    module.self_attn.dropout = 0.0
    if decoder:
        module.multihead_attn.dropout = 0.0
    mask, padding = golden.get("in.mask"), golden.get("in.key_padding_mask")
    x = golden["in.x"]
    if decoder:
        output = module(x, golden["in.memory"], mask, golden.get("in.memory_mask"), padding,
                        golden.get("in.memory_key_padding_mask"))
    else:
        output = module(x, mask, padding)
    query = module.norm1(x) if config["norm_first"] else x
    _, pattern = module.self_attn(query, query, query, key_padding_mask=padding, attn_mask=mask, average_attn_weights=False)
    loss = output.square().mean() + output[..., 0].mean()
    return {"out.output": output, "out.self_attention": pattern, "out.loss": loss, **gradients(module, loss, golden)}


def rule(name, shape, factor=1.0):
    """The values of WeightRule.cs: they follow from the name, the shape and the place."""
    digest = 0x811C9DC5
    for letter in name.encode():
        digest = ((digest ^ letter) * 0x01000193) & 0xFFFFFFFF
    count = 1
    for length in shape:
        count *= length

    def times(x, y):                                 # of 32 bits each, in 64: the product's low 32 bits
        return ((x & 0xFFFF) * y + ((((x >> 16) * y) & 0xFFFF) << 16)) & 0xFFFFFFFF

    x = (times(torch.arange(1, count + 1), 0x9E3779B1) + digest) & 0xFFFFFFFF
    x = times(x ^ (x >> 16), 0x85EBCA6B)
    x = times(x ^ (x >> 13), 0xC2B2AE35)
    x = x ^ (x >> 16)
    sample = (x >> 8).double() / 8388608.0 - 1
    if len(shape) >= 2:
        offset, scale = 0.0, (6.0 / (count // shape[0])) ** 0.5
    elif name.endswith("running_mean"):
        offset, scale = 0.0, 0.25
    elif name.endswith("running_var"):
        offset, scale = 1.0, 0.5
    elif name.endswith("weight"):
        offset, scale = 1.0, 0.25
    else:
        offset, scale = 0.0, 0.125
    return ((sample * scale + offset) * factor).float().reshape(shape)


def vision(folder, config, golden):
    import torchvision
    from torchvision.models.resnet import Bottleneck, ResNet
    names = {**vars(torchvision.models), "Bottleneck": Bottleneck, "ResNet": ResNet}
    call = ast.parse(config["architecture"], mode="eval").body                # such as "vgg11(num_classes=10)"
    arguments = [names[value.id] if isinstance(value, ast.Name) else ast.literal_eval(value) for value in call.args]
    options = {option.arg: ast.literal_eval(option.value) for option in call.keywords}
    if call.func.id.startswith(("googlenet", "inception", "vgg")):
        options["init_weights"] = False                                      # slow, and the rule replaces them
    module = names[call.func.id](*arguments, **options)
    state = module.state_dict()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            factor = next((scale for end, scale in config["weight_scale"] if name.endswith(end)), 1.0)
            state[name] = rule(name, list(tensor.shape), factor)
    module.load_state_dict(state)
    module.double().eval()                           # in float32 a ReLU near zero flips with the processor, and gradients with it
    images = golden.get("in.pixel_values")
    if images is None:
        images = rule(config["input_rule_name"], [2, 3, config["image_size"], config["image_size"]])
    images = images.double()
    maps = {}
    for name, child in module.named_modules():
        child.register_forward_hook(lambda _, __, output, name=name: maps.__setitem__(name, output))
    logits = module(images)
    loss = torch.nn.functional.cross_entropy(logits, golden["in.labels"])
    made = {name: maps[name[len("out.feature."):]] for name in golden if name.startswith("out.feature.")}
    return {**made, "out.logits": logits, "out.loss": loss, **gradients(module, loss, golden)}


def optimizer(case, golden, problem):
    """Parameters after 1, 2, 5 and 20 steps on stored gradients."""
    name, hyper = case.split(".")[0], CASES[case]["hyper"]
    kind = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop", "radam": "RAdam", "adagrad": "Adagrad",
            "adamax": "Adamax", "adadelta": "Adadelta", "nadam_torch113": "NAdam"}[name]
    parameters = {key[5:]: torch.nn.Parameter(value.clone()) for key, value in problem.items() if key.startswith("init/")}
    optim = getattr(torch.optim, kind)(parameters.values(), **hyper)
    made = {}
    for step in range(1, 21):
        for key, parameter in parameters.items():
            parameter.grad = problem["grad/" + key][step - 1].clone()
        optim.step()
        for key, parameter in parameters.items():
            if f"{case}/step{step}/{key}" in golden:
                made[f"{case}/step{step}/{key}"] = parameter.detach().clone()
    return made


CASES = json.loads((HERE / "optim/cases.json").read_text())["cases"]
TORCH = ("adamw", "adam", "sgd", "rmsprop", "radam", "adagrad", "adamax", "adadelta", "nadam_torch113")


def remade(wanted):
    """(file, new values, tolerance of each) of every golden file that can be remade."""
    for folder in sorted((HERE / "models").iterdir()):
        config = json.loads((folder / "config.json").read_text()) if (folder / "config.json").exists() else {}
        architecture = config.get("architecture", "")
        if wanted and folder.name not in wanted or not isinstance(architecture, str):
            continue
        make = (recurrent if architecture in ("torch.nn.LSTM", "torch.nn.GRU")
                else transformer_layer if architecture.startswith("torch.nn.Transformer")
                else vision if config.get("weights") == "rule" else None)
        if make is None:
            continue
        golden = read(folder / "expected.safetensors")
        try:
            yield folder / "expected.safetensors", make(folder, config, golden), json.loads((folder / "tolerance.json").read_text())
        except ImportError as missing:
            print(f"left out  {folder.name}: {missing}")
    for name in TORCH:
        if wanted and name not in wanted:
            continue
        path = HERE / f"optim/{name}.safetensors"
        golden, made, tolerance = read(path), {}, {}
        for case in (case for case in CASES if CASES[case]["file"] == path.name):
            values = optimizer(case, golden, read(HERE / f"optim/problem_{CASES[case]['problem']}.safetensors"))
            made.update(values)
            tolerance.update(dict.fromkeys(values, CASES[case]["tolerance_abs"]))
        yield path, made, tolerance


def main(arguments):
    torch.manual_seed(0)
    wrong = 0
    for path, made, tolerance in remade([name for name in arguments if not name.startswith("-")]):
        name = path.parent.name if path.name == "expected.safetensors" else path.stem
        if "--write" in arguments:
            write(path, made)
            print(f"written   {name}")
            continue
        committed = read(path)
        off = {key: (value.detach() - committed[key]).abs().max().item() for key, value in made.items()}
        bad = [f"{key} by {off[key]:.1e}" for key in off if not off[key] <= tolerance.get(key, 1e-5)]
        wrong += bool(bad)
        print(f"{'DIFFERS ' if bad else 'equal   '}  {name}: {len(off)} tensors, {', '.join(bad) or f'largest difference {max(off.values()):.1e}'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
