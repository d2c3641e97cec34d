using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <summary>Learning rates as functions of the step, counted from 1: <c>schedule(1)</c> is the rate of the first step.</summary>
/// <remarks>
/// A schedule is a pure function of the step, so a resumed run needs only its step. Schedules of one phase are
/// combined with <see cref="Then"/> and <see cref="Times(Func{int, double}, double)"/>. A phase of n steps
/// starts at its first value and would reach its last value at step n + 1, where the next phase starts. For
/// example, <c>Linear(0, peak, 10).Then(10, Cosine(peak, 0, 90))</c> is a warm-up of 10 steps and a decay of
/// 90. The schedules that name a function of another library return at step n what that function returns for
/// its update n - 1, because it counts from 0.
/// </remarks>
public static partial class Schedules
{
    /// <summary>A constant rate.</summary>
    public static Func<int, double> Constant(double learningRate) => _ => learningRate;

    /// <summary>Changes linearly from one value to another and stays there.</summary>
    /// <exception cref="ArgumentException">A value is negative.</exception>
    public static Func<int, double> Linear(double from, double to, int steps) => Phase(from, to, steps, RateShape.Linear);

    /// <summary>Changes from one value to another in a given shape and stays there.</summary>
    /// <param name="from">Value at step 1.</param>
    /// <param name="to">Value after the last step.</param>
    /// <param name="steps">Number of steps; 0 for the second value from the start.</param>
    /// <param name="shape">Shape of the transition.</param>
    /// <exception cref="ArgumentException">A value is negative.</exception>
    public static Func<int, double> Phase(double from, double to, int steps, RateShape shape)
    {
        Check(from, to, steps);
        return step => from + ((to - from) * Travelled(step > steps ? 1 : (step - 1) / (double)steps, shape, rises: to > from));
    }

    /// <summary>
    /// Follows a cosine from one value to another in the given steps, and continues after them, so that the rate
    /// returns.
    /// </summary>
    /// <remarks>Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983; torch's <c>CosineAnnealingLR</c>.</remarks>
    /// <param name="from">Value at step 1.</param>
    /// <param name="to">Value at the other extreme of the cosine.</param>
    /// <param name="steps">Number of steps of all cycles together.</param>
    /// <param name="cycles">Number of cosine waves in these steps; 0.5 ends at the second value.</param>
    /// <exception cref="ArgumentException">A value is negative, or the number of cycles is not above 0.</exception>
    public static Func<int, double> Cosine(double from, double to, int steps, double cycles = 0.5)
    {
        Check(from, to, steps);
        Require.Positive(cycles);
        return step => to + ((from - to) * 0.5 * (1 + Math.Cos(2 * Math.PI * cycles * (step - 1) / Math.Max(1, steps))));
    }

    /// <summary>Changes from one value to another as a power of the remaining steps, and stays there.</summary>
    /// <exception cref="ArgumentException">A value is negative.</exception>
    public static Func<int, double> Polynomial(double from, double to, int steps, double power)
    {
        Check(from, to, steps);
        Require.NotNegative(power);
        return step => step > steps ? to : to + ((from - to) * Math.Pow(1 - ((step - 1) / (double)steps), power));
    }

    /// <summary>Multiplies the rate by a factor at every step.</summary>
    public static Func<int, double> Exponential(double from, double factor) => step => from * Math.Pow(factor, step - 1);

    /// <summary>Multiplies the rate by a factor after every given number of steps.</summary>
    /// <exception cref="ArgumentException">The number of steps is below 1.</exception>
    public static Func<int, double> StepDecay(double from, int every, double factor)
    {
        Require.AtLeast(1, every);
        return step => from * Math.Pow(factor, (step - 1) / every);
    }

    /// <summary>Multiplies the rate by a factor after each of the given step numbers.</summary>
    public static Func<int, double> StepDecay(double from, IReadOnlyList<int> after, double factor) =>
        step => from * Math.Pow(factor, after.Count(steps => step > steps));

    /// <summary>
    /// Uses one schedule for a number of steps, and then another one, which counts its own steps from 1.
    /// </summary>
    /// <exception cref="ArgumentException">The number of steps is negative.</exception>
    public static Func<int, double> Then(this Func<int, double> first, int steps, Func<int, double> second)
    {
        Require.AtLeast(0, steps);
        return step => step <= steps ? first(step) : second(step - steps);
    }

    /// <summary>Multiplies a schedule by a number.</summary>
    public static Func<int, double> Times(this Func<int, double> schedule, double factor) => step => factor * schedule(step);

    /// <summary>Multiplies two schedules, such as a decay and a warm-up from 0 to 1.</summary>
    public static Func<int, double> Times(this Func<int, double> schedule, Func<int, double> factor) => step =>
        factor(step) * schedule(step);

    /// <summary>
    /// Returns the completed share of a transition from one value to another, for a share of its steps.
    /// </summary>
    internal static double Travelled(double progress, RateShape shape, bool rises) => shape switch
    {
        RateShape.Cosine => 0.5 * (1 - Math.Cos(Math.PI * progress)),
        RateShape.OneMinusSqrt => rises ? 1 - Math.Sqrt(1 - progress) : Math.Sqrt(progress),
        _ => progress,
    };

    private static void Check(double from, double to, int steps)
    {
        Require.NotNegative(from);
        Require.NotNegative(to);
        Require.AtLeast(0, steps);
    }
}
