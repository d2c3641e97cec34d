using System.Runtime.CompilerServices;

namespace ResearchKit.Optimizers;

/// <summary>Refuses a setting that is out of range, NaN included, by its name.</summary>
internal static class Setting
{
    public static void NotNegative(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Check(value is >= 0 and < double.PositiveInfinity, value, name, "a number of at least 0");

    public static void Positive(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Check(value is > 0 and < double.PositiveInfinity, value, name, "a number above 0");

    public static void Fraction(double value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Check(value is >= 0 and < 1, value, name, "at least 0 and below 1");

    public static void AtLeast(int least, int value, [CallerArgumentExpression(nameof(value))] string name = "") =>
        Check(value >= least, value, name, $"at least {least}");

    public static void Check(bool fits, object? value, string name, string expected)
    {
        if (!fits) throw new ArgumentException(FormattableString.Invariant($"{name} is {value}; it must be {expected}."));
    }
}
