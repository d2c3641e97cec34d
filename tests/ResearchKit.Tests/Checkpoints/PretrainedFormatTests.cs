using System.Text.Json.Nodes;
using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>
/// What a model's format promises whatever the model, by one with tied names, a buffer and layers that live in native code.
/// </summary>
public sealed class PretrainedFormatTests : IDisposable
{
    private static readonly PretrainedFormat<Tagger, int> Format = new()
    {
        ModelType = "tagger",
        Architecture = "TaggerForTest",
        Names = _ => new NameRules
        {
            Prefix = "base.",
            Heads = ["head."],
            Ignored = ["*.position_ids"],
            Tied = [("head.weight", "words.weight")]
        },
        Read = file => file.Size("width", 4),
        Write = width => new JsonObject { ["width"] = width },
        Make = (width, _) => new Tagger(width, native: true),
        Layers = _ => 1,
        ConfigOf = model => model.Width,
    };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_model_with_native_layers_is_saved_and_loaded()
    {
        using var scope = NewDisposeScope();
        using var model = new Tagger(6, native: true);
        Format.Save(model, folder.Path, long.MaxValue);
        using var read = Format.Load(folder.Path, new LoadOptions(Mapped: true, Key: null));
        Assert.Equal(6, read.Width);
        foreach (var (name, tensor) in model.state_dict())
            Assert.True(tensor.eq(read.state_dict()[name]).all().item<bool>(), name);
        read.to(float64);
        Assert.All(read.parameters(), parameter => Assert.Equal(float64, parameter.dtype));
    }

    [Fact]
    public void Old_suffixes_prefixes_and_ignored_names_are_handled()
    {
        using var scope = NewDisposeScope();
        using var model = new Tagger(6, native: true);
        Format.Save(model, folder.Path, long.MaxValue);
        var weights = SafetensorsFile.Read(folder.PathTo("model.safetensors"));
        Assert.Equal(["base.LayerNorm.bias", "base.LayerNorm.weight", "base.seen", "base.words.weight"], weights.Keys.Order());
        SafetensorsFile.Write(folder.PathTo("model.safetensors"),
        [
            new("LayerNorm.gamma", weights["base.LayerNorm.weight"]), new("LayerNorm.beta", weights["base.LayerNorm.bias"]),
                new("seen", weights["base.seen"]),
            new("head.weight", weights["base.words.weight"]), new("base.embeddings.position_ids", arange(3)),
        ]);
        using var read = Format.Load(folder.Path, new LoadOptions(Mapped: true, Key: null));
        foreach (var (name, tensor) in model.state_dict())
            Assert.True(tensor.eq(read.state_dict()[name]).all().item<bool>(), name);
    }

    [Fact]
    public void Meta_initialization_requires_managed_layers_and_a_value_for_every_tensor()
    {
        using var native = MetaInitialization.Make(() => new Tagger(4, native: true));
        using var managed = MetaInitialization.Make(() => new Tagger(4, native: false));
        Assert.False(MetaInitialization.CanFill(native, native.state_dict().Keys));
        Assert.True(MetaInitialization.CanFill(managed, managed.state_dict().Keys));
        Assert.False(MetaInitialization.CanFill(managed, managed.state_dict().Keys.Skip(1)));
        Assert.Equal(DeviceType.CPU, get_default_device().type);
        Assert.Throws<InvalidOperationException>(() => MetaInitialization.Make<int>(() => throw new InvalidOperationException()));
        Assert.Equal(DeviceType.CPU, get_default_device().type);
    }

    private sealed class Tagger : Module<Tensor, Tensor>
    {
        private readonly Embedding? words;
        private readonly LayerNorm LayerNorm;
        private readonly Tensor seen = ones(3);

        public Tagger(int width, bool native) : base(nameof(Tagger))
        {
            Width = width;
            words = native ? Embedding(5, width) : null;
            LayerNorm = LayerNorm(width);
            RegisterComponents();
        }

        public int Width { get; }

        public override Tensor forward(Tensor tokens) => LayerNorm.call(words!.call(tokens));
    }
}
