using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>How much the score falls when a window that slides over the input is replaced by the baseline.</summary>
/// <remarks>
/// Zeiler and Fergus, 2013, https://arxiv.org/abs/1311.2901. A value gets the mean over the windows that cover it. The last
/// window of an axis is cut off at the border. It does not sum to the score.
/// </remarks>
public sealed record Occlusion : AttributionMethod
{
    /// <summary>Size of the window along each axis of an example, such as (1, 8, 8) for images, (1) for tokens.</summary>
    public required IReadOnlyList<int> Window { get; init; }

    /// <summary>Step of the window along each axis; null for 1 everywhere.</summary>
    public IReadOnlyList<int>? Stride { get; init; }

    /// <summary>What replaces the window, as for <see cref="FeatureAblation"/>; null for zeros.</summary>
    public Tensor? Baseline { get; init; }

    /// <inheritdoc/>
    public override string Name => "occlusion";

    internal override Found Explain(Explained explained, Tensor input)
    {
        long[] shape = [.. input.shape.Skip(1)];
        var stride = Stride ?? [.. Window.Select(_ => 1)];
        if (Window.Count != shape.Length || stride.Count != shape.Length)
            throw new ArgumentException($"Got a window of {Window.Count} axes and a stride of {stride.Count} for examples of "
                + $"{shape.Length} axes ({input.ShapeText()}); expected one size for each.");
        for (var axis = 0; axis < shape.Length; axis++)
            if (Window[axis] < 1 || stride[axis] < 1 || stride[axis] > Window[axis])
                throw new ArgumentException($"Got a window of {Window[axis]} and a stride of {stride[axis]} for axis {axis}; "
                    + "expected "
                    + "at least 1, and a stride that is not above the window, which would leave values out.");
        var baseline = Baselines.Of(Baseline, input);
        var windows = Windows(shape, stride, input.device);   // [windows, ...]
        var scores = explained.ScoresOf((int)windows.shape[0], (from, to) =>
            where(windows[from..to].unsqueeze(1), baseline.unsqueeze(0), input.unsqueeze(0)).flatten(0, 1));
        var fall = (explained.Scores(input) - scores).t();   // [batch, windows]
        var covers = windows.flatten(1).to(fall.dtype);
        var mean = fall.matmul(covers) / covers.sum(dim: 0);
        return new Found(mean.view(input.shape))
        {
            Notes = [$"{windows.shape[0]} windows of {string.Join(" × ", Window)}",
                Baseline is null ? "baseline 0" : "given baseline"],
        };
    }

    /// <summary>The places of the window: bool [windows, ...], true where it covers an example.</summary>
    private Tensor Windows(long[] shape, IReadOnlyList<int> stride, Device device)
    {
        var axes = shape.Select((size, axis) =>
            Enumerable.Range(0, 1 + (int)Math.Ceiling(Math.Max(0, size - Window[axis]) / (double)stride[axis]))
            .Select(step => (From: step * stride[axis], To: Math.Min(size, (step * stride[axis]) + Window[axis]))).ToArray())
                .ToArray();
        var count = axes.Aggregate(1, (product, places) => product * places.Length);
        var windows = zeros([count, .. shape], @bool, device);
        for (var at = 0; at < count; at++)
        {
            using var scope = NewDisposeScope();
            var (rest, window) = (at, windows[at]);
            for (var axis = shape.Length - 1; axis >= 0; axis--)
            {
                var (from, to) = axes[axis][rest % axes[axis].Length];
                rest /= axes[axis].Length;
                window = window.narrow(axis, from, to - from);
            }
            window.fill_(true);
        }
        return windows;
    }
}
