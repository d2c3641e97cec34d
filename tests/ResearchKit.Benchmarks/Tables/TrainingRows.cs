using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>A step of the trainer against the same step of others: batch, loss, gradients, clip and AdamW.</summary>
internal static class TrainingRows
{
    private const string ByHand = "a loop by hand with TorchSharp alone", Torch = "Python torch 1.13, OpenBLAS, memory kept", Script = "training.py";

    public static IEnumerable<Row> All() =>
    [
        new()
        {
            Name = "GPT 10.8 M, 8 × 256 characters",
            Reference = ByHand,
            Target = processor => processor is { HasAvx512: true, Vendor: not "intel" } ? 0.57 : 0.88,
            Prepare = () => Gpt(HandLoop.Start()),
        },
        new()
        {
            Name = "GPT 10.8 M",
            Reference = Torch,
            Target = _ => 0.85,
            Prepare = () => Gpt(PythonTimer.Start(Script, "gpt")),
        },
        new()
        {
            Name = "GPT 10.8 M in bfloat16",
            Reference = "the trainer in float32",
            Target = processor => processor.HasBFloat16 ? 0.75 : 1.05,
            Rounds = 15,
            Prepare = () =>
            {
                var (mixed, single) = (GptSteps(Precision.BFloat16), GptSteps(Precision.Full));
                return new Pair(mixed.Round, single.Round, mixed, single);
            },
        },
        Small("LSTM 40 → 128, 16 × 100 vectors", "lstm", 0.2, () => Recurrent(new Lstm(Shape)), 8),
        Small("GRU 40 → 128, 16 × 100 vectors", "gru", 0.5, () => Recurrent(new Gru(Shape)), 8),
        Small("ResNet-18, 4 images of 224 × 224", "resnet18", 0.6,
            () => (new ResNet(ResNetConfig.ResNet18 with { Classes = 10 }), new TensorExamples(randn(16, 3, 224, 224), randint(10, [16], int64)), 4), 1),
    ];

    private static RecurrentShape Shape => new() { InputWidth = 40, HiddenWidth = 128 };

    private static Row Small(string name, string script, double target, Func<(nn.Module<Tensor, Tensor>, IExamples, int)> make, int steps) => new()
    {
        Name = name,
        Reference = Torch,
        Target = _ => target,
        Rounds = 21,
        Prepare = () =>
        {
            var reference = PythonTimer.Start(Script, script);
            var (model, examples, batch) = make();
            var ours = new TrainerSteps(model, new BatchLoader(examples, batch, 1), Precision.Full, steps);
            return new Pair(ours.Round, reference.Round, ours, reference);
        },
    };

    private static Pair Gpt(ChildTimer reference)
    {
        var ours = GptSteps(Precision.Full);
        return new Pair(ours.Round, reference.Round, ours, reference);
    }

    private static TrainerSteps GptSteps(Precision precision) => new(TrainerSpeed.Model(), TrainerSpeed.Loader(), precision);

    private static (nn.Module<Tensor, Tensor>, IExamples, int) Recurrent(RecurrentLayer layer) =>
        (new LastState(layer), new TensorExamples(randn(64, 100, 40), randint(10, [64], int64)), 16);

    /// <summary>A recurrent layer, and a linear one on its last output.</summary>
    private sealed class LastState : nn.Module<Tensor, Tensor>
    {
        private readonly RecurrentLayer network;
        private readonly Dense head = new(128, 10);

        public LastState(RecurrentLayer network) : base(nameof(LastState))
        {
            this.network = network;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return head.call(network.call(x)[.., ^1]).MoveToOuterDisposeScope();
        }
    }
}
