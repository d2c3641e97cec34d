using ResearchKit.Tensors;

namespace ResearchKit.Optimizers;

/// <summary>Learning rates as functions of the step, counted from 1: <c>schedule(1)</c> is the rate of the first step.</summary>
/// <remarks>
/// A schedule is a pure function: it has no state beyond the step, so a resumed run, which knows its step, needs nothing else.
/// Schedules of one phase are put together with <see cref="Then"/> and <see cref="Times(Func{int, double}, double)"/>: a phase of
/// n steps begins at its first value and would reach its last one at step n + 1, which is where the next phase begins. So
/// <c>Linear(0, peak, 10).Then(10, Cosine(peak, 0, 90))</c> is a warm-up of 10 steps and a decay of 90. Ready-made ones, with a
/// warm-up, give what their reference implementation gives at its (step - 1)-th update counted from 0.
/// </remarks>
public static partial class Schedules
{
    /// <summary>Always the same.</summary>
    public static Func<int, double> Constant(double learningRate) => _ => learningRate;

    /// <summary>In a line from one value to another, and there it stays.</summary>
    /// <exception cref="ArgumentException">A negative value.</exception>
    public static Func<int, double> Linear(double from, double to, int steps) => Phase(from, to, steps, RateShape.Linear);

    /// <summary>From one value to another in some shape, and there it stays.</summary>
    /// <param name="from">Value at step 1.</param>
    /// <param name="to">Value after the last step.</param>
    /// <param name="steps">How many steps it takes; 0 for the second value at once.</param>
    /// <param name="shape">How it goes.</param>
    /// <exception cref="ArgumentException">A negative value.</exception>
    public static Func<int, double> Phase(double from, double to, int steps, RateShape shape)
    {
        Check(from, to, steps);
        return step => from + ((to - from) * Travelled(step > steps ? 1 : (step - 1) / (double)steps, shape, rises: to > from));
    }

    /// <summary>On a cosine from one value to another in so many steps; it goes on after them, up again.</summary>
    /// <remarks>Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983; torch's <c>CosineAnnealingLR</c>.</remarks>
    /// <param name="from">Value at step 1.</param>
    /// <param name="to">Value at the other end of the cosine.</param>
    /// <param name="steps">How many steps the cycles take.</param>
    /// <param name="cycles">Whole waves in these steps; half a one ends at the second value.</param>
    /// <exception cref="ArgumentException">A negative value, or no steps.</exception>
    public static Func<int, double> Cosine(double from, double to, int steps, double cycles = 0.5)
    {
        Check(from, to, steps);
        Require.Positive(cycles);
        return step => to + ((from - to) * 0.5 * (1 + Math.Cos(2 * Math.PI * cycles * (step - 1) / Math.Max(1, steps))));
    }

    /// <summary>From one value to another as a power of the steps that are left, and there it stays.</summary>
    /// <exception cref="ArgumentException">A negative value.</exception>
    public static Func<int, double> Polynomial(double from, double to, int steps, double power)
    {
        Check(from, to, steps);
        Require.NotNegative(power);
        return step => step > steps ? to : to + ((from - to) * Math.Pow(1 - ((step - 1) / (double)steps), power));
    }

    /// <summary>Times a factor at every step.</summary>
    public static Func<int, double> Exponential(double from, double factor) => step => from * Math.Pow(factor, step - 1);

    /// <summary>Times a factor after every so many steps.</summary>
    /// <exception cref="ArgumentException">No steps between the falls.</exception>
    public static Func<int, double> StepDecay(double from, int every, double factor)
    {
        Require.AtLeast(1, every);
        return step => from * Math.Pow(factor, (step - 1) / every);
    }

    /// <summary>Times a factor after each of these numbers of steps.</summary>
    public static Func<int, double> StepDecay(double from, IReadOnlyList<int> after, double factor) =>
        step => from * Math.Pow(factor, after.Count(steps => step > steps));

    /// <summary>One schedule for so many steps, and then another, which counts its own steps from 1.</summary>
    /// <exception cref="ArgumentException">Negative steps.</exception>
    public static Func<int, double> Then(this Func<int, double> first, int steps, Func<int, double> second)
    {
        Require.AtLeast(0, steps);
        return step => step <= steps ? first(step) : second(step - steps);
    }

    /// <summary>The schedule times a number.</summary>
    public static Func<int, double> Times(this Func<int, double> schedule, double factor) => step => factor * schedule(step);

    /// <summary>The product of two schedules, such as of a decay and of a warm-up from 0 to 1.</summary>
    public static Func<int, double> Times(this Func<int, double> schedule, Func<int, double> factor) => step =>
        factor(step) * schedule(step);

    /// <summary>Share of the way from one value to another.</summary>
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
