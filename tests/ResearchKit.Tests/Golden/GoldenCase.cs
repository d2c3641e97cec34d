using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Golden;

/// <summary>One folder of golden numbers; see README.md there.</summary>
internal sealed class GoldenCase : IDisposable
{
    private readonly Dictionary<string, Tensor> expected;
    private readonly Dictionary<string, double> tolerances;

    public GoldenCase(string name)
    {
        Name = name;
        Folder = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "models", name);
        expected = SafetensorsFile.Read(Path.Combine(Folder, "expected.safetensors"));
        tolerances = JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(Path.Combine(Folder,
            "tolerance.json")))!;
    }

    public string Name { get; }

    /// <summary>Where the case is.</summary>
    public string Folder { get; }

    public Tensor this[string name] => expected[name];

    /// <summary>Names of all tensors that are expected or given.</summary>
    public IReadOnlyCollection<string> Names => expected.Keys;

    public bool Has(string name) => expected.ContainsKey(name);

    public Dictionary<string, Tensor> Weights() => SafetensorsFile.Read(Path.Combine(Folder, "model.safetensors"));

    /// <summary>The largest difference allowed; none for whole numbers, which the case lists no tolerance for.</summary>
    public double Tolerance(string name) => expected[name].is_integral() ? tolerances.GetValueOrDefault(name) : tolerances[name];

    /// <summary>The case's config.json.</summary>
    public JsonElement Settings() =>
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(Folder, "config.json")));

    /// <summary>
    /// Gives a model the weights of the rule that config.json names tensors for; fails where names, shapes or sums differ.
    /// </summary>
    public void FillByRule(nn.Module model) => WeightRule.Fill(model, Settings());

    /// <summary>Checks the gradients that the case has.</summary>
    /// <param name="model">After <c>backward</c>.</param>
    /// <param name="prefix">What stands before the model's own names in the case.</param>
    public void CheckGradients(nn.Module model, string prefix = "")
    {
        var gradients = model.named_parameters().ToDictionary(pair => $"grad.{prefix}{pair.name}", pair => pair.parameter);
        foreach (var name in Names.Where(name => name.StartsWith("grad.", StringComparison.Ordinal)))
            Check(name, gradients[name].grad!);
    }

    /// <summary>Fails with the largest difference.</summary>
    public void Check(string name, Tensor actual) => Near.Check(name, expected[name], actual, Tolerance(name));

    public void Dispose()
    {
        foreach (var tensor in expected.Values) tensor.Dispose();
    }
}

/// <summary>Compares tensors and says how far they are apart.</summary>
internal static class Near
{
    public static void Check(string what, Tensor expected, Tensor actual, double tolerance)
    {
        Assert.True(expected.shape.SequenceEqual(actual.shape),
            $"{what}: expected {expected.ShapeText()}, got {actual.ShapeText()}");
        using var scope = NewDisposeScope();
        var difference = (expected.to(float64) - actual.detach().to(float64)).abs();
        var largest = difference.numel() == 0 ? 0 : difference.max().item<double>();
        Assert.True(largest <= tolerance, $"{what}: the largest difference is {largest:g3}, allowed is {tolerance:g3}");
    }
}
