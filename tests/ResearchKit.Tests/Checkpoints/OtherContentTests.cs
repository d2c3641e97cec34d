using System.Text;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Tests.Kernel;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Files that are no checkpoint are named as what they are.</summary>
public sealed class OtherContentTests : IDisposable
{
    private const string Pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 548105171\n";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, byte[]> Others => new()
    {
        { "is a Git LFS pointer, not the file itself, which has 548105171 bytes: run 'git lfs pull'",
            Encoding.UTF8.GetBytes(Pointer) },
        { "is empty", [] },
        { "is a web page", Encoding.UTF8.GetBytes("\n<!DOCTYPE html><html><body>Sign in</body></html>") },
        { "is a web page", Encoding.UTF8.GetBytes("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>") },
        { "is a text that begins with 'Entry not found'", Encoding.UTF8.GetBytes("Entry not found") },
        { "is a gzip archive", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1] },
        { "is a GGUF file", [.. "GGUF"u8, 3, 0, 0, 0, 1, 0, 0, 0] },
        { "is an HDF5 file", [0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0] },
        { "is a pickle, but not a file of torch.save", [0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0, 0, (byte)'}', (byte)'.'] },
        { "is a tar archive", [.. new byte[257], .. "ustar\0"u8] },
        { "it is a NumPy archive", PickleBuilder.ZipOf([("weight.npy", [1])]) },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void What_stands_in_place_of_a_checkpoint_is_named(string expected, byte[] file)
    {
        foreach (var name in new[] { "model.safetensors", "pytorch_model.bin", "a.pt" })
        {
            File.WriteAllBytes(folder.PathTo(name), file);
            var message = Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(folder.PathTo(name))).Message;
            Assert.Contains(expected, message, StringComparison.Ordinal);
            Assert.Contains(folder.PathTo(name), message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors.index.json")]
    public void A_pointer_in_place_of_a_configuration_or_an_index_is_named(string name)
    {
        folder.File(name, Pointer);
        var message = Assert.Throws<InvalidDataException>(() =>
        {
            if (name == "config.json") Gpt.FromPretrained(folder.Path).Dispose();
            else CheckpointReader.Open(folder.PathTo(name)).Dispose();
        }).Message;
        Assert.Contains("is a Git LFS pointer", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(170)]
    public void A_safetensors_file_cut_short_is_said_to_be(int less)
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("a", ones(20)), new("b", ones(20))]);
        var whole = File.ReadAllBytes(folder.PathTo("a.safetensors"));
        File.WriteAllBytes(folder.PathTo("a.safetensors"), whole[..^less]);
        Assert.Contains("cut short",
            Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(folder.PathTo("a.safetensors"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_refused_where_there_are_no_keys()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Write(folder.PathTo("a.safetensors"), [new("a", ones(20))]);
        Assert.Contains("single state dict without a name; got the key 'ema'",
            Assert.Throws<InvalidDataException>(() => CheckpointReader.Open(folder.PathTo("a.safetensors"), "ema")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_format_is_told_by_the_content_not_by_the_name()
    {
        using var scope = NewDisposeScope();
        File.WriteAllBytes(folder.PathTo("a.safetensors"), PickleBuilder.Zip(PickleBuilder.StateDict("0", 2, [2], [1]), ("0",
            new byte[8])));
        using (var reader = CheckpointReader.Open(folder.PathTo("a.safetensors"))) Assert.Equal(["w"], reader.Entries.Keys);
        SafetensorsFile.Write(folder.PathTo("b.safetensors"), [new("a", ones(20))]);
        File.Move(folder.PathTo("b.safetensors"), folder.PathTo("b.bin"));
        using (var reader = CheckpointReader.Open(folder.PathTo("b.bin"))) Assert.Equal(["a"], reader.Entries.Keys);
        // a header whose length begins like a gzip archive
        var header = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""".PadRight(0x8b1f);
        File.WriteAllBytes(folder.PathTo("c.bin"), [.. BitConverter.GetBytes((long)header.Length),
            .. Encoding.UTF8.GetBytes(header), 7]);
        using (var reader = CheckpointReader.Open(folder.PathTo("c.bin"))) Assert.Equal(7, reader.Read("a").item<byte>());
    }
}
