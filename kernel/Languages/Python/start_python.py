"""An ipykernel that ends with the program that started it, and that shares values with it through files.

A request is ``N.request.json`` in the private folder that this file lies in; the answer goes to ``N.answer.json``. What holds
many numbers lies beside them as plain bytes, little end first. Nothing that is read is ever run as code.

In JSON null, true, numbers, texts and lists mean themselves; all else is an object with one key: ``float`` and ``int`` (as text,
where JSON has no word for the number), ``complex``, ``bytes``, ``dict`` (a list of pairs), ``set``, ``tuple``, ``array``, and
``decimal``, ``datetime``, ``date``, ``time``, ``timedelta`` (microseconds) and ``uuid`` as text.
"""

import base64
import collections.abc
import ctypes
import dataclasses
import datetime
import decimal
import enum
import faulthandler
import json
import keyword
import math
import os
import pathlib
import reprlib
import signal
import struct
import sys
import threading
import types
import uuid

FOLDER = os.path.dirname(os.path.abspath(__file__))
DEEPEST = 100
CODES = {
    "bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float16": "e", "float32": "f", "float64": "d", "bfloat16": "H", "complex64": "ff", "complex128": "dd",
}
NO_TENSORS = ("uint16", "uint32", "uint64")
VIEWS = (type({}.keys()), type({}.values()), type({}.items()))
MICROSECOND = datetime.timedelta(microseconds=1)


def main():
    # What lies in this folder is no module of the notebook's.
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != FOLDER]
    sys.modules["_researchkit"] = sys.modules["__main__"]
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl+C in a terminal is for the program that started this one, which passes it on
    end_with_parent()
    # A crash of native code is told with its Python lines, past ipykernel, which takes the error output for its cells.
    faulthandler.enable(file=os.fdopen(os.dup(2), "w"), all_threads=False)
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def end_with_parent():
    """Ends this process when the other end of its standard input closes, however that came."""
    life = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait():
        while os.read(life, 64):
            pass
        for name in os.listdir(FOLDER):
            os.remove(os.path.join(FOLDER, name))
        os.rmdir(FOLDER)

    def end():
        try:
            wait()
        finally:
            if hasattr(os, "killpg"):
                os.killpg(0, signal.SIGKILL)  # and what it has started
            os._exit(1)

    threading.Thread(target=end, name="end with parent", daemon=True).start()


def answer(number):
    """Does what a request asks."""
    with open(path(f"{number}.request.json"), encoding="utf-8") as file:
        request = json.load(file)
    try:
        reply = {"answer": {"get": get, "set": set_, "list": list_}[request["ask"]](number, request)}
        text = json.dumps(reply, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (KeyError, TypeError, ValueError) as error:
        reply = {"error": type(error).__name__, "message": error.args[0] if isinstance(error, KeyError) else str(error)}
        text = json.dumps(reply).encode("utf-8")
    with open(path(f"{number}.answer.json"), "wb") as file:
        file.write(text)


def path(name):
    return os.path.join(FOLDER, name)


def variables():
    from IPython import get_ipython

    return get_ipython().user_ns


def seen():
    """The names that cells gave to values."""
    from IPython import get_ipython

    hidden, no_values = get_ipython().user_ns_hidden, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
    return [
        name for name, value in variables().items()
        if not name.startswith("_") and not isinstance(value, no_values) and not (name in hidden and hidden[name] is value)
    ]


def list_(number, request):
    return [[name, full_name(variables()[name]), short(variables()[name])] for name in sorted(seen())]


def short(value):
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{full_name(value)} {value.dtype} {list(value.shape)}"
    try:
        text = reprlib.repr(value)
    except Exception as error:
        text = f"its repr fails: {type(error).__name__}"
    return text if isinstance(value, (bool, int, float, str, list, dict, tuple, type(None))) else f"{full_name(value)} {text}"


def get(number, request):
    name, known = request["name"], variables()
    if name not in known:
        names = sorted(seen())
        there = f"are {', '.join(names)}" if names else "are none"
        raise KeyError(f"There is no variable '{name}' in Python; there {there}.")
    return Sending(number, name).encode(known[name])


def set_(number, request):
    name = request["name"]
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"'{name}' is not a Python name.")
    variables()[name] = decode(request["value"])


