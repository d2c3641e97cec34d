using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>The part of <see cref="Muon"/> that updates matrices.</summary>
/// <param name="parameters">Tensors of two or more axes.</param>
/// <param name="options">Settings.</param>
internal sealed class MuonMatrices(IEnumerable<(string Name, Parameter Parameter)> parameters, MuonOptions options)
    : ForeachOptimizer(parameters, options, "momentum_buffer")
{
    private static readonly TorchScript Script = new("MuonMatrices.py");

    private readonly MuonOptions options = options;

    public static Tensor Orthogonalize(Tensor matrix, int steps, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        var made = (Tensor)Script.Call("orthogonal", matrix, (long)steps, (long)precision,
            BFloat16Emulation.FitsProduct(matrix.device_type, precision));
        return made.to(matrix.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Updates the matrices; those of the same shape are orthogonalized as one batch.</summary>
    protected override void Move(ParameterBatch moving)
    {
        var means = moving.State("momentum_buffer");
        foreach (var alike in Enumerable.Range(0, means.Length).GroupBy(i => string.Join(",", means[i].shape))
            .Select(group => group.ToArray()))
            Script.Call("muon", Chosen(moving.Parameters, alike), Chosen(moving.Gradients, alike), Chosen(means, alike),
                moving.LearningRate, options.Momentum,
                moving.WeightDecay, options.Nesterov, (long)options.NewtonSchulzSteps, (long)options.NewtonSchulzPrecision,
                BFloat16Emulation.FitsProduct(means[0].device_type, options.NewtonSchulzPrecision));
    }

    private static Tensor[] Chosen(Tensor[] all, int[] indices) => Array.ConvertAll(indices, i => all[i]);
}
