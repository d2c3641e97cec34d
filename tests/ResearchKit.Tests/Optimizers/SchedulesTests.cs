using CsCheck;
using ResearchKit.Optimizers;

namespace ResearchKit.Tests.Optimizers;

public sealed class SchedulesTests
{
    [Fact]
    public void Warm_up_and_cosine_decay_have_the_expected_values()
    {
        var rate = Schedules.WarmupCosine(peak: 1, warmup: 10, steps: 110, final: 0.1);
        Assert.Equal(0.1, rate(1), 12);
        Assert.Equal(1, rate(10), 12);
        Assert.Equal(0.55, rate(60), 12);
        Assert.Equal(0.1, rate(110), 12);
        Assert.Equal(0.1, rate(200), 12);
        Assert.Equal(3, Schedules.Constant(3)(77));
    }

    [Fact]
    public void Warm_up_with_cosine_decay_rises_then_falls_for_any_settings() =>
        Gen.Select(Gen.Int[0, 50], Gen.Int[1, 200], Gen.Double[0, 1]).Sample((warmup, after, final) =>
        {
            var rate = Schedules.WarmupCosine(1, warmup, warmup + after, final);
            var rates = Enumerable.Range(1, warmup + after).Select(rate).ToList();
            Assert.All(rates.Take(warmup).Zip(rates.Take(warmup).Skip(1)), pair => Assert.True(pair.First < pair.Second));
            Assert.All(rates.Skip(warmup).Zip(rates.Skip(warmup + 1)), pair => Assert.True(pair.First >= pair.Second));
            Assert.All(rates, value => Assert.InRange(value, 0, 1));
        });

    [Fact]
    public void Schedules_can_be_chained_and_multiplied()
    {
        var rate = Schedules.Linear(0, 1, 4)
            .Then(4, Schedules.Constant(1).Then(2, Schedules.Phase(1, 0.2, 4, RateShape.OneMinusSqrt)));
        Assert.Equal([0, 0.25, 0.5, 0.75, 1, 1, 1, 0.6, 1 - (0.8 * Math.Sqrt(0.5)), 1 - (0.8 * Math.Sqrt(0.75)), 0.2, 0.2],
            Enumerable.Range(1, 12).Select(rate), Near);
        Assert.Equal(0.5, rate.Times(0.5)(6), 12);
        Assert.Equal(0.25 * 0.5, rate.Times(Schedules.Constant(0.5))(2), 12);
        Assert.Equal(7, Schedules.Linear(3, 7, 0)(1));
    }

    [Fact]
    public void Every_shape_connects_its_ends_and_a_rise_is_a_reversed_fall() =>
        Gen.Select(Gen.Enum<RateShape>(), Gen.Int[1, 60], Gen.Double[0, 1], Gen.Double[0, 1]).Sample((shape, steps, from, to) =>
        {
            var (there, back) = (Schedules.Phase(from, to, steps, shape), Schedules.Phase(to, from, steps, shape));
            Assert.Equal(from, there(1), tolerance: 1e-12);
            Assert.Equal(to, there(steps + 1), tolerance: 1e-12);
            Assert.Equal(to, there(steps + 50), tolerance: 1e-12);
            if (from == to) return;
            for (var step = 1; step <= steps + 1; step++) Assert.Equal(there(step), back(steps + 2 - step), tolerance: 1e-12);
        });

    [Fact]
    public void Rates_do_not_depend_on_the_order_of_the_calls()
    {
        foreach (var rate in new[]
        {
            Schedules.CosineWithRestarts(1, 5, 40, 3), Schedules.WarmRestarts(1, 7, 2, 0.1),
                Schedules.WarmupStableDecay(1, 3, 10, 5), Schedules.Noam(64, 10),
            Schedules.InverseSquareRoot(1, 10), Schedules.Cyclic(0.1, 1, 4, 6), new OneCycle { Peak = 1, Steps = 40 }.Rate,
                Schedules.StepDecay(1, [3, 9], 0.5),
        })
        {
            var forward = Enumerable.Range(1, 50).Select(rate).ToList();
            Assert.Equal(forward, Enumerable.Range(1, 50).Reverse().Select(rate).Reverse());
            Assert.All(forward, value => Assert.InRange(value, 0, 1));
        }
    }

    [Fact]
    public void Warm_restarts_return_to_the_peak_after_each_longer_cycle()
    {
        var rate = Schedules.WarmRestarts(1, firstCycle: 5, growth: 3);
        Assert.Equal([1, 6, 21, 66], Enumerable.Range(1, 100).Where(step => rate(step) == 1));
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Schedules.Linear(-1, 1, 5));
        Assert.Throws<ArgumentException>(() => Schedules.Linear(0, double.NaN, 5));
        Assert.Throws<ArgumentException>(() => Schedules.Cosine(1, 0, -1));
        Assert.Contains("10", Assert.Throws<ArgumentException>(() => Schedules.CosineWithWarmup(1, 10, 5)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Schedules.CosineWithRestarts(1, 0, 5, 0));
        Assert.Throws<ArgumentException>(() => Schedules.WarmRestarts(1, 0));
        Assert.Throws<ArgumentException>(() => Schedules.WarmRestarts(1, 5, 0));
        Assert.Throws<ArgumentException>(() => Schedules.Noam(0, 10));
        Assert.Throws<ArgumentException>(() => Schedules.InverseSquareRoot(1, 10, 0));
        Assert.Throws<ArgumentException>(() => Schedules.StepDecay(1, 0, 0.1));
        Assert.Throws<ArgumentException>(() => Schedules.Cyclic(0, 1, 0, 5));
        Assert.Throws<ArgumentException>(() => Schedules.Constant(1).Then(-1, Schedules.Constant(1)));
        Assert.Throws<ArgumentException>(() => new OneCycle { Peak = 1, Steps = 1 }.Rate(1));
        Assert.Throws<ArgumentException>(() => new OneCycle { Peak = 1, Steps = 10, RiseShare = 1 }.Rate(1));
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-12;
}
