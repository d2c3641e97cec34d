using ResearchKit.Checkpoints;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Files that PyTorch wrote (Fixtures/make_fixtures.py), and pickles by hand that it never would.</summary>
public sealed class PyTorchFileTests : IDisposable
{
    private static readonly byte[] Eight = new byte[8];
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    /// <summary>What a pickle does, the pickle, and what the error must say.</summary>
    private static readonly (string What, Func<byte[]> Pickle, string Expected)[] Hostile =
    [
        ("runs a command", () =>
            PickleBuilder.Start.Global("posix", "system").Text("touch /tmp/owned").Op(0x85, 'R').Stop(),
                "an object of posix.system"),
        ("evaluates", () => PickleBuilder.Start.Global("builtins", "eval").Text("1").Op(0x85, 'R').Stop(),
            "an object of builtins.eval"),
        ("gets an attribute", () => PickleBuilder.Start.Global("torch", "load").Stop(), "the name torch.load"),
        ("hides behind a dotted name", () =>
            PickleBuilder.Start.Global("torch._utils", "sys.modules").Stop(), "the name torch._utils.sys.modules"),
        ("makes an object", () => PickleBuilder.Start.Global("collections", "OrderedDict").Op(')', 0x81).Stop(),
            "an object of collections.OrderedDict"),
        ("makes an instance", () => PickleBuilder.Start.Op('(', 'i').Raw("os\nsystem\n"u8).Stop(), "an object of os.system"),
        ("names by the stack", () => PickleBuilder.Start.Text("os").Text("system").Op(0x93).Stop(), "the name os.system"),
        ("uses an extension", () => PickleBuilder.Start.Op(0x82, 1).Stop(), "the name copyreg.extension.1"),
        ("has an opcode that is none", () => PickleBuilder.Start.Op(0xff).Stop(), "the opcode 0xff is none"),
        ("has protocol 6", () => new PickleBuilder().Op(0x80, 6).Op('}').Stop(), "protocol 6"),
        ("calls a list", () => PickleBuilder.Start.Op(']', ')', 'R').Stop(), "what is called is not a name"),
        ("calls a storage type", () =>
            PickleBuilder.Start.Global("torch", "FloatStorage").Op(')', 'R').Stop(), "an object of torch.FloatStorage"),
        ("sets attributes of a list", () => PickleBuilder.Start.Op(']', '}', 'b').Stop(), "attributes are set"),
        ("takes from an empty stack", () => PickleBuilder.Start.Op('s').Stop(), "empty stack"),
        ("looks for a mark", () => PickleBuilder.Start.Op('}', 'u').Stop(), "mark"),
        ("takes over a mark", () => PickleBuilder.Start.Op('}', '(', 's').Stop(), "empty stack"),
        ("recalls the unknown", () => PickleBuilder.Start.Op('j').Length(uint.MaxValue).Stop(), "recalls value 4294967295"),
        ("announces a huge text", () =>
            PickleBuilder.Start.Op('X').Length(uint.MaxValue).Stop(), "4294967295 bytes is announced"),
        ("announces a huge byte text", () =>
            PickleBuilder.Start.Op('T').Length(0x7fffffff).Stop(), "2147483647 bytes is announced"),
        ("has a huge number", () => PickleBuilder.Start.Op(0x8a, 255).Stop(), "255 bytes"),
        ("has a text that is not UTF-8", () => PickleBuilder.Start.Op('X').Length(1).Op(0xff).Stop(), "UTF-8"),
        ("has an endless name", () => PickleBuilder.Start.Op('c').Repeat(10_000, 'a').Stop(), "longer than 256 bytes"),
        ("does not stop", () => PickleBuilder.Start.Stop()[..^1], "a byte of 1 bytes is announced and 0 follow"),
        ("never ends", () => PickleBuilder.Start.Repeat(17_000_000, 'N').Stop(), "more than 16777216 steps"),
        ("has a key twice", () => PickleBuilder.Start.Op('}').Text("a").Op('N', 's').Text("a").Op('N', 's').Stop(), "'a' twice"),
        ("holds no dict", () => PickleBuilder.Start.Op(']').Stop(), "a list"),
        ("holds no tensors", () => PickleBuilder.Start.Op('}').Text("epoch").Op('K', 3, 's').Stop(), "no tensors; it has epoch"),
        ("has a storage of Python objects",
            () => PickleBuilder.Start.Op('(').Text("storage").Global("torch", "Size").Text("0").Text("cpu").Number(2).Op('t', 'Q')
            .Stop(), "torch.Size"),
        ("has another persistent id", () => PickleBuilder.Start.Text("../../secret").Op('Q').Stop(), "not a tuple"),
        ("has a storage of negative size", () => PickleBuilder.StateDict("0", -1, [1], [1]), "-1 elements"),
        ("has a storage larger than its data", () =>
            PickleBuilder.StateDict("0", 1L << 40, [2], [1]), "1099511627776 elements of F32, and has 8 bytes"),
        ("has a storage smaller than its data", () =>
            PickleBuilder.StateDict("0", 1, [1], [1]), "1 elements of F32, and has 8 bytes"),
        ("has a storage elsewhere", () => PickleBuilder.StateDict("../version", 2, [2], [1]), "../version"),
        ("has a tensor past its storage", () =>
            PickleBuilder.StateDict("0", 2, [2], [1], offset: 1), "storage '0' of 2 elements"),
        ("has strides past its storage", () => PickleBuilder.StateDict("0", 2, [2], [2]), "strides [2]"),
        ("has strides that overflow", () =>
            PickleBuilder.StateDict("0", 2, [3, 3], [long.MaxValue, long.MaxValue]), "storage '0' of 2 elements"),
        ("has sizes that overflow", () =>
            PickleBuilder.StateDict("0", 2, [long.MaxValue, 0, long.MaxValue], [1, 1, 1]), "storage '0' of 2 elements"),
        ("grows by strides of 0", () => PickleBuilder.StateDict("0", 2, [1L << 40], [0]), "shape [1099511627776]"),
        ("has negative strides", () => PickleBuilder.StateDict("0", 2, [2], [-1]), "-1"),
        ("has a negative offset", () => PickleBuilder.StateDict("0", 2, [1], [1], offset: -1), "element -1"),
        ("has more sizes than strides", () => PickleBuilder.StateDict("0", 2, [1, 1], [1]), "2 sizes and 1 strides"),
        ("has 1000 axes", () =>
            PickleBuilder.StateDict("0", 2, [.. Enumerable.Repeat(1L, 1000)], [.. Enumerable.Repeat(1L, 1000)]), "1000 sizes"),
        ("declares a storage twice",
            () => PickleBuilder.Start.Op('}').Text("a").Tensor("0", 2, [2], [1]).Op('s').Text("b")
            .Tensor("0", 1, [1], [1], 0, "DoubleStorage").Op('s').Stop(), "storage '0' is 1 elements of torch.DoubleStorage"),
    ];

