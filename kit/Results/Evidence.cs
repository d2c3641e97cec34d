using System.Globalization;

namespace ResearchKit.Results;

/// <summary>What an analysis shows for its numbers: the law that they obey, how far they are off, and what they cost.</summary>
public sealed record Evidence
{
    /// <summary>The law in words, such as "the components sum to the logit"; null when the method has none.</summary>
    public string? Law { get; init; }

    /// <summary>How far the numbers are from the law, relative where the law says nothing else.</summary>
    public double Error { get; init; }

    /// <summary>The largest error at which the law counts as kept.</summary>
    public double Tolerance { get; init; }

    /// <summary>Forward passes of the model, each of one batch.</summary>
    public int ForwardPasses { get; init; }

    /// <summary>Backward passes of the model, each of one batch.</summary>
    public int BackwardPasses { get; init; }

    /// <summary>Duration in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>The most bytes of tensors that the analysis held at once; 0 when it was not counted.</summary>
    public long PeakBytes { get; init; }

    /// <summary>Other facts that a reader needs, such as the baseline; empty by default.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether the law holds; true when there is none, false when the error is NaN.</summary>
    public bool Holds => Law is null || Error <= Tolerance;

    /// <inheritdoc/>
    public override string ToString()
    {
        var parts = new List<string>();
        if (Law is not null)
            parts.Add(string.Create(CultureInfo.InvariantCulture,
                $"{Law}: off by {Error:g2}, {(Holds ? "within" : "ABOVE")} {Tolerance:g2}"));
        parts.AddRange(Notes);
        if (ForwardPasses > 0) parts.Add(Counted(ForwardPasses, "forward pass"));
        if (BackwardPasses > 0) parts.Add(Counted(BackwardPasses, "backward pass"));
        if (Seconds > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"{Seconds:g3} s"));
        if (PeakBytes > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"at most {PeakBytes / 1e6:g3} MB of tensors"));
        return string.Join("; ", parts);
    }

    private static string Counted(int count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:#,0} {noun}{(count == 1 ? "" : "es")}");
}
