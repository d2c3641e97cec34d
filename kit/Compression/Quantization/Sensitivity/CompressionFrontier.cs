namespace ResearchKit.Compression;

/// <summary>A compressed model, or the original, as a point of a <see cref="CompressionFrontier"/>.</summary>
/// <param name="Name">What was done, such as "int4 GPTQ".</param>
/// <param name="Bytes">Memory of its weights.</param>
/// <param name="Loss">Its loss on data that it was not trained on.</param>
/// <param name="Milliseconds">Time of one token or batch; null where it was not measured.</param>
public sealed record FrontierPoint(string Name, double Bytes, double Loss, double? Milliseconds = null)
{
    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Name}: {Bytes / 1e6:0.##} MB, loss {Loss:0.####}")
        + (Milliseconds is { } time ? FormattableString.Invariant($", {time:0.###} ms") : "");
}

/// <summary>Size, or time, against loss: what each way to compress a model costs and gives.</summary>
/// <param name="Points">The models.</param>
/// <param name="LossUnit">Unit of the loss, such as "nats per character".</param>
public sealed record CompressionFrontier(IReadOnlyList<FrontierPoint> Points, string LossUnit = "")
{
    /// <summary>The points that no other beats in both size and loss, the smallest first.</summary>
    public IReadOnlyList<FrontierPoint> Best => Undominated(point => point.Bytes);

    /// <summary>The points that no other beats in both time and loss, the fastest first; only those with a time count.</summary>
    public IReadOnlyList<FrontierPoint> Fastest => Undominated(point => point.Milliseconds);

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n',
        Points.Select(point => Best.Contains(point) ? $"{point} (on the frontier)" : point.ToString()));

    private List<FrontierPoint> Undominated(Func<FrontierPoint, double?> cost)
    {
        var best = new List<FrontierPoint>();
        foreach (var point in Points.Where(point => cost(point) is not null).OrderBy(cost).ThenBy(point => point.Loss))
            if (best.Count == 0 || point.Loss < best[^1].Loss) best.Add(point);
        return best;
    }
}
