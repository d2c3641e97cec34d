using System.Globalization;

namespace ResearchKit.Training;

/// <summary>The values that a setting may have in a hyperparameter search.</summary>
public sealed class SearchRange
{
    private readonly string description;
    private readonly Func<double, object> at;

    private SearchRange(string description, Func<double, object> at)
    {
        this.description = description;
        this.at = at;
    }

    /// <summary>A number between two others, all as likely.</summary>
    /// <exception cref="ArgumentException">The first is not below the last.</exception>
    public static SearchRange Between(double low, double high)
    {
        Check(low < high, low, high, "two numbers in order");
        return new(Text(low, high), share => low + (share * (high - low)));
    }

    /// <summary>A number between two positive ones, of which each order of magnitude is as likely: a learning rate.</summary>
    /// <exception cref="ArgumentException">They are not positive, or the first is not below the last.</exception>
    public static SearchRange LogBetween(double low, double high)
    {
        Check(low > 0 && low < high, low, high, "two positive numbers in order");
        return new($"{Text(low, high)}, logarithmic", share => low * Math.Pow(high / low, share));
    }

    /// <summary>A whole number between two others, both included.</summary>
    /// <exception cref="ArgumentException">The first is above the last.</exception>
    public static SearchRange Whole(int low, int high)
    {
        Check(low <= high, low, high, "two whole numbers in order");
        return new(Text(low, high), share => (int)(low + (long)(share * ((long)high - low + 1))));
    }

    /// <summary>One of some values, such as numbers, texts or enum members.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static SearchRange OneOf(params IReadOnlyList<object> values)
    {
        if (values.Count == 0) throw new ArgumentException("There is no value to choose from.", nameof(values));
        return new($"one of {string.Join(", ", values)}", share => values[(int)(share * values.Count)]);
    }

    /// <summary>The value at a share of the range, from 0 (included) to 1 (excluded).</summary>
    internal object At(double share) => at(share);

    /// <inheritdoc/>
    public override string ToString() => description;

    private static string Text(double low, double high) => string.Create(CultureInfo.InvariantCulture, $"{low:g6} to {high:g6}");

    private static void Check(bool fits, double low, double high, string expected)
    {
        if (fits) return;
        throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Got {low} and {high}; expected {expected}."));
    }
}
