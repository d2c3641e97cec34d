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
        .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static)
            .Where(property => property.PropertyType == type)
            .Select(property => $"{type.Name}.{property.Name}"))];

    public static TheoryData<TokenMixing, int> EveryMixing => TokenMixingModelTests.All;

    public static TheoryData<Positions> EveryPositions => [.. Enum.GetValues<Positions>()];

    [Theory]
    [MemberData(nameof(Presets))]
    public void The_forward_pass_of_every_preset_hard_codes_no_device(string preset)
    {
        using var scope = NewDisposeScope();
        var (model, input, output) = OnMeta(() => Make(preset.Split('.')[0], preset.Split('.')[1]));
        Check(model, input, output);
    }

    [Theory]
    [MemberData(nameof(EveryPositions))]
    public void No_positional_encoding_hard_codes_a_device(Positions positions)
    {
        using var scope = NewDisposeScope();
        var (model, input, output) = OnMeta(() => Gpt(GptConfig.Nano with { Positions = positions }));
        Check(model, input, output);
    }

    [Theory]
    [InlineData("GptConfig.Gpt2", 124_439_808)]
    [InlineData("GptConfig.Gpt2Medium", 354_823_168)]
    [InlineData("GptConfig.Gpt2Large", 774_030_080)]
    [InlineData("GptConfig.Gpt2Xl", 1_557_611_200)]
    [InlineData("BertConfig.BaseUncased", 109_482_240)]
    [InlineData("BertConfig.LargeUncased", 335_141_888)]
    [InlineData("LlamaConfig.TinyLlama", 1_100_048_384)]
    [InlineData("LlamaConfig.Llama2Of7B", 6_738_415_616)]
    [InlineData("LlamaConfig.Llama2Of70B", 68_976_648_192)]
    [InlineData("LlamaConfig.Llama3Of8B", 8_030_261_248)]
    [InlineData("LlamaConfig.Llama31Of8B", 8_030_261_248)]
    [InlineData("LlamaConfig.Llama32Of1B", 1_235_814_400)]
    [InlineData("T5Config.Small", 60_506_624)]
    [InlineData("T5Config.Base", 222_903_552)]
    [InlineData("T5Config.SmallV11", 76_961_152)]
    [InlineData("T5Config.BaseV11", 247_577_856)]
    [InlineData("VitConfig.Base", 86_567_656)]
    [InlineData("VitConfig.Large", 304_326_632)]
    public void Presets_have_the_published_number_of_parameters(string preset, long expected)
    {
        using var scope = NewDisposeScope();
        var (model, _, _) = OnMeta(() => Make(preset.Split('.')[0], preset.Split('.')[1]));
        Assert.Equal(expected, model.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void The_heads_of_Bert_have_the_published_number_of_parameters_and_hard_code_no_device()
    {
        using var scope = NewDisposeScope();
        foreach (var (make, expected, output) in new (Func<BertConfig, nn.Module<Tensor, Tensor>>, long, long[])[]
        {
            (config => new BertForMaskedLanguageModel(config), 109_514_298, [2, 7, 30_522]),
            (config => new BertForSequenceClassification(config), 109_483_778, [2, 2]),
            (config => new BertForTokenClassification(config), 108_893_186, [2, 7, 2]),
        })
        {
            var (model, input, _) = OnMeta(() => (make(BertConfig.BaseUncased), zeros([2, 7], int64), output));
            Assert.Equal(expected, model.parameters().Sum(parameter => parameter.numel()));
            Check(model, input, output);
        }
    }

    [Theory]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.ResNet18), 11_689_512)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.ResNet34), 21_797_672)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.ResNet50), 25_557_032)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.ResNet101), 44_549_160)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.ResNet152), 60_192_808)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.ResNeXt50), 25_028_904)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.ResNeXt101), 88_791_336)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.WideResNet50), 68_883_240)]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.WideResNet101), 126_886_696)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg11), 132_863_336)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg11BatchNorm), 132_868_840)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg13), 133_047_848)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg13BatchNorm), 133_053_736)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg16), 138_357_544)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg16BatchNorm), 138_365_992)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg19), 143_667_240)]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Vgg19BatchNorm), 143_678_248)]
    [InlineData(nameof(GoogLeNetConfig), nameof(GoogLeNetConfig.GoogLeNet), 13_004_888)]
    [InlineData(nameof(GoogLeNetConfig), nameof(GoogLeNetConfig.GoogLeNetWithoutHeads), 6_624_904)]
    [InlineData(nameof(InceptionV3Config), nameof(InceptionV3Config.InceptionV3), 27_161_264)]
    [InlineData(nameof(InceptionV3Config), nameof(InceptionV3Config.InceptionV3WithoutHead), 23_834_568)]
    public void Vision_models_have_the_published_number_of_parameters(string config, string preset, long expected)
    {
        using var scope = NewDisposeScope();
        var (model, _, _) = OnMeta(() => Make(config, preset));
        Assert.Equal(expected, model.parameters().Sum(parameter => parameter.numel()));
    }

    /// <summary>The "GFLOPS" of torchvision's documentation, in which a multiplication and an addition are one.</summary>
    [Theory]
    [InlineData("ResNetConfig.ResNet18", 224, 1.814)]
    [InlineData("ResNetConfig.ResNet34", 224, 3.664)]
    [InlineData("ResNetConfig.ResNet50", 224, 4.089)]
    [InlineData("ResNetConfig.ResNet101", 224, 7.801)]
    [InlineData("ResNetConfig.ResNet152", 224, 11.514)]
    [InlineData("ResNetConfig.ResNeXt50", 224, 4.23)]
    [InlineData("ResNetConfig.ResNeXt101", 224, 16.414)]
    [InlineData("ResNetConfig.WideResNet50", 224, 11.398)]
    [InlineData("ResNetConfig.WideResNet101", 224, 22.753)]
    [InlineData("VggConfig.Vgg11", 224, 7.609)]
    [InlineData("VggConfig.Vgg13", 224, 11.308)]
    [InlineData("VggConfig.Vgg16", 224, 15.47)]
    [InlineData("VggConfig.Vgg19BatchNorm", 224, 19.632)]
    [InlineData("GoogLeNetConfig.GoogLeNetWithoutHeads", 224, 1.498)]
    [InlineData("InceptionV3Config.InceptionV3WithoutHead", 299, 5.713)]
    [InlineData("VitConfig.Base", 224, 17.564)]
    [InlineData("VitConfig.Large", 224, 61.555)]
    public void Vision_models_take_the_published_number_of_multiply_adds(string preset, int side, double expected)
    {
        using var scope = NewDisposeScope();
        var (model, input) = OnMeta(() =>
            (Make(preset.Split('.')[0], preset.Split('.')[1]).Model, zeros(1, 3, side, side, device: get_default_device())));
        model.eval();
        Assert.Equal(expected, Math.Round(FlopCounter.Of(model, () => model.call(input)) / 2e9, 3));
    }

    [Theory]
    [InlineData(nameof(TransformerClassifierConfig), nameof(TransformerClassifierConfig.First))]
    [InlineData(nameof(ResNetConfig), nameof(ResNetConfig.Nano))]
    [InlineData(nameof(VggConfig), nameof(VggConfig.Nano))]
    [InlineData(nameof(RecurrentClassifierConfig), nameof(RecurrentClassifierConfig.SpeechLstm))]
    [InlineData(nameof(RecurrentLanguageModelConfig), nameof(RecurrentLanguageModelConfig.CharacterGru))]
    public void Moving_a_model_to_another_device_moves_all_its_tensors(string config, string preset)
    {
        using var scope = NewDisposeScope();
        var (model, input, output) = Make(config, preset);
        model.to(new Device("meta"));
        Check(model, input.to(new Device("meta")), output);
    }

    [Theory]
    [MemberData(nameof(EveryMixing))]
    public void No_token_mixing_layer_hard_codes_a_device(TokenMixing mixing, int experts)
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

    private static (nn.Module<Tensor, Tensor> Model, Tensor Input, long[] Output) Make(string config, string preset) =>
        config switch
        {
            nameof(GptConfig) => Gpt((GptConfig)Preset(typeof(GptConfig), preset)),
            nameof(BertConfig) =>
                Texts(new Bert((BertConfig)Preset(typeof(BertConfig), preset)), model => model.Config.ModelWidth),
            nameof(LlamaConfig) =>
                Texts(new Llama((LlamaConfig)Preset(typeof(LlamaConfig), preset)), model => model.Config.VocabularySize),
            nameof(T5Config) => Texts(new T5OfOneText(new T5((T5Config)Preset(typeof(T5Config), preset))), model =>
                model.Config.VocabularySize),
            nameof(VitConfig) => Images((VitConfig)Preset(typeof(VitConfig), preset)),
            nameof(TransformerClassifierConfig) =>
                Classifier((TransformerClassifierConfig)Preset(typeof(TransformerClassifierConfig), preset)),
            nameof(TokenMixingConfig) => Mixing((TokenMixingConfig)Preset(typeof(TokenMixingConfig), preset)),
            nameof(ResNetConfig) => Network((ResNetConfig)Preset(typeof(ResNetConfig), preset)),
            nameof(VggConfig) => Network((VggConfig)Preset(typeof(VggConfig), preset)),
            nameof(GoogLeNetConfig) => Network((GoogLeNetConfig)Preset(typeof(GoogLeNetConfig), preset)),
            nameof(InceptionV3Config) => Network((InceptionV3Config)Preset(typeof(InceptionV3Config), preset)),
            nameof(RecurrentClassifierConfig) =>
                Recurrent((RecurrentClassifierConfig)Preset(typeof(RecurrentClassifierConfig), preset)),
            nameof(RecurrentLanguageModelConfig) =>
                Recurrent((RecurrentLanguageModelConfig)Preset(typeof(RecurrentLanguageModelConfig), preset)),
            _ => throw new InvalidOperationException($"Say here how a model is made of a {config}."),
        };

    private static object Preset(Type config, string name) => config.GetProperty(name)!.GetValue(null)!;

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Gpt(GptConfig config) =>
        (new Gpt(config), zeros([2, 7], int64, get_default_device()), [2, 7, config.VocabularySize]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Classifier(TransformerClassifierConfig config) =>
        (new TransformerClassifier(config), zeros([2, 7, config.InputWidth], device: get_default_device()), [2, config.Classes]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Mixing(TokenMixingConfig config) =>
        (new TokenMixingModel(config), zeros([2, 7], int64, get_default_device()), [2, 7, config.VocabularySize]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Network(ResNetConfig config) =>
        (new ResNet(config), Blank(config.InputChannels, 64), [2, config.Classes]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Network(VggConfig config) =>
        (new Vgg(config), Blank(config.InputChannels, 64), [2, config.Classes]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Network(GoogLeNetConfig config) =>
        (new GoogLeNet(config), Blank(config.InputChannels, 64), [2, config.Classes]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Network(InceptionV3Config config) =>
        (new InceptionV3(config), Blank(config.InputChannels, 96), [2, config.Classes]);

    private static Tensor Blank(long channels, long side) => zeros([2, channels, side, side], device: get_default_device());

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Recurrent(RecurrentClassifierConfig config) =>
        (new RecurrentClassifier(config), zeros([2, 7, config.InputWidth], device: get_default_device()), [2, config.Classes]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Recurrent(RecurrentLanguageModelConfig config) =>
        (new RecurrentLanguageModel(config), zeros([2, 7], int64, get_default_device()), [2, 7, config.VocabularySize]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Texts<T>(T model, Func<T, int> output) where T
        : nn.Module<Tensor, Tensor> =>
        (model, zeros([2, 7], int64, get_default_device()), [2, 7, output(model)]);

    private static (nn.Module<Tensor, Tensor>, Tensor, long[]) Images(VitConfig config) =>
        (new Vit(config), zeros([2, config.Channels, config.ImageSize, config.ImageSize], device: get_default_device()),
            [2, config.Classes]);

    /// <summary>Writes what it reads: two inputs made of one.</summary>
    private sealed class T5OfOneText : nn.Module<Tensor, Tensor>
    {
        private readonly T5 model;

        public T5OfOneText(T5 model) : base(nameof(T5OfOneText))
        {
            this.model = model;
            RegisterComponents();
        }

        public T5Config Config => model.Config;

        public override Tensor forward(Tensor tokens) => model.call(tokens, tokens);
    }
}
