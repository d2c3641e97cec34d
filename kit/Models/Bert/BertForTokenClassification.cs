using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>A <see cref="Models.Bert"/> with a head that classifies each token.</summary>
/// <remarks>Devlin et al., 2019, §5.3, https://arxiv.org/abs/1810.04805.</remarks>
public sealed class BertForTokenClassification : Module<Tensor, Tensor>
{
    private readonly Bert bert;
    private readonly Dropout dropout;
    private readonly Dense classifier;

    /// <exception cref="ArgumentException">The configuration is inconsistent.</exception>
    public BertForTokenClassification(BertConfig config) : base(nameof(BertForTokenClassification))
    {
        bert = new Bert(config, withPooler: false);
        dropout = Dropout(config.Dropout);
        classifier = Initialization.Dense(config.ModelWidth, config.Labels);
        RegisterComponents();
    }

    /// <summary>Configuration of the model.</summary>
    public BertConfig Config => bert.Config;

    /// <summary>The model below the head.</summary>
    public Bert Bert => bert;

    /// <summary>Returns the logits of the labels of each token; with a single label, the predicted value.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, labels].</returns>
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
    /// <returns>[batch, time, labels].</returns>
    public Tensor Head(Tensor features)
    {
        using var scope = NewDisposeScope();
        return classifier.call(dropout.call(features)).MoveToOuterDisposeScope();
    }
}
