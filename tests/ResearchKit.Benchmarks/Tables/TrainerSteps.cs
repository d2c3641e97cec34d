using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>A trainer's steps, some at a time.</summary>
internal sealed class TrainerSteps : IDisposable
{
    /// <summary>The argument that makes this program hold a trainer ready (<see cref="ChildTimer"/>).</summary>
    public const string Command = "trainer-steps";

    private static readonly Dictionary<string, Func<(nn.Module<Tensor, Tensor> Model, BatchLoader Loader, int Steps)>> Cases =
        new()
        {
            ["gpt"] = () => (GptTraining.Model(), GptTraining.Loader(), 1),
            ["lstm"] = () => Recurrent(new Lstm(Shape())),
            ["gru"] = () => Recurrent(new Gru(Shape())),
            ["resnet18"] = () => (new ResNet(ResNetConfig.ResNet18 with { Classes = 10 }),
                new BatchLoader(new TensorExamples(randn(16, 3, 224, 224), randint(10, [16], int64)), 4, 1), 1),
        };

    private readonly nn.Module model;
    private readonly Trainer trainer;
    private readonly IEnumerator<StepReport> steps;
    private readonly Func<double> round;

    /// <param name="name">One of <c>gpt</c>, <c>lstm</c>, <c>gru</c>, <c>resnet18</c>, as in training.py.</param>
    /// <param name="precision">In which type it computes.</param>
    public TrainerSteps(string name, Precision precision = Precision.Full)
    {
        var (module, loader, count) = Cases[name]();
        model = module;
        trainer = new Trainer(module, Losses.CrossEntropy, loader,
            new TrainerOptions { Steps = int.MaxValue, Schedule = _ => 1e-3, EvaluateEvery = null, Precision = precision });
        steps = trainer.Run().GetEnumerator();
        round = Pair.Time(() => steps.MoveNext(), count);
    }

    /// <summary>Milliseconds of a step, the mean of a round.</summary>
    public double Round() => round();

    /// <summary>Holds the trainer ready, for <c>trainer-steps NAME</c>.</summary>
    public static void Serve(string name)
    {
        using var trainer = new TrainerSteps(name);
        ChildTimer.Serve(trainer.Round);
    }

    public void Dispose()
    {
        steps.Dispose();
        trainer.Dispose();
        model.Dispose();
    }

    private static RecurrentShape Shape() => new() { InputWidth = 40, HiddenWidth = 128 };

    private static (nn.Module<Tensor, Tensor>, BatchLoader, int) Recurrent(RecurrentLayer layer) =>
        (new LastState(layer), new BatchLoader(new TensorExamples(randn(64, 100, 40), randint(10, [64], int64)), 16, 1), 8);

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
