using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>The state of <see cref="Soap"/> for one parameter.</summary>
internal sealed class SoapBasis
{
    private readonly Tensor?[] statistics, bases;
    private readonly double keep;

    public SoapBasis(ParameterBatch moving, int i, SoapOptions options)
    {
        Axes = options.AxesOf(moving.Parameters[i].shape);
        Mean = moving.State("exp_avg")[i].view(Axes);
        Square = moving.State("exp_avg_sq")[i].view(Axes);
        keep = options.ShampooBeta ?? options.Beta2;
        statistics = [.. Enumerable.Range(0, Axes.Length)
            .Select(axis => options.HasBasis(Axes, axis) ? moving.State($"GG.{axis}")[i] : null)];
        bases = [.. Enumerable.Range(0, Axes.Length)
            .Select(axis => options.HasBasis(Axes, axis) ? moving.State($"Q.{axis}")[i] : null)];
    }

    /// <summary>Axes of the parameter after merging.</summary>
    public long[] Axes { get; }

    /// <summary>Mean gradient, in the basis.</summary>
    public Tensor Mean { get; }

    /// <summary>Mean square of the gradient, in the basis.</summary>
    public Tensor Square { get; }

    /// <summary>
    /// Adds the first gradient to the statistics, and takes their eigenvectors, by descending eigenvalue, as the
    /// basis.
    /// </summary>
    public void Begin(Tensor gradient)
    {
        Learn(gradient);
        for (var axis = 0; axis < Axes.Length; axis++)
            if (statistics[axis] is { } statistic) bases[axis]!.copy_(Eigen.Symmetric(statistic).Vectors.flip(1));
    }

    /// <summary>Adds a gradient to the statistics of each axis.</summary>
    public void Learn(Tensor gradient)
    {
        for (var axis = 0; axis < Axes.Length; axis++)
        {
            if (statistics[axis] is not { } statistic) continue;
            var rows = gradient.transpose(0, axis).reshape(Axes[axis], -1);
            statistic.mul_(keep).add_(rows.mm(rows.t()), 1 - keep);
        }
    }

    /// <summary>Transforms a gradient into the basis.</summary>
    public Tensor Project(Tensor gradient) => Turned(gradient, transposed: true);

    /// <summary>Transforms an update out of the basis.</summary>
    public Tensor ProjectBack(Tensor update) => Turned(update, transposed: false);

    /// <summary>
    /// Moves the basis closer to the eigenvectors by one power iteration. Transforms the mean gradient into the new
    /// basis, and reorders the mean square.
    /// </summary>
    public void Refresh()
    {
        var mean = ProjectBack(Mean);
        var square = Square;
        for (var axis = 0; axis < Axes.Length; axis++)
        {
            if (statistics[axis] is not { } statistic || bases[axis] is not { } basis) continue;
            var order = basis.t().mm(statistic).mm(basis).diagonal().argsort(descending: true);
            square = square.index_select(axis, order);
            basis.copy_(linalg.qr(statistic.mm(basis.index_select(1, order))).Q);
        }
        Square.copy_(square);
        Mean.copy_(Project(mean));
    }

    /// <summary>Multiplies every axis by its basis, or by the transposed basis.</summary>
    private Tensor Turned(Tensor value, bool transposed)
    {
        for (var axis = 0; axis < Axes.Length; axis++)
        {
            if (bases[axis] is not { } basis) continue;
            var rows = value.transpose(0, axis);
            value = (transposed ? basis.t() : basis).mm(rows.reshape(Axes[axis], -1)).reshape(rows.shape).transpose(0, axis);
        }
        return value;
    }
}
