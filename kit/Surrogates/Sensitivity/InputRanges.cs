using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>The ranges of the inputs of a function.</summary>
internal sealed class InputRanges
{
    private readonly IReadOnlyList<(double Low, double High)> ranges;

    /// <exception cref="ArgumentException">A range is empty or not finite.</exception>
    public InputRanges(IReadOnlyList<(double Low, double High)> ranges, IReadOnlyList<string>? names)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        if (ranges.Count == 0) throw new ArgumentException("Got no range; expected one for each input.", nameof(ranges));
        Names = Examples.Names(names, ranges.Count);
        for (var input = 0; input < ranges.Count; input++)
            if (!(double.IsFinite(ranges[input].Low) && double.IsFinite(ranges[input].High)
                && ranges[input].Low < ranges[input].High))
                throw new ArgumentException(
                    FormattableString.Invariant($"The range of '{Names[input]}' is {ranges[input].Low} to ")
                    + FormattableString.Invariant($"{ranges[input].High}; expected a lower and a higher finite number."),
                        nameof(ranges));
        this.ranges = ranges;
    }

    public int Count => ranges.Count;

    public IReadOnlyList<string> Names { get; }

    /// <summary>Maps a point of the unit cube to the ranges.</summary>
    public double[] Scaled(double[] point) =>
        [.. point.Select((share, input) => ranges[input].Low + (share * (ranges[input].High - ranges[input].Low)))];

    /// <summary>Wraps the function, and checks it at two points.</summary>
    public BatchedModel Model(Func<Tensor, Tensor> function, int output)
    {
        using var scope = NewDisposeScope();
        double[][] probes = [Scaled([.. Enumerable.Repeat(0.37, Count)]), Scaled([.. Enumerable.Repeat(0.61, Count)])];
        var model = new BatchedModel(function, Examples.ToTensor(probes), 1 << 15);
        model.RequireOutput(output);
        return model;
    }
}
