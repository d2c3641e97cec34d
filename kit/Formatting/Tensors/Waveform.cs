using ResearchKit.Data;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Draws the waveform of audio: the lowest and highest sample of each time interval.</summary>
internal static class Waveform
{
    private const int Columns = 200;
    private const int Height = 36;

    /// <summary>Draws the mean of the channels, scaled to the largest absolute sample.</summary>
    public static Html Draw(AudioClip clip)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var length = clip.Samples.shape[1];
        if (length == 0 || clip.Samples.shape[0] == 0) return Html.Empty;
        var mono = clip.Samples.mean([0]);
        var stretch = (length + Columns - 1) / Columns;
        var parts = mono.slice(0, 0, length - (length % stretch), 1).view(-1, stretch);   // [column, samples]
        var low = TensorStatisticsPieces.Doubles(parts.amin([1]));
        var high = TensorStatisticsPieces.Doubles(parts.amax([1]));
        var largest = low.Concat(high).Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        double Place(double sample) => Height / 2d * (1 - (double.IsFinite(sample) && largest > 0 ? sample / largest : 0));
        var bars = low.Zip(high).Select(
            (pair, x) => Html.Of($"M{x}.5 {Place(pair.Second) - 0.3:0.#}V{Place(pair.First) + 0.3:0.#}"));
        var label = $"waveform of {Numbers.Short(clip.Seconds)} s, samples up to {Numbers.Short(largest)}";
        return Html.Of($"""
            <svg width="{low.Length}" height="{Height}" viewBox="0 0 {low.Length} {Height}" role="img" aria-label="{label}">
            <title>{label}</title><path stroke="currentColor" opacity=".6" d="{bars}"/></svg>
            """);
    }
}