class Sending:
    """Values on their way out."""

    def __init__(self, number, name):
        self.number, self.name, self.files = number, name, 0

    def encode(self, value, depth=0):
        if depth > DEEPEST:
            raise ValueError(f"{self.name} is nested deeper than {DEEPEST} levels; it cannot be shared.")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if any("\ud800" <= letter <= "\udfff" for letter in value):
                raise self.refused("str with half a character", 'share it as bytes: .encode("utf-16-le", "surrogatepass")')
            return str(value)
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**63 else {"int": str(int(value))}
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": str(float(value))}
        if isinstance(value, complex):
            return {"complex": [self.encode(float(value.real)), self.encode(float(value.imag))]}
        if isinstance(value, (bytes, bytearray)):
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if isinstance(value, enum.Enum):
            return value.name
        if isinstance(value, pathlib.PurePath):
            return str(value)
        named = encode_named(value)
        if named:
            return named
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        elif isinstance(value, tuple) and hasattr(value, "_fields"):
            value = dict(zip(value._fields, value))
        if isinstance(value, (list, tuple, range, collections.deque, *VIEWS)):
            return [self.encode(item, depth + 1) for item in value]
        if isinstance(value, (set, frozenset)):
            return {"set": [self.encode(item, depth + 1) for item in value]}
        if isinstance(value, collections.abc.Mapping):
            return {"dict": [[self.encode(key, depth + 1), self.encode(item, depth + 1)] for key, item in value.items()]}
        pandas = sys.modules.get("pandas")
        if pandas and isinstance(value, pandas.DataFrame):
            return self.encode({name: value[name].tolist() for name in value.columns}, depth + 1)
        if pandas and isinstance(value, (pandas.Series, pandas.Index)):
            return self.encode(value.tolist(), depth + 1)
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy and isinstance(value, numpy.generic) and type(value.item()) is not type(value):
            return self.encode(value.item(), depth + 1)
        if numpy and isinstance(value, numpy.ndarray) and not isinstance(value, numpy.ma.MaskedArray):
            return self.from_numpy(numpy, value)
        if torch and isinstance(value, torch.Tensor):
            return self.from_torch(torch, value)
        raise self.refused(full_name(value))

    def refused(self, what, instead="share what it is made of: numbers, texts, lists, dicts, numpy arrays or torch tensors"):
        return TypeError(f"{self.name} has a value of type {what}, which cannot be shared; {instead}.")

    def array(self, dtype, shape, write):
        self.files += 1
        file = f"{self.number}.{self.files}.bin"
        write(path(file))
        return {"array": {"file": file, "dtype": dtype, "shape": [int(size) for size in shape]}}

    def from_numpy(self, numpy, value):
        dtype = value.dtype.name
        if dtype in NO_TENSORS:
            raise self.refused(f"numpy.ndarray of {dtype}", f'no tensor has these numbers: share {self.name}.astype("int64")')
        if value.dtype.kind == "M":
            return self.encode(value.astype("datetime64[us]").tolist())
        if value.dtype.kind in "USO":
            return self.encode(value.tolist())
        if dtype not in CODES:
            raise self.refused(f"numpy.ndarray of {dtype}")
        plain = numpy.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        return self.array(dtype, value.shape, plain.tofile)

    def from_torch(self, torch, value):
        dtype = str(value.dtype).removeprefix("torch.")
        if value.layout is not torch.strided or value.is_quantized:
            raise self.refused(f"torch.Tensor ({value.layout}, {dtype})", f"share {self.name}.to_dense() or {self.name}.dequantize()")
        if dtype not in CODES or dtype in NO_TENSORS:
            raise self.refused(f"torch.Tensor of {dtype}", f"share {self.name}.float()")
        plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()

        def write(name):
            size = plain.numel() * plain.element_size()
            with open(name, "wb") as file:
                if size:
                    file.write((ctypes.c_char * size).from_address(plain.data_ptr()))

        return self.array(dtype, value.shape, write)


def encode_named(value):
    """A value whose type has a name in both languages, as text; None for others."""
    if isinstance(value, decimal.Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime.datetime):
        return {"datetime": value.replace(fold=0).isoformat(timespec="microseconds")}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"time": value.replace(tzinfo=None).isoformat(timespec="microseconds")}
    if isinstance(value, datetime.timedelta):
        return {"timedelta": str(value // MICROSECOND)}
    if isinstance(value, uuid.UUID):
        return {"uuid": str(value)}
    return None


def hashable(value):
    """A value as an element of a set or a key of a dict: a list has none of its own."""
    return tuple(map(hashable, value)) if isinstance(value, list) else value


def decode(value):
    """A value that came in."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    if kind == "dict":
        return {hashable(decode(key)): decode(item) for key, item in inner}
    if kind == "set":
        return {hashable(decode(item)) for item in inner}
    if kind == "tuple":
        return tuple(map(decode, inner))
    if kind == "complex":
        return complex(*map(decode, inner))
    if kind == "array":
        return decode_array(path(inner["file"]), inner["dtype"], inner["shape"], inner["tensor"])
    return {
        "int": int, "float": float, "bytes": base64.b64decode, "decimal": decimal.Decimal, "uuid": uuid.UUID,
        "datetime": datetime.datetime.fromisoformat, "date": datetime.date.fromisoformat, "time": datetime.time.fromisoformat,
        "timedelta": lambda text: int(text) * MICROSECOND,
    }[kind](inner)


def decode_array(file, dtype, shape, is_tensor):
    torch = module("torch") if is_tensor else None
    if torch and dtype not in NO_TENSORS:
        with open(file, "rb", buffering=0) as stream:
            data = bytearray(os.fstat(stream.fileno()).st_size)
            stream.readinto(data)
        kind = getattr(torch, dtype)
        return torch.frombuffer(data, dtype=kind).reshape(shape) if data else torch.empty(shape, dtype=kind)
    numpy = module("numpy")
    if not numpy:
        with open(file, "rb") as stream:
            return nested(numbers(stream.read(), dtype), shape)
    if dtype == "bfloat16":
        return (numpy.fromfile(file, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    return numpy.fromfile(file, numpy.dtype(dtype).newbyteorder("<")).reshape(shape)


def module(name):
    """A module that may be missing, or lack a library of its own."""
    try:
        return __import__(name)
    except (ImportError, OSError):
        return None


def numbers(data, dtype):
    rows = struct.iter_unpack("<" + CODES[dtype], data)
    if dtype == "bfloat16":
        return [struct.unpack("<f", struct.pack("<I", bits << 16))[0] for (bits,) in rows]
    return [complex(*row) if len(row) == 2 else row[0] for row in rows]


def nested(flat, shape):
    if not shape:
        return flat[0]
    step = math.prod(shape[1:])
    return [nested(flat[i * step:(i + 1) * step], shape[1:]) for i in range(shape[0])]


def full_name(value):
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


if __name__ == "__main__":
    main()
