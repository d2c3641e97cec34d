using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>
/// A <see cref="Models.Bert"/> with a masked-language head: predicts the token at each position.
/// </summary>
/// <remarks>
/// Devlin et al., 2019, §3.1, https://arxiv.org/abs/1810.04805. The output layer shares its weight with the
/// token embeddings, unless the configuration unties them, and has its own bias.
/// </remarks>
public sealed class BertForMaskedLanguageModel : Module<Tensor, Tensor>
{
    private readonly Bert bert;
    private readonly BertMaskedLanguageHead cls;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public BertForMaskedLanguageModel(BertConfig config) : base(nameof(BertForMaskedLanguageModel))
    {
        bert = new Bert(config, withPooler: false);
        bert.TokenTable.Unembeds = config.TieEmbeddings;
        cls = new BertMaskedLanguageHead(config);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public BertConfig Config => bert.Config;

    /// <summary>The model below the head.</summary>
    public Bert Bert => bert;

    /// <summary>Returns the logits of the token at each position.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    /// <exception cref="ArgumentException">Wrong shape or dtype, or more tokens than the context length.</exception>
    public override Tensor forward(Tensor tokens) => Logits(tokens);

    /// <inheritdoc cref="forward"/>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <param name="attentionMask">[batch, time], 0 = padding, which no token attends to; null for none.</param>
    /// <param name="tokenTypes">int64 [batch, time], such as 0 in the first text and 1 in the second; null for 0.</param>
    public Tensor Logits(Tensor tokens, Tensor? attentionMask = null, Tensor? tokenTypes = null)
    {
        using var scope = NewDisposeScope();
        return Head(bert.Features(tokens, attentionMask, tokenTypes)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes logits from the encoder's features.</summary>
    /// <param name="features">[batch, time, channels].</param>
    /// <returns>[batch, time, vocabulary].</returns>
    public Tensor Head(Tensor features) => cls.Predict(features, bert.TokenTable);
}

/// <summary>The masked-language head, with the published parameter names: <c>cls.predictions</c>.</summary>
internal sealed class BertMaskedLanguageHead : Module
{
    private readonly BertPredictions predictions;

    public BertMaskedLanguageHead(BertConfig config) : base(nameof(BertMaskedLanguageHead))
    {
        predictions = new BertPredictions(config);
        RegisterComponents();
    }

    public Tensor Predict(Tensor features, EmbeddingTable table) => predictions.Predict(features, table);
}

/// <summary>Prediction layers of the masked-language head: norm(activation(W x + b)) Eᵀ + c.</summary>
internal sealed class BertPredictions : Module
{
    private readonly BertTransform transform;
    private readonly Dense? decoder;   // null if the output layer shares the embeddings' weight
    private readonly Parameter bias;    // [vocabulary]

    public BertPredictions(BertConfig config) : base(nameof(BertPredictions))
    {
        transform = new BertTransform(config);
        decoder = config.TieEmbeddings ? null : Initialization.Dense(config.ModelWidth, config.VocabularySize, bias: false);
        bias = Parameter(zeros(config.VocabularySize));
        RegisterComponents();
    }

    /// <param name="features">[batch, time, channels].</param>
    /// <param name="table">The table of token embeddings.</param>
    public Tensor Predict(Tensor features, EmbeddingTable table)
    {
        using var scope = NewDisposeScope();
        var x = transform.call(features);
        return (decoder is null ? table.Unembed(x, bias) : decoder.Multiply(x, bias)).MoveToOuterDisposeScope();
    }
}

/// <summary>First layer of the masked-language head: norm(activation(W x + b)).</summary>
internal sealed class BertTransform : Module<Tensor, Tensor>
{
    private readonly Dense dense;
    private readonly LayerNormalization LayerNorm;
    private readonly Activation activation;

    public BertTransform(BertConfig config) : base(nameof(BertTransform))
    {
        activation = config.Activation;
        dense = Initialization.Dense(config.ModelWidth, config.ModelWidth);
        LayerNorm = new LayerNormalization(config.ModelWidth, config.NormEpsilon);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return LayerNorm.call(activation.Apply(dense.call(x))).MoveToOuterDisposeScope();
    }
}
