using ResearchKit.Training;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>A step of the trainer against the same step of others: batch, loss, gradients, clip and AdamW.</summary>
internal static class TrainingRows
{
    private const string ByHand = "a loop by hand with TorchSharp alone", Torch = "Python torch 1.13, OpenBLAS, memory kept",
        Script = "training.py";

    public static IEnumerable<Row> All() =>
    [
        new()
        {
            Name = "GPT 10.8 M, 8 × 256 characters",
            Reference = ByHand,
            Target = processor => processor is { HasAvx512: true, Vendor: not "intel" } ? 0.57 : 0.88,
            Prepare = () => Against(HandLoop.Start(), "gpt"),
        },
        new()
        {
            Name = "GPT 10.8 M",
            Reference = Torch,
            Target = _ => 0.85,
            Prepare = () => Against(PythonTimer.Start(Script, "gpt"), "gpt"),
        },
        new()
        {
            Name = "GPT 10.8 M in bfloat16",
            Reference = "the trainer in float32",
            Target = processor => processor.HasBFloat16 ? 0.75 : 1.05,
            Rounds = 15,
            Prepare = () =>
            {
                var (mixed, single) = (new TrainerSteps("gpt", Precision.BFloat16), new TrainerSteps("gpt"));
                return new Pair(mixed.Round, single.Round, mixed, single);
            },
        },
        Small("LSTM 40 → 128, 16 × 100 vectors", "lstm", 0.2),
        Small("GRU 40 → 128, 16 × 100 vectors", "gru", 0.5),
        Small("ResNet-18, 4 images of 224 × 224", "resnet18", 0.6),
    ];

    private static Row Small(string name, string what, double target) => new()
    {
        Name = name,
        Reference = Torch,
        Target = _ => target,
        Rounds = 21,
        Prepare = () => Against(PythonTimer.Start(Script, what), what),
    };

    private static Pair Against(ChildTimer reference, string what)
    {
        var ours = new TrainerSteps(what);
        return new Pair(ours.Round, reference.Round, ours, reference);
    }
}
