using ResearchKit.Checkpoints;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>
/// Whatever a PyTorch file holds beside its tensors is passed over and never run (Fixtures/Beside/make_beside.py writes the
/// files).
/// </summary>
public sealed class PickledObjectsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("everything.pt")]
    [InlineData("everything.legacy.pt")]
    [InlineData("everything.protocol1.pt")]
    [InlineData("everything.protocol4.pt")]
    [InlineData("everything.legacy.protocol4.pt")]
    [InlineData("subclass.pt")]
    [InlineData("default.pt")]
    [InlineData("deep.pt")]
    [InlineData("ema.pt")]
    [InlineData("mean.pt")]
    [InlineData("lightning.pt")]
    [InlineData("tuple.pt")]
    [InlineData("module-in-dict.pt")]
    public void The_state_dict_is_the_same_whatever_stands_beside_it(string file)
    {
        using var reader = CheckpointReader.Open(Fixture(file));
        Assert.Equal(["bias", "weight"], reader.Entries.Keys.Order());
        var all = reader.ReadAll();
        foreach (var name in all.Keys) Assert.True(all[name].Same(Expected(name)), name);
        Assert.False(File.Exists("/tmp/run-by-a-pickle"));
    }

    [Fact]
    public void Objects_between_the_tensors_are_passed_over_and_named()
    {
        using var reader = CheckpointReader.Open(Fixture("flat.pt"));
        Assert.Equal(["bias", "weight"], reader.Entries.Keys.Order());
        Assert.True(reader.Read("weight").Same(Expected("weight")));
        Assert.Equal("an object of posix.system", reader.PassedOver["beside.ran"]);
        Assert.Equal("an object of argparse.Namespace", reader.PassedOver["beside.namespace"]);
        Assert.Equal("a NumPy array", reader.PassedOver["beside.ints"]);
        Assert.False(reader.PassedOver.ContainsKey("beside.text"));
        Assert.False(File.Exists("/tmp/run-by-a-pickle"));
    }

    [Theory]
    [InlineData("module.pt")]
    [InlineData("module.legacy.pt")]
    [InlineData("script.pt")]
    public void The_tensors_of_a_whole_module_have_the_names_of_its_state_dict(string file)
    {
        using var reader = CheckpointReader.Open(Fixture(file));
        Assert.Equal(["linear.bias", "linear.weight", "norm.bias", "norm.num_batches_tracked", "norm.running_mean",
            "norm.running_var", "norm.weight"], reader.Entries.Keys.Where(name => name != "norm.passing").Order());
        Assert.True(reader.Read("linear.weight").Same(Expected("weight")));
        Assert.Equal(file == "script.pt",
            reader.Entries.ContainsKey("norm.passing"));   // TorchScript does not say which it keeps
    }

    [Fact]
    public void A_quantized_tensor_is_passed_over_and_named()
    {
        using var reader = CheckpointReader.Open(Fixture("quantized.pt"));
        Assert.Equal(["bias"], reader.Entries.Keys);
        Assert.Equal("a quantized tensor", reader.PassedOver["weight"]);
    }

    [Fact]
    public void A_key_chooses_among_several_and_an_empty_one_takes_all()
    {
        Assert.Contains("generator (2 tensors), discriminator (2 tensors). Choose one with the argument 'key', such as key: "
            + "\"generator\"",
            Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(Fixture("pair.pt"))).Message,
                StringComparison.Ordinal);
        Assert.Equal(["bias", "weight"], Names("pair.pt", "discriminator"));
        Assert.Equal(["discriminator.bias", "discriminator.weight", "generator.bias", "generator.weight"], Names("pair.pt", ""));
        Assert.Equal(["decoder.bias", "decoder.weight", "encoder.bias", "encoder.weight"], Names("parts.pt", null));
        Assert.Equal(["bias", "weight"], Names("parts.pt", "model.decoder"));
        Assert.Equal(["bias", "weight"], Names("parts.pt", "decoder"));
        Assert.Equal(["module.bias", "module.weight"], Names("deep.pt", "ema_model"));
        Assert.Equal(["module.bias", "module.weight"], Names("deep.pt", "checkpoint.ema_model"));
        Assert.Equal(["weights"], Names("lightning.pt", "hyper_parameters"));
        Assert.Equal(["exp_avg", "exp_avg_sq", "step"], Names("lightning.pt", "optimizer_states.0.state.0"));
        using var average = CheckpointReader.Open(Fixture("ema.pt"), "ema");
        Assert.Equal(10, average.Read("weight")[1, 2].item<float>());
        Assert.Contains("no state dict 'teacher'; it has checkpoint.ema_model (2 tensors), checkpoint.model (2 tensors)",
            Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(Fixture("deep.pt"), "teacher")).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("float8_e4m3fn", "F8_E4M3", 1)]
    [InlineData("float8_e5m2", "F8_E5M2", 1)]
    [InlineData("uint16", "U16", 2)]
    [InlineData("uint32", "U32", 4)]
    [InlineData("uint64", "U64", 8)]
    [InlineData("float32", "F32", 4)]
    public void Dtypes_that_have_no_storage_of_their_own_are_read_from_bytes(string dtype, string format, int size)
    {
        var pickle = PickleBuilder.Start.Op('}').Text("w").Global("torch._utils", "_rebuild_tensor_v3").Op('(')
            .Op('(').Text("storage").Global("torch.storage", "UntypedStorage").Text("0").Text("cpu").Number(4L * size).Op('t',
                'Q')
            .Number(1).Tuple([3]).Tuple([1]).Op(0x89).Global("collections", "OrderedDict").Op(')', 'R').Global("torch", dtype)
            .Op('t', 'R', 's').Stop();
        var data = new byte[4 * size];
        for (var i = 0; i < 4; i++) data[i * size] = (byte)i;
        using var reader = Open(PickleBuilder.Zip(pickle, ("0", data)));
        Assert.Equal((format, "3"), (reader.Entries["w"].Format, string.Join(", ", reader.Entries["w"].Shape)));
        var read = reader.Read("w");
        if (dtype != "float32") Assert.Equal([1L, 2, 3], read.to(int64).data<long>().ToArray());
    }

    [Fact]
    public void Parameters_with_attributes_and_tensors_of_a_class_are_tensors()
    {
        var pickle = PickleBuilder.Start.Op('}')
            .Text("with").Global("torch._utils", "_rebuild_parameter_with_state").Op('(').Tensor("0", 2, [2], [1]).Op(0x88)
            .Global("collections", "OrderedDict").Op(')', 'R', '}').Text("note").Op('N', 's', 't', 'R', 's')
            .Text("typed").Global("torch._tensor", "_rebuild_from_type_v2").Op('(').Global("torch._utils", "_rebuild_tensor_v2")
            .Global("some.library", "OwnTensor").Op('(').Storage("0", 2).Number(0).Tuple([2]).Tuple([1]).Op(0x89).Op('}')
            .Op('t', '}', 't', 'R', 's')
            .Text("hooked").Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage("0", 2).Number(0).Tuple([2]).Tuple([1])
            .Op(0x88, '}').Number(7).Global("some.library", "hook").Op('s', 't', 'R', 's')
            .Text("conjugate").Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage("1", 1, "ComplexFloatStorage")
                .Number(0)
            .Tuple([1]).Tuple([1]).Op(0x89, '}', '}').Text("conj").Op(0x88, 's', 't', 'R', 's').Stop();
        using var reader = Open(PickleBuilder.Zip(pickle, ("0", [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]), ("1", new byte[8])));
        Assert.Equal(["hooked", "typed", "with"], reader.Entries.Keys.Order());
        Assert.All(reader.Entries.Keys, name => Assert.Equal([1f, 2f], reader.Read(name).data<float>().ToArray()));
        Assert.Equal("a tensor stored as conjugate or negative", reader.PassedOver["conjugate"]);
    }

    [Fact]
    public void A_call_that_rebuilds_itself_ends()
    {
        var pickle = PickleBuilder.Start.Op('}').Text("w").Tensor("0", 2, [2], [1]).Op('s')
            .Text("x").Global("torch._tensor", "_rebuild_from_type_v2").Op('q', 1, ']', 'q', 2, '(', 'h', 1, 'N', 'h', 2, 'e',
                'R', 's')
            .Stop();
        using var reader = Open(PickleBuilder.Zip(pickle, ("0", new byte[8])));
        Assert.Equal(["w"], reader.Entries.Keys);
    }

    [Fact]
    public void A_big_endian_file_gives_the_same_numbers()
    {
        var pickle = PickleBuilder.Start.Op('}').Text("f").Tensor("0", 3, [2], [2]).Op('s')
            .Text("h").Tensor("1", 2, [2], [1], 0, "HalfStorage").Op('s').Text("l").Tensor("2", 1, [1], [1], 0, "LongStorage")
                .Op('s')
            .Text("c").Tensor("3", 1, [1], [1], 0, "ComplexFloatStorage").Op('s').Text("b").Tensor("4", 2, [2], [1], 0,
                "ByteStorage")
            .Op('s').Stop();
        using var reader = Open(PickleBuilder.ZipOf([("a/data.pkl", pickle), ("a/byteorder", "big"u8.ToArray()),
            ("a/data/0", [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0, 0x40, 0x40, 0, 0]), ("a/data/1", [0x3c, 0, 0x40, 0]),
            ("a/data/2", [0, 0, 0, 0, 0, 0, 1, 2]), ("a/data/3", [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0]), ("a/data/4", [1, 2])]));
        var all = reader.ReadAll();
        foreach (var read in new Func<string, Tensor>[] { name => all[name], reader.Read, reader.Map, name => Copied(reader,
            name) })
        {
            Assert.Equal([1f, 3f], read("f").contiguous().data<float>().ToArray());
            Assert.Equal([1f, 2f], read("h").to(float32).data<float>().ToArray());
            Assert.Equal(258, read("l").item<long>());
            Assert.Equal((1f, 2f), (read("c").real.item<float>(), read("c").imag.item<float>()));
            Assert.Equal([1, 2], read("b").data<byte>().ToArray());
        }
    }

    [Fact]
    public void A_bomb_of_modules_is_refused()
    {
        var pickle = PickleBuilder.Start;
        void Module(int level)
        {
            pickle.Global("a", "M").Op(')', 0x81, '}').Text("_parameters").Op('}').Text("w").Tensor("0", 2, [2], [1]).Op('s', 's')
                .Text("_modules").Op('}');
            if (level > 0)
                foreach (var name in new[] { "a", "b", "c" }) pickle.Text(name).Op('h', level - 1, 's');
            pickle.Op('s', 'b', 'q', level, '0');
        }
        for (var level = 0; level < 40; level++) Module(level);
        Assert.Contains("a module with more than", Assert.Throws<InvalidDataException>(() =>
            Open(PickleBuilder.Zip(pickle.Op('h', 39).Stop(), ("0", new byte[8])))).Message, StringComparison.Ordinal);
    }

    private static Tensor Copied(CheckpointReader reader, string name)
    {
        var target = empty([.. reader.Entries[name].Shape], reader.Entries[name].Dtype);
        reader.CopyTo(name, target);
        return target;
    }

    private static Tensor Expected(string name) => name == "weight" ? arange(6, float32).reshape(2, 3) : tensor([0.5f, -0.5f]);

    private static string Fixture(string name) =>
        Repository.PathTo("tests", "ResearchKit.Tests", "Checkpoints", "Fixtures", "Beside", name);

    private static IEnumerable<string> Names(string file, string? key)
    {
        using var reader = CheckpointReader.Open(Fixture(file), key);
        return [.. reader.Entries.Keys.Order()];
    }

    private CheckpointReader Open(byte[] file)
    {
        File.WriteAllBytes(folder.PathTo("a.pt"), file);
        return CheckpointReader.Open(folder.PathTo("a.pt"));
    }
}
