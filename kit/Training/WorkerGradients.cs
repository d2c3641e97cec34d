using ResearchKit.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>All-reduce of gradients.</summary>
internal static class WorkerGradients
{
    /// <summary>Replaces the gradients by their sums over all ranks.</summary>
    /// <remarks>A parameter that has a gradient on some ranks only gets a gradient of zero on the others.</remarks>
    /// <returns>The gradients that exist, of the same parameters on every rank.</returns>
    public static Tensor[] Of(IReadOnlyList<Parameter> parameters, ICommunicator? workers)
    {
        if (workers is not { WorldSize: > 1 }) return GradientClip.Gradients(parameters);
        using (var scope = NewDisposeScope())
        {
            using var noGrad = no_grad();
            var reached = tensor(parameters.Select(parameter => parameter.grad is null ? 0L : 1L).ToArray());
            workers.AllReduce([reached]);
            var times = reached.data<long>().ToArray();
            for (var i = 0; i < times.Length; i++)
                if (times[i] > 0 && times[i] < workers.WorldSize && parameters[i].grad is null)
                    parameters[i].grad = zeros_like(parameters[i]).DetachFromDisposeScope();
        }
        var gradients = GradientClip.Gradients(parameters);
        workers.AllReduce(gradients);
        return gradients;
    }
}
