using ResearchKit.Optimizers;
using ResearchKit.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>A linear layer whose outputs are all alike at first: every class is as likely.</summary>
internal sealed class Table : nn.Module<Tensor, Tensor>
{
    private readonly Linear layer;

    public Table(int inputs, int outputs) : base(nameof(Table))
    {
        layer = nn.Linear(inputs, outputs);
        using (no_grad())
        {
            layer.weight.fill_(0.1f);
            layer.bias!.zero_();
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => layer.call(x);
}

/// <summary>Options of short runs.</summary>
internal static class ShortRuns
{
    /// <summary>Plain gradient descent with a rate of 1, which evaluates after every step.</summary>
    public static TrainerOptions Sgd(int steps, int accumulation = 1) => new()
    {
        Steps = steps,
        Accumulation = accumulation,
        EvaluateEvery = 1,
        GradientClip = null,
        Schedule = _ => 1,
        Optimizer = parameters => new FusedSgd(parameters),
    };
}
