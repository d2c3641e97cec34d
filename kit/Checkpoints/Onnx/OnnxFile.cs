using System.Globalization;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Writes graphs as ONNX files.</summary>
internal static class OnnxFile
{
    private const int IrVersion = 10, Opset = 20;
    private const int Graph = 7, Constants = 5, RawData = 9;
    private const long LargestMessage = (1L << 31) - (1 << 20);   // protocol buffers end at 2 GB

    /// <summary>Writes a file, or two of them, each under a temporary name that is changed at the end.</summary>
    public static void Write(string path, OnnxGraph graph, bool separatesWeights)
    {
        var bytes = graph.Body.Length + graph.Constants.Values.Sum(Bytes);
        if (!separatesWeights && bytes < LargestMessage)
        {
            WriteModel(path, graph, null);
            return;
        }
        var places = new Dictionary<string, long>();
        var data = $"{path}.data";
        AtomicWrite.To(data, temporary =>
        {
            using var stream = File.Create(temporary);
            foreach (var (name, tensor) in graph.Constants.Where(pair => IsOutside(pair.Value)))
            {
                places[name] = stream.Position;
                SafetensorsFile.WriteData(stream, tensor);
            }
        });
        WriteModel(path, graph, (Path.GetFileName(data), places));
    }

    /// <summary>Sizes, axes and scalars stay in the graph: other programs infer shapes from them.</summary>
    private static bool IsOutside(Tensor tensor) => Bytes(tensor) >= 1024;

    private static void WriteModel(string path, OnnxGraph graph, (string File, Dictionary<string, long> Places)? outside)
    {
        var heads = graph.Constants.ToDictionary(pair => pair.Key, pair => Head(pair.Key, pair.Value, outside));
        var starts = heads.ToDictionary(pair => pair.Key, pair => new ProtoMessage().Begin(Constants,
            pair.Value.Length + Inside(pair.Key)));
        var length = graph.Body.Length + heads.Keys.Sum(name => starts[name].Length + heads[name].Length + Inside(name));
        var start = new ProtoMessage().Number(1, IrVersion).Text(2, "ResearchKit")
            .Add(8, new ProtoMessage().Text(1, "").Number(2, Opset)).Begin(Graph, length);
        AtomicWrite.To(path, temporary =>
        {
            using var stream = File.Create(temporary);
            start.CopyTo(stream);
            graph.Body.CopyTo(stream);
            foreach (var (name, tensor) in graph.Constants)
            {
                starts[name].CopyTo(stream);
                heads[name].CopyTo(stream);
                if (Inside(name) > 0) SafetensorsFile.WriteData(stream, tensor);
            }
        });

        long Inside(string name) => outside?.Places.ContainsKey(name) == true ? 0 : Bytes(graph.Constants[name]);
    }

    /// <summary>What describes a constant, up to its numbers, which come last.</summary>
    private static ProtoMessage Head(string name, Tensor tensor, (string File, Dictionary<string, long> Places)? outside)
    {
        var head = new ProtoMessage();
        foreach (var size in tensor.shape) head.Number(1, size);
        head.Number(2, OnnxGraph.TypeOf(tensor.dtype)).Text(8, name);
        if (outside is not { } file || !file.Places.TryGetValue(name, out var place)) return head.Begin(RawData, Bytes(tensor));
        foreach (var (key, value) in new[]
        {
            ("location", file.File), ("offset", place.ToString(CultureInfo.InvariantCulture)),
            ("length", Bytes(tensor).ToString(CultureInfo.InvariantCulture)),
        })
            head.Add(13, new ProtoMessage().Text(1, key).Text(2, value));
        return head.Number(14, 1);
    }

    private static long Bytes(Tensor tensor) => tensor.numel() * tensor.element_size();
}
