using System.Globalization;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>Two numbers at the same position in the outputs of two runs.</summary>
/// <param name="Committed">The committed number.</param>
/// <param name="Now">The number in this run.</param>
internal sealed record NumberDifference(ShownNumber Committed, ShownNumber Now)
{
    /// <summary>The relative difference, as a fraction of the committed number.</summary>
    public double Relative { get; } =
        Committed.Value.Equals(Now.Value) ? 0 : Math.Abs((Now.Value - Committed.Value) / Committed.Value);

    /// <summary>Returns the larger of two differences; null counts as none.</summary>
    public static NumberDifference? Larger(NumberDifference? one, NumberDifference? other) =>
        one is null || other?.Relative > one.Relative ? other : one;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Relative:0.##e+0} ({Committed.Text} → {Now.Text})");
}
