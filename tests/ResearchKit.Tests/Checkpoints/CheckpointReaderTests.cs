using ResearchKit.Checkpoints;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class CheckpointReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("gpt2-a/pytorch_model.bin", "gpt2-a")]
    [InlineData("bert-model-a/pytorch_model.bin", "bert-model-a")]
    [InlineData("bert-model-a/pytorch_model.legacy.bin", "bert-model-a")]
    [InlineData("vit-a/pytorch_model.bin", "vit-a")]
    [InlineData("llama-b/sharded/model.safetensors.index.json", "llama-b")]
    public void Every_format_gives_the_same_tensors(string file, string name)
    {
        using var expected = CheckpointReader.Open(Golden($"{name}/model.safetensors"));
        using var reader = CheckpointReader.Open(Golden(file));
        var all = reader.ReadAll();
        Assert.Subset(reader.Entries.Keys.ToHashSet(), expected.Entries.Keys.ToHashSet());
        foreach (var (key, entry) in expected.Entries)
        {
            using var inner = NewDisposeScope();
            var tensor = expected.Read(key);
            Assert.Equal(entry.Shape, reader.Entries[key].Shape);
            Assert.Equal(entry.Dtype, tensor.dtype);
            foreach (var read in new[] { reader.Read(key), reader.Map(key), all[key], Copied(reader, key) })
                Assert.True(tensor.dtype == read.dtype && tensor.eq(read).all().item<bool>(), key);
        }
    }

    [Fact]
    public void Mapped_tensors_keep_the_strides_of_the_file_and_copies_are_row_major()
    {
        using var reader = CheckpointReader.Open(Golden("vit-a/pytorch_model.bin"));
        Assert.Equal([1, 5], reader.Map("classifier.weight").stride());
        Assert.Equal([48, 1], reader.Read("classifier.weight").stride());
    }

    [Fact]
    public void A_tensor_stays_valid_after_its_reader_is_disposed_and_its_file_deleted()
    {
        var numbers = rand(1000, 300);
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("numbers", numbers)]);
        Tensor mapped, read;
        using (var reader = CheckpointReader.Open(folder.PathTo("a.safetensors")))
            (mapped, read) = (reader.Map("numbers"), reader.Read("numbers"));
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("numbers", zeros(1000, 300))]);
        File.Delete(folder.PathTo("a.safetensors"));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.True(numbers.eq(mapped).all().item<bool>());
        Assert.True(numbers.eq(read).all().item<bool>());
    }

    [Fact]
    public void An_in_place_change_of_one_mapped_tensor_does_not_affect_the_gradient_of_another()
    {
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("one", ones(3)), new("two", full([3], 2f))]);
        using var reader = CheckpointReader.Open(folder.PathTo("a.safetensors"));
        var (one, two) = (reader.Map("one").requires_grad_(), reader.Map("two").requires_grad_());
        var loss = two.pow(2).sum();
        // on the same pages; were they views of one tensor, autograd would think that its input had changed
        using (no_grad()) one.add_(5);
        loss.backward();
        Assert.Equal(12, two.grad!.sum().item<float>());
    }

    [Fact]
    public void Writing_to_a_mapped_tensor_does_not_change_the_file()
    {
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("numbers", ones(10))]);
        using var reader = CheckpointReader.Open(folder.PathTo("a.safetensors"));
        reader.Map("numbers").zero_();
        Assert.Equal(0, reader.Map("numbers").sum().item<float>());   // the same memory
        Assert.Equal(10, reader.Read("numbers").sum().item<float>());
        using var other = CheckpointReader.Open(folder.PathTo("a.safetensors"));
        Assert.Equal(10, other.Map("numbers").sum().item<float>());
    }

    [Fact]
    public void CopyTo_converts_to_the_dtype_and_layout_of_the_target()
    {
        var numbers = randn(3, 700_000);   // more than one buffer
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("half", numbers.to(bfloat16))]);
        using var reader = CheckpointReader.Open(folder.PathTo("a.safetensors"));
        var (wide, turned) = (empty(3, 700_000, float32), empty(700_000, 3, float64).t());
        reader.CopyTo("half", wide);
        reader.CopyTo("half", turned);
        Assert.True(numbers.to(bfloat16).to(float32).eq(wide).all().item<bool>());
        Assert.True(wide.to(float64).eq(turned).all().item<bool>());
        Assert.Contains("[3, 700000]", Assert.Throws<ArgumentException>(() => reader.CopyTo("half", empty(3))).Message,
            StringComparison.Ordinal);
        Assert.Contains("BF16", Assert.Throws<ArgumentException>(() => reader.CopyTo("half", empty(3, 700_000, int64))).Message,
            StringComparison.Ordinal);
        Assert.Contains("it has 1: half", Assert.Throws<KeyNotFoundException>(() => reader.Read("whole")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Dtypes_that_libtorch_lacks_are_widened_or_read_as_bytes()
    {
        byte[] data = [0xff, 0xff, 1, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0x38, 0xb8];
        var path = WriteRaw("""{"u16":{"dtype":"U16","shape":[2],"data_offsets":[0,4]},"u32":{"dtype":"U32","shape":[1],"data_offsets":[4,8]},"u64":{"dtype":"U64","shape":[1],"data_offsets":[8,16]},"f8":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[16,18]}}""", data);
        using (var reader = CheckpointReader.Open(path))
        {
            var all = reader.ReadAll();
            Assert.Equal((int32, "65535, 1"), (all["u16"].dtype, string.Join(", ", all["u16"].data<int>())));
            Assert.Equal((int64, 4294967295L), (all["u32"].dtype, all["u32"].item<long>()));
            Assert.Equal((int64, 2L), (all["u64"].dtype, all["u64"].item<long>()));
            Assert.Equal((uint8, "56, 184"), (all["f8"].dtype, string.Join(", ", all["f8"].data<byte>())));
            Assert.Equal("F8_E4M3", reader.Entries["f8"].Format);
            Assert.Contains("read as bytes", Assert.Throws<ArgumentException>(() => reader.CopyTo("f8", empty(2))).Message,
                StringComparison.Ordinal);
        }
        data[15] = 0x80;
        File.WriteAllBytes(path, [.. File.ReadAllBytes(path)[..^18], .. data]);
        using var bad = CheckpointReader.Open(path);
        Assert.Contains("'u64' that cannot be read", Assert.Throws<InvalidDataException>(() => bad.Read("u64")).Message,
            StringComparison.Ordinal);
        Assert.Contains("'u64' that cannot be read", Assert.Throws<InvalidDataException>(bad.ReadAll).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x.safetensors", "'../x.safetensors'")]
    [InlineData("/etc/passwd", "'/etc/passwd'")]
    [InlineData("..\\\\x", "expected the name of a file beside it")]
    [InlineData("C:x", "expected the name of a file beside it")]
    [InlineData("..", "'..'")]
    [InlineData("", "no file")]
    [InlineData("none.safetensors", "which is not there")]
    [InlineData("model.safetensors.index.json", "is not a safetensors file")]
    [InlineData("other.safetensors", "tensor 'a' is in other.safetensors, which does not hold it")]
    public void An_index_that_names_an_invalid_file_is_refused(string file, string expected)
    {
        SafetensorsFile.Write(folder.PathTo("other.safetensors"), [new("b", ones(1))]);
        folder.File("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"" + file + "\"}}");
        Assert.Contains(expected,
            Assert.Throws<InvalidDataException>(() =>
            CheckpointReader.Open(folder.PathTo("model.safetensors.index.json"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "weight_map")]
    [InlineData("{}", "weight_map")]
    [InlineData("{", "not an index")]
    [InlineData("{\"weight_map\":{\"a\":7}}", "no file")]
    [InlineData("{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}", "not an index")]
    public void A_malformed_index_is_refused(string text, string expected)
    {
        folder.File("a.index.json", text);
        Assert.Contains(expected,
            Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(folder.PathTo("a.index.json"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Two_shards_cannot_hold_the_same_tensor()
    {
        SafetensorsFile.Write(folder.PathTo("1.safetensors"), [new("a", ones(1)), new("b", ones(1))]);
        SafetensorsFile.Write(folder.PathTo("2.safetensors"), [new("a", ones(1))]);
        folder.File("x.index.json", """{"weight_map":{"b":"1.safetensors","a":"2.safetensors"}}""");
        Assert.Contains("'a'",
            Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(folder.PathTo("x.index.json"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_truncated_after_it_was_opened_is_refused()
    {
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("a", ones(1000))]);
        using var reader = CheckpointReader.Open(folder.PathTo("a.safetensors"));
        using (var other = new FileStream(folder.PathTo("a.safetensors"), FileMode.Open, FileAccess.Write,
            FileShare.ReadWrite | FileShare.Delete)) other.SetLength(200);
        Assert.Contains("ends at byte 200", Assert.Throws<InvalidDataException>(() => reader.Read("a")).Message,
            StringComparison.Ordinal);
        Assert.Contains("shorter", Assert.Throws<InvalidDataException>(() => reader.Map("a")).Message, StringComparison.Ordinal);
    }

    private string WriteRaw(string header, byte[] data)
    {
        var path = folder.PathTo("raw.safetensors");
        File.WriteAllBytes(path,
            [.. BitConverter.GetBytes((long)header.Length), .. System.Text.Encoding.UTF8.GetBytes(header), .. data]);
        return path;
    }

    private static string Golden(string path) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", path);

    private static Tensor Copied(CheckpointReader reader, string name)
    {
        var target = empty([.. reader.Entries[name].Shape], reader.Entries[name].Dtype);
        reader.CopyTo(name, target);
        return target;
    }
}
