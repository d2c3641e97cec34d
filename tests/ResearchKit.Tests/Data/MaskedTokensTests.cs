using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class MaskedTokensTests
{
    private const int Time = 100, Mask = 50;
    private readonly MaskedTokens masked =
        new(new TextWindows([.. Enumerable.Range(0, 40_001).Select(place => (long)(place % 50))], Time), Mask, 50);

    [Fact]
    public void Targets_are_the_original_tokens_and_unselected_tokens_are_unchanged()
    {
        var (inputs, targets, before) = Fetch();
        Assert.All(targets.Zip(before), pair => Assert.True(pair.First == -100 || pair.First == pair.Second));
        Assert.All(inputs.Zip(before).Zip(targets), pair =>
            Assert.True(pair.Second != -100 || pair.First.First == pair.First.Second));
    }

    [Fact]
    public void The_shares_of_selected_and_masked_tokens_match_the_paper()
    {
        var (inputs, targets, before) = Fetch();
        var chosen = Enumerable.Range(0, inputs.Length).Where(place => targets[place] != -100).ToList();
        Assert.InRange(chosen.Count, 0.14 * inputs.Length, 0.16 * inputs.Length);
        Assert.InRange(chosen.Count(place => inputs[place] == Mask), 0.78 * chosen.Count, 0.82 * chosen.Count);
        Assert.InRange(chosen.Count(place => inputs[place] == before[place]), 0.08 * chosen.Count, 0.13 * chosen.Count);
        Assert.All(inputs, token => Assert.InRange(token, 0, Mask));
    }

    [Fact]
    public void A_window_has_the_same_mask_each_time_it_is_fetched()
    {
        using var one = masked.Fetch([7]);
        using var three = masked.Fetch([3, 7, 5]);
        Assert.Equal(one.Inputs.data<long>(), three.Inputs[1].data<long>());
        Assert.Equal(400, masked.Count);
    }

    private (long[] Inputs, long[] Targets, long[] Before) Fetch()
    {
        using var batch = masked.Fetch([.. Enumerable.Range(0, 400).Select(number => (long)number)]);
        return ([.. batch.Inputs.data<long>()], [.. batch.Targets.data<long>()],
            [.. Enumerable.Range(0, 40_000).Select(place => (long)(place % 50))]);
    }

    [Fact]
    public void Padding_and_special_tokens_are_never_masked_and_draws_mask_anew()
    {
        var texts = new LabelledTokens(Enumerable.Range(0, 20).Select(i => ((long[])[101, .. Enumerable.Range(5, 10 + i)
            .Select(t => (long)t), 102], 0L)),
            padding: 0);
        var masked = new MaskedTokens(texts, maskToken: 103, ordinaryTokens: 50, share: 0.5, special: [101, 102], anew: true);
        long[] all = [.. Enumerable.Range(0, 20).Select(i => (long)i)];
        using var batch = masked.Fetch(all);
        using var given = texts.Fetch(all);
        var chosen = batch.Targets.ne(-100);
        Assert.False(chosen.logical_and(given.Mask!.eq(0)).any().item<bool>());
        Assert.False(chosen.logical_and(given.Inputs.ge(101)).any().item<bool>());
        Assert.True(batch.Mask!.Equals(given.Mask));
        Assert.InRange(chosen.sum().item<long>(), 120, 270);   // of 390 at one half, seven deviations
        using var again = masked.Fetch(all, all);
        using var anew = masked.Fetch(all, [.. all.Select(i => i + 1000)]);
        Assert.True(again.Inputs.Equals(batch.Inputs));
        Assert.False(anew.Inputs.Equals(batch.Inputs));
    }
}
