using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

/// <summary>Golden numbers of one layer: its weight, its calibration data, and what the references made of them.</summary>
internal sealed class CompressionGolden : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Dictionary<string, Tensor> layer, method;

    /// <param name="kind">What was done: quantization, pruning, smoothquant, lora or distillation.</param>
    /// <param name="seed">701 or 702.</param>
    public CompressionGolden(string kind, int seed)
    {
        layer = Read($"layer_{seed}");
        method = Read($"{kind}_{seed}");
        var cases = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(PathTo("cases.json"))).GetProperty($"layer_{seed}");
        Settings = cases.GetProperty(kind);
        Damping = cases.GetProperty("pruning").GetProperty("percdamp").GetDouble();
    }

    public static TheoryData<int> Seeds => [701, 702];

    public JsonElement Settings { get; }

    public double Damping { get; }

    public Tensor Weight => layer["weight"];

    public Tensor Bias => layer["bias"];

    public Tensor Calibration => layer["calibration"];

    public Tensor this[string name] => method[name];

    public IEnumerable<string> Names => method.Keys;

    public InputMoments Moments()
    {
        var moments = new InputMoments(Weight.shape[1]);
        foreach (var half in Calibration.chunk(2)) moments.Add(half);
        return moments;
    }

    /// <summary>Mean squared difference of the layer's outputs on the calibration data.</summary>
    public double OutputError(Tensor weight) =>
        Calibration.matmul((weight - Weight).t()).pow(2).mean().item<float>();

    public void Dispose() => scope.Dispose();

    private static string PathTo(string file) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "compression", file);

    private static Dictionary<string, Tensor> Read(string name) => SafetensorsFile.Read(PathTo($"{name}.safetensors"));
}
