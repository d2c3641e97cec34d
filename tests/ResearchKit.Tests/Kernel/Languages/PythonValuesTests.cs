using System.Collections;
using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Kernel.Languages;

public sealed class PythonValuesTests(SharedPython shared) : IClassFixture<SharedPython>
{
    private static readonly ScalarType[] All =
    [
        ScalarType.Bool, ScalarType.Byte, ScalarType.Int8, ScalarType.Int16, ScalarType.Int32, ScalarType.Int64,
            ScalarType.Float16,
        ScalarType.Float32, ScalarType.Float64, ScalarType.ComplexFloat32, ScalarType.ComplexFloat64,
    ];

    private PythonSession Python => shared.Session;

    [SkippableFact]
    public async Task Plain_values_are_passed_to_Python_with_their_types()
    {
        var values = new (object? Value, string Python)[]
        {
            (null, "None"), (true, "True"), (3, "3"), (ulong.MaxValue, "18446744073709551615"),
                (BigInteger.Pow(10, 30), "1" + new string('0', 30)),
            (1.0, "1.0"), (0.1f, "0.10000000149011612"), (1e300, "1e+300"), (double.NaN, "nan"),
                (double.NegativeInfinity, "-inf"),
            ("a\n\"'😀\\", "'a\\n\"\\'😀\\\\'"), ('c', "'c'"), (new Complex(1, -2.5), "(1-2.5j)"),
            (new List<object?> { 1, 2.0, "x", null, new[] { "s" } }, "[1, 2.0, 'x', None, ['s']]"),
            (new Dictionary<string, object?> { ["a"] = 1, ["b"] = new List<int> { 1, 2 } }, "{'a': 1, 'b': [1, 2]}"),
            (new Dictionary<int, bool> { [5] = false }, "{5: False}"),
        };
        foreach (var (value, expected) in values)
        {
            await Python.Language.SetAsync("x", value, default);
            Assert.Equal($"{expected}\n", await Python.PrintedAsync("print(repr(x))"));
        }
    }

    [SkippableFact]
    public async Task Plain_values_are_read_from_Python_with_their_types()
    {
        foreach (var (code, expected) in new (string, object?)[]
        {
            ("None", null), ("True", true), ("7", 7L), ("2**70", BigInteger.Pow(2, 70)), ("1.0", 1.0),
                ("float('nan')", double.NaN),
            ("float('-inf')", double.NegativeInfinity), ("'a😀\\n'", "a😀\n"), ("1+2j", new Complex(1, 2)),
                ("b'\\x00\\xff'", new byte[] { 0, 255 }),
            ("[1, 2]", new[] { 1L, 2L }), ("(1, 2.5)", new[] { 1.0, 2.5 }), ("['a']", new[] { "a" }),
                ("[1, None]", new object?[] { 1L, null }),
            ("[[1, 2], [3]]", new long[][] { [1, 2], [3] }), ("[]", Array.Empty<object>()),
                ("[True, False]", new[] { true, false }),
            ("{'a': [1], 'b': None}", new Dictionary<string, object?> { ["a"] = new[] { 1L }, ["b"] = null }),
            ("{1: 'x'}", new Dictionary<object, object?> { [1L] = "x" }),
        })
        {
            await Python.RunAsync($"x = {code}");
            var got = await Python.Language.GetAsync("x", default);
            Assert.Equal(expected, got);
            Assert.Equal(expected?.GetType(), got?.GetType());
        }
    }

    [SkippableFact]
    public async Task Tensors_become_numpy_arrays_and_back_with_dtype_shape_and_values()
    {
        Python.SkipWithout("numpy");
        await HideAsync("torch");
        foreach (var type in All)
        {
            using var scope = NewDisposeScope();
            var tensor = arange(24, dtype: ScalarType.Float32).reshape(2, 3, 4).to_type(type).transpose(0, 2);   // not contiguous
            await Python.Language.SetAsync("t", tensor, default);
            var name = type switch
            {
                ScalarType.Byte => "uint8",
                ScalarType.ComplexFloat32 => "complex64",
                ScalarType.ComplexFloat64 => "complex128",
                _ => type.ToString().ToLowerInvariant()
            };
            Assert.Equal($"ndarray {name} (4, 3, 2) True\n", await Python.PrintedAsync(
                "import numpy\nprint(type(t).__name__, t.dtype, t.shape, (t == numpy.arange(24.0).reshape(2, 3, 4).astype(t.dtype).transpose()).all())"));
            Assert.Equal("", await Python.PrintedAsync("u = t[::-1]"));
            var back = Assert.IsType<Tensor>(await Python.Language.GetAsync("u", default));
            Same(tensor.flip(0), back);
        }
        await UnhideAsync();
    }

