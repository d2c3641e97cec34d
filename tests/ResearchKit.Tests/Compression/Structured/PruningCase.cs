using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

/// <summary>A small model of every family, with an input, and what it should compute after channels were removed.</summary>
internal sealed record PruningCase(string Name, Func<nn.Module> Make, Func<nn.Module, Tensor> Run)
{
    private static readonly long[] Some = [3, 17, 5, 64, 2, 9, 30];

    public static IReadOnlyList<PruningCase> All { get; } =
    [
        Tokens("gpt", () => new Gpt(GptConfig.Nano with { Layers = 3 })),
        Tokens("gpt, rotary, untied", () => new Gpt(GptConfig.Nano with { Positions = Positions.Rotary, TieEmbeddings = false,
            ScaleScoresByLayer = true })),
        Tokens("gpt, ALiBi", () => new Gpt(GptConfig.Nano with { Positions = Positions.Alibi })),
        Tokens("llama", () => new Llama(LlamaConfig.Nano)),
        Tokens("llama, tied, all heads", () => new Llama(LlamaConfig.Nano with { TieEmbeddings = true, KeyValueHeads = null })),
        Tokens("bert", () => new Bert(BertConfig.Nano)),
        Tokens("bert, masked", () => new BertForMaskedLanguageModel(BertConfig.Nano)),
        Tokens("bert, classifier", () => new BertForSequenceClassification(BertConfig.Nano with { Layers = 3 })),
        Tokens("bert, tagger", () => new BertForTokenClassification(BertConfig.Nano)),
        new("t5", () => new T5(T5Config.Nano with { DecoderLayers = 3 }), Texts),
        new("t5, gated", () => new T5(T5Config.Nano with { Gated = true, TieEmbeddings = false }), Texts),
        Images("vit", () => new Vit(VitConfig.Nano), 28),
        Images("vgg", () => new Vgg(VggConfig.Nano), 28),
        Images("vgg, no norm", () => new Vgg(VggConfig.Nano with { BatchNorm = false }), 28),
        Images("resnet", () => new ResNet(ResNetConfig.Nano with { Blocks = [2, 1, 3, 1], Width = 8 }), 16),
        Images("resnet, bottleneck", () => new ResNet(ResNetConfig.Nano with { Blocks = [2, 1, 2, 1], Width = 8,
            Block = ResidualBlock.Bottleneck }), 16),
        Images("resnext", () => new ResNet(ResNetConfig.Nano with { Width = 16, Block = ResidualBlock.Bottleneck, Groups = 4,
            WidthPerGroup = 16 }), 16),
        Images("googlenet", () => new GoogLeNet(GoogLeNetConfig.Nano with { AuxiliaryHeads = true, WidthDivisor = 8 }), 28),
        Images("inception", () => new InceptionV3(InceptionV3Config.Nano with { InputChannels = 1, WidthDivisor = 16 }), 75),
        Series("lstm classifier", () => new RecurrentClassifier(new() { InputWidth = 6, HiddenWidth = 8, Layers = 2 })),
        Series("gru classifier", () => new RecurrentClassifier(new() { InputWidth = 6, HiddenWidth = 8, Cell = RecurrentCell.Gru,
            Bidirectional = false, Pooling = SequencePooling.Last })),
        Series("lstm", () => new Lstm(new() { InputWidth = 6, HiddenWidth = 8, Layers = 2 })),
        Tokens("lstm language", () => new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterLstm with
            { EmbeddingWidth = 10, HiddenWidth = 12 })),
        Tokens("gru language, tied", () => new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterGru with
            { EmbeddingWidth = 12, HiddenWidth = 12 })),
    ];

    /// <summary>The model in evaluation mode, with parameters and statistics away from their initial ones and zeros.</summary>
    public nn.Module Model(ScalarType dtype)
    {
        var model = Make();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
            parameter.add_(randn(parameter.shape) * (parameter.dim() > 1 ? 0.05 : 0.2));
        foreach (var (name, buffer) in model.named_buffers())
            if (name.EndsWith("running_var", StringComparison.Ordinal)) buffer.uniform_(0.5, 1.5);
            else if (name.EndsWith("running_mean", StringComparison.Ordinal)) buffer.uniform_(-0.2, 0.2);
        model.eval();
        return model.to(dtype);
    }

    /// <summary>A random choice of up to three groups and of channels in them.</summary>
    public static Dictionary<string, IReadOnlyList<int>> Choice(nn.Module model, Random random)
    {
        var groups = ChannelGroups.Of(model);
        Dictionary<string, IReadOnlyList<int>> channels = [];
        for (var number = random.Next(1, 4); number > 0; number--)
        {
            var group = groups[random.Next(groups.Count)];
            if (group.Count == 1 && group.FirstLayer == 0) continue;
            var count = random.Next(1, group.FirstLayer > 0 ? group.Count + 1 : group.Count);
            foreach (var each in group.EqualCounts is null ? [group] : groups.Where(other =>
                other.EqualCounts == group.EqualCounts))
                channels[each.Name] = [.. Enumerable.Range(0, each.Count).OrderBy(_ => random.Next()).Take(count)];
        }
        return channels;
    }

    /// <summary>Output of the model with the channels at zero; norms over the residual stream see those that stay.</summary>
    public Tensor Masked(nn.Module model, IReadOnlyDictionary<string, IReadOnlyList<int>> channels)
    {
        using var copy = StructuredPruning.Remove(model, new Dictionary<string, IReadOnlyList<int>>());
        var groups = ChannelGroups.Of(copy);
        var skipped = Name.StartsWith("bert", StringComparison.Ordinal) ? channels.Where(pair => pair.Key == "layers")
            .ToArray() : [];
        StructuredPruning.Mask(copy, channels.Where(pair => !skipped.Contains(pair)).ToDictionary());
        foreach (var (name, layers) in skipped)
            foreach (var layer in layers) Skip(copy, $"{groups.Named(name).LayerPrefix}{layer}.");
        if (channels.TryGetValue("width", out var gone)) NormaliseKept(copy, groups.Named("width"), gone);
        return Kept(Run(copy), groups, channels);
    }

    /// <summary>A model without a head returns its channels: those that stay.</summary>
    private Tensor Kept(Tensor output, IReadOnlyList<ChannelGroup> groups,
        IReadOnlyDictionary<string, IReadOnlyList<int>> channels)
    {
        var last = Name == "bert" ? "width" : Name == "lstm" ? "l1" : null;
        return last is null || !channels.TryGetValue(last, out var gone) ? output : output.index_select(-1, tensor(
            Enumerable.Range(0, groups.Named(last).Count).Except(gone).Select(channel => (long)channel).ToArray()));
    }

    /// <summary>Lets a layer return its input.</summary>
    private static void Skip(nn.Module model, string prefix)
    {
        Tensor? input = null;
        var modules = model.named_modules().ToDictionary(pair => pair.name, pair => pair.module);
        ((HookPoint)modules[prefix + "hook_resid_pre"]).register_forward_hook((_, _, x) =>
        {
            input = x.DetachFromDisposeScope();
            return x;
        });
        ((HookPoint)modules[prefix + "hook_resid_post"]).register_forward_hook((_, _, x) => input!.alias());
    }

    private static void NormaliseKept(nn.Module model, ChannelGroup width, IReadOnlyList<int> gone)
    {
        var kept = tensor(Enumerable.Range(0, width.Count).Except(gone).Select(channel => (long)channel).ToArray());
        var modules = model.named_modules().ToDictionary(pair => pair.name, pair => pair.module);
        foreach (var name in width.Axes.Where(axis => axis.Role == ChannelRole.Norm && axis.Tensor.EndsWith(".weight",
            StringComparison.Ordinal))
            .Select(axis => axis.Tensor[..^7]))
        {
            var module = (nn.Module<Tensor, Tensor>)modules[name];
            var epsilon = module is LayerNormalization norm ? norm.Epsilon : Epsilon(model);
            module.register_forward_hook((_, x, y) =>
            {
                using var scope = NewDisposeScope();
                var weight = module.get_parameter("weight")!;
                var part = x.index_select(-1, kept);
                if (module is LayerNormalization) part = part - part.mean([-1], keepdim: true);
                part = part * (part.square().mean([-1], keepdim: true) + epsilon).rsqrt() * weight.index_select(0, kept);
                if (module.get_parameter("bias") is { } bias) part = part + bias.index_select(0, kept);
                return zeros_like(y).index_copy(-1, kept, part).MoveToOuterDisposeScope();
            });
        }
    }

    private static double Epsilon(nn.Module model) => model is Llama llama ? llama.Config.NormEpsilon
        : ((T5)model).Config.NormEpsilon;

    private static Tensor Texts(nn.Module model)
    {
        using var scope = NewDisposeScope();
        var tokens = tensor(Some).unsqueeze(0);
        return ((T5)model).call(tokens, tokens.flip(1)).MoveToOuterDisposeScope();
    }

    private static PruningCase Tokens(string name, Func<nn.Module> make) => new(name, make, model =>
    {
        using var tokens = tensor(Some).unsqueeze(0);
        return ((nn.Module<Tensor, Tensor>)model).call(tokens);
    });

    private static PruningCase Images(string name, Func<nn.Module> make, int size) => new(name, make, model =>
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var images = rand([2, 1, size, size], generator: generator).to(model.parameters().First().dtype);
        return ((nn.Module<Tensor, Tensor>)model).call(images).MoveToOuterDisposeScope();
    });

    private static PruningCase Series(string name, Func<nn.Module> make) => new(name, make, model =>
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var series = randn([2, 5, 6], generator: generator).to(model.parameters().First().dtype);
        return ((nn.Module<Tensor, Tensor>)model).call(series).MoveToOuterDisposeScope();
    });
}
