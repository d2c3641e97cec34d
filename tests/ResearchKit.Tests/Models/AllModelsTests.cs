using System.Reflection;
using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>What every model and preset of the kit must do.</summary>
public sealed class AllModelsTests
{
    /// <summary>Every static preset of every configuration.</summary>
    public static TheoryData<string> Presets => [.. typeof(GptConfig).Assembly.GetTypes()
        .Where(type => type.Namespace == "ResearchKit.Models" && type.Name.EndsWith("Config", StringComparison.Ordinal))
        .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static).Where(property => property.PropertyType == type)
            .Select(property => $"{type.Name}.{property.Name}"))];

    public static TheoryData<TokenMixing, int> EveryMixing => TokenMixingModelTests.All;

    public static TheoryData<Positions> EveryPositions => [.. Enum.GetValues<Positions>()];

    [Theory]
    [MemberData(nameof(Presets))]
    public void Its_forward_pass_names_no_device(string preset)
    {
        using var scope = NewDisposeScope();
        var (model, input, output) = OnMeta(() => Make(preset.Split('.')[0], preset.Split('.')[1]));
        Check(model, input, output);
    }

    [Theory]
    [MemberData(nameof(EveryPositions))]
    public void Every_positional_encoding_names_no_device(Positions positions)
    {
        using var scope = NewDisposeScope();
        var (model, input, output) = OnMeta(() => Gpt(GptConfig.Nano with { Positions = positions }));
        Check(model, input, output);
    }

    [Theory]
    [InlineData(nameof(GptConfig.Gpt2), 124_439_808)]
    [InlineData(nameof(GptConfig.Gpt2Medium), 354_823_168)]
    [InlineData(nameof(GptConfig.Gpt2Large), 774_030_080)]
    [InlineData(nameof(GptConfig.Gpt2Xl), 1_557_611_200)]
    public void Presets_have_the_published_number_of_parameters(string preset, long expected)
    {
        using var scope = NewDisposeScope();
        var (model, _, _) = OnMeta(() => Make(nameof(GptConfig), preset));
        Assert.Equal(expected, model.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void A_model_moved_to_another_device_moves_whole()
    {
        using var scope = NewDisposeScope();
        var (model, input, output) = Make(nameof(TransformerClassifierConfig), nameof(TransformerClassifierConfig.First));
        model.to(new Device("meta"));
        Check(model, input.to(new Device("meta")), output);
    }

    [Theory]
    [MemberData(nameof(EveryMixing))]
    public void Every_way_to_mix_tokens_names_no_device(TokenMixing mixing, int experts)
    {
        using var scope = NewDisposeScope();
        var (model, input, output) = OnMeta(() => Mixing(TokenMixingConfig.Nano with { Mixing = mixing, Experts = experts }));
        Check(model, input, output);
    }

    private static void Check(nn.Module<Tensor, Tensor> model, Tensor input, long[] output)
    {
        foreach (var training in new[] { false, true })
        {
            model.train(training);
            using var result = model.call(input);
            Assert.Equal(DeviceType.META, result.device_type);
            Assert.Equal(output, result.shape);
        }
    }

    /// <summary>Makes a model whose tensors have shapes but no memory.</summary>
    private static T OnMeta<T>(Func<T> make)
    {
        set_default_device("meta");
        try
        {
            return make();
        }
        finally
        {
            set_default_device("cpu");
        }
    }

    private static (nn.Module<Tensor, Tensor> Model, Tensor Input, long[] Output) Make(string config, string preset) => config switch
    {
        nameof(GptConfig) => Gpt((GptConfig)Preset(typeof(GptConfig), preset)),
        nameof(TransformerClassifierConfig) => Classifier((TransformerClassifierConfig)Preset(typeof(TransformerClassifierConfig), preset)),
        nameof(TokenMixingConfig) => Mixing((TokenMixingConfig)Preset(typeof(TokenMixingConfig), preset)),
        _ => throw new InvalidOperationException($"Say here how a model is made of a {config}."),
    };

    private static object Preset(Type config, string name) => config.GetProperty(name)!.GetValue(null)!;

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Gpt(GptConfig config) =>
        (new Gpt(config), zeros([2, 7], int64, get_default_device()), [2, 7, config.VocabularySize]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Classifier(TransformerClassifierConfig config) =>
        (new TransformerClassifier(config), zeros([2, 7, config.InputWidth], device: get_default_device()), [2, config.Classes]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Mixing(TokenMixingConfig config) =>
        (new TokenMixingModel(config), zeros([2, 7], int64, get_default_device()), [2, 7, config.VocabularySize]);
}
