using System.Globalization;
using System.Runtime.InteropServices;
using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// x Wᵀ + b for inference, with a weight of which only blocks that are not zero are kept and multiplied (MKL's block-sparse
/// product). It exists only where it is faster than a packed dense float32 weight on this machine.
/// </summary>
/// <remarks>
/// For few rows, such as one token of a language model. With more rows than it is faster for, it multiplies the packed dense
/// weight, of which it keeps a copy. <c>PruningMask.Blocks</c> makes such weights. float32 on a CPU.
/// </remarks>
public sealed class BlockSparseDense : Module<Tensor, Tensor>
{
    private const double LeastZeros = 0.5;
    private static readonly int[] TimedRows = [1, 4, 16, 64];
    private static readonly TorchScript Script = new("BlockSparseDense.py");
    private readonly Tensor blocks;   // [out, in], in blocks
    private readonly Tensor? bias;
    private readonly PackedLinear dense;
    private readonly long outputs;

    private BlockSparseDense(Tensor blocks, PackedLinear dense, Tensor? bias, long outputs, double zeros)
        : base(nameof(BlockSparseDense))
    {
        RegisterComponents();   // before the tensors are set, so that they do not become buffers
        this.blocks = blocks;
        this.dense = dense;
        this.bias = bias;
        this.outputs = outputs;
        Zeros = zeros;
    }

    /// <summary>Share of the blocks that are zero.</summary>
    public double Zeros { get; }

    /// <summary>The largest measured number of rows for which the sparse product is used.</summary>
    public int MostRows { get; private set; }

    /// <summary>How many times faster it is than the packed dense weight, by number of rows, as far as it is used.</summary>
    public IReadOnlyDictionary<int, double> Gains { get; private set; } = new Dictionary<int, double>();

    /// <summary>Makes a layer, which measures both products for a few milliseconds.</summary>
    /// <param name="weight">float32 [out, in] on the CPU; it is copied.</param>
    /// <param name="bias">float32 [out], which is copied; null for none.</param>
    /// <param name="block">Rows and columns of a block, which divides both axes.</param>
    /// <exception cref="ArgumentException">The weight is not such a matrix.</exception>
    /// <exception cref="NotSupportedException">
    /// The sparse product is not faster for a single row, or cannot be had; the message says why.
    /// </exception>
    public static BlockSparseDense Of(Tensor weight, Tensor? bias = null, int block = 16)
    {
        var layer = Create(weight, bias, block);
        if (layer.Measure() is not { } reason) return layer;
        layer.Dispose();
        throw new NotSupportedException(reason);
    }

    /// <summary>Makes a layer without measuring it.</summary>
    /// <inheritdoc cref="Of"/>
    /// <param name="weight">float32 [out, in] on the CPU; it is copied.</param>
    /// <param name="bias">float32 [out], which is copied; null for none.</param>
    /// <param name="block">Rows and columns of a block, which divides both axes.</param>
    /// <param name="mostRows">The largest number of rows for which the sparse product is used.</param>
    internal static BlockSparseDense Create(Tensor weight, Tensor? bias, int block, int mostRows = 0)
    {
        var (outputs, inputs) = weight.Axes2("weight [out, in]");
        Require.AtLeast(1, block);
        if (weight.dtype != ScalarType.Float32 || weight.device_type != DeviceType.CPU)
            throw new ArgumentException($"The weight is {weight.dtype} on {weight.device}; expected Float32 on the CPU.",
                nameof(weight));
        if (outputs % block != 0 || inputs % block != 0)
            throw new ArgumentException($"A matrix of {outputs} × {inputs} has no blocks of {block} × {block}; they must divide it.");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var zeros = Share(weight, block);
        if (zeros < LeastZeros)
            throw new NotSupportedException(Text($"{zeros:P0} of the blocks are zero, so that a sparse product would be slower than the packed dense one; expected at least {LeastZeros:P0}."));
        return new BlockSparseDense(Packed(weight, block), new PackedLinear(weight, ScalarType.Float32),
            bias?.detach().clone().DetachFromDisposeScope(), outputs, zeros)
        { MostRows = mostRows };
    }

    /// <param name="x">float32 [..., in].</param>
    /// <returns>[..., out].</returns>
    /// <exception cref="ArgumentException">The input has another number of channels.</exception>
    /// <exception cref="InvalidOperationException">A gradient is recorded.</exception>
    public override Tensor forward(Tensor x)
    {
        var shape = x.shape;
        var rows = x.numel() / Math.Max(1, shape.Length == 0 ? 1 : shape[^1]);
        // the dense weight checks the shape and the gradient
        if (rows > MostRows || rows == 0 || shape[^1] != blocks.shape[1] || (x.requires_grad && is_grad_enabled()))
            return dense.Multiply(x, bias);
        using var scope = NewDisposeScope();
        FlopTally.Add(rows * (1 - Zeros) * blocks.shape[1] * outputs);
        var y = Sparse(x.view(rows, shape[^1])).view([.. shape[..^1], outputs]);
        return (bias is null ? y : y.add_(bias)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Text($"{outputs} × {blocks.shape[1]}, {Zeros:P0} of the blocks zero; block-sparse up to {MostRows} rows, {string.Join(", ", Gains.Select(pair => Text($"{pair.Value:0.0}x for {pair.Key}")))}");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            blocks.Dispose();
            bias?.Dispose();
            dense.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>W x, [rows, out].</summary>
    private Tensor Sparse(Tensor x) => ((Tensor)Script.Call("multiply", blocks, x.t().contiguous())).t().contiguous();

    private static Tensor Packed(Tensor weight, int block)
    {
        try
        {
            return ((Tensor)Script.Call("pack", weight.detach().contiguous(), (long)block)).DetachFromDisposeScope();
        }
        catch (ExternalException error)
        {
            throw Missing(error);
        }
    }

    /// <summary>Measures the products, and returns why the sparse one is refused; null if it is faster for one row.</summary>
    private string? Measure()
    {
        Dictionary<int, double> gains = [];
        foreach (var rows in TimedRows)
        {
            using var scope = NewDisposeScope();
            var x = randn([rows, blocks.shape[1]]);
            double[]? seconds;
            try
            {
                Sparse(x);
                dense.Multiply(x, null);
                seconds = SteadyTime.Of(() => Sparse(x), () => dense.Multiply(x, null));
            }
            catch (ExternalException error)
            {
                Dispose();
                throw Missing(error);
            }
            if (seconds is null && rows == 1) return "The machine is too busy to measure whether the sparse product is faster.";
            if (rows == 1 && seconds![0] >= seconds[1])
                return Text($"{Zeros:P0} of the blocks are zero; for one row the sparse product takes {seconds[0] * 1e6:0} µs and the packed dense one {seconds[1] * 1e6:0} µs.");
            if (seconds is null || seconds[0] >= seconds[1]) break;
            gains[rows] = seconds[1] / seconds[0];
            MostRows = rows;
        }
        Gains = gains;
        return null;
    }

    private static double Share(Tensor weight, int block)
    {
        var largest = weight.detach().abs().reshape(weight.shape[0] / block, block, weight.shape[1] / block, block).amax([1, 3]);
        return largest.eq(0).to(ScalarType.Float64).mean().item<double>();
    }

    private static NotSupportedException Missing(ExternalException error) =>
        new($"This libtorch has no block-sparse product: {error.Message.Split('\n')[0]}", error);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
