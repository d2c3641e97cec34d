using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// The state of <see cref="AutoRound"/> on one weight: offsets before rounding, and factors of each group's ends.
/// </summary>
internal sealed class RoundingSearch : IDisposable
{
    private readonly QuantizationScheme scheme;
    private readonly Tensor groups;           // float32 [rows, groups, numbers of a group]
    private readonly Tensor moment;           // float32 [inputs, inputs]
    private readonly Tensor root;             // float32 [inputs, inputs], whose product with its transpose is the moment
    private readonly Generator random;
    private readonly Tensor highest, lowest;  // ends of each group, [rows, groups, 1] or [1, 1, 1]
    private readonly Tensor[] learnt;         // offsets like the groups; factors of the upper and of the lower end
    private readonly Tensor[] best;
    private double least = double.PositiveInfinity;

    /// <param name="groups">float32 [rows, groups, numbers of a group].</param>
    /// <param name="scheme">An even grid.</param>
    /// <param name="moment">Second moment of the inputs, float32 [inputs, inputs].</param>
    /// <param name="seed">Seed of the drawn inputs.</param>
    public RoundingSearch(Tensor groups, QuantizationScheme scheme, Tensor moment, ulong seed)
    {
        this.groups = groups;
        this.scheme = scheme;
        this.moment = moment;
        random = new Generator(seed);
        using var scope = NewDisposeScope();
        var (sizes, directions) = linalg.eigh(moment);
        root = (directions * sizes.clamp_(min: 0).sqrt_()).DetachFromDisposeScope();
        var (low, high) = QuantizationGrid.Ends(scheme, groups);
        highest = high.DetachFromDisposeScope();
        lowest = low.DetachFromDisposeScope();
        learnt = [Leaf(zeros_like(groups)), Leaf(ones_like(high)), Leaf(ones_like(high))];
        best = [.. learnt.Select(tensor => tensor.detach().clone().DetachFromDisposeScope())];
    }

    /// <summary>Measures the error as it is, keeps it where it is the smallest, and takes one step.</summary>
    /// <param name="rate">Length of the step.</param>
    /// <param name="batch">Number of inputs drawn.</param>
    /// <param name="range">Share of the step by which the factors of the ends move.</param>
    public void Step(double rate, int batch, double range)
    {
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var (codes, grid) = Rounded(learnt, isDifferentiable: true);
        var numbers = grid.Values(codes);
        Keep(Error(numbers.detach()));
        var inputs = randn([batch, moment.shape[0]], generator: random).to(moment.device).matmul(root.t());
        using var error = (numbers - groups).flatten(1).matmul(inputs.t()).square().sum();
        var moved = range > 0 ? learnt : learnt[..1];
        var gradients = autograd.grad([error], moved);
        using var noGrad = no_grad();
        for (var index = 0; index < moved.Length; index++)
        {
            moved[index].add_(gradients[index].sign(), alpha: index == 0 ? -rate : -rate * range);
            if (index == 0) moved[index].clamp_(-0.5, 0.5);
            else moved[index].clamp_(0.5, 1);
        }
    }

    /// <summary>The codes of the best step, or of rounding to nearest.</summary>
    public (Tensor Codes, QuantizationGrid Grid) Best()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var last = Rounded(learnt, isDifferentiable: false);
        Keep(Error(last.Grid.Values(last.Codes)));
        var (codes, grid) = Rounded(best, isDifferentiable: false);
        grid.ZeroPoints?.MoveToOuterDisposeScope();
        return (codes.MoveToOuterDisposeScope(), grid with { Scales = grid.Scales.MoveToOuterDisposeScope() });
    }

    public void Dispose()
    {
        root.Dispose();
        random.Dispose();
        highest.Dispose();
        lowest.Dispose();
        foreach (var tensor in learnt.Concat(best)) tensor.Dispose();
    }

    private void Keep(double error)
    {
        if (error >= least) return;
        using var noGrad = no_grad();
        least = error;
        for (var index = 0; index < learnt.Length; index++) best[index].copy_(learnt[index].detach());
    }

    /// <summary>Mean of |(Ŵ − W) x|² over the calibration data.</summary>
    private double Error(Tensor numbers)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var change = (numbers - groups).flatten(1);
        return (change.matmul(moment) * change).sum().item<float>();
    }

    private (Tensor Codes, QuantizationGrid Grid) Rounded(Tensor[] at, bool isDifferentiable)
    {
        Tensor Round(Tensor x) => isDifferentiable ? x + (x.round() - x).detach() : x.round();
        var grid = QuantizationGrid.Between(scheme, lowest * at[2], highest * at[1], Round);
        var codes = Round((groups / grid.Scales) + at[0]);
        if (grid.ZeroPoints is { } zeros) codes = codes + zeros;
        return (codes.clamp(scheme.LowestCode, scheme.HighestCode), grid);
    }

    private static Tensor Leaf(Tensor start) => start.detach().requires_grad_(true).DetachFromDisposeScope();
}
