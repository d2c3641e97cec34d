using System.Text;
using CsCheck;
using ResearchKit.Checkpoints;
using ResearchKit.Tests.Kernel;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>
/// Good files, damaged at random: they are read or refused with <see cref="InvalidDataException"/>, and take no more memory than
/// they justify.
/// </summary>
public sealed class CheckpointFuzzTests : IDisposable
{
    private const long Slack = 1 << 20;   // bytes that reading any small file may allocate
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("safetensors")]
    [InlineData("zip")]
    [InlineData("stream")]
    [InlineData("index")]
    [InlineData("config")]
    public void A_damaged_file_is_refused_or_harmless(string kind)
    {
        var good = Good(kind);
        Read(kind, good);
        Gen.Select(Gen.Select(Gen.Int[0, good.Length - 1], Interesting).Array[0, 4], Gen.Int[0, 3], Gen.Int[0, good.Length],
            Gen.Int[0, good.Length], Gen.Int[1, 64])
            .Sample((edits, change, at, length, count) =>
                Read(kind, Damaged(good, edits, change, at, length, count)), iter: 400, threads: 1);
    }

    /// <summary>Any byte, and more often those that mean something in pickles, in JSON and in lengths.</summary>
    private static Gen<byte> Interesting
    {
        get
        {
            byte[] telling = [0, 1, 127, 128, 255, .. "()]}hqRtu.\"[{9-,"u8];
            return Gen.Select(Gen.Bool, Gen.Byte, Gen.Int[0, telling.Length - 1], (any, value, place) =>
                any ? value : telling[place]);
        }
    }

    /// <summary>Some bytes changed; then nothing more, or the end cut off, or a piece repeated or taken out.</summary>
    private static byte[] Damaged(byte[] good, (int At, byte Value)[] edits, int change, int at, int length, int count)
    {
        var bad = good.ToArray();
        foreach (var (place, value) in edits) bad[place] = value;
        var piece = bad.AsSpan(at, Math.Min(count, bad.Length - at));
        return change switch
        {
            1 => bad[..length],
            2 => [.. bad[..at], .. piece, .. bad[at..]],
            3 => [.. bad[..at], .. bad[(at + piece.Length)..]],
            _ => bad,
        };
    }

    private byte[] Good(string kind)
    {
        using var scope = NewDisposeScope();
        switch (kind)
        {
            case "safetensors":
                SafetensorsFile.Write(folder.PathTo("good.safetensors"),
                    [new("a", rand(3, 4)), new("b", arange(5)), new("c", ones(2, 2).to(bfloat16))],
                    new Dictionary<string, string> { ["format"] = "pt" });
                return File.ReadAllBytes(folder.PathTo("good.safetensors"));
            case "index":
                SafetensorsFile.WriteSharded(folder.Path, [new("a", rand(3, 4)), new("b", arange(5))], 1);
                return File.ReadAllBytes(folder.PathTo("model.safetensors.index.json"));
            case "config":
                return Encoding.UTF8.GetBytes("""{"model_type":"gpt2","n_layer":1,"n_embd":8,"n_head":2,"vocab_size":11,"n_positions":4,"activation_function":"relu","n_inner":null}""");
            default:
                var pickle = PickleBuilder.Start.Global("collections", "OrderedDict").Op(')', 'R', 'q', 0, '(').Text("w")
                    .Tensor("0", 6, [2, 3], [3, 1]).Text("t")
                    .Tensor("0", 6, [3, 2], [1, 3]).Text("v").Tensor("1", 4, [2], [2], 1, "HalfStorage").Op('u', '}')
                        .Text("_metadata").Op('}', 's', 'b').Stop();
                return kind == "zip" ? PickleBuilder.Zip(pickle, ("0", new byte[24]), ("1", new byte[8]))
                    : PickleBuilder.Stream(pickle, ("0", 6, new byte[24]), ("1", 4, new byte[8]));
        }
    }

    private void Read(string kind, byte[] bytes)
    {
        var path = folder.PathTo(kind switch
        {
            "safetensors" =>
            "bad.safetensors",
            "index" => "model.safetensors.index.json",
            "config" => "config.json",
            _ => "bad.pt"
        });
        File.WriteAllBytes(path, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            if (kind == "config") ReadConfig();
            else ReadTensors(path, bytes.Length);
        }
        catch (InvalidDataException error)
        {
            Assert.Contains(folder.Path, error.Message, StringComparison.Ordinal);
        }
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Slack);
    }

    private void ReadConfig()
    {
        var file = ConfigFile.Read(folder.Path);
        file.ExpectType("gpt2");
        Assert.True(file.Size("n_layer", 12) > 0 && file.SizeOrNull("n_inner") is null or > 0
            && file.Text("activation_function", "").Length < 1000);
        _ = file.Activation("activation_function", "relu");
    }

    private static void ReadTensors(string path, int length)
    {
        using var scope = NewDisposeScope();
        using var reader = CheckpointReader.Open(path);
        var tensors = reader.ReadAll();
        foreach (var name in tensors.Keys)
        {
            using var one = reader.Read(name);
            using var mapped = reader.Map(name);
            Assert.Equal(tensors[name].shape, one.shape);
            Assert.Equal(tensors[name].shape, mapped.shape);
        }
        foreach (var tensor in tensors.Values)
        {
            Assert.InRange(tensor.numel() * tensor.element_size(), 0, 4L * Math.Max(length, 128));
            tensor.Dispose();
        }
    }
}
