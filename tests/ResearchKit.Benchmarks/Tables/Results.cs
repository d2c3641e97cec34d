using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using TorchSharp;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>All that was measured on one class of processors: a file of <c>docs/benchmarks/</c>, named after the class.</summary>
internal sealed class Results
{
    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required Processor Processor { get; set; }
    public int Cores { get; set; }
    public int Threads { get; set; }
    public string OperatingSystem { get; set; } = "";
    public string Libtorch { get; set; } = "";

    /// <summary>By the table's name.</summary>
    public SortedDictionary<string, List<Measurement>> Tables { get; set; } = [];

    /// <summary>Those of this processor's class so far.</summary>
    public static Results Open(Processor processor)
    {
        var path = PathOf(processor.Class);
        var results = File.Exists(path) ? Read(path) : new Results { Processor = processor };
        results.Processor = processor;
        results.Cores = Environment.ProcessorCount;
        results.Threads = torch.get_num_threads();
        results.OperatingSystem = RuntimeInformation.OSDescription;
        results.Libtorch = Native.NativeLibraries.TorchVersion;
        return results;
    }

    /// <summary>Those of all classes, in the order of their names.</summary>
    public static IReadOnlyList<Results> All() =>
        [.. Directory.EnumerateFiles(Repository.BenchmarksFolder, "*.json").Order(StringComparer.Ordinal).Select(Read)];

    /// <summary>Takes the place of an earlier measurement of the same row; the rows keep the order of the table.</summary>
    public void Put(string table, Measurement measurement, IReadOnlyList<string> order)
    {
        if (!Tables.TryGetValue(table, out var rows)) Tables[table] = rows = [];
        rows.RemoveAll(row => row.Name == measurement.Name || !order.Contains(row.Name));
        rows.Add(measurement);
        Tables[table] = [.. rows.OrderBy(row => order.ToList().IndexOf(row.Name))];
    }

    public void Save()
    {
        Directory.CreateDirectory(Repository.BenchmarksFolder);
        File.WriteAllText(PathOf(Processor.Class), JsonSerializer.Serialize(this, Layout) + "\n");
    }

    private static string PathOf(string name) => Path.Combine(Repository.BenchmarksFolder, name + ".json");

    private static Results Read(string path) => JsonSerializer.Deserialize<Results>(File.ReadAllText(path), Layout)
        ?? throw new InvalidDataException($"{path} holds no results.");
}
