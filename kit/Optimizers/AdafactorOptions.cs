using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Adafactor"/>; the defaults are the reference's.</summary>
public sealed record AdafactorOptions : OptimizerSettings
{
    /// <summary>The reference's defaults: it finds its rate itself.</summary>
    public AdafactorOptions() => LearningRate = 1;

    /// <summary>
    /// Whether the rate comes from the step: 1/√step, at most 0.01. Then <see cref="OptimizerSettings.LearningRate"/> must be 1 here, and
    /// what is set on the optimizer is a factor on it; else the learning rate is the rate.
    /// </summary>
    public bool RelativeStep { get; init; } = true;

    /// <summary>Whether the relative step is at most a millionth of the number of steps, which rises, in place of 0.01.</summary>
    public bool WarmupRelativeStep { get; init; }

    /// <summary>Whether the rate is multiplied by the root mean square of the parameter.</summary>
    public bool ScaleParameter { get; init; } = true;

    /// <summary>Added to squared gradients.</summary>
    public double GradientEpsilon { get; init; } = 1e-30;

    /// <summary>Smallest root mean square of a parameter for its scale.</summary>
    public double ParameterEpsilon { get; init; } = 1e-3;

    /// <summary>Largest root mean square of an update, before the learning rate.</summary>
    public double ClipThreshold { get; init; } = 1;

    /// <summary>A step keeps 1 - step^this of the mean squares.</summary>
    public double DecayRate { get; init; } = -0.8;

    /// <summary>How much of the mean update a step keeps; null for no memory of it.</summary>
    public double? Beta1 { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Adafactor(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.NotNegative(GradientEpsilon);
        Setting.NotNegative(ParameterEpsilon);
        Setting.Positive(ClipThreshold);
        Setting.Check(DecayRate <= 0, DecayRate, nameof(DecayRate), "at most 0");
        if (Beta1 is { } beta1) Setting.Fraction(beta1, nameof(Beta1));
        Setting.Check(!RelativeStep || LearningRate == 1, LearningRate, nameof(LearningRate), "1 with RelativeStep, or RelativeStep false");
        Setting.Check(!WarmupRelativeStep || RelativeStep, WarmupRelativeStep, nameof(WarmupRelativeStep), "false without RelativeStep");
    }
}