    [SkippableFact]
    public async Task Scalar_empty_strided_conjugated_and_bfloat16_tensors_become_numpy_arrays()
    {
        Python.SkipWithout("numpy");
        await HideAsync("torch");
        using var scope = NewDisposeScope();
        foreach (var tensor in new[] { tensor(2.5), empty(0, 3), arange(6).reshape(2, 3).t(), tensor(new Complex(1, 2)).conj() })
        {
            await Python.Language.SetAsync("t", tensor, default);
            Same(tensor.resolve_conj(), Assert.IsType<Tensor>(await Python.Language.GetAsync("t", default)));
        }
        await Python.Language.SetAsync("b", tensor(new[] { 1.5f, -2f }).to_type(ScalarType.BFloat16), default);
        Assert.Equal("float32 [1.5, -2.0]\n", await Python.PrintedAsync("print(b.dtype, b.tolist())"));
        await UnhideAsync();
    }

    [SkippableFact]
    public async Task Numeric_arrays_become_numpy_arrays()
    {
        Python.SkipWithout("numpy");
        foreach (var (array, expected) in new (Array, string)[]
        {
            (new[] { 1, 2 }, "int32 [1, 2]"), (new[,] { { 1.5 }, { 2 } }, "float64 [[1.5], [2.0]]"),
                (new ushort[] { 65535 }, "uint16 [65535]"),
            (new ulong[] { ulong.MaxValue }, "uint64 [18446744073709551615]"), (new[] { true }, "bool [True]"),
                (new[] { (Half)0.5 }, "float16 [0.5]"),
            (new[] { new Complex(1, 2) }, "complex128 [(1+2j)]"), (new byte[] { 7 }, "uint8 [7]"),
                (Array.Empty<float>(), "float32 []"),
        })
        {
            await Python.Language.SetAsync("a", array, default);
            Assert.Equal($"{expected}\n", await Python.PrintedAsync("print(a.dtype, a.tolist())"));
        }
    }

    [SkippableFact]
    public async Task Without_numpy_arrays_and_tensors_become_lists()
    {
        await HideAsync("numpy", "torch");
        using var scope = NewDisposeScope();
        foreach (var (value, expected) in new (object, string)[]
        {
            (new[,] { { 1, 2 }, { 3, 4 } }, "[[1, 2], [3, 4]]"), (tensor(2.5f), "2.5"),
                (tensor(new[] { true, false }), "[True, False]"),
            (tensor(new[] { 1.5f }).to_type(ScalarType.BFloat16), "[1.5]"), (tensor(new[] { 0.5f }).half(), "[0.5]"),
            (new[] { new Complex(1, 2) }, "[(1+2j)]"), (zeros(2, 0), "[[], []]"),
                (new long[] { long.MinValue }, $"[{long.MinValue}]"),
        })
        {
            await Python.Language.SetAsync("a", value, default);
            Assert.Equal($"{expected}\n", await Python.PrintedAsync("print(a)"));
        }
        await UnhideAsync();
    }

    [SkippableFact]
    public async Task Values_that_cannot_be_shared_are_refused_with_their_type()
    {
        await Python.RunAsync("%reset -f\nclass Own: pass\nx = Own()\nwhen = [slice(1, "
            + "2)]\nloop = []\nloop.append(loop)\nhalf = '\\ud800'");
        Assert.Contains("__main__.Own",
            (await Assert.ThrowsAsync<NotSupportedException>(() => Python.Language.GetAsync("x", default))).Message,
            StringComparison.Ordinal);
        Assert.Contains("type slice",
            (await Assert.ThrowsAsync<NotSupportedException>(() => Python.Language.GetAsync("when", default))).Message,
            StringComparison.Ordinal);
        Assert.Contains("nested deeper",
            (await Assert.ThrowsAsync<ArgumentException>(() => Python.Language.GetAsync("loop", default))).Message,
            StringComparison.Ordinal);
        Assert.Contains("half a character",
            (await Assert.ThrowsAsync<NotSupportedException>(() => Python.Language.GetAsync("half", default))).Message,
            StringComparison.Ordinal);
        Assert.Contains("there are half, loop, when, x.",
            (await Assert.ThrowsAsync<KeyNotFoundException>(() => Python.Language.GetAsync("nothing", default))).Message,
            StringComparison.Ordinal);
        Assert.Contains("System.IO.StringReader",
            (await Assert.ThrowsAsync<ArgumentException>(() =>
            Python.Language.SetAsync("x", new StringReader(""), default))).Message, StringComparison.Ordinal);
        foreach (var name in new[] { "class", "a b", "", "1x", "x;import os" })
            Assert.Contains("is not a Python name",
                (await Assert.ThrowsAsync<ArgumentException>(() => Python.Language.SetAsync(name, 1, default))).Message,
                StringComparison.Ordinal);
        var loop = new ArrayList();
        loop.Add(loop);
        Assert.Contains("contains itself",
            (await Assert.ThrowsAsync<ArgumentException>(() => Python.Language.SetAsync("x", loop, default))).Message,
            StringComparison.Ordinal);
        Assert.Equal("Own\n", await Python.PrintedAsync("print(type(x).__name__)"));
    }

