using System.Globalization;
using ResearchKit.Layers;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Scaling;

/// <summary>Bytes that a training step of the trainer allocates for tensors, by kind.</summary>
/// <remarks>
/// It is computed from what each layer keeps for the backward pass, without running it on numbers. Work space of single native
/// kernels, the framework itself and freed memory that the C library keeps are not in it.
/// </remarks>
/// <param name="Weights">Parameters and buffers.</param>
/// <param name="Gradients">Gradients of the trained parameters.</param>
/// <param name="OptimizerState">State of the optimizer, and the average of the weights if there is one.</param>
/// <param name="Activations">What the forward pass and the loss keep for the backward pass, the output included.</param>
/// <param name="Batch">Inputs and targets of all batches of the step.</param>
/// <param name="Peak">The largest number of bytes at a time in a step after the first.</param>
/// <param name="PeakAt">Where that is, such as "start of the backward pass".</param>
public sealed record MemoryEstimate(
    long Weights, long Gradients, long OptimizerState, long Activations, long Batch, long Peak, string PeakAt)
{
    /// <summary>
    /// Bytes that live when the forward pass has ended: all but the gradients, which exist then only with accumulation.
    /// </summary>
    public long AfterForward { get; init; }

    /// <summary>Bytes that live between two steps: weights, gradients of the last step and the state of the optimizer.</summary>
    public long BetweenSteps => Weights + Gradients + OptimizerState;

    /// <summary>Estimates the memory of a model that is created for it on the meta device.</summary>
    /// <param name="make">Creates the model, such as <c>() =&gt; new Gpt(GptConfig.Gpt2)</c>.</param>
    /// <param name="inputShape">Shape of a batch, such as [8, 1024] for tokens.</param>
    /// <param name="options">Options; null for the trainer's defaults.</param>
    /// <exception cref="InvalidOperationException">A module cannot run on the meta device; the message names it.</exception>
    public static MemoryEstimate Of(Func<nn.Module<Tensor, Tensor>> make, IReadOnlyList<long> inputShape,
        MemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(make);
        using var model = MetaInitialization.Make(make);
        return Of(model, inputShape, options);
    }

    /// <summary>Estimates the memory of a model for an input of a shape.</summary>
    /// <param name="model">The model, on any device; only shapes matter. It is called once in training mode.</param>
    /// <param name="inputShape">Shape of a batch.</param>
    /// <param name="options">Options; null for the trainer's defaults.</param>
    /// <inheritdoc cref="Of(Func{nn.Module{Tensor, Tensor}}, IReadOnlyList{long}, MemoryOptions?)" path="/exception"/>
    public static MemoryEstimate Of(nn.Module<Tensor, Tensor> model, IReadOnlyList<long> inputShape,
        MemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var scope = NewDisposeScope();
        var input = ExampleInput.Zeros(model, inputShape);
        return Of(model, [input], () => model.call(input), options);
    }

    /// <summary>Estimates the memory of a model for a forward pass of several inputs.</summary>
    /// <param name="model">The model, on any device; only shapes matter. It is called once in training mode.</param>
    /// <param name="inputs">The inputs, which the batch holds.</param>
    /// <param name="forward">Runs the model on this thread and returns its output.</param>
    /// <param name="options">Options; null for the trainer's defaults.</param>
    /// <inheritdoc cref="Of(Func{nn.Module{Tensor, Tensor}}, IReadOnlyList{long}, MemoryOptions?)" path="/exception"/>
    public static MemoryEstimate Of(nn.Module model, IReadOnlyList<Tensor> inputs, Func<Tensor> forward,
        MemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(forward);
        options = (options ?? new()).Validated();
        using var scope = NewDisposeScope();
        var half = options.Precision != Precision.Full;
        using var tape = new ActivationTape(half, half && Native.Kernels.Current.EmulatesBFloat16Products, inputs);
        Tensor output = null!;
        ModuleCalls.Differentiable(model, () => output = forward().MoveToOuterDisposeScope(), training: true);
        return new MemoryTimeline(model, tape, options).Estimate(inputs, output);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"peak {Peak:N0} bytes at the {PeakAt}: weights {Weights:N0}, gradients {Gradients:N0}, optimizer {OptimizerState:N0}, activations {Activations:N0}, batch {Batch:N0}");
}
