using System.Text.Json;
using ResearchKit.Checkpoints;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

/// <summary>The golden numbers of scikit-learn on iris and breast-cancer.</summary>
internal static class Classic
{
    private static readonly string Folder = Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "classic");

    private static readonly Lazy<JsonElement> Json = new(() =>
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(Folder, "classic.json"))));

    public static JsonElement Section(string name) => Json.Value.GetProperty(name);

    /// <summary>X, float64 [rows, features], and y, int64 [rows].</summary>
    public static (Tensor X, Tensor Y) Data(string set)
    {
        var tensors = Tensors($"data_{set}");
        return (tensors["X"], tensors["y"]);
    }

    public static Dictionary<string, Tensor> Tensors(string file) =>
        SafetensorsFile.Read(Path.Combine(Folder, $"{file}.safetensors"));

    public static double[] Numbers(this JsonElement list) => [.. list.EnumerateArray().Select(one => one.GetDouble())];

    public static string[] Features(string set) =>
        [.. Section("data").GetProperty(set).GetProperty("features").EnumerateArray().Select(one => one.GetString()!)];

    /// <summary>Numbers of a tensor.</summary>
    public static double[] Values(this Tensor tensor) => tensor.to(float64).cpu().contiguous().data<double>().ToArray();
}
