using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <content>Schedules with a warm-up, and those that begin again.</content>
public static partial class Schedules
{
    /// <summary>Rises in a line to the peak, then falls on half a cosine to the final rate at the last step.</summary>
    /// <remarks>
    /// Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983, without restarts. Unlike <see cref="CosineWithWarmup"/> it
    /// spends no step on a rate of 0, reaches the peak at step <paramref name="warmup"/>, and stays at the final rate.
    /// </remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of the rise; 0 for none.</param>
    /// <param name="steps">Last step.</param>
    /// <param name="final">Rate at the last step and after it.</param>
    public static Func<int, double> WarmupCosine(double peak, int warmup, int steps, double final) => step =>
        step <= warmup ? peak * step / warmup
        : step >= steps ? final
        : final + ((peak - final) * 0.5 * (1 + Math.Cos(Math.PI * (step - warmup) / (steps - warmup))));

    /// <summary>Rises from 0 to the peak and falls to 0, both in a line.</summary>
    /// <remarks>transformers' <c>get_linear_schedule_with_warmup</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of the rise.</param>
    /// <param name="steps">All steps.</param>
    /// <exception cref="ArgumentException">A negative value, or less steps than the warm-up takes.</exception>
    public static Func<int, double> LinearWithWarmup(double peak, int warmup, int steps) =>
        Warmup(peak, warmup, steps, () => Linear(peak, 0, steps - warmup));

    /// <summary>Rises from 0 to the peak in a line, then follows a cosine, which goes on after the last step.</summary>
    /// <remarks>
    /// transformers' <c>get_cosine_schedule_with_warmup</c> and <c>get_cosine_with_min_lr_schedule_with_warmup</c>.
    /// </remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of the rise.</param>
    /// <param name="steps">All steps.</param>
    /// <param name="final">Lowest rate of the cosine.</param>
    /// <param name="cycles">Whole waves; half a one falls once.</param>
    /// <exception cref="ArgumentException">A negative value, or less steps than the warm-up takes.</exception>
    public static Func<int, double> CosineWithWarmup(double peak, int warmup, int steps, double final = 0, double cycles = 0.5) =>
        Warmup(peak, warmup, steps, () => Cosine(peak, final, steps - warmup, cycles));

    /// <summary>
    /// Rises from 0 to the peak in a line, then falls to 0 on a cosine several times, beginning again at the peak.
    /// </summary>
    /// <remarks>transformers' <c>get_cosine_with_hard_restarts_schedule_with_warmup</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of the rise.</param>
    /// <param name="steps">All steps; after them the rate is 0.</param>
    /// <param name="cycles">How many falls.</param>
    /// <exception cref="ArgumentException">A negative value, or less steps than the warm-up takes.</exception>
    public static Func<int, double> CosineWithRestarts(double peak, int warmup, int steps, double cycles = 1)
    {
        Require.Positive(cycles);
        var after = Math.Max(1, steps - warmup);
        return Warmup(peak, warmup, steps, () => step => step > after ? 0 : peak * 0.5
            * (1 + Math.Cos(Math.PI * (cycles * (step - 1) / after % 1))));
    }

    /// <summary>Falls on a cosine again and again, each cycle so many times longer than the one before.</summary>
    /// <remarks>
    /// SGDR: Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983; torch's <c>CosineAnnealingWarmRestarts</c>.
    /// </remarks>
    /// <param name="peak">Rate at the beginning of a cycle.</param>
    /// <param name="firstCycle">Steps of the first cycle.</param>
    /// <param name="growth">How many times longer each cycle is.</param>
    /// <param name="final">Rate that a cycle falls to.</param>
    /// <exception cref="ArgumentException">A cycle of no steps, or a growth below 1.</exception>
    public static Func<int, double> WarmRestarts(double peak, int firstCycle, int growth = 1, double final = 0)
    {
        Require.AtLeast(1, firstCycle);
        Require.AtLeast(1, growth);
        return step =>
        {
            var since = (long)step - 1;
            var length = (long)firstCycle;
            if (growth == 1) since %= length;
            else for (; since >= length; length *= growth) since -= length;
            return final + ((peak - final) * 0.5 * (1 + Math.Cos(Math.PI * since / length)));
        };
    }

    /// <summary>Rises from 0 to the peak in a line, then falls as a power of the steps that are left.</summary>
    /// <remarks>transformers' <c>get_polynomial_decay_schedule_with_warmup</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of the rise.</param>
    /// <param name="steps">All steps.</param>
    /// <param name="final">Rate after the last step.</param>
    /// <param name="power">1 for a line.</param>
    /// <exception cref="ArgumentException">A negative value, or less steps than the warm-up takes.</exception>
    public static Func<int, double> PolynomialWithWarmup(double peak, int warmup, int steps,
        double final = 1e-7, double power = 1) =>
        Warmup(peak, warmup, steps, () => Polynomial(peak, final, steps - warmup, power));

