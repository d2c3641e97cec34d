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
    public void Every_format_holds_the_same_numbers(string file, string name)
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
    public void Strides_and_offsets_are_honoured()
    {
        using var reader = CheckpointReader.Open(Golden("vit-a/pytorch_model.bin"));
        Assert.Equal([1, 5], reader.Map("classifier.weight").stride());
        Assert.Equal([48, 1], reader.Read("classifier.weight").stride());
        Assert.Equal(7, reader.ReadAll()["vit.embeddings.patch_embeddings.projection.bias"].storage_offset() + 7);
    }

    private static string Golden(string path) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", path);

    private static Tensor Copied(CheckpointReader reader, string name)
    {
        var target = empty([.. reader.Entries[name].Shape], reader.Entries[name].Dtype);
        reader.CopyTo(name, target);
        return target;
    }
}
