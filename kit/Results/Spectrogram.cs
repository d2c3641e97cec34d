namespace ResearchKit.Results;

/// <summary>The strength of pitches over time: a spectrogram, log-mel features, or cepstral coefficients.</summary>
/// <param name="Title">What it is, such as "log-mel".</param>
/// <param name="Unit">The unit of the numbers, such as "nats".</param>
/// <param name="Values">[frame, band]: bands from low to high pitch.</param>
public sealed record Spectrogram(string Title, string Unit, double[,] Values)
{
    /// <summary>Time between two frames in seconds; 0 if it is not known.</summary>
    public double SecondsPerFrame { get; init; }

    /// <inheritdoc/>
    public override string ToString() =>
        FormattableString.Invariant($"{Title}: {Values.GetLength(0)} frames of {Values.GetLength(1)} bands")
        + (SecondsPerFrame > 0 ? FormattableString.Invariant($", {Values.GetLength(0) * SecondsPerFrame:0.##} s") : "");
}
