using ResearchKit.Data;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Training objectives of the kit's models with more than one input tensor.</summary>
public static class Objectives
{
    private const double AuxiliaryShare = 0.3;

    /// <summary>
    /// Text to text: the mean of −log p(target token), with the earlier targets as decoder input (teacher forcing).
    /// </summary>
    public static Func<Batch, Loss> Of(T5 model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, model.ShiftRight(batch.Targets), batch.Mask), batch.Targets);

    /// <summary>Classification of texts, with one label or several; padding is masked.</summary>
    public static Func<Batch, Loss> Of(BertForSequenceClassification model) =>
        batch => Losses.Labels(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>Classification of tokens; -100 for tokens without a label.</summary>
    public static Func<Batch, Loss> Of(BertForTokenClassification model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>Masked-language modelling: the token at each masked position; -100 elsewhere.</summary>
    public static Func<Batch, Loss> Of(BertForMaskedLanguageModel model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>
    /// Image classification. In training mode, 0.3 times the loss of each auxiliary head is added.
    /// </summary>
    /// <remarks>Szegedy et al., 2014, https://arxiv.org/abs/1409.4842, section 5.</remarks>
    public static Func<Batch, Loss> Of(GoogLeNet model) => batch => WithAuxiliary(model, model.ForwardWithAuxiliary, batch);

    /// <inheritdoc cref="Of(GoogLeNet)"/>
    public static Func<Batch, Loss> Of(InceptionV3 model) => batch => WithAuxiliary(model, model.ForwardWithAuxiliary, batch);

    private static Loss WithAuxiliary(nn.Module<Tensor, Tensor> model, Func<Tensor, AuxiliaryLogits> forward, Batch batch)
    {
        if (!model.training) return Losses.CrossEntropy(model.call(batch.Inputs), batch.Targets);
        var outputs = forward(batch.Inputs);
        var loss = Losses.CrossEntropy(outputs.Logits, batch.Targets);
        foreach (var head in outputs.Auxiliary) loss += AuxiliaryShare * Losses.CrossEntropy(head, batch.Targets);
        return loss;
    }
}
