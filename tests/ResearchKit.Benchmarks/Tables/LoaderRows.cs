using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>An epoch of a loader beside PyTorch's, with the same changes of the same images in memory.</summary>
internal static class LoaderRows
{
    private const int Images = 2048, Size = 96, BatchSize = 64, Workers = 2;
    private const string Torch = "Python torch's DataLoader, 2 workers", Script = "loading.py";

    public static IEnumerable<Row> All() =>
    [
        new()
        {
            Name = "2,048 images of 3 × 96 × 96: padded crop, flip, normalized, 2 workers",
            Reference = Torch,
            Target = _ => 0.667,
            Rounds = 11,
            Prepare = () =>
            {
                var reference = PythonTimer.Start(Script);
                return new Pair(Epoch(), reference.Round, reference);
            },
        },
    ];

    /// <summary>Milliseconds of an epoch.</summary>
    private static Func<double> Epoch()
    {
        using var set = new ImageSet(randint(0, 256, [Images, 3, Size, Size], ScalarType.Byte), zeros(Images, int64), ["one"]);
        var pipeline = new ImagePipeline { Changes = [ImageChanges.PadAndCrop(Size, 8), ImageChanges.Flip()] };
        var loader = new BatchLoader(set.Examples(pipeline.WithImageNetColors()), BatchSize, workers: Workers);
        return Pair.Time(() =>
        {
            foreach (var batch in loader.Batches().Take((int)loader.BatchesPerEpoch)) batch.Dispose();
        });
    }
}
