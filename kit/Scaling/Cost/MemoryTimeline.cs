using ResearchKit.Layers;
using ResearchKit.Optimizers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Scaling;

/// <summary>Goes through a training step in time: what lives at each operation of the backward pass.</summary>
internal sealed class MemoryTimeline(nn.Module model, ActivationTape tape, MemoryOptions options)
{
    private readonly Dictionary<string, Parameter> parameters =
        model.named_parameters().DistinctBy(pair => pair.parameter.Handle).ToDictionary(pair => pair.name, pair =>
            pair.parameter);

    private long peak;
    private string peakAt = "";

    public MemoryEstimate Estimate(IReadOnlyList<Tensor> inputs, Tensor output)
    {
        var weights = parameters.Values.Sum(Bytes) + model.buffers().Sum(Bytes);
        var gradients = parameters.Values.Where(parameter => parameter.requires_grad).Sum(Bytes);
        var state = OptimizerState(out var scratch) + (options.AveragesWeights ? parameters.Values.Sum(Bytes) : 0);
        var (targets, kept, held, passing) = Loss(output);
        var batch = (inputs.Sum(Bytes) + targets) * options.Accumulation;
        var activations = tape.Steps.Where(step => step.Block == 0).Sum(step => step.Kept) + kept + held;
        var before = options.Accumulation > 1 ? gradients : 0;
        var fixedBytes = weights + state + batch;
        var start = fixedBytes + activations + before;
        Look(start + passing, "start of the backward pass");
        Backward(start - kept, before > 0);
        Look(fixedBytes + gradients + scratch, "optimizer step");
        return new(weights, gradients, state, activations, batch, peak, peakAt) { AfterForward = start };
    }

    /// <summary>Goes backwards through the operations, which free what they kept and leave gradients.</summary>
    private void Backward(long live, bool hasGradients)
    {
        var met = new HashSet<nint>();
        var inside = tape.Steps.Where(step => step.Block > 0).GroupBy(step => step.Block)
            .ToDictionary(steps => steps.Key, steps => steps.Sum(step => step.Kept));
        var block = 0;
        foreach (var step in tape.Steps.Reverse())
        {
            if (step.Block != block && step.Block > 0) live += inside[step.Block];   // computed again
            block = step.Block;
            var made = 0L;
            var again = 0L;
            foreach (var weight in step.Weights)
                if (!hasGradients && met.Add(weight.Handle)) made += weight.Bytes;
                else again += weight.Bytes;   // added to a gradient that is there
            Look(live + step.Passing + made + again, "backward pass");
            live += made - step.Kept;
        }
    }

    private void Look(long bytes, string at)
    {
        if (bytes <= peak) return;
        peak = bytes;
        peakAt = at;
    }

    /// <summary>
    /// Bytes of the targets, what the loss keeps, what the caller holds, and what its gradient takes at the start.
    /// </summary>
    private (long Targets, long Kept, long Held, long Passing) Loss(Tensor output)
    {
        var full = output.numel() * 4;
        var held = tape.Bytes(output) + (tape.Bytes(output) < full ? full : 0);   // a 16-bit output and its float32 copy
        return options.Loss switch
        {
            LossKind.CrossEntropy => (output.numel() / output.shape[^1] * 8, full, held, 2 * full),
            LossKind.SquaredError => (full, full, held, full),
            _ => (0, 0, held, full),
        };
    }

    /// <summary>Bytes of the optimizer's state; it is created for parameters without memory.</summary>
    private long OptimizerState(out long scratch)
    {
        using var scope = NewDisposeScope();
        var meta = parameters.Where(pair => pair.Value.requires_grad).Select(pair =>
            (pair.Key, new Parameter(empty(pair.Value.shape, pair.Value.dtype, new Device(DeviceType.META))))).ToList();
        using var optimizer = options.Optimizer.Create(meta);
        var largest = meta.Count == 0 ? 0 : meta.Max(pair => pair.Item2.numel());
        scratch = optimizer is AdamW8bit ? largest * 4 * 7 : 0;   // moments and their codes in float32, one tensor at a time
        return optimizer.State().Values.Sum(Bytes);
    }

    private static long Bytes(Tensor tensor) => tensor.numel() * tensor.element_size();
}