    /// <summary>What the older stream says in other words, since it has other places for storages.</summary>
    private static readonly string[] OfZips = ["its data", "elsewhere", "does not stop", "no dict", "no tensors"];

    public static TheoryData<string> HostileNames => [.. Hostile.Select(pickle => pickle.What)];

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("tensors.pt")]
    [InlineData("tensors.legacy.pt")]
    public void Every_dtype_and_view_is_read(string file)
    {
        using var reader = CheckpointReader.Open(Fixture(file));
        var all = reader.ReadAll();
        foreach (var dtype in new[] { float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, ScalarType.Bool })
        {
            var name = $"all.{(dtype == uint8 ? "uint8" : $"{dtype}".ToLowerInvariant())}";
            var expected = arange(-3, 9).reshape(3, 4).to(dtype);
            Assert.All([all[name], reader.Read(name), reader.Map(name)], tensor =>
                Assert.True(tensor.dtype == dtype && tensor.eq(expected).all().item<bool>(), name));
        }
        var table = arange(20, float32).reshape(5, 4);
        foreach (var (name, expected) in new[] { ("table", table), ("tied", table), ("row", table[2]), ("transposed", table.t()),
            ("every.second", arange(1, 20, 2, float32)),
            ("scalar", tensor(2.5f)), ("empty", empty(0, 3)), ("parameter", full([2], 7f)) })
            Assert.All([all[name], reader.Read(name), reader.Map(name)], tensor =>
                Assert.True(tensor.shape.SequenceEqual(expected.shape) && tensor.eq(expected).all().item<bool>(), name));
        all["table"].zero_();
        Assert.Equal(0, all["tied"].sum().item<float>());
        Assert.Equal(0, all["row"].sum().item<float>());
    }

    [Theory]
    [InlineData("training.pt")]
    [InlineData("training.legacy.pt")]
    public void The_state_dict_is_found_in_a_checkpoint_with_optimizer_state_and_counters(string file)
    {
        foreach (var key in new[] { null, "state_dict" })
        {
            using var reader = CheckpointReader.Open(Fixture(file), key);
            Assert.Equal(["bias", "weight"], reader.Entries.Keys.Order());
            Assert.Equal([2, 3], reader.Read("weight").shape);
        }
        Assert.Contains("no state dict 'model'; it has state_dict", Refused(File.ReadAllBytes(Fixture(file)), "model"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void With_several_state_dicts_one_must_be_chosen()
    {
        Assert.Contains("model (2 tensors), teacher (2 tensors)", Refused(File.ReadAllBytes(Fixture("two.pt"))),
            StringComparison.Ordinal);
        using var reader = CheckpointReader.Open(Fixture("two.pt"), "teacher");
        Assert.Equal(2, reader.Entries.Count);
    }

    [Theory]
    [InlineData("whole-module.pt")]
    [InlineData("protocol4.pt")]
    public void A_whole_module_and_a_later_protocol_hold_the_same_tensors(string file)
    {
        using var expected = CheckpointReader.Open(Fixture("training.pt"));
        using var reader = CheckpointReader.Open(Fixture(file));
        Assert.Equal(expected.Entries.Keys.Order(), reader.Entries.Keys.Order());
        Assert.All(expected.Entries.Values, entry => Assert.Equal(entry.Shape, reader.Entries[entry.Name].Shape));
    }

    [Theory]
    [MemberData(nameof(HostileNames))]
    public void A_hostile_pickle_is_refused(string what)
    {
        var (_, pickle, expected) = Hostile.Single(item => item.What == what);
        Assert.Contains(expected, Refused(PickleBuilder.Zip(pickle(), ("0", Eight))), StringComparison.Ordinal);
        if (OfZips.Any(end => what.EndsWith(end, StringComparison.Ordinal))) return;
        var hasStorage = !expected.StartsWith("an object", StringComparison.Ordinal)
            && !expected.StartsWith("the name", StringComparison.Ordinal);
        Assert.Contains(expected, Refused(hasStorage ? PickleBuilder.Stream(pickle(), ("0", 2, Eight))
            : PickleBuilder.Stream(pickle())),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Recursive_and_deeply_nested_values_are_harmless()
    {
        var itself = PickleBuilder.Start.Op('}', 'q', 0).Text("self").Op('h', 0, 's').Text("w").Tensor("0", 2, [2], [1]).Op('s')
            .Stop();
        Assert.Equal(2, Count(PickleBuilder.Zip(itself, ("0", Eight))));
        var deep = PickleBuilder.Start.Op('}').Text("deep").Repeat(200_000, ']').Repeat(199_999, 'a').Op('s').Text("w")
            .Tensor("0", 2, [2], [1]).Op('s').Stop();
        Assert.Equal(2, Count(PickleBuilder.Zip(deep, ("0", Eight))));
        Assert.Equal(2, Count(PickleBuilder.Zip(PickleBuilder.Start.Op('}').Text("bomb").Raw(Bomb()).Op('s').Text("w")
            .Tensor("0", 2, [2], [1]).Op('s').Stop(), ("0", Eight))));
    }

    [Fact]
    public void Malformed_zip_files_are_refused()
    {
        var pickle = PickleBuilder.StateDict("0", 2, [2], [1]);
        var good = PickleBuilder.Zip(pickle, ("0", Eight));
        Assert.Equal(2, Count(good));
        Assert.Contains("compressed",
            Refused(PickleBuilder.ZipOf([("a/data.pkl", pickle), ("a/data/0", new byte[1 << 20])],
            System.IO.Compression.CompressionLevel.Optimal)), StringComparison.Ordinal);
        Assert.Contains("two entries 'a/data.pkl'",
            Refused(PickleBuilder.ZipOf([("a/data.pkl", pickle), ("a/data.pkl", pickle)])), StringComparison.Ordinal);
        Assert.Contains("2 entries data.pkl", Refused(PickleBuilder.ZipOf([("a/data.pkl", pickle), ("b/data.pkl", pickle)])),
            StringComparison.Ordinal);
        Assert.Contains("0 entries data.pkl", Refused(PickleBuilder.ZipOf([("readme", pickle)])), StringComparison.Ordinal);
        Assert.Contains("storage '0'", Refused(PickleBuilder.Zip(pickle)), StringComparison.Ordinal);
        Assert.Contains("neither little nor big",
            Refused(PickleBuilder.ZipOf([("a/data.pkl", pickle), ("a/byteorder", "middle"u8.ToArray()), ("a/data/0", Eight)])),
            StringComparison.Ordinal);
        Assert.Contains("cut short", Refused(good[..^30]), StringComparison.Ordinal);

        var overlapping = good.ToArray();   // the second entry of the directory is sent to the place of the first
        var second = overlapping.AsSpan().IndexOf("PK\u0001\u0002"u8);
        second += 1 + overlapping.AsSpan(second + 1).IndexOf("PK\u0001\u0002"u8);
        overlapping.AsSpan(second + 42, 4).Clear();
        Assert.Contains("overlap", Refused(overlapping), StringComparison.Ordinal);
    }

    [Fact]
    public void Malformed_legacy_streams_are_refused()
    {
        var pickle = PickleBuilder.StateDict("0", 2, [2], [1]);
        Assert.Equal(2, Count(PickleBuilder.Stream(pickle, ("0", 2, Eight))));
        Assert.Contains("said to have 3", Refused(PickleBuilder.Stream(pickle, ("0", 3, Eight))), StringComparison.Ordinal);
        Assert.Contains("7 bytes follow", Refused(PickleBuilder.Stream(pickle, ("0", 2, Eight))[..^1]), StringComparison.Ordinal);
        Assert.Contains("lacks the elements of storage '0'", Refused(PickleBuilder.Stream(pickle)), StringComparison.Ordinal);
        Assert.Contains("'1'", Refused(PickleBuilder.Stream(pickle, ("1", 2, Eight))), StringComparison.Ordinal);
        Assert.Contains("'0'", Refused(PickleBuilder.Stream(pickle, ("0", 2, Eight), ("0", 2, Eight))), StringComparison.Ordinal);
    }

    /// <summary>200 lists, each of ten times the one before: 10^200 items, were they counted.</summary>
    private static byte[] Bomb()
    {
        var bomb = new PickleBuilder().Op(']', 'q', 0);
        for (var level = 1; level < 200; level++) bomb.Op(']', '(').Repeat(10, 'h', level - 1).Op('e', 'q', level, 0x86);
        return bomb.Stop()[..^1];
    }

    private static string Fixture(string name) =>
        Repository.PathTo("tests", "ResearchKit.Tests", "Checkpoints", "Fixtures", name);

    private long Count(byte[] file)
    {
        File.WriteAllBytes(folder.PathTo("a.pt"), file);
        using var reader = CheckpointReader.Open(folder.PathTo("a.pt"));
        return reader.Entries["w"].ElementCount;
    }

    private string Refused(byte[] file, string? key = null)
    {
        File.WriteAllBytes(folder.PathTo("a.pt"), file);
        var message = Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(folder.PathTo("a.pt"), key)).Message;
        Assert.Contains(folder.PathTo("a.pt"), message, StringComparison.Ordinal);
        return message;
    }
}
