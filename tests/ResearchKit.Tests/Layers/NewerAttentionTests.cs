using CsCheck;
using ResearchKit.Layers;
using ResearchKit.Tests.Golden;
using static ResearchKit.Tests.Layers.Naive;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Layers;

/// <summary>The attention layers of the last years, against a loop that follows the paper's formula.</summary>
public sealed class NewerAttentionTests
{
    private const int Width = 16, Time = 7;

    [Theory]
    [InlineData(4, 4, null)]
    [InlineData(4, 2, null)]
    [InlineData(4, 1, null)]
    [InlineData(2, 2, 3)]
    [InlineData(4, 2, 1)]
    [InlineData(2, 1, 100)]
    public void Grouped_query_attention_follows_its_formula(int heads, int keyHeads, int? window) =>
        Check(new GroupedQueryAttention(Width, heads, keyHeads, window), (layer, x) =>
        {
            var w = Weights(layer);
            var size = Width / heads;
            return [.. x.Select((_, t) => Times(w("o_proj.weight"), [.. Enumerable.Range(0, heads).SelectMany(head =>
            {
                var first = Math.Max(0, t + 1 - (window ?? int.MaxValue / 2));
                var keyHead = head / (heads / keyHeads);
                var seen = Enumerable.Range(first, t + 1 - first).ToList();
                return Attend(
                    Rotate(Part(Times(w("q_proj.weight"), x[t]), head, size), t),
                    [.. seen.Select(s => Rotate(Part(Times(w("k_proj.weight"), x[s]), keyHead, size), s))],
                    [.. seen.Select(s => Part(Times(w("v_proj.weight"), x[s]), keyHead, size))]);
            })]))];
        });

    [Theory]
    [InlineData(2, 0)]
    [InlineData(4, 3)]
    public void Differential_attention_follows_its_formula(int heads, int number) =>
        Check(new DifferentialAttention(Width, heads, number), (layer, x) =>
        {
            var w = Weights(layer);
            double[] Lambda(string name) => [.. w(name).Select(row => row[0])];
            var (size, initial) = (Width / heads, 0.8 - (0.6 * Math.Exp(-0.3 * number)));
            var lambda = Math.Exp(Dot(Lambda("lambda_q1"), Lambda("lambda_k1")))
                - Math.Exp(Dot(Lambda("lambda_q2"), Lambda("lambda_k2"))) + initial;
            return [.. x.Select((_, t) => Times(w("out_proj.weight"), [.. Enumerable.Range(0, heads).SelectMany(head =>
            {
                var seen = Enumerable.Range(0, t + 1).ToList();
                var values = seen.Select(s => Part(Times(w("v_proj.weight"), x[s]), head, size)).ToArray();
                var two = new[] { 0, 1 }.Select(which => Attend(
                    Rotate(Part(Times(w("q_proj.weight"), x[t]), (2 * head) + which, size / 2), t),
                    [.. seen.Select(s => Rotate(Part(Times(w("k_proj.weight"), x[s]), (2 * head) + which, size / 2), s))],
                        values)).ToArray();
                var difference = Plus(two[0], Scaled(-lambda, two[1]));
                return Scaled(1 - initial, RmsNorm(difference, [.. w("subln.weight").Select(row => row[0])], 1e-5));
            })]))];
        });