    [SkippableFact]
    public async Task Numpy_scalars_become_numbers_and_unsupported_arrays_are_refused()
    {
        Python.SkipWithout("numpy");
        await Python.RunAsync("import numpy as np\nf = np.float32(1.5)\ni = np.int8(3)\nu = np.uint16([1])\no = "
            + "np.array([None])\nm = np.ma.array([1], mask=[True])\nb = np.array([1.5, 2], '>f4')");
        Assert.Equal((1.5, 3L),
            ((double)(await Python.Language.GetAsync("f", default))!, (long)(await Python.Language.GetAsync("i", default))!));
        Assert.Contains("u.astype(\"int64\")",
            (await Assert.ThrowsAsync<NotSupportedException>(() => Python.Language.GetAsync("u", default))).Message,
            StringComparison.Ordinal);
        Assert.Equal(new object?[] { null }, await Python.Language.GetAsync("o", default));
        Assert.Contains("MaskedArray",
            (await Assert.ThrowsAsync<NotSupportedException>(() => Python.Language.GetAsync("m", default))).Message,
            StringComparison.Ordinal);
        using var big = Assert.IsType<Tensor>(await Python.Language.GetAsync("b", default));
        Assert.Equal([1.5f, 2f], big.data<float>().ToArray());
    }

    [SkippableFact]
    public async Task Torch_tensors_keep_their_dtype_in_both_directions()
    {
        Python.SkipWithout("torch");
        foreach (var type in All.Append(ScalarType.BFloat16))
        {
            using var scope = NewDisposeScope();
            var tensor = arange(6, dtype: ScalarType.Float32).reshape(2, 3).to_type(type);
            await Python.Language.SetAsync("t", tensor, default);
            Assert.Equal("True\n", await Python.PrintedAsync("import torch\nprint(isinstance(t, torch.Tensor))\nu = t.t()"));
            Same(tensor.t(), Assert.IsType<Tensor>(await Python.Language.GetAsync("u", default)));
        }
    }

    [SkippableFact]
    public async Task Variables_are_listed_with_types_and_short_texts()
    {
        await Python.RunAsync("%reset -f\nimport os\nfrom math import pi\ndef f(): pass\nclass C: pass\n_hidden = 1\nn = 3\ns "
            + "= 'x' * 1000");
        var variables = Python.Language.Variables;
        Assert.Equal(["n", "pi", "s"], variables.Select(variable => variable.Name));
        Assert.Equal((typeof(long), "3"), (variables[0].Type, variables[0].Value));
        Assert.True(((string)variables[2].Value!).Length < 100);
        await Python.Language.SetAsync("own", 1, default);
        Assert.Contains(Python.Language.Variables, variable => variable.Name == "own");
    }

    [SkippableFact]
    public async Task Sharing_changes_neither_the_last_result_nor_the_execution_count()
    {
        var before = int.Parse(await Python.PrintedAsync("print(get_ipython().execution_count)"), CultureInfo.InvariantCulture);
        await Python.RunAsync("40 + 2");
        await Python.Language.SetAsync("x", 1, default);
        await Python.Language.GetAsync("x", default);
        Assert.Equal($"42 {before + 2}\n", await Python.PrintedAsync("print(_, get_ipython().execution_count)"));
    }

    /// <summary>Makes Python believe that it lacks these.</summary>
    private Task HideAsync(params string[] modules) => Python.RunAsync(
        $"import sys\nhidden = {{name: sys.modules.get(name) for name in '{string.Join(' ', modules)}'.split()}}\nfor name in hidden: sys.modules[name] = None");

    private Task UnhideAsync() => Python.RunAsync(
        "for name, module in hidden.items():\n    if module: sys.modules[name] = module\n    else: del sys.modules[name]");

    private static void Same(Tensor expected, Tensor got)
    {
        Assert.Equal(expected.dtype, got.dtype);
        Assert.Equal(expected.shape, got.shape);
        Assert.True(got.equal(expected).all().item<bool>(), $"{got.dtype} came back with other numbers.");
    }
}
