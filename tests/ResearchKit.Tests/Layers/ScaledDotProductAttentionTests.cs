using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

public sealed class ScaledDotProductAttentionTests : IDisposable
{
    private readonly TorchSharp.DisposeScope scope = NewDisposeScope();
    private readonly Tensor query = randn(2, 3, 5, 4), key = randn(2, 3, 5, 4), value = randn(2, 3, 5, 4);

    public void Dispose() => scope.Dispose();

    public static TheoryData<string> Masks => ["none", "causal", "padding", "hidden", "bias", "all"];

    [Theory]
    [MemberData(nameof(Masks))]
    public void The_fused_and_the_hooked_path_equal_the_formula(string name)
    {
        var mask = Mask(name);
        var expected = Formula(mask);
        Near.Check("fused", expected, ScaledDotProductAttention.Attend(query, key, value, mask), 1e-5);

        var pattern = new HookPoint();
        Tensor? seen = null;
        using var hook = new Removing(pattern.register_forward_hook((_, _, weights) =>
        {
            seen = weights.clone().DetachFromDisposeScope();
            return weights;
        }));
        Near.Check("watched", expected, ScaledDotProductAttention.Attend(query, key, value, mask, pattern), 1e-5);
        Near.Check("rows", ones(2, 3, 5), seen!.sum(-1), 1e-5);
    }

    [Fact]
    public void A_hook_point_is_watched_only_while_a_hook_is_registered()
    {
        var pattern = new HookPoint();
        Assert.False(pattern.IsWatched);
        var removable = pattern.register_forward_hook((_, _, weights) => weights);
        Assert.True(pattern.IsWatched);
        removable.remove();
        Assert.False(pattern.IsWatched);
    }

    [Fact]
    public void A_hook_can_replace_the_pattern()
    {
        var pattern = new HookPoint();
        using var hook = new Removing(pattern.register_forward_hook((_, _, weights) => eye(5).expand_as(weights)));
        Near.Check("identity pattern", value, ScaledDotProductAttention.Attend(query, key, value, AttentionMask.None, pattern),
            1e-6);
    }

    [Fact]
    public void The_last_queries_alone_give_the_same_result_as_in_the_whole_sequence()
    {
        var whole = ScaledDotProductAttention.Attend(query, key, value, AttentionMask.CausalOnly);
        var lastTwo = ScaledDotProductAttention.Attend(query.narrow(2, 3, 2), key, value, AttentionMask.CausalOnly);
        Near.Check("last two", whole.narrow(2, 3, 2), lastTwo, 1e-5);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(1)]
    public void A_key_head_is_shared_by_its_group_of_query_heads(int queries)
    {
        var many = randn(2, 6, queries, 4);
        var (keys, values) = (key.repeat_interleave(2, 1), value.repeat_interleave(2, 1));
        foreach (var mask in new[] { Mask("none"), Mask("causal"), Mask("padding"),
            new AttentionMask { ScoreBias = randn(1, 6, queries, 5) } })
            Near.Check("grouped", ScaledDotProductAttention.Attend(many, keys, values, mask),
                ScaledDotProductAttention.Attend(many, key, value, mask), 1e-5);
        Assert.Throws<ArgumentException>(() =>
            ScaledDotProductAttention.Attend(randn(2, 4, queries, 4), key, value, AttentionMask.None));
    }

    [Fact]
    public void The_scale_of_the_scores_can_be_chosen() =>
        Near.Check("3 times as large", ScaledDotProductAttention.Attend(query * 3, key, value, Mask("all")),
            ScaledDotProductAttention.Attend(query, key, value, Mask("all"), scale: 1.5), 1e-5);

    [Fact]
    public void A_query_with_all_keys_masked_gives_finite_numbers()
    {
        var nothing = new AttentionMask { Padding = ones([2, 5], ScalarType.Bool) };
        Assert.True(ScaledDotProductAttention.Attend(query, key, value, nothing).isfinite().all().item<bool>());
    }

    [Fact]
    public void Dropout_drops_weights_and_keeps_the_mean()
    {
        var pattern = new HookPoint();
        using var hook = new Removing(pattern.register_forward_hook((_, _, weights) => weights));
        foreach (var watched in new[] { null, pattern })
        {
            var mixed = ScaledDotProductAttention.Attend(zeros(1, 1, 1, 4), zeros(1, 1, 4000, 4), ones(1, 1, 4000, 1),
                AttentionMask.None, watched, 0.5);
            Assert.InRange(mixed.item<float>(), 0.9f, 1.1f);
            Assert.NotEqual(1f, mixed.item<float>());
        }
    }

    [Fact]
    public void The_error_names_shapes_that_do_not_fit()
    {
        Assert.Contains("[2, 3, 6, 4]",
            Refused(() => ScaledDotProductAttention.Attend(query, randn(2, 3, 6, 4), value, AttentionMask.None)),
            StringComparison.Ordinal);
        Refused(() => ScaledDotProductAttention.Attend(query, randn(2, 3, 5, 6), value, AttentionMask.None));
        Refused(() => ScaledDotProductAttention.Attend(query[0], key[0], value[0], AttentionMask.None));
        Assert.Contains("[2, 5]",
            Refused(() => ScaledDotProductAttention.Attend(query, key, value,
            new() { Padding = zeros([2, 4], ScalarType.Bool) })), StringComparison.Ordinal);
        Assert.Contains("Float32",
            Refused(() => ScaledDotProductAttention.Attend(query, key, value, new() { Hidden = zeros(5, 5) })),
            StringComparison.Ordinal);
        Refused(() => ScaledDotProductAttention.Attend(query, key, value, new() { ScoreBias = zeros(4, 5) }));
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private static AttentionMask Mask(string name)
    {
        var all = new AttentionMask
        {
            Causal = true,
            Padding = tensor(new[] { false, false, false, false, true, false, false, false, true, true }).view(2, 5),
            Hidden = eye(5, dtype: float32).roll(1, 0).to(ScalarType.Bool),
            ScoreBias = arange(25, dtype: float32).view(5, 5) / 10,
        };
        return name switch
        {
            "causal" => AttentionMask.CausalOnly,
            "padding" => new() { Padding = all.Padding },
            "hidden" => new() { Hidden = all.Hidden },
            "bias" => new() { ScoreBias = all.ScoreBias },
            "all" => all,
            _ => AttentionMask.None,
        };
    }

    /// <summary>The formula, number by number.</summary>
    private Tensor Formula(AttentionMask mask)
    {
        var result = zeros_like(value);
        for (var batch = 0; batch < 2; batch++)
            for (var head = 0; head < 3; head++)
                for (var row = 0; row < 5; row++)
                {
                    var weights = Enumerable.Range(0, 5).Select(column => Sees(mask, batch, row, column)
                        ? Math.Exp(((query[batch, head, row] * key[batch, head, column]).sum().item<float>() / 2)
                            + (mask.ScoreBias?[row, column].item<float>() ?? 0)) : 0).ToList();
                    for (var column = 0; column < 5; column++)
                        result[batch, head, row] += value[batch, head, column] * (float)(weights[column] / weights.Sum());
                }
        return result;
    }

    private static bool Sees(AttentionMask mask, int batch, int row, int column) =>
        !(mask.Causal && column > row)
        && !(mask.Padding?[batch, column].item<bool>() ?? false)
        && !(mask.Hidden?[row, column].item<bool>() ?? false);

    private sealed class Removing(nn.Module<Tensor, Tensor>.HookRemover hook) : IDisposable
    {
        public void Dispose() => hook.remove();
    }
}
