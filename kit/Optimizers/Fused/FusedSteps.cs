using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// libtorch's fused optimizer steps, which update all tensors in one call and which TorchSharp does not bind.
/// </summary>
/// <remarks>
/// Called through TorchScript with a constant source, because a TorchScript compile error may end the process.
/// </remarks>
internal static class FusedSteps
{
    private static readonly TorchScript Script = new("FusedSteps.py");

    /// <summary>Returns the names of Adam's state tensors.</summary>
    public static string[] AdamState(FusedAdamOptions? options) =>
        options?.AmsGrad is true ? ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] : ["exp_avg", "exp_avg_sq"];

    /// <summary>Does one step with the fused function <c>adam</c> or <c>adamw</c>.</summary>
    public static void Adam(string function, ParameterBatch moving, FusedAdamOptions options)
    {
        using var threads = Threads(moving);
        Script.Call(function, moving.Parameters, Gradients(moving), moving.State("exp_avg"), moving.State("exp_avg_sq"),
            options.AmsGrad ? moving.State("max_exp_avg_sq") : [], (double)moving.Step, moving.LearningRate,
            options.Beta1, options.Beta2,
            moving.WeightDecay, options.Epsilon, options.AmsGrad, options.Maximize);
    }

    /// <summary>Does one step with the fused function <c>sgd</c>.</summary>
    public static void Sgd(ParameterBatch moving, FusedSgdOptions options)
    {
        using var threads = Threads(moving);
        Script.Call("sgd", moving.Parameters, Gradients(moving), options.Momentum == 0 ? [] : moving.State("momentum_buffer"),
            moving.LearningRate, options.Momentum, options.Dampening, moving.WeightDecay, options.Nesterov,
                options.Maximize, moving.Step == 1);
    }

    /// <summary>
    /// Returns the gradients with the strides of their parameters, which the fused kernels require. Gradients of
    /// <c>backward</c> normally have them; others are copied.
    /// </summary>
    private static Tensor[] Gradients(ParameterBatch moving)
    {
        var gradients = moving.Gradients;
        for (var i = 0; i < gradients.Length; i++)
        {
            var parameter = moving.Parameters[i];
            var gradient = gradients[i];
            if (parameter.is_contiguous() && gradient.is_contiguous()) continue;
            if (!parameter.stride().SequenceEqual(gradient.stride()))
                gradients[i] = empty_like(parameter, requires_grad: false).copy_(gradient);
        }
        return gradients;
    }

    /// <summary>
    /// Limits the kernels to one thread if the parameters are small, because starting all threads takes longer than
    /// the update.
    /// </summary>
    private static OpenMp.Threads Threads(ParameterBatch moving) => moving.AreSmall ? OpenMp.One() : default;
}
