namespace ResearchKit.Training;

/// <summary>Trains some parameters from the first step and others later: the head first, then the layers below it.</summary>
/// <remarks>
/// Howard and Ruder, 2018, https://arxiv.org/abs/1801.06146. <c>new GradualUnfreezing(("classifier", 1),
/// ("bert.encoder.layer.11", 200), ("", 500))</c>
/// trains the classifier from step 1, the last layer from step 200 and everything from step 500. Parameters that no stage names
/// stay frozen. A frozen parameter gets no gradient, no update and no weight decay.
/// </remarks>
/// <param name="stages">How the names of the parameters begin, and the first step in which they are trained.</param>
public sealed class GradualUnfreezing(params IReadOnlyList<(string Prefix, int FromStep)> stages) : TrainingCallback
{
    /// <inheritdoc/>
    public override void StepBegins(Trainer trainer, int step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        foreach (var (name, parameter) in trainer.Model.named_parameters())
            parameter.requires_grad =
                stages.Any(stage => step >= stage.FromStep && name.StartsWith(stage.Prefix, StringComparison.Ordinal));
    }
}
