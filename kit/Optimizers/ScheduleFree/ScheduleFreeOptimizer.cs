using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// Trains without a learning-rate schedule: the evaluation weights are an average of the iterates, which
/// replaces a decaying rate.
/// </summary>
/// <remarks>
/// Defazio et al., 2024, https://arxiv.org/abs/2405.15682. During training the model holds y, the weights at
/// which gradients are computed; y is between the iterate z and its average x. Call <see cref="Evaluate"/>
/// before the model is evaluated or saved for use, which puts x into the model, and <see cref="Train"/> before
/// the next step. The learning rate should be constant; the warm-up is a setting of the optimizer.
/// </remarks>
public abstract class ScheduleFreeOptimizer : ForeachOptimizer
{
    private static readonly TorchScript Script = new("ScheduleFreeOptimizer.py");

    private readonly ScheduleFreeOptions options;
    private readonly StateNumber steps, weightSum, largestRate, training;
    private readonly List<(Parameter Parameter, Tensor Y)> whileEvaluating = [];

    /// <summary>Weight of the current step in the average, and the warm-up factor on the learning rate.</summary>
    private double share, warmth;

    private protected ScheduleFreeOptimizer(IEnumerable<(string Name, Parameter Parameter)> parameters,
        ScheduleFreeOptions options, params string[] moments)
        : base(parameters, options, [.. moments, "z"])
    {
        this.options = options;
        steps = Number("k", 0);
        weightSum = Number("weight_sum", 0);
        largestRate = Number("lr_max", -1);
        training = Number("train_mode", 1);
    }

    /// <inheritdoc/>
    public sealed override void Evaluate()
    {
        if (training.Value == 0) return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var one in Moved)
        {
            whileEvaluating.Add((one.Parameter, one.Parameter.clone().DetachFromDisposeScope()));
            one.Parameter.lerp_(one["z"], tensor(1 - (1 / options.Interpolation), one.Parameter.dtype, one.Parameter.device));
        }
        training.Value = 0;
    }

    /// <inheritdoc/>
    public sealed override void Train()
    {
        if (training.Value != 0) return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (whileEvaluating.Count > 0)
            foreach (var (parameter, y) in whileEvaluating) parameter.copy_(y);
        else   // the state was saved while the model held the evaluation weights
            foreach (var one in Moved)
                one.Parameter.lerp_(one["z"], tensor(1 - options.Interpolation, one.Parameter.dtype, one.Parameter.device));
        Forget();
        training.Value = 1;
    }

    /// <inheritdoc/>
    protected internal override void Loaded()
    {
        base.Loaded();
        Forget();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) Forget();
    }

    /// <inheritdoc/>
    protected sealed override void Move(IReadOnlyList<ParameterBatch> all)
    {
        if (training.Value == 0)
            throw new InvalidOperationException("The model holds its evaluation weights; "
            + "call Train() before the next step.");
        steps.Value++;
        warmth = options.WarmupSteps > 0 ? Math.Min(1, steps.Value / options.WarmupSteps) : 1;
        largestRate.Value = Math.Max(largestRate.Value, LearningRate * warmth);
        var weight = Math.Pow(steps.Value, options.StepPower) * Math.Pow(largestRate.Value, options.RatePower);
        weightSum.Value += weight;
        share = weightSum.Value == 0 ? 0 : weight / weightSum.Value;
        base.Move(all);
    }

    /// <inheritdoc/>
    protected sealed override void Move(ParameterBatch moving)
    {
        if (moving.Step == 1) Script.Call("begin", moving.Parameters, moving.State("z"));
        Script.Call("move", moving.Parameters, moving.State("z"), Directions(moving, steps.Value), moving.LearningRate * warmth,
            options.Interpolation, share);
    }

    /// <summary>
    /// Computes the directions that are multiplied by the learning rate and subtracted from the iterates.
    /// </summary>
    /// <param name="moving">The parameters, which hold y.</param>
    /// <param name="step">Number of steps of the optimizer, including the current one.</param>
    private protected abstract Tensor[] Directions(ParameterBatch moving, double step);

    private void Forget()
    {
        foreach (var (_, y) in whileEvaluating) y.Dispose();
        whileEvaluating.Clear();
    }
}
