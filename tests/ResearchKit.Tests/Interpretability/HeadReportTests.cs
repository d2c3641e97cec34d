using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class HeadReportTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model = new(GptConfig.Nano);

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void The_scores_of_a_head_are_means_of_its_patterns()
    {
        // a b a b: the second a sees a copy at 0 and its follower at 1; the second b a copy at 1 and its follower at 2
        var tokens = tensor(new long[,] { { 3, 7, 3, 7 } });
        var report = HeadReport.Of(model, [tokens]);
        var maps = model.Attention(tokens, ["a", "b", "a", "b"]);
        Assert.Equal(maps.Patterns.Count, report.Heads.Count);
        foreach (var (pattern, head) in maps.Patterns.Zip(report.Heads))
        {
            var w = pattern.Weights;
            Assert.Equal((pattern.Layer, pattern.Head), (head.Layer, head.Head));
            Assert.Equal((w[1, 0] + w[2, 1] + w[3, 2]) / 3, head.PreviousToken, 1e-6);
            Assert.Equal((w[2, 0] + w[3, 1]) / 2, head.Duplicate, 1e-6);
            Assert.Equal((w[2, 1] + w[3, 2]) / 2, head.Induction, 1e-6);
            Assert.Equal((w[0, 0] + w[1, 1] + w[2, 2] + w[3, 3]) / 4, head.Self, 1e-6);
            Assert.Equal((w[1, 0] + w[2, 0] + w[3, 0]) / 3, head.FirstToken, 1e-6);
            double entropy = 0, distance = 0;
            for (var query = 0; query < 4; query++)
                for (var key = 0; key <= query; key++)
                {
                    entropy -= w[query, key] * Math.Log(w[query, key]) / 4;
                    distance += w[query, key] * (query - key) / 4;
                }
            Assert.Equal(entropy, head.Entropy, 1e-5);
            Assert.Equal(distance, head.MeanDistance, 1e-5);
        }
        Assert.True(report.Evidence!.Holds);
    }

    [Fact]
    public void Batches_of_other_sizes_give_the_same_means_and_leave_nothing_behind()
    {
        var tokens = randint(0, 5, [4, 9], int64);
        var live = LiveTensors.Count;
        var whole = HeadReport.Of(model, [tokens], token => $"t{token}");
        var parts = HeadReport.Of(model, [tokens[..1], tokens[1..]]);
        foreach (var (one, other) in whole.Heads.Zip(parts.Heads))
        {
            Assert.Equal(one.Induction, other.Induction, 1e-6);
            Assert.Equal(one.Entropy, other.Entropy, 1e-6);
        }
        Assert.Equal($"t{tokens[0, 0].item<long>()}", whole.Example.Patterns[0].QueryTokens[0]);
        Assert.InRange(LiveTensors.Count, live, live + 4);   // the slices of this test
        Assert.Equal(whole.Heads[1].Induction, whole.Score(nameof(HeadScores.Induction)).Values[0, 1]);
        Assert.Contains("there are PreviousToken, Duplicate",
            Assert.Throws<KeyNotFoundException>(() => whole.Score("Inductive")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_corpus_without_tokens_is_refused_and_the_model_stays_as_it_was()
    {
        model.train();
        Assert.Contains("no batch", Assert.Throws<ArgumentException>(() => HeadReport.Of(model, [])).Message,
            StringComparison.Ordinal);
        Assert.Contains("[1, 3] of Float32", Assert.Throws<ArgumentException>(() => HeadReport.Of(model, [zeros(1, 3)])).Message,
            StringComparison.Ordinal);
        Assert.True(model.training);
    }

    [Fact]
    public void Circuits_from_thin_factors_are_those_of_the_expanded_matrices()
    {
        var heads = HeadWeights.Of(model);
        var (first, later) = (heads[1], heads[^1]);
        foreach (var (kind, whole) in new[]
            { (CircuitKind.QueryKey, QueryKey(first)), (CircuitKind.OutputValue, OutputValue(first)) })
        {
            var dense = linalg.svdvals(whole).data<double>().ToArray();
            var values = first.SingularValues(kind);
            Assert.Equal(first.Query.shape[1], values.Count);
            for (var number = 0; number < values.Count; number++) Assert.Equal(dense[number], values[number], 1e-6);
            using var directions = first.Directions(kind);
            Near.Check("product", whole, (directions.Left * tensor(directions.Values.ToArray()))
                .matmul(directions.Right.t()), 1e-6);
        }
        var (ov, qk, ov2) = (OutputValue(first), QueryKey(later), OutputValue(later));
        foreach (var (kind, product, norm) in new[]
            {
                (CompositionKind.Query, ov.matmul(qk), qk), (CompositionKind.Key, ov.matmul(qk.t()), qk),
                (CompositionKind.Value, ov.matmul(ov2), ov2),
            })
        {
            var grid = HeadCircuits.Composition(model, kind);
            var expected = (product.norm() / (ov.norm() * norm.norm())).item<double>();
            Assert.Equal(expected, grid.Values[1, heads.Count - 1], 1e-6);
            Assert.True(double.IsNaN(grid.Values[heads.Count - 1, 1]));
        }
    }

    [Fact]
    public void The_copying_score_is_that_of_the_expanded_circuit_and_one_for_the_identity()
    {
        var head = HeadWeights.Of(model)[0];
        var embedding = model.state_dict()["wte.weight"].detach();
        var full = embedding.to(float64).matmul(OutputValue(head)).matmul(embedding.to(float64).t());
        var values = linalg.eigvals(full);
        var expected = (values.real.sum() / values.abs().sum()).item<double>();
        Assert.Equal(expected, head.Copying(embedding, embedding), 1e-5);
        var identity = new HeadWeights(0, 0, "", eye(6), eye(6), eye(6), eye(6));
        Assert.Equal(1, identity.Copying(eye(6), eye(6)), 1e-9);
        Assert.Equal(-1, (identity with { Output = -eye(6) }).Copying(eye(6), eye(6)), 1e-9);
    }

    [Fact]
    public void The_heads_of_every_published_architecture_multiply_as_its_attention_does()
    {
        using var llama = new Llama(LlamaConfig.Nano);
        using var bert = new Bert(BertConfig.Nano);
        using var vit = new Vit(VitConfig.Nano);
        using var t5 = new T5(T5Config.Nano);
        foreach (var one in new nn.Module[] { llama, bert, vit, t5 })
        {
            var heads = HeadWeights.Of(one);
            Assert.Equal(heads.Count, heads.Select(head => (head.Layer, head.Head)).Distinct().Count());
            Assert.All(heads, head => Assert.Equal(head.Output.shape[1], head.Query.shape[0]));
        }
        // the sum of the heads' values times outputs is the attention's output, without biases
        var values = bert.state_dict();
        var x = randn(3, values["encoder.layer.0.attention.self.value.weight"].shape[1]);
        var expected = x.matmul(values["encoder.layer.0.attention.self.value.weight"].t())
            .matmul(values["encoder.layer.0.attention.output.dense.weight"].t());
        var sum = HeadWeights.Of(bert).Where(head => head.Layer == 0).Select(head => x.matmul(head.Value).matmul(head.Output))
            .Aggregate((all, head) => all + head);
        Near.Check("heads", expected, sum, 1e-5);
        Assert.Contains("give heads", Assert.Throws<ArgumentException>(() => HeadWeights.Of(nn.Linear(2, 2))).Message,
            StringComparison.Ordinal);
        Assert.Contains("no attention weights",
            Assert.Throws<ArgumentException>(() => HeadWeights.Of(nn.Linear(2, 2), 1)).Message,
            StringComparison.Ordinal);
    }

    private static Tensor QueryKey(HeadWeights head) => head.Query.detach().to(float64).matmul(head.Key.detach().to(float64).t());

    private static Tensor OutputValue(HeadWeights head) =>
        head.Value.detach().to(float64).matmul(head.Output.detach().to(float64));
}
