using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A <see cref="Models.Bert"/> with a head that classifies texts.</summary>
/// <remarks>Devlin et al., 2019, §4.1, https://arxiv.org/abs/1810.04805.</remarks>
public sealed class BertForSequenceClassification : Module<Tensor, Tensor>
{
    private readonly Bert bert;
    private readonly Dropout dropout;
    private readonly Dense classifier;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public BertForSequenceClassification(BertConfig config) : base(nameof(BertForSequenceClassification))
    {
        bert = new Bert(config);
        dropout = Dropout(config.Dropout);
        classifier = Initialization.Dense(config.ModelWidth, config.Labels);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public BertConfig Config => bert.Config;

    /// <summary>The model below the head.</summary>
    public Bert Bert => bert;

    /// <summary>Returns the logits of the labels of each text; with a single label, the predicted value.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, labels].</returns>
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
    /// <returns>[batch, labels].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return classifier.call(dropout.call(bert.Pool(features))).MoveToOuterDisposeScope();
    }
}
