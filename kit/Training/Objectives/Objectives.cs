using ResearchKit.Data;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Objectives of the kit's models that take more than one tensor.</summary>
public static class Objectives
{
    private const double AuxiliaryShare = 0.3;

    /// <summary>Text to text: mean of −log p(target token), where the decoder sees the targets before it.</summary>
    public static Func<Batch, Loss> Of(T5 model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, model.ShiftRight(batch.Targets), batch.Mask), batch.Targets);

    /// <summary>A label, or several, for each text; padding is masked.</summary>
    public static Func<Batch, Loss> Of(BertForSequenceClassification model) =>
        batch => Losses.Labels(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>A label for each token, -100 where there is none.</summary>
    public static Func<Batch, Loss> Of(BertForTokenClassification model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>The token behind each mask, -100 where there is none.</summary>
    public static Func<Batch, Loss> Of(BertForMaskedLanguageModel model) =>
        batch => Losses.CrossEntropy(model.Logits(batch.Inputs, batch.Mask), batch.Targets);

    /// <summary>A class for each image. In training mode, 0.3 times the loss of each auxiliary head is added.</summary>
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