    /// <summary>Rises in a line to the peak, then falls as one over the root of the step.</summary>
    /// <remarks>transformers' <c>get_inverse_sqrt_schedule</c> and, with a first rate, fairseq's <c>inverse_sqrt</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Steps of the rise.</param>
    /// <param name="timescale">
    /// In so many steps after the warm-up the rate falls to 1/√2; null for the steps of the warm-up, or 10,000 if there are none.
    /// </param>
    /// <param name="first">Rate of the first step.</param>
    /// <exception cref="ArgumentException">A negative value.</exception>
    public static Func<int, double> InverseSquareRoot(double peak, int warmup, int? timescale = null, double first = 0)
    {
        var scale = timescale ?? (warmup > 0 ? warmup : 10_000);
        Require.AtLeast(1, scale, nameof(timescale));
        return Linear(first, peak, warmup).Then(warmup, step => peak / Math.Sqrt((step - 1 + scale) / (double)scale));
    }

    /// <summary>
    /// Rises in a line for the warm-up and then falls as one over the root of the step; wider models have lower rates.
    /// </summary>
    /// <remarks>Vaswani et al., 2017, equation 3, https://arxiv.org/abs/1706.03762.</remarks>
    /// <param name="modelWidth">d_model.</param>
    /// <param name="warmup">Steps of the rise.</param>
    /// <param name="factor">On every rate.</param>
    /// <exception cref="ArgumentException">A width or a warm-up below 1.</exception>
    public static Func<int, double> Noam(int modelWidth, int warmup, double factor = 1)
    {
        Require.AtLeast(1, modelWidth);
        Require.AtLeast(1, warmup);
        return step => factor / Math.Sqrt(modelWidth) * Math.Min(1 / Math.Sqrt(step), step * Math.Pow(warmup, -1.5));
    }

    /// <summary>Rises to the peak, stays there, and falls at the end: WSD.</summary>
    /// <remarks>Hu et al., 2024, https://arxiv.org/abs/2404.06395; transformers' <c>get_wsd_schedule</c>.</remarks>
    /// <param name="peak">The stable rate.</param>
    /// <param name="warmup">Steps of the rise.</param>
    /// <param name="stable">Steps at the peak.</param>
    /// <param name="decay">Steps of the fall.</param>
    /// <param name="final">Rate that the rise begins at and the fall ends at.</param>
    /// <param name="rise">Shape of the rise.</param>
    /// <param name="fall">Shape of the fall.</param>
    /// <exception cref="ArgumentException">A negative value.</exception>
    public static Func<int, double> WarmupStableDecay(double peak, int warmup, int stable, int decay, double final = 0,
        RateShape rise = RateShape.Linear, RateShape fall = RateShape.Cosine) =>
        Phase(final, peak, warmup, rise).Then(warmup, Constant(peak).Then(stable, Phase(peak, final, decay, fall)));

    /// <summary>Rises and falls in a line between two rates, again and again.</summary>
    /// <remarks>
    /// Smith, 2017, https://arxiv.org/abs/1506.01186; torch's <c>CyclicLR</c>, triangular and (with a half) triangular2.
    /// </remarks>
    /// <param name="low">Rate at both ends of a cycle.</param>
    /// <param name="high">Rate in the middle of the first cycle.</param>
    /// <param name="up">Steps of the rise.</param>
    /// <param name="down">Steps of the fall.</param>
    /// <param name="shrink">Factor on the height of each further cycle.</param>
    /// <exception cref="ArgumentException">A rise or a fall of no steps.</exception>
    public static Func<int, double> Cyclic(double low, double high, int up, int down, double shrink = 1)
    {
        Require.AtLeast(1, up);
        Require.AtLeast(1, down);
        return step =>
        {
            var (cycle, since) = Math.DivRem(step - 1, up + down);
            var height = since <= up ? since / (double)up : (up + down - since) / (double)down;
            return low + ((high - low) * height * Math.Pow(shrink, cycle));
        };
    }

    private static Func<int, double> Warmup(double peak, int warmup, int steps, Func<Func<int, double>> after)
    {
        Require.That(steps >= warmup, steps, nameof(steps), $"at least the {warmup} of the warm-up");
        return Linear(0, peak, warmup).Then(warmup, after());
    }
}
