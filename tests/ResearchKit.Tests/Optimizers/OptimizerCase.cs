using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Tests.Golden;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Optimizers;

/// <summary>
/// A golden trajectory: 20 stored gradients, and the parameters that a reference has after 1, 2, 5 and 20 steps.
/// </summary>
internal sealed class OptimizerCase
{
    private static readonly JsonElement All =
        JsonDocument.Parse(File.ReadAllText(PathTo("cases.json"))).RootElement.GetProperty("cases");

    private readonly Dictionary<string, Tensor> expected, problem;
    private readonly double tolerance;

    public OptimizerCase(string name)
    {
        Name = name;
        var description = All.GetProperty(name);
        Hyper = new Hyper(description.GetProperty("hyper"));
        tolerance = description.GetProperty("tolerance_abs").GetDouble();
        expected = SafetensorsFile.Read(PathTo(description.GetProperty("file").GetString()!));
        problem = SafetensorsFile.Read(PathTo($"problem_{description.GetProperty("problem").GetString()}.safetensors"));
        Parameters = [.. problem.Keys.Where(key => key.StartsWith("init/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(key => (key["init/".Length..], new Parameter(problem[key].clone())))];
    }

    public static IEnumerable<string> Names => All.EnumerateObject().Select(one => one.Name).Where(name => name != "clip");

    public string Name { get; }

    public Hyper Hyper { get; }

    public List<(string Name, Parameter Parameter)> Parameters { get; }

    public Tensor Problem(string name) => problem[name];

    public JsonElement Json(string property) => All.GetProperty(Name).GetProperty(property);

    /// <summary>Puts the stored gradients of a step, counted from 0, into the parameters.</summary>
    public void SetGradients(int step)
    {
        foreach (var (name, parameter) in Parameters) parameter.grad = problem[$"grad/{name}"][step];
    }

    /// <summary>Compares the parameters after a step, counted from 0, if they are stored.</summary>
    public void Check(int step)
    {
        foreach (var (name, parameter) in Parameters) Check(step, name, parameter);
    }

    public void Check(int step, string name, Tensor actual)
    {
        if (step is 0 or 1 or 4 or 19)
            Near.Check($"{Name} {name} step {step + 1}", expected[$"{Name}/step{step + 1}/{name}"], actual, tolerance);
    }

    private static string PathTo(string file) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "optim", file);
}
