using ResearchKit.Data;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>What the kit's models that take more than one tensor are trained for: from a batch to its loss.</summary>
public static class Objectives
{
    private const double AuxiliaryShare = 0.3;

    /// <summary>A text for a text: mean of -log p(target token), where the decoder sees the targets before it.</summary>
    public static Func<Batch, Tensor> Of(T5 model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, model.ShiftRight(batch.Targets), batch.Mask), batch.Targets);

    /// <summary>A label, or several, for a text, with its padding out of sight.</summary>
    public static Func<Batch, Tensor> Of(BertForSequenceClassification model) =>
        batch => Losses.Labels(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>A label for each token, -100 where there is none.</summary>
    public static Func<Batch, Tensor> Of(BertForTokenClassification model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>The token behind each mask, -100 where there is none.</summary>
    public static Func<Batch, Tensor> Of(BertForMaskedLanguageModel model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>A class for a picture; while training, 0.3 times the loss of each auxiliary head besides.</summary>
    /// <remarks>Szegedy et al., 2014, https://arxiv.org/abs/1409.4842, section 5.</remarks>
    public static Func<Batch, Tensor> Of(GoogLeNet model) => batch => WithAuxiliary(model, model.ForwardWithAuxiliary, batch);

    /// <inheritdoc cref="Of(GoogLeNet)"/>
    public static Func<Batch, Tensor> Of(InceptionV3 model) => batch => WithAuxiliary(model, model.ForwardWithAuxiliary, batch);

    private static Tensor WithAuxiliary(nn.Module<Tensor, Tensor> model, Func<Tensor, AuxiliaryLogits> forward, Batch batch)
    {
        if (!model.training) return Losses.CrossEntropy(model.call(batch.Inputs), batch.Targets);
        var said = forward(batch.Inputs);
        var loss = Losses.CrossEntropy(said.Logits, batch.Targets);
        foreach (var head in said.Auxiliary) loss += AuxiliaryShare * Losses.CrossEntropy(head, batch.Targets);
        return loss;
    }
}
