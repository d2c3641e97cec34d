namespace ResearchKit.Optimizers;

/// <summary>Learning rates as functions of the step, counted from 1; they have no state, so a resumed run needs none.</summary>
public static class Schedules
{
    /// <summary>Always the same.</summary>
    public static Func<int, double> Constant(double learningRate) => _ => learningRate;

    /// <summary>Rises in a line to the peak, then falls on half a cosine to the final rate at the last step.</summary>
    /// <remarks>Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983, without restarts.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of the rise; 0 for none.</param>
    /// <param name="steps">Last step.</param>
    /// <param name="final">Rate at the last step and after it.</param>
    public static Func<int, double> WarmupCosine(double peak, int warmup, int steps, double final) => step =>
        step <= warmup ? peak * step / warmup
        : step >= steps ? final
        : final + ((peak - final) * 0.5 * (1 + Math.Cos(Math.PI * (step - warmup) / (steps - warmup))));
}
