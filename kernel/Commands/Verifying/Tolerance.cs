using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>How far two numbers may be apart.</summary>
/// <param name="Relative">As a share of the committed number.</param>
/// <param name="Absolute">In the number's own unit.</param>
internal sealed record Tolerance(double Relative, double Absolute)
{
    private const string Key = "verify";

    /// <summary>What is allowed where nobody says anything: what rounding and another machine's order of sums do.</summary>
    public static Tolerance Default { get; } = new(1e-3, 1e-8);

    /// <summary>Also one unit of the last digit shown, for what is shown is rounded; but whole numbers count things.</summary>
    public bool Allows(ShownNumber committed, ShownNumber now)
    {
        var apart = Math.Abs(committed.Value - now.Value);
        return committed.Value.Equals(now.Value) || apart <= Absolute + (Relative * Math.Abs(committed.Value))
            || apart <= 1.000001 * Math.Max(committed.LastPlace, now.LastPlace);
    }

    /// <summary>A cell's own: <c>"verify": { "rtol": 0.05, "atol": 0.01 }</c> in its metadata.</summary>
    /// <exception cref="InvalidDataException">The metadata says something else.</exception>
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
