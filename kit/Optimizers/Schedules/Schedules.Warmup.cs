using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <content>Schedules with a warm-up, and schedules with restarts.</content>
public static partial class Schedules
{
    /// <summary>
    /// Rises linearly to the peak, then falls as half a cosine wave to the final rate at the last step.
    /// </summary>
    /// <remarks>
    /// Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983, without restarts. Unlike
    /// <see cref="CosineWithWarmup"/>, no step has a rate of 0, the peak is reached at step
    /// <paramref name="warmup"/>, and the final rate stays after the last step.
    /// </remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Number of warm-up steps; 0 for none.</param>
    /// <param name="steps">Last step.</param>
    /// <param name="final">Rate at the last step and after it.</param>
    public static Func<int, double> WarmupCosine(double peak, int warmup, int steps, double final) => step =>
        step <= warmup ? peak * step / warmup
        : step >= steps ? final
        : final + ((peak - final) * 0.5 * (1 + Math.Cos(Math.PI * (step - warmup) / (steps - warmup))));

    /// <summary>Rises linearly from 0 to the peak, then falls linearly to 0.</summary>
    /// <remarks>transformers' <c>get_linear_schedule_with_warmup</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Number of warm-up steps.</param>
    /// <param name="steps">Total number of steps.</param>
    /// <exception cref="ArgumentException">A value is negative, or there are fewer steps than warm-up
    /// steps.</exception>
    public static Func<int, double> LinearWithWarmup(double peak, int warmup, int steps) =>
        Warmup(peak, warmup, steps, () => Linear(peak, 0, steps - warmup));

    /// <summary>Rises linearly from 0 to the peak, then follows a cosine, also after the last step.</summary>
    /// <remarks>
    /// transformers' <c>get_cosine_schedule_with_warmup</c> and <c>get_cosine_with_min_lr_schedule_with_warmup</c>.
    /// </remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Number of warm-up steps.</param>
    /// <param name="steps">Total number of steps.</param>
    /// <param name="final">Lowest rate of the cosine.</param>
    /// <param name="cycles">Number of cosine waves; 0.5 for a single fall.</param>
    /// <exception cref="ArgumentException">A value is negative, or there are fewer steps than warm-up
    /// steps.</exception>
    public static Func<int, double> CosineWithWarmup(double peak, int warmup, int steps, double final = 0, double cycles = 0.5) =>
        Warmup(peak, warmup, steps, () => Cosine(peak, final, steps - warmup, cycles));

    /// <summary>
    /// Rises linearly from 0 to the peak, then falls to 0 on half a cosine wave several times, each time from the
    /// peak (hard restarts).
    /// </summary>
    /// <remarks>transformers' <c>get_cosine_with_hard_restarts_schedule_with_warmup</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Number of warm-up steps.</param>
    /// <param name="steps">Total number of steps; after them the rate is 0.</param>
    /// <param name="cycles">Number of falls.</param>
    /// <exception cref="ArgumentException">A value is negative, or there are fewer steps than warm-up
    /// steps.</exception>
    public static Func<int, double> CosineWithRestarts(double peak, int warmup, int steps, double cycles = 1)
    {
        Require.Positive(cycles);
        var after = Math.Max(1, steps - warmup);
        return Warmup(peak, warmup, steps, () => step => step > after ? 0 : peak * 0.5
            * (1 + Math.Cos(Math.PI * (cycles * (step - 1) / after % 1))));
    }

    /// <summary>
    /// Falls on half a cosine wave again and again (warm restarts); each cycle is longer than the one before by a
    /// fixed factor.
    /// </summary>
    /// <remarks>
    /// SGDR: Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983; torch's <c>CosineAnnealingWarmRestarts</c>.
    /// </remarks>
    /// <param name="peak">Rate at the start of a cycle.</param>
    /// <param name="firstCycle">Number of steps of the first cycle.</param>
    /// <param name="growth">Ratio of the length of a cycle to that of the one before.</param>
    /// <param name="final">Rate at the end of a cycle.</param>
    /// <exception cref="ArgumentException">The first cycle has no steps, or the growth is below 1.</exception>
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

