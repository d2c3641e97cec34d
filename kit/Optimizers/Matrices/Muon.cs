using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// Settings of <see cref="Muon"/>; the defaults are the reference's. Weight decay and groups apply to the
/// matrices; <see cref="AdamW"/> has its own.
/// </summary>
public sealed record MuonOptions : OptimizerSettings
{
    /// <summary>The reference's default: a rate of 0.02.</summary>
    public MuonOptions() => LearningRate = 0.02;

    /// <summary>Decay rate of the mean gradient: the share that a step keeps.</summary>
    public double Momentum { get; init; } = 0.95;

    /// <summary>Whether to use Nesterov momentum: the gradient is mixed into the direction once more.</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>Number of Newton-Schulz iterations.</summary>
    public int NewtonSchulzSteps { get; init; } = 5;

    /// <summary>Dtype of the iteration: bfloat16 is precise enough; float32 is exact.</summary>
    public ScalarType NewtonSchulzPrecision { get; init; } = ScalarType.BFloat16;

    /// <summary>
    /// Which parameters are updated by orthogonalization; AdamW updates the rest. By default these are tensors of
    /// two or more axes whose name is not that of an embedding or a head.
    /// </summary>
    public Func<string, Tensor, bool> Orthogonalizes { get; init; } = HiddenMatrices;

    /// <summary>
    /// Settings of AdamW for the other parameters. The ratio of its learning rate to
    /// <see cref="OptimizerSettings.LearningRate"/> stays the same when a schedule changes the latter.
    /// </summary>
    public FusedAdamWOptions AdamW { get; init; } = new() { LearningRate = 3e-4, Beta2 = 0.95, Epsilon = 1e-10, WeightDecay = 0 };

    /// <summary>
    /// Rule for tensors of two or more axes whose name is not that of an embedding or a head in the kit's models.
    /// </summary>
    public static Func<string, Tensor, bool> HiddenMatrices => (name, parameter) => ParameterRules.MatricesOnly(name, parameter)
        && !ParameterRules.Named("embed", "wte", "wpe", "shared", "head", "classifier",
            "relative_attention_bias")(name, parameter);

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new Muon(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Require.Positive(LearningRate);
        AdamW.Check();
        Require.Fraction(Momentum);
        Require.AtLeast(1, NewtonSchulzSteps);
        Require.That(NewtonSchulzPrecision
            is ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float32 or ScalarType.Float64,
            NewtonSchulzPrecision, nameof(NewtonSchulzPrecision), "a floating-point type");
    }
}

/// <summary>
/// Muon: updates hidden matrices with their orthogonalized mean gradient, and the other parameters with AdamW.
/// </summary>
/// <remarks>
/// Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/. Convolution kernels are treated as matrices
/// of [out, rest]; other tensors of more than two axes are batches of matrices. State: <c>step</c>,
/// <c>momentum_buffer</c>, and AdamW's for the other parameters.
/// </remarks>
public sealed class Muon : Optimizer
{
    private readonly MuonMatrices? matrices;
    private readonly FusedAdamW? rest;
    private readonly double restFactor;
    private double learningRate;

    /// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, a setting is out of
    /// range, or the rule selects a vector.</exception>
    public Muon(IEnumerable<(string Name, Parameter Parameter)> parameters, MuonOptions? options = null)
    {
        options ??= new();
        options.Check();
        var kinds = ForeachOptimizer.Distinct(parameters).ToLookup(pair => options.Orthogonalizes(pair.Name, pair.Parameter));
        if (kinds[true].FirstOrDefault(pair => pair.Parameter.dim() < 2) is { Name: { } name })
            throw new ArgumentException($"{name} is no matrix, so it cannot be made orthogonal; "
            + "exclude it in Orthogonalizes.",
            nameof(options));
        learningRate = options.LearningRate;
        restFactor = options.LearningRate == 0 ? 0 : options.AdamW.LearningRate / options.LearningRate;
        if (kinds[true].Any()) matrices = new MuonMatrices(kinds[true], options);
        if (kinds[false].Any()) rest = new FusedAdamW(kinds[false], options.AdamW);
    }

    /// <inheritdoc/>
    public override double LearningRate
    {
        get => learningRate;
        set
        {
            Require.NotNegative(value, nameof(LearningRate));
            learningRate = value;
            if (matrices is not null) matrices.LearningRate = value;
            if (rest is not null) rest.LearningRate = value * restFactor;
        }
    }

    /// <summary>
    /// Orthogonalizes a matrix, or a batch of matrices: brings its singular values near 1 (0.7 to 1.2).
    /// </summary>
    /// <param name="matrix">[..., rows, columns].</param>
    /// <param name="steps">Number of Newton-Schulz iterations.</param>
    /// <param name="precision">Dtype of the iteration.</param>
    /// <returns>A tensor of the matrix's shape and dtype.</returns>
    /// <exception cref="ArgumentException">The tensor has fewer than two axes.</exception>
    public static Tensor Orthogonalize(Tensor matrix, int steps = 5, ScalarType precision = ScalarType.Float32) =>
        matrix.dim() < 2 ? throw new ArgumentException($"Got a tensor of {matrix.dim()} axes; expected at least 2.",
        nameof(matrix))
        : MuonMatrices.Orthogonalize(matrix, steps, precision);

    /// <inheritdoc/>
    public override void Step()
    {
        matrices?.Step();
        rest?.Step();
    }

    /// <inheritdoc/>
    public override void ZeroGrad()
    {
        matrices?.ZeroGrad();
        rest?.ZeroGrad();
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State() =>
        new Optimizer?[] { matrices, rest }.OfType<Optimizer>().SelectMany(part => part.State()).ToDictionary();

    /// <inheritdoc/>
    protected internal override void Loaded()
    {
        matrices?.Loaded();
        rest?.Loaded();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        matrices?.Dispose();
        rest?.Dispose();
    }
}
