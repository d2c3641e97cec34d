using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// What calibration learns of a layer's inputs: the mean of x xᵀ, and the mean and the largest magnitude of each channel.
/// </summary>
/// <remarks>
/// The means are in float32 and do not depend on how the inputs were divided into batches. The caller disposes it.
/// </remarks>
public sealed class InputMoments : IDisposable
{
    /// <param name="inputs">Number of input channels.</param>
    /// <param name="device">Where the sums are kept; null for the CPU.</param>
    /// <param name="hasSecondMoment">Whether x xᵀ is summed.</param>
    public InputMoments(long inputs, Device? device = null, bool hasSecondMoment = true)
    {
        HasSecondMoment = hasSecondMoment;
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        using var scope = NewDisposeScope();
        SecondMoment = zeros(hasSecondMoment ? [inputs, inputs] : [0, 0], ScalarType.Float32, device).DetachFromDisposeScope();
        Largest = zeros([inputs], ScalarType.Float32, device).DetachFromDisposeScope();
        MeanMagnitudes = zeros([inputs], ScalarType.Float32, device).DetachFromDisposeScope();
    }

    /// <summary>Whether x xᵀ is summed.</summary>
    public bool HasSecondMoment { get; }

    /// <summary>Mean of x xᵀ over all rows, float32 [inputs, inputs]; [0, 0] where it is not summed.</summary>
    public Tensor SecondMoment { get; }

    /// <summary>Largest magnitude of each input channel, float32 [inputs].</summary>
    public Tensor Largest { get; }

    /// <summary>Mean magnitude of each input channel, float32 [inputs].</summary>
    public Tensor MeanMagnitudes { get; }

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
        var kept = (double)(Rows - rows.shape[0]) / Rows;
        if (HasSecondMoment) SecondMoment.mul_(kept).add_(rows.t().matmul(rows), 1.0 / Rows);
        var sizes = rows.abs();
        MeanMagnitudes.mul_(kept).add_(sizes.sum(dim: 0), 1.0 / Rows);
        Largest.copy_(maximum(Largest, sizes.amax([0])));
    }

    /// <summary>The moments of the inputs divided by a factor for each channel.</summary>
    /// <param name="factors">float32 [inputs], above 0.</param>
    internal InputMoments DividedBy(Tensor factors)
    {
        using var scope = NewDisposeScope();
        var divided = new InputMoments(Largest.shape[0], Largest.device, HasSecondMoment) { Rows = Rows };
        if (HasSecondMoment) divided.SecondMoment.copy_(SecondMoment / factors / factors.unsqueeze(1));
        divided.Largest.copy_(Largest / factors);
        divided.MeanMagnitudes.copy_(MeanMagnitudes / factors);
        return divided;
    }

    /// <summary>The second moment for a method that needs it.</summary>
    /// <param name="weight">The weight [out, ...] that reads the inputs.</param>
    /// <param name="inputs">What calibration saw, or null.</param>
    /// <param name="method">Name of the method, for messages.</param>
    /// <exception cref="ArgumentException">
    /// There are no inputs, they have another number of channels, or they are fewer than an eighth of the channels.
    /// </exception>
    internal static Tensor Required(Tensor weight, InputMoments? inputs, string method)
    {
        if (inputs is null || inputs.Rows == 0)
            throw new ArgumentException($"{method} needs inputs of the layer; calibrate it with some batches.", nameof(inputs));
        var columns = weight.numel() / weight.shape[0];
        var channels = inputs.Largest.shape[0];
        if (channels != columns)
            throw new ArgumentException($"The inputs have {channels} channels; the weight {weight.ShapeText()} reads {columns}.",
                nameof(inputs));
        if (!inputs.HasSecondMoment)
            throw new ArgumentException($"{method} needs the second moments of the inputs; calibrate with them.", nameof(inputs));
        var least = (channels + 7) / 8;
        return inputs.Rows >= least ? inputs.SecondMoment : throw new ArgumentException(
            $"Calibration saw {inputs.Rows} rows of {channels} channels; {method} needs at least {least}, better thousands.",
                nameof(inputs));
    }

    /// <summary>Mean of |W x|² over the calibration data: the trace of W M Wᵀ with the second moment M.</summary>
    /// <param name="weight">float32 [out, inputs].</param>
    internal double Energy(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return (weight.matmul(SecondMoment) * weight).sum().item<float>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SecondMoment.Dispose();
        Largest.Dispose();
        MeanMagnitudes.Dispose();
    }
}
