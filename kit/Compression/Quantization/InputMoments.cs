using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>What calibration learns of a layer's inputs: the mean of x xᵀ, and the largest magnitude of each channel.</summary>
/// <remarks>
/// The mean is in float32 and does not depend on how the inputs were divided into batches. The caller disposes it.
/// </remarks>
public sealed class InputMoments : IDisposable
{
    /// <param name="inputs">Number of input channels.</param>
    /// <param name="device">Where the sums are kept; null for the CPU.</param>
    public InputMoments(long inputs, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        using var scope = NewDisposeScope();
        SecondMoment = zeros([inputs, inputs], ScalarType.Float32, device).DetachFromDisposeScope();
        Largest = zeros([inputs], ScalarType.Float32, device).DetachFromDisposeScope();
    }

    /// <summary>Mean of x xᵀ over all rows, float32 [inputs, inputs].</summary>
    public Tensor SecondMoment { get; }

    /// <summary>Largest magnitude of each input channel, float32 [inputs].</summary>
    public Tensor Largest { get; }

    /// <summary>Rows that were seen.</summary>
    public long Rows { get; private set; }

    /// <summary>Mean square of each input channel, float32 [inputs]; the caller disposes it.</summary>
    public Tensor MeanSquares => SecondMoment.diagonal();

    /// <summary>Adds rows.</summary>
    /// <param name="x">Floating-point [..., inputs].</param>
    /// <exception cref="ArgumentException">The last axis has another size, or a number is NaN or infinite.</exception>
    public void Add(Tensor x)
    {
        var inputs = Largest.shape[0];
        if (x.dim() < 1 || x.shape[^1] != inputs)
            throw new ArgumentException($"Got {x.ShapeText()}; expected {inputs} channels on the last axis.", nameof(x));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var rows = x.detach().to(SecondMoment.dtype).to(SecondMoment.device).reshape(-1, inputs);
        if (rows.shape[0] == 0) return;
        if (!rows.isfinite().all().item<bool>())
            throw new ArgumentException("The inputs of the layer hold NaN or infinity.", nameof(x));
        Rows += rows.shape[0];
        SecondMoment.mul_((double)(Rows - rows.shape[0]) / Rows).add_(rows.t().matmul(rows), 1.0 / Rows);
        Largest.copy_(maximum(Largest, rows.abs().amax([0])));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SecondMoment.Dispose();
        Largest.Dispose();
    }
}
