using System.Buffers.Binary;
using System.Text;
using CsCheck;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("safetensors-").FullName;

    private string FilePath => Path.Combine(folder, "model.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Tensors_of_every_dtype_and_shape_survive_a_round_trip()
    {
        ScalarType[] dtypes = [float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, ScalarType.Bool];
        Gen.Select(Gen.Int[0, 9].Select(i => dtypes[i]), Gen.Long[0, 4].Array[0, 3]).Array[0, 4].Sample(cases =>
        {
            using var scope = NewDisposeScope();
            var tensors = cases.Select((item, i) => ($"t{i}.\"é", (rand(item.Item2) * 100).to(item.Item1))).ToDictionary();
            SafetensorsFile.Write(FilePath, tensors, new Dictionary<string, string> { ["format"] = "pt" });
            var read = SafetensorsFile.Read(FilePath);
            Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
            foreach (var (name, tensor) in tensors)
            {
                Assert.Equal((tensor.dtype, string.Join(',', tensor.shape)),
                    (read[name].dtype, string.Join(',', read[name].shape)));
                Assert.True(tensor.eq(read[name]).all().item<bool>());
                read[name].Dispose();
            }
        }, iter: 50, threads: 1);
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void A_noncontiguous_view_survives_a_round_trip()
    {
        using var scope = NewDisposeScope();
        var view = arange(12, float32).view(3, 4).t()[1..3];
        SafetensorsFile.Write(FilePath, [new("view", view)]);
        Assert.True(view.eq(SafetensorsFile.Read(FilePath)["view"]).all().item<bool>());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "lies at bytes 0 to 8 of 7")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "the file holds 9")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "does not take 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}}""", 8, "does not take 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "lacks")]
    [InlineData("""{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""", 8, "F99")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "8 to 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "lacks")]
    [InlineData("""{"a":7}""", 8, "'a'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}}""", 12, "begins at byte 4")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,0]}}""", 0, "does not take 0 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", 4, "at most 64 sizes")]
    [InlineData("""{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}""", 1, "known are F64")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "begins at byte 1, the one before it ends at 0")]
    [InlineData("""{"__metadata__":{"format":7}}""", 0, "not an object of texts")]
    [InlineData("[]", 0, "not a JSON object")]
    [InlineData("{", 0, "")]
    [InlineData("""{"a\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "")]
    public void A_malformed_or_inconsistent_header_is_refused(string header, int dataBytes, string expected)
    {
        var bytes = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        Encoding.ASCII.GetBytes(header, bytes.AsSpan(8));
        Assert.Contains(expected, Refused(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Short_files_and_absurd_lengths_are_refused()
    {
        Assert.Contains("3 bytes", Refused([1, 2, 3]), StringComparison.Ordinal);
        Refused([]);
        Refused([255, 255, 255, 255, 255, 255, 255, 255, 0]);
        Refused([255, 255, 255, 255, 0, 0, 0, 0, 0]);
        Assert.Contains("none.safetensors",
            Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Read(Path.Combine(folder, "none.safetensors"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_refused_or_harmless()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(FilePath, [new("a", rand(3, 4)), new("b", arange(5))]);
        var good = File.ReadAllBytes(FilePath);
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample((at, value, length) =>
        {
            var bad = good.ToArray();
            bad[at] = value;
            File.WriteAllBytes(FilePath, bad.AsSpan(0, length).ToArray());
            try
            {
                foreach (var tensor in SafetensorsFile.Read(FilePath).Values) tensor.Dispose();
            }
            catch (InvalidDataException error)
            {
                Assert.Contains(FilePath, error.Message, StringComparison.Ordinal);
            }
        }, iter: 300, threads: 1);
    }

    [Fact]
    public void A_mismatched_state_dict_is_refused_with_its_keys_and_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var model = new Gpt(GptConfig.Nano);
        using var other = new Gpt(GptConfig.Nano with { Layers = 3, ContextLength = 16 });
        var before = model.state_dict()["wte.weight"].clone();
        StateDict.Save(other, FilePath);
        var message = Assert.Throws<InvalidDataException>(() => StateDict.Load(model, FilePath)).Message;
        Assert.Contains("h.2.attn.c_attn.bias is unexpected", message, StringComparison.Ordinal);
        Assert.Contains(FilePath, message, StringComparison.Ordinal);
        Assert.True(before.eq(model.state_dict()["wte.weight"]).all().item<bool>());

        StateDict.Save(model, FilePath);
        using var copy = new Gpt(GptConfig.Nano);
        StateDict.Load(copy, FilePath);
        Assert.True(before.eq(copy.state_dict()["wte.weight"]).all().item<bool>());
    }

    private string Refused(byte[] bytes)
    {
        File.WriteAllBytes(FilePath, bytes);
        return Assert.Throws<InvalidDataException>(() => SafetensorsFile.Read(FilePath)).Message;
    }
}
