namespace ResearchKit.Compression;

/// <summary>The layers that people leave as they are: what turns the last activations into logits.</summary>
internal static class HeadNames
{
    private const string Last = "fc";   // of convolutional networks

    private static readonly string[] Words = ["head", "classifier", "pooler"];

    /// <summary>Whether a layer is part of a head, by its name.</summary>
    public static bool Has(string layer) => layer.Split('.').Contains(Last)
        || Words.Any(word => layer.Contains(word, StringComparison.Ordinal));
}
