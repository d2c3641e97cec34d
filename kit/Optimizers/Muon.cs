using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Moves hidden matrices along their mean gradient made orthogonal, and the rest by AdamW.</summary>
/// <remarks>
/// Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/. Convolution kernels are matrices of [out, rest]; other tensors of more
/// than two axes are batches of matrices. State: <c>step</c>, <c>momentum_buffer</c>, and AdamW's for the rest.
/// </remarks>
public sealed class Muon : Optimizer
{
    private readonly MuonMatrices? matrices;
    private readonly FusedAdamW? rest;
    private readonly double restFactor;
    private double learningRate;

    /// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">No parameter, one of them twice, settings out of range, or a rule that takes a vector for a matrix.</exception>
    public Muon(IEnumerable<(string Name, Parameter Parameter)> parameters, MuonOptions? options = null)
    {
        options ??= new();
        options.Check();
        var kinds = ForeachOptimizer.Distinct(parameters).ToLookup(pair => options.Orthogonalizes(pair.Name, pair.Parameter));
        if (kinds[true].FirstOrDefault(pair => pair.Parameter.dim() < 2) is { Name: { } name }) throw new ArgumentException($"{name} is no matrix, so it cannot be made orthogonal.", nameof(options));
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
            Setting.NotNegative(value, nameof(LearningRate));
            learningRate = value;
            if (matrices is not null) matrices.LearningRate = value;
            if (rest is not null) rest.LearningRate = value * restFactor;
        }
    }

    /// <summary>A matrix, or a batch of them, with its singular values brought near 1 (0.7 to 1.2).</summary>
    /// <param name="matrix">[..., rows, columns].</param>
    /// <param name="steps">Rounds of the Newton-Schulz iteration.</param>
    /// <param name="precision">What it computes in.</param>
    /// <returns>Of the matrix's shape and dtype.</returns>
    /// <exception cref="ArgumentException">It has less than two axes.</exception>
    public static Tensor Orthogonalize(Tensor matrix, int steps = 5, ScalarType precision = ScalarType.Float32) =>
        matrix.dim() < 2 ? throw new ArgumentException($"Got a tensor of {matrix.dim()} axes; a matrix has two.", nameof(matrix))
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
