using ResearchKit.Models;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>Models packed for inference, beside ONNX Runtime on the same weights.</summary>
internal static class InferenceRows
{
    public static IEnumerable<Row> All()
    {
        foreach (var (name, make) in new (string, Func<int, InferencePair>)[]
        {
            ("ResNet-18", images => InferencePair.Of(ResNetConfig.ResNet18, images)),
            ("ResNet-50", images => InferencePair.Of(ResNetConfig.ResNet50, images)),
            ("Inception v3", images => InferencePair.Of(InceptionV3Config.InceptionV3WithoutHead with { TransformInput = false }, images)),
            ("VGG-16", images => InferencePair.Of(VggConfig.Vgg16, images)),
        })
            foreach (var images in new[] { 1, 4 })
                yield return Of($"{name}, {images} {(images == 1 ? "image" : "images")}", () => make(images), processor => processor.HasAvx512 ? 1.0 : 1.2);
        yield return Of("BERT-base, 4 × 128 tokens", () => InferencePair.Of(BertConfig.BaseUncased, 4, 128), _ => 1.0);
    }

    private static Row Of(string name, Func<InferencePair> make, Func<Processor, double?> target) => new()
    {
        Name = $"{name}, packed",
        Reference = "ONNX Runtime",
        Target = target,
        Prepare = () =>
        {
            var pair = make();
            return new Pair(Pair.Time(pair.Packed, Calls), Pair.Time(pair.OnnxRuntime, Calls), pair);
        },
    };

    private const int Calls = 3;
}
