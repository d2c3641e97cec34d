using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>The allowed difference between two numbers.</summary>
/// <param name="Relative">The relative tolerance, as a fraction of the committed number.</param>
/// <param name="Absolute">The absolute tolerance, which is added to the relative one.</param>
internal sealed record Tolerance(double Relative, double Absolute)
{
    private const string Key = "verify";

    /// <summary>
    /// The default tolerance: it covers rounding and another order of summation on another machine.
    /// </summary>
    public static Tolerance Default { get; } = new(1e-3, 1e-8);

    /// <summary>
    /// Returns whether two numbers agree. Besides the tolerance, one unit of the last decimal shown is allowed,
    /// since printed numbers are rounded; not for integers, which are counts.
    /// </summary>
    public bool Allows(ShownNumber committed, ShownNumber now)
    {
        var apart = Math.Abs(committed.Value - now.Value);
        return committed.Value.Equals(now.Value) || apart <= Absolute + (Relative * Math.Abs(committed.Value))
            || apart <= 1.000001 * Math.Max(committed.LastPlace, now.LastPlace);
    }

    /// <summary>
    /// Returns the tolerance for a cell, with the values in its metadata such as <c>"verify": { "rtol": 0.05,
    /// "atol": 0.01 }</c>.
    /// </summary>
    /// <exception cref="InvalidDataException">The metadata <c>verify</c> is invalid.</exception>
    public Tolerance Of(NotebookCell cell, string name)
    {
        if (cell.Metadata[Key] is not { } told) return this;
        if (told is not JsonObject json) throw Wrong(cell, name, "");
        return new Tolerance(Number(json, "rtol", Relative, cell, name), Number(json, "atol", Absolute, cell, name));
    }

    private static double Number(JsonObject json, string key, double otherwise, NotebookCell cell, string name) =>
        json[key] switch
        {
            null => otherwise,
            JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.GetValue<double>() is >= 0 and var number
                => number,
            _ => throw Wrong(cell, name, $".{key}"),
        };

    private static InvalidDataException Wrong(NotebookCell cell, string name, string place) => new(
        $"{name}: cell {cell.Id}: metadata.{Key}{place}: expected "
            + $"{(place.Length == 0 ? "an object such as { \"rtol\": 0.05 }" : "a number, 0 or more")}.");
}
