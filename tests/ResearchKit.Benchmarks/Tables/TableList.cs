namespace ResearchKit.Benchmarks.Tables;

/// <summary>The tables, by the names that the command line knows.</summary>
internal static class TableList
{
    /// <summary>A new table is a line here and a class of its own that lists its rows.</summary>
    public static IReadOnlyDictionary<string, (string Title, Func<IEnumerable<Row>> Rows)> All { get; } =
        new Dictionary<string, (string, Func<IEnumerable<Row>>)>
        {
            ["training"] = ("Training steps", TrainingRows.All),
            ["generation"] = ("Writing text", GenerationRows.All),
            ["start"] = ("Time to the first result", StartRows.All),
            ["portable"] = ("Price of a portable run", PortableRows.All),
            ["loading"] = ("Loading data", LoaderRows.All),
            ["quantization"] = ("Quantized layers and models", QuantizationRows.All),
            ["inference"] = ("Inference", InferenceRows.All),
        };
}
