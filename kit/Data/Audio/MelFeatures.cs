using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Computes log-mel spectrograms and mel-frequency cepstral coefficients of audio.</summary>
/// <remarks>Davis and Mermelstein, 1980, doi:10.1109/TASSP.1980.1163420; Slaney, Auditory Toolbox, 1998.</remarks>
public sealed class MelFeatures : IDisposable
{
    private readonly MelOptions options;
    private readonly Tensor window;   // [transform]
    private readonly Tensor filters;  // [frequency, band]

    /// <param name="options">Options; null for <see cref="MelOptions.At16kHz"/>.</param>
    /// <exception cref="ArgumentException">Sizes or frequencies are inconsistent.</exception>
    public MelFeatures(MelOptions? options = null)
    {
        this.options = (options ?? new MelOptions()).Validated();
        window = Window(this.options);
        filters = tensor(Filters(this.options));
    }

    /// <summary>
    /// Returns the number of frames for a number of samples: one frame is centred on each multiple of the hop
    /// length, including 0.
    /// </summary>
    public long Frames(long samples) => 1 + (samples / options.HopLength);

    /// <summary>
    /// Computes the power in each band: |STFT|² weighted by triangular filters. The input is padded with zeros at
    /// both ends so that each frame is centred on a multiple of the hop length.
    /// </summary>
    /// <param name="samples">Float [batch, time] or [time].</param>
    /// <returns>Float32 [batch, frames, bands] or [frames, bands].</returns>
    /// <exception cref="ArgumentException">The samples do not have one or two axes.</exception>
    public Tensor Power(Tensor samples)
    {
        if (samples.dim() is not (1 or 2))
            throw new ArgumentException($"Got samples {samples.ShapeText()}; expected [time] or [batch, time].", nameof(samples));
        using var scope = NewDisposeScope();
        var half = options.TransformLength / 2;
        var padded = nn.functional.pad(samples.to(ScalarType.Float32), [half, options.TransformLength - half]);
        var frames = padded.unfold(-1, options.TransformLength, options.HopLength);           // [..., frames, transform]
        var spectrum = fft.rfft(frames * window.to(samples.device)).abs().square();            // [..., frames, frequency]
        return nn.functional.linear(spectrum, filters.to(samples.device).t()).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the natural logarithm of the power in each band.</summary>
    /// <inheritdoc cref="Power"/>
    public Tensor LogMel(Tensor samples)
    {
        using var power = Power(samples);
        using var raised = power.clamp_min(options.Floor);
        return raised.log();
    }

    /// <summary>
    /// Computes mel-frequency cepstral coefficients: the orthonormal cosine transform (DCT-II) of the log-mel
    /// bands.
    /// </summary>
    /// <param name="samples">Float [batch, time] or [time].</param>
    /// <param name="coefficients">
    /// Number of coefficients to keep, from the lowest; at most the number of bands.
    /// </param>
    /// <returns>Float32 [batch, frames, coefficients] or [frames, coefficients].</returns>
    /// <exception cref="ArgumentException">
    /// The samples do not have one or two axes, or there are more coefficients than bands.
    /// </exception>
    public Tensor Mfcc(Tensor samples, int coefficients = 13)
    {
        if (coefficients < 1 || coefficients > options.Bands)
            throw new ArgumentException($"Got {coefficients} coefficients; expected 1 to the number of bands, {options.Bands}.",
                nameof(coefficients));
        using var scope = NewDisposeScope();
        var cosines = tensor(CosineTransform(coefficients, options.Bands), device: samples.device);   // [coefficient, band]
        return nn.functional.linear(LogMel(samples), cosines).MoveToOuterDisposeScope();
    }

    /// <summary>Converts a frequency to a mel scale.</summary>
    public static double ToMel(double hertz, MelScale scale) => scale == MelScale.Htk ? 2595 * Math.Log10(1 + (hertz / 700))
        : hertz < 1000 ? hertz * 3 / 200 : 15 + (Math.Log(hertz / 1000) * 27 / Math.Log(6.4));

    /// <summary>Converts a mel value to a frequency.</summary>
    public static double ToHertz(double mel, MelScale scale) => scale == MelScale.Htk ? 700 * (Math.Pow(10, mel / 2595) - 1)
        : mel < 15 ? mel * 200 / 3 : 1000 * Math.Exp((mel - 15) * Math.Log(6.4) / 27);

    /// <inheritdoc/>
    public void Dispose()
    {
        window.Dispose();
        filters.Dispose();
    }

    private static Tensor Window(MelOptions options)
    {
        using var scope = NewDisposeScope();
        var before = (options.TransformLength - options.WindowLength) / 2;
        var hann = hann_window(options.WindowLength, true);
        return nn.functional.pad(hann, [before, options.TransformLength - options.WindowLength - before])
            .MoveToOuterDisposeScope();
    }

    private static float[,] Filters(MelOptions options)
    {
        var low = ToMel(options.LowestFrequency, options.Scale);
        var high = ToMel(options.HighestFrequency ?? (options.SampleRate / 2.0), options.Scale);
        var edges = Enumerable.Range(0, options.Bands + 2)
            .Select(edge => ToHertz(low + ((high - low) * edge / (options.Bands + 1)), options.Scale)).ToArray();
        var filters = new float[(options.TransformLength / 2) + 1, options.Bands];
        for (var bin = 0; bin < filters.GetLength(0); bin++)
            for (var band = 0; band < options.Bands; band++)
            {
                var frequency = (double)bin * options.SampleRate / options.TransformLength;
                var left = edges[band];
                var middle = edges[band + 1];
                var right = edges[band + 2];
                var height = Math.Max(0, Math.Min((frequency - left) / (middle - left), (right - frequency) / (right - middle)));
                filters[bin, band] = (float)(height * (options.Scale == MelScale.Slaney ? 2 / (right - left) : 1));
            }
        return filters;
    }

    private static float[,] CosineTransform(int coefficients, int bands)
    {
        var cosines = new float[coefficients, bands];
        for (var k = 0; k < coefficients; k++)
            for (var n = 0; n < bands; n++)
                cosines[k, n] = (float)(Math.Cos(Math.PI * k * (n + 0.5) / bands) * Math.Sqrt((k == 0 ? 1.0 : 2.0) / bands));
        return cosines;
    }
}
