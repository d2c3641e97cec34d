namespace ResearchKit.Benchmarks.Tables;

/// <summary>Models packed for inference, beside ONNX Runtime on the same weights.</summary>
internal static class InferenceRows
{
    public static IEnumerable<Row> All()
    {
        foreach (var model in new[] { "ResNet-18", "ResNet-50", "Inception v3", "VGG-16" })
            foreach (var images in new[] { 1, 4 })
                yield return Of($"{model}, {images} {(images == 1 ? "image" : "images")}", model, images, processor =>
                    processor.HasAvx512 ? 1.0 : 1.2);
        yield return Of("BERT-base, 4 × 128 tokens", "BERT-base", 4, _ => 1.0);
    }

    private static Row Of(string name, string model, int batch, Func<Processor, double?> target) => new()
    {
        Name = $"{name}, packed",
        Reference = "ONNX Runtime",
        Target = target,
        Rounds = 11,
        Prepare = () =>
        {
            var pair = new InferencePair(model, batch);
            return new Pair(pair.Packed, pair.OnnxRuntime, pair);
        },
    };
}
