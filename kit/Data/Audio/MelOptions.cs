namespace ResearchKit.Data;

/// <summary>Formula of the mel scale (perceived pitch).</summary>
public enum MelScale
{
    /// <summary>2595 log10(1 + f / 700), as in HTK.</summary>
    Htk,

    /// <summary>
    /// Linear up to 1,000 Hz and logarithmic above, as in Slaney's Auditory Toolbox; its triangular filters have
    /// equal areas.
    /// </summary>
    Slaney,
}

/// <summary>Options for computing mel features.</summary>
public sealed record MelOptions
{
    /// <summary>16 kHz: frames of 25 ms every 10 ms, 80 bands.</summary>
    public static MelOptions At16kHz { get; } = new();

    /// <summary>8 kHz, as on a telephone: frames of 32 ms every 16 ms, 40 bands.</summary>
    public static MelOptions At8kHz { get; } =
        new() { SampleRate = 8000, TransformLength = 256, WindowLength = 256, HopLength = 128, Bands = 40 };

    /// <summary>Sample rate of the audio in Hz.</summary>
    public int SampleRate { get; init; } = 16_000;

    /// <summary>Length of the Fourier transform in samples (n_fft).</summary>
    public int TransformLength { get; init; } = 512;

    /// <summary>Length of the Hann window in samples; it is centred in the transform.</summary>
    public int WindowLength { get; init; } = 400;

    /// <summary>Distance between frames in samples.</summary>
    public int HopLength { get; init; } = 160;

    /// <summary>Number of mel bands.</summary>
    public int Bands { get; init; } = 80;

    /// <summary>Lower edge of the lowest band in Hz.</summary>
    public double LowestFrequency { get; init; }

    /// <summary>Upper edge of the highest band in Hz; null for half the sample rate.</summary>
    public double? HighestFrequency { get; init; }

    /// <summary>Mel scale on which the bands are equally wide.</summary>
    public MelScale Scale { get; init; } = MelScale.Htk;

    /// <summary>Minimum power: lower values are raised to it before the logarithm.</summary>
    public double Floor { get; init; } = 1e-10;

    internal MelOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(SampleRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HopLength, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Bands, 1);
        if (WindowLength < 1 || WindowLength > TransformLength)
            throw new ArgumentException($"Got a window of {WindowLength}; "
                + $"expected 1 to {TransformLength}, the length of the transform.");
        var highest = HighestFrequency ?? SampleRate / 2.0;
        if (!(LowestFrequency >= 0 && LowestFrequency < highest && highest <= SampleRate / 2.0))
            throw new ArgumentException($"Got bands from {LowestFrequency} to {highest} Hz; expected from 0 up to "
                + $"{SampleRate / 2.0}, half the sample rate.");
        return Floor > 0 ? this : throw new ArgumentException($"Got a floor of {Floor}; expected more than 0.");
    }
}
