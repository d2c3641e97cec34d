using CsCheck;
using ResearchKit.Optimizers;

namespace ResearchKit.Tests.Optimizers;

public sealed class SchedulesTests
{
    [Fact]
    public void Warm_up_and_cosine_pass_through_their_points()
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
    public void It_rises_then_falls_whatever_the_settings() =>
        Gen.Select(Gen.Int[0, 50], Gen.Int[1, 200], Gen.Double[0, 1]).Sample((warmup, after, final) =>
        {
            var rate = Schedules.WarmupCosine(1, warmup, warmup + after, final);
            var rates = Enumerable.Range(1, warmup + after).Select(rate).ToList();
            Assert.All(rates.Take(warmup).Zip(rates.Take(warmup).Skip(1)), pair => Assert.True(pair.First < pair.Second));
            Assert.All(rates.Skip(warmup).Zip(rates.Skip(warmup + 1)), pair => Assert.True(pair.First >= pair.Second));
            Assert.All(rates, value => Assert.InRange(value, 0, 1));
        });
}
