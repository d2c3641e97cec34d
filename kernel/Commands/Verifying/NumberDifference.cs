using System.Globalization;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>Two numbers that stand in the same place of two runs.</summary>
/// <param name="Committed">The one in the file.</param>
/// <param name="Now">The one of this run.</param>
internal sealed record NumberDifference(ShownNumber Committed, ShownNumber Now)
{
    /// <summary>Their distance as a share of the committed one.</summary>
    public double Relative { get; } =
        Committed.Value.Equals(Now.Value) ? 0 : Math.Abs((Now.Value - Committed.Value) / Committed.Value);

    /// <summary>The larger of two; null is none.</summary>
    public static NumberDifference? Larger(NumberDifference? one, NumberDifference? other) =>
        one is null || other?.Relative > one.Relative ? other : one;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Relative:0.##e+0} ({Committed.Text} → {Now.Text})");
}