    [Fact]
    public void Latent_attention_follows_its_formula()
    {
        var sizes = new LatentAttentionSizes
        {
            Width = Width,
            Heads = 3,
            QueryRank = 10,
            KeyValueRank = 6,
            PlainWidth = 5,
            RotaryWidth = 4,
            ValueWidth = 7
        };
        Check(new LatentAttention(sizes), (layer, x) =>
        {
            var w = Weights(layer);
            double[] Norm(string name, double[] v) => RmsNorm(v, [.. w(name).Select(row => row[0])], 1e-6);
            double[] Pairs(double[] v) => [v[0], v[2], v[1], v[3]];   // (0, 1), (2, 3) side by side, as published
            var queries = x.Select(token =>
                Times(w("q_b_proj.weight"), Norm("q_a_layernorm.weight", Times(w("q_a_proj.weight"), token)))).ToArray();
            var narrow = x.Select(token => Times(w("kv_a_proj_with_mqa.weight"), token)).ToArray();
            var wide = narrow.Select(v => Times(w("kv_b_proj.weight"), Norm("kv_a_layernorm.weight", v[..6]))).ToArray();
            return [.. x.Select((_, t) => Times(w("o_proj.weight"), [.. Enumerable.Range(0, 3).SelectMany(head =>
            {
                var query = Part(queries[t], head, 9);
                return Attend(
                    [.. query[..5], .. Rotate(Pairs(query[5..]), t)],
                    [.. Enumerable.Range(0, t + 1)
                        .Select(s => (double[])[.. Part(wide[s], head, 12)[..5], .. Rotate(Pairs(narrow[s][6..]), s)])],
                    [.. Enumerable.Range(0, t + 1).Select(s => Part(wide[s], head, 12)[5..])]);
            })]))];
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void Linear_attention_follows_its_formula_for_every_chunk_length(int piece) =>
        Check(new LinearAttention(Width, heads: 2, piece), (layer, x) =>
        {
            var w = Weights(layer);
            double[] Feature(double[] v) => [.. v.Select(value => value > 0 ? value + 1 : Math.Exp(value))];
            return [.. x.Select((_, t) => Times(w("o_proj.weight"), [.. Enumerable.Range(0, 2).SelectMany(head =>
            {
                var query = Feature(Part(Times(w("q_proj.weight"), x[t]), head, 8));
                var weights = Enumerable.Range(0, t + 1)
                    .Select(s => Dot(query, Feature(Part(Times(w("k_proj.weight"), x[s]), head, 8)))).ToArray();
                return Sum(Scaled(1 / weights.Sum(), weights),
                    [.. Enumerable.Range(0, t + 1).Select(s => Part(Times(w("v_proj.weight"), x[s]), head, 8))]);
            })]))];
        });

    [Fact]
    public void A_sliding_window_masks_earlier_keys()
    {
        using var scope = NewDisposeScope();
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 6], Gen.Int[1, 8]).Sample((queries, before, window) =>
        {
            using var inner = NewDisposeScope();
            var keys = queries + before;
            var seen = new List<double>();
            for (var q = 0; q < queries; q++)
                for (var k = 0; k < keys; k++)
                    seen.Add(k <= q + before && k > q + before - window ? 1 : 0);
            var mask = new AttentionMask { Causal = true, Window = window };
            var pattern = ScaledDotProductAttention.Attend(zeros(1, 1, queries, 2), zeros(1, 1, keys, 2),
                eye(keys).view(1, 1, keys, keys), mask);
            var expected = tensor(seen.ToArray()).view(queries, keys);
            return allclose(pattern[0, 0].to(float64), expected / expected.sum(-1, keepdim: true), atol: 1e-6);
        }, iter: 60);
        Assert.Throws<ArgumentException>(() =>
            ScaledDotProductAttention.Attend(zeros(1, 1, 2, 2), zeros(1, 1, 2, 2), zeros(1, 1, 2, 2),
            new AttentionMask { Window = 1 }));
        Assert.Throws<ArgumentException>(() =>
            ScaledDotProductAttention.Attend(zeros(1, 1, 2, 2), zeros(1, 1, 2, 2), zeros(1, 1, 2, 2),
            new AttentionMask { Causal = true, Window = 0 }));
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new GroupedQueryAttention(16, 3, 1));
        Assert.Throws<ArgumentException>(() => new GroupedQueryAttention(16, 4, 3));
        Assert.Throws<ArgumentException>(() => new GroupedQueryAttention(16, 4, 4, window: 0));
        Assert.Throws<ArgumentException>(() => new DifferentialAttention(16, 8, 0));
        Assert.Throws<ArgumentException>(() => new LinearAttention(16, 3));
        Assert.Throws<ArgumentException>(() => new LatentAttention(new LatentAttentionSizes
        { Width = 16, Heads = 2, QueryRank = 4, KeyValueRank = 4, PlainWidth = 4, RotaryWidth = 3, ValueWidth = 4 }));
    }

    /// <summary>Runs a layer on two random sequences, with weights large enough to matter, and the loop on each.</summary>
    internal static void Check(nn.Module<Tensor, Tensor> layer, Func<nn.Module, double[][], double[][]> loop)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        random.manual_seed(1);
        foreach (var parameter in layer.parameters()) parameter.copy_(randn_like(parameter) * 0.5);
        var x = randn(2, Time, Width);
        var y = layer.call(x);
        for (var row = 0; row < 2; row++)
        {
            var expected = loop(layer, Rows(x[row]));
            Near.Check($"sequence {row}", tensor(expected.SelectMany(values => values).ToArray()).view(Time, Width), y[row],
                2e-5 * expected.Max(values => values.Max(Math.Abs)));
        }
    }

    private static double[] Part(double[] x, int number, int size) => x[(number * size)..((number + 1) * size)];
}
