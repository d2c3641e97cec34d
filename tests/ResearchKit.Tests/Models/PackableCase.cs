using ResearchKit.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>A model to be packed for inference, with an input for it.</summary>
/// <param name="Make">With random weights and norms that are not identities.</param>
/// <param name="Run">Its result for a batch of some size; the second number makes images or texts larger.</param>
internal sealed record PackableCase(Func<nn.Module> Make, Func<nn.Module, int, int, Tensor> Run)
{
    private const int Vocabulary = 60;

    /// <summary>Every model of the kit.</summary>
    public static IReadOnlyDictionary<string, PackableCase> All { get; } = new Dictionary<string, PackableCase>
    {
        ["Gpt"] = Texts(() => new Gpt(GptConfig.Nano)),
        ["Gpt, untied"] = Texts(() =>
            new Gpt(GptConfig.Nano with { TieEmbeddings = false, Positions = ResearchKit.Layers.Positions.Rotary })),
        ["Llama"] = Texts(() => new Llama(LlamaConfig.Nano)),
        ["Llama, tied"] = Texts(() => new Llama(LlamaConfig.Nano with { TieEmbeddings = true })),
        ["Bert"] = Texts(() => new Bert(BertConfig.Nano, withPooler: false)),
        ["Bert, pooled"] = new(() =>
            new Bert(BertConfig.Nano), (model, batch, more) => ((Bert)model).Pool(((Bert)model).Features(Tokens(batch, more)))),
        ["BertForMaskedLanguageModel"] = Texts(() => new BertForMaskedLanguageModel(BertConfig.Nano)),
        ["BertForMaskedLanguageModel, untied"] =
            Texts(() => new BertForMaskedLanguageModel(BertConfig.Nano with { TieEmbeddings = false })),
        ["BertForSequenceClassification"] = Texts(() => new BertForSequenceClassification(BertConfig.Nano)),
        ["BertForTokenClassification"] = Texts(() => new BertForTokenClassification(BertConfig.Nano)),
        ["T5"] = new(() => new T5(T5Config.Nano), (model, batch, more) =>
            ((T5)model).call(Tokens(batch, more), Tokens(batch, more))),
        ["T5, gated and untied"] = new(() => new T5(T5Config.Nano with { Gated = true, TieEmbeddings = false }),
            (model, batch, more) => ((T5)model).call(Tokens(batch, more), Tokens(batch, more))),
        ["Vit"] = new(() => new Vit(VitConfig.Nano), (model, batch, _) =>
            Call(model, Images(batch, VitConfig.Nano.Channels, VitConfig.Nano.ImageSize))),
        ["Vgg"] = Network(() => new Vgg(VggConfig.Nano with { BatchNorm = false }), VggConfig.Nano.InputChannels, 32),
        ["Vgg, batch norm"] = Network(() => new Vgg(VggConfig.Nano with { BatchNorm = true }), VggConfig.Nano.InputChannels, 32),
        ["ResNet"] = Network(() => new ResNet(ResNetConfig.Nano), ResNetConfig.Nano.InputChannels, 28),
        ["ResNeXt"] = Network(() => new ResNet(ResNetConfig.ResNeXt50 with { Blocks = [1, 1, 1, 1], Classes = 10 }), 3, 64),
        ["ResNet, dilated"] =
            Network(() => new ResNet(ResNetConfig.ResNet50 with
            {
                Blocks = [1, 1, 1, 1],
                Width = 16,
                DilateInsteadOfStride = [false, true, true]
            }), 3, 64),
        ["GoogLeNet"] = Network(() => new GoogLeNet(GoogLeNetConfig.Nano), GoogLeNetConfig.Nano.InputChannels, 28),
        ["InceptionV3"] = Network(() => new InceptionV3(InceptionV3Config.Nano), InceptionV3Config.Nano.InputChannels, 96),
        ["InceptionV3, signed input"] =
            Network(() => new InceptionV3(InceptionV3Config.Nano with { TransformInput = true }), 3, 96),
        ["RecurrentClassifier"] =
            new(() => new RecurrentClassifier(new RecurrentClassifierConfig
            {
                InputWidth = 5,
                HiddenWidth = 8,
                Classes = 3,
                Bidirectional = true
            }),
            (model, batch, more) => Call(model, randn(batch, 7 + more, 5))),
        ["RecurrentLanguageModel"] = Texts(() => new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterGru)),
        ["TransformerClassifier"] =
            new(() => new TransformerClassifier(TransformerClassifierConfig.First), (model, batch, more) =>
            Call(model, randn(batch, 7 + more, 100))),
        ["TokenMixingModel, experts"] =
            Texts(() => new TokenMixingModel(TokenMixingConfig.Nano with { Experts = 3, ActiveExperts = 2 })),
        ["TokenMixingModel, latent"] =
            Texts(() => new TokenMixingModel(TokenMixingConfig.Nano with { Mixing = TokenMixing.Latent })),
        ["TokenMixingModel, state space"] =
            Texts(() => new TokenMixingModel(TokenMixingConfig.Nano with { Mixing = TokenMixing.StateSpace })),
        ["TokenMixingModel, differential"] =
            Texts(() => new TokenMixingModel(TokenMixingConfig.Nano with { Mixing = TokenMixing.Differential })),
    };

    /// <summary>One of them.</summary>
    public static PackableCase Named(string name) => All[name];

    /// <summary>The model in evaluation mode, its batch norms as if it had been trained.</summary>
    public nn.Module Trained()
    {
        manual_seed(1);
        var model = Make();
        using var noGrad = no_grad();
        foreach (var norm in model.modules().OfType<BatchNorm2d>())
        {
            norm.running_mean!.normal_(0, 0.2);
            norm.running_var!.uniform_(0.5, 2);
            norm.weight!.uniform_(0.5, 1.5);
            norm.bias!.normal_(0, 0.3);
        }
        model.eval();
        return model;
    }

    /// <summary>Its result for the same input whenever it is asked.</summary>
    public Tensor Of(nn.Module model, int batch = 2, int more = 0)
    {
        manual_seed(2);
        return Run(model, batch, more);
    }

    private static PackableCase Texts(Func<nn.Module> make) =>
        new(make, (model, batch, more) => Call(model, Tokens(batch, more)));

    private static PackableCase Network(Func<nn.Module> make, int channels, int side) =>
        new(make, (model, batch, more) => Call(model, Images(batch, channels, side + more)));

    private static Tensor Tokens(int batch, int more) => randint(0, Vocabulary, [batch, 7 + more], int64);

    private static Tensor Images(int batch, int channels, int side) => randn(batch, channels, side, side);

    private static Tensor Call(nn.Module model, Tensor x) => ((nn.Module<Tensor, Tensor>)model).call(x);
}
