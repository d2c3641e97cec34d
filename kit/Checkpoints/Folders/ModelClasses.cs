using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>One class of model as <see cref="ModelFolder"/> stores it.</summary>
/// <param name="Config">Type of its configuration.</param>
/// <param name="ConfigOf">Returns the configuration of a model of the class, or null for another model.</param>
/// <param name="Make">Creates a model.</param>
/// <param name="Layers">
/// Number of layers, of which each has tensors of its own: a configuration with more layers than tensors is refused early.
/// </param>
internal sealed record ModelClass(Type Config, Func<nn.Module, object?> ConfigOf, Func<object, nn.Module> Make,
    Func<object, long> Layers)
{
    /// <summary>All classes by name.</summary>
    public static IReadOnlyDictionary<string, ModelClass> All { get; } = new Dictionary<string, ModelClass>
    {
        [nameof(Gpt)] = Of<Gpt, GptConfig>(model => model.Config, config => new Gpt(config), config => config.Layers),
        [nameof(Llama)] = Of<Llama, LlamaConfig>(model => model.Config, config => new Llama(config), config => config.Layers),
        [nameof(Bert)] = Of<Bert, BertConfig>(model => model.HasPooler ? model.Config : null, config => new Bert(config),
            config => config.Layers),
        ["BertWithoutPooler"] = Of<Bert, BertConfig>(model => model.HasPooler ? null : model.Config,
            config => new Bert(config, withPooler: false), config => config.Layers),
        [nameof(BertForMaskedLanguageModel)] = Of<BertForMaskedLanguageModel, BertConfig>(model => model.Config,
            config => new BertForMaskedLanguageModel(config), config => config.Layers),
        [nameof(BertForSequenceClassification)] = Of<BertForSequenceClassification, BertConfig>(model => model.Config,
            config => new BertForSequenceClassification(config), config => config.Layers),
        [nameof(BertForTokenClassification)] = Of<BertForTokenClassification, BertConfig>(model => model.Config,
            config => new BertForTokenClassification(config), config => config.Layers),
        [nameof(T5)] = Of<T5, T5Config>(model => model.Config, config => new T5(config),
            config => (long)config.Layers + config.LayersOfDecoder),
        [nameof(Vit)] = Of<Vit, VitConfig>(model => model.Config, config => new Vit(config), config => config.Layers),
        [nameof(Vgg)] = Of<Vgg, VggConfig>(model => model.Config, config => new Vgg(config),
            config => config.Stages.Sum(stage => (long)stage.Count)),
        [nameof(ResNet)] = Of<ResNet, ResNetConfig>(model => model.Config, config => new ResNet(config),
            config => config.Blocks.Sum(count => (long)count)),
        [nameof(GoogLeNet)] = Of<GoogLeNet, GoogLeNetConfig>(model => model.Config, config => new GoogLeNet(config), _ => 1),
        [nameof(InceptionV3)] = Of<InceptionV3, InceptionV3Config>(model => model.Config, config => new InceptionV3(config),
            _ => 1),
        [nameof(RecurrentClassifier)] = Of<RecurrentClassifier, RecurrentClassifierConfig>(model => model.Config,
            config => new RecurrentClassifier(config), config => config.Layers),
        [nameof(RecurrentLanguageModel)] = Of<RecurrentLanguageModel, RecurrentLanguageModelConfig>(model => model.Config,
            config => new RecurrentLanguageModel(config), config => config.Layers),
        [nameof(Lstm)] = Of<Lstm, RecurrentShape>(model => model.Shape, shape => new Lstm(shape), shape => shape.Layers),
        [nameof(Gru)] = Of<Gru, RecurrentShape>(model => model.Shape, shape => new Gru(shape), shape => shape.Layers),
        [nameof(TransformerClassifier)] = Of<TransformerClassifier, TransformerClassifierConfig>(model => model.Config,
            config => new TransformerClassifier(config), config => config.Layers),
        [nameof(TokenMixingModel)] = Of<TokenMixingModel, TokenMixingConfig>(model => model.Config,
            config => new TokenMixingModel(config), config => config.Layers),
    };

    private static ModelClass Of<TModel, TConfig>(Func<TModel, TConfig?> configOf, Func<TConfig, TModel> make,
        Func<TConfig, long> layers) where TModel : nn.Module where TConfig : class => new(typeof(TConfig),
            model => model is TModel own ? configOf(own) : null, config => make((TConfig)config),
            config => layers((TConfig)config));
}
