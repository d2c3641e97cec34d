using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>The models that can be packed for inference: all models of the kit.</summary>
internal static class PackableModels
{
    /// <summary>Whether a model is one of the kit's.</summary>
    public static bool Has(nn.Module model) => Maker(model) is not null;

    /// <summary>Creates a model of the same class and configuration.</summary>
    /// <exception cref="ArgumentException">The model is not one of the kit's.</exception>
    public static nn.Module Like(nn.Module model) => Maker(model)?.Invoke() ?? throw new ArgumentException(
        $"{model.GetName()} is not a model of the kit; only those can be packed for inference.", nameof(model));

    private static Func<nn.Module>? Maker(nn.Module model) => model switch
    {
        Gpt gpt => () => new Gpt(gpt.Config),
        Llama llama => () => new Llama(llama.Config),
        Bert bert => () => new Bert(bert.Config, bert.HasPooler),
        BertForMaskedLanguageModel bert => () => new BertForMaskedLanguageModel(bert.Config),
        BertForSequenceClassification bert => () => new BertForSequenceClassification(bert.Config),
        BertForTokenClassification bert => () => new BertForTokenClassification(bert.Config),
        T5 t5 => () => new T5(t5.Config),
        Vit vit => () => new Vit(vit.Config),
        Vgg vgg => () => new Vgg(vgg.Config),
        ResNet network => () => new ResNet(network.Config),
        GoogLeNet network => () => new GoogLeNet(network.Config),
        InceptionV3 network => () => new InceptionV3(network.Config),
        RecurrentClassifier network => () => new RecurrentClassifier(network.Config),
        RecurrentLanguageModel network => () => new RecurrentLanguageModel(network.Config),
        TransformerClassifier classifier => () => new TransformerClassifier(classifier.Config),
        TokenMixingModel network => () => new TokenMixingModel(network.Config),
        _ => null,
    };
}
