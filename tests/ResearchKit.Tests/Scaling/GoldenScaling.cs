using System.Text.Json;
using ResearchKit.Scaling;

namespace ResearchKit.Tests.Scaling;

/// <summary>Reference numbers of costs and fits.</summary>
internal static class GoldenScaling
{
    private static readonly Lazy<JsonElement> File = new(() => JsonDocument.Parse(System.IO.File.ReadAllText(
        Path.Combine(Repository.Root, "tests", "ResearchKit.Tests", "Golden", "scaling", "scaling.json"))).RootElement);

    public static JsonElement At(params string[] path) =>
        path.Aggregate(File.Value, (element, name) => element.GetProperty(name));

    public static double Number(this JsonElement element, string name) => element.GetProperty(name).GetDouble();

    public static double[] Numbers(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(one => one.GetDouble())];

    public static ScalingPoint[] Points(string set) => [.. At("chinchilla_fit", set, "points").EnumerateArray()
        .Select(one => new ScalingPoint(one.Number("N"), one.Number("D"), one.Number("L")))];

    public static ScalingPoint[] IsoFlopPoints(string set) => [.. At("isoflop", set, "budgets").EnumerateArray()
        .SelectMany(budget => budget.Numbers("N").Zip(budget.Numbers("L")).Select(pair =>
            new ScalingPoint(pair.First, budget.Number("C") / 6 / pair.First, pair.Second)))];

    public static void Near(double expected, double actual, double relative)
    {
        var error = Math.Abs(actual - expected) / Math.Max(Math.Abs(expected), 1e-300);
        Assert.True(error <= relative, $"Got {actual:R}; expected {expected:R}, relative difference {error:0.##e0}.");
    }
}