    /// <summary>Rises linearly from 0 to the peak, then falls as a power of the remaining steps.</summary>
    /// <remarks>transformers' <c>get_polynomial_decay_schedule_with_warmup</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Number of warm-up steps.</param>
    /// <param name="steps">Total number of steps.</param>
    /// <param name="final">Rate after the last step.</param>
    /// <param name="power">Exponent; 1 for a linear fall.</param>
    /// <exception cref="ArgumentException">A value is negative, or there are fewer steps than warm-up
    /// steps.</exception>
    public static Func<int, double> PolynomialWithWarmup(double peak, int warmup, int steps,
        double final = 1e-7, double power = 1) =>
        Warmup(peak, warmup, steps, () => Polynomial(peak, final, steps - warmup, power));

    /// <summary>Rises linearly to the peak, then falls as one over the square root of the step.</summary>
    /// <remarks>transformers' <c>get_inverse_sqrt_schedule</c> and, with a first rate, fairseq's <c>inverse_sqrt</c>.</remarks>
    /// <param name="peak">Rate at the end of the warm-up.</param>
    /// <param name="warmup">Number of warm-up steps.</param>
    /// <param name="timescale">Number of steps after the warm-up in which the rate falls to 1/√2 of the peak; null
    /// for the number of warm-up steps, or 10,000 without a warm-up.</param>
    /// <param name="first">Rate of the first step.</param>
    /// <exception cref="ArgumentException">A value is negative.</exception>
    public static Func<int, double> InverseSquareRoot(double peak, int warmup, int? timescale = null, double first = 0)
    {
        var scale = timescale ?? (warmup > 0 ? warmup : 10_000);
        Require.AtLeast(1, scale, nameof(timescale));
        return Linear(first, peak, warmup).Then(warmup, step => peak / Math.Sqrt((step - 1 + scale) / (double)scale));
    }

    /// <summary>
    /// Rises linearly in the warm-up, then falls as one over the square root of the step; wider models have lower
    /// rates.
    /// </summary>
    /// <remarks>Vaswani et al., 2017, equation 3, https://arxiv.org/abs/1706.03762.</remarks>
    /// <param name="modelWidth">Channels of the model, d_model.</param>
    /// <param name="warmup">Number of warm-up steps.</param>
    /// <param name="factor">Factor on all rates.</param>
    /// <exception cref="ArgumentException">The width or the warm-up is below 1.</exception>
    public static Func<int, double> Noam(int modelWidth, int warmup, double factor = 1)
    {
        Require.AtLeast(1, modelWidth);
        Require.AtLeast(1, warmup);
        return step => factor / Math.Sqrt(modelWidth) * Math.Min(1 / Math.Sqrt(step), step * Math.Pow(warmup, -1.5));
    }

    /// <summary>Warm-up, stable, decay (WSD): rises to the peak, stays there, and falls at the end.</summary>
    /// <remarks>Hu et al., 2024, https://arxiv.org/abs/2404.06395; transformers' <c>get_wsd_schedule</c>.</remarks>
    /// <param name="peak">The stable rate.</param>
    /// <param name="warmup">Number of warm-up steps.</param>
    /// <param name="stable">Number of steps at the peak.</param>
    /// <param name="decay">Number of steps of the decay.</param>
    /// <param name="final">Rate at the start of the warm-up and at the end of the decay.</param>
    /// <param name="rise">Shape of the warm-up.</param>
    /// <param name="fall">Shape of the decay.</param>
    /// <exception cref="ArgumentException">A value is negative.</exception>
    public static Func<int, double> WarmupStableDecay(double peak, int warmup, int stable, int decay, double final = 0,
        RateShape rise = RateShape.Linear, RateShape fall = RateShape.Cosine) =>
        Phase(final, peak, warmup, rise).Then(warmup, Constant(peak).Then(stable, Phase(peak, final, decay, fall)));

    /// <summary>Rises and falls linearly between two rates, again and again.</summary>
    /// <remarks>
    /// Smith, 2017, https://arxiv.org/abs/1506.01186; torch's <c>CyclicLR</c>, with the policy triangular, or
    /// triangular2 for a <paramref name="shrink"/> of 0.5.
    /// </remarks>
    /// <param name="low">Rate at both ends of a cycle.</param>
    /// <param name="high">Rate in the middle of the first cycle.</param>
    /// <param name="up">Number of steps of the rise.</param>
    /// <param name="down">Number of steps of the fall.</param>
    /// <param name="shrink">Factor by which the height shrinks from one cycle to the next.</param>
    /// <exception cref="ArgumentException">The rise or the fall has no steps.</exception>
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
