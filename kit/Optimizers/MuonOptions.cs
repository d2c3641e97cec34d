using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Muon"/>; the defaults are the reference's. Decay and groups are the matrices'; <see cref="AdamW"/> has its own.</summary>
public sealed record MuonOptions : OptimizerSettings
{
    /// <summary>The reference's default: a rate of 0.02.</summary>
    public MuonOptions() => LearningRate = 0.02;

    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Momentum { get; init; } = 0.95;

    /// <summary>Whether the gradient is taken once more on top of the mean.</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>Rounds of the Newton-Schulz iteration.</summary>
    public int NewtonSchulzSteps { get; init; } = 5;

    /// <summary>What the iteration computes in: bfloat16 is enough; float32 is exact.</summary>
    public ScalarType NewtonSchulzPrecision { get; init; } = ScalarType.BFloat16;

    /// <summary>Which parameters are moved so; AdamW moves the rest. By default tensors of two axes or more that are neither embeddings nor heads by name.</summary>
    public Func<string, Tensor, bool> Orthogonalizes { get; init; } = HiddenMatrices;

    /// <summary>AdamW for the rest. Its rate keeps its ratio to <see cref="OptimizerSettings.LearningRate"/> when a schedule changes that.</summary>
    public FusedAdamWOptions AdamW { get; init; } = new() { LearningRate = 3e-4, Beta2 = 0.95, Epsilon = 1e-10, WeightDecay = 0 };

    /// <summary>Tensors of two axes or more whose name is not that of an embedding or a head in the kit's models.</summary>
    public static Func<string, Tensor, bool> HiddenMatrices => (name, parameter) => ParameterRules.MatricesOnly(name, parameter)
        && !ParameterRules.Named("embed", "wte", "wpe", "shared", "head", "classifier", "relative_attention_bias")(name, parameter);

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Muon(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.Positive(LearningRate);
        AdamW.Check();
        Setting.Fraction(Momentum);
        Setting.AtLeast(1, NewtonSchulzSteps);
        Setting.Check(NewtonSchulzPrecision is ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float32 or ScalarType.Float64,
            NewtonSchulzPrecision, nameof(NewtonSchulzPrecision), "a floating-point type");
    }
}
