using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// A convolution with the batch norm and the ReLU that follow it. In a model that is packed for inference they
/// run as one kernel.
/// </summary>
/// <remarks>
/// Not a module: the three layers are submodules of the model, with the names of the published network.
/// </remarks>
internal sealed class ConvolutionStep
{
    /// <param name="convolution">The convolution; it can be part of one step only.</param>
    /// <param name="norm">The batch norm after it; null for none.</param>
    /// <param name="relu">The ReLU at the end; null for none.</param>
    public ConvolutionStep(Convolution2d convolution, BatchNorm2d? norm = null, Relu? relu = null)
    {
        Convolution = convolution;
        Norm = norm;
        Relu = relu;
        convolution.Step = this;
    }

    /// <summary>The convolution.</summary>
    public Convolution2d Convolution { get; }

    /// <summary>The batch norm, which packing folds into the convolution.</summary>
    public BatchNorm2d? Norm { get; }

    /// <summary>The ReLU.</summary>
    public Relu? Relu { get; }
}

/// <summary>Extension method that applies steps in reading order.</summary>
internal static class ConvolutionSteps
{
    /// <summary>Computes relu(norm(convolution(x)) + added).</summary>
    /// <param name="x">[batch, channels in, height, width].</param>
    /// <param name="step">The convolution and what follows it.</param>
    /// <param name="added">Output of the other branch of a residual block, of the result's shape; null for
    /// none.</param>
    /// <param name="overwrites">
    /// Whether a packed model may overwrite <paramref name="added"/> with the result. The caller must not read it
    /// afterwards.
    /// </param>
    /// <returns>[batch, channels out, height, width].</returns>
    public static Tensor Through(this Tensor x, ConvolutionStep step, Tensor? added = null, bool overwrites = false)
    {
        if (step.Convolution.Packed is { } packed) return packed.Convolve(x, added, overwrites, step.Relu is not null);
        if (step.Convolution.Quantized is { } codes) return codes.Convolve(x, added, overwrites, step.Relu is not null);
        using var scope = NewDisposeScope();
        var y = x.Through(step.Convolution);
        if (step.Norm is { } norm)
        {
            // libtorch's kernel would return zeros, whatever the image
            if (norm.training && y.numel() == y.shape[1])
                throw new ArgumentException($"Batch norm in training mode got one value for each channel, {y.ShapeText()}; "
                    + "expected more than one example or larger images.", nameof(x));
            y = y.Through(norm);
        }
        if (added is not null) y = y + added;
        if (step.Relu is not null) y = y.Through(step.Relu);
        return y.MoveToOuterDisposeScope();
    }
}
