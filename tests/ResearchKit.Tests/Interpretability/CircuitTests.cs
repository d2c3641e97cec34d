using ResearchKit.Interpretability;
using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class CircuitTests : IDisposable
{
    private static readonly string[] Wired =
        ["input->a0.h0<v>", "a0.h0->a1.h0<k>", "input->a1.h0<q>", "input->a1.h0<v>", "a1.h0->logits"];

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Target target = Target.Logit(4);

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_wired_heads_attend_to_the_previous_token_and_behind_its_earlier_occurrence()
    {
        using var model = InductionModel.Make();
        using var cache = model.Record(InductionModel.Clean);
        for (var position = 1; position < 9; position++)
            Assert.Equal(1, cache["h.0.attn.hook_pattern"][0, 0, position, position - 1].item<float>(), 1e-4);
        for (var position = 6; position < 9; position++)
            Assert.Equal(1, cache["h.1.attn.hook_pattern"][0, 0, position, position - 4].item<float>(), 1e-4);
        Assert.Equal([2L, 3, 4], cache.Output![0, 6..].argmax(-1).data<long>().ToArray());
    }

    [Fact]
    public void Exact_patching_finds_the_wired_edges_and_no_other()
    {
        using var model = InductionModel.Make();
        var scores = model.ScoreEdges(InductionModel.Clean, InductionModel.Corrupted, target, EdgeScoring.Exact);
        Assert.Equal(Wired.Order(), scores.Edges.Take(5).Select(edge => edge.Name).Order());
        Assert.All(scores.Edges.Take(5), edge => Assert.True(edge.Score < -1, edge.ToString()));
        Assert.All(scores.Edges.Skip(5), edge => Assert.Equal(0, edge.Score, 1e-4));
        Assert.Equal((6 * 1) + (6 * 3) + 5, scores.Edges.Count);   // two layers of two heads, and the logits
        var graph = scores.Strongest(5);
        Assert.Equal(["input", "a0.h0", "a1.h0", "logits"], graph.Nodes.Select(node => node.Name));
        var faithfulness = model.Faithfulness(InductionModel.Clean, InductionModel.Corrupted, target, scores, [0, 5, 29]);
        Assert.True(faithfulness.Evidence!.Holds, faithfulness.ToString());
        Assert.Equal(1, faithfulness.Values[1], 1e-3);
        Assert.Equal(1, faithfulness.ToGrid().Values[0, 2], 1e-4);
    }

    [Fact]
    public void A_path_of_no_edge_changes_nothing_and_all_edges_give_the_corrupted_run()
    {
        using var model = new Llama(LlamaConfig.Nano);
        var (clean, corrupted) = (randint(0, 65, [2, 5], int64), randint(0, 65, [2, 5], int64));
        var plain = target.Values(model.call(clean)).Average();
        Assert.Equal(plain, model.PatchPaths(clean, corrupted, target, []), 1e-6);
        var scores = model.ScoreEdges(clean, corrupted, target);
        Assert.Equal(target.Values(model.call(corrupted)).Average(),
            model.PatchPaths(clean, corrupted, target, scores.Edges.Select(edge => edge.Name)), 1e-5);
        Assert.True(model.Faithfulness(clean, corrupted, target, scores).Evidence!.Holds);
        Assert.All(model.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Theory]
    [InlineData(EdgeScoring.AttributionPatching)]
    [InlineData(EdgeScoring.IntegratedGradients)]
    public void Estimated_effects_are_the_exact_ones_where_the_change_is_small(EdgeScoring scoring)
    {
        using var model = new Gpt(GptConfig.Nano with { ModelWidth = 8, Heads = 2, TieEmbeddings = false });
        model.to(float64);
        using (no_grad())
        {
            foreach (var parameter in model.parameters().Where(parameter => parameter.dim() == 2)) parameter.mul_(10);
            var rows = model.get_parameter("wte.weight")!;
            rows[5].copy_(rows[2] + (randn(8, float64) * 1e-5));   // the corrupted token is almost the clean one
        }
        var (clean, corrupted) = (tensor(new long[,] { { 1, 2, 3 } }), tensor(new long[,] { { 1, 5, 3 } }));
        var exact = model.ScoreEdges(clean, corrupted, target, EdgeScoring.Exact).Edges.ToDictionary(edge => edge.Name);
        var estimated = model.ScoreEdges(clean, corrupted, target, scoring);
        var scale = exact.Values.Max(edge => Math.Abs(edge.Score));
        Assert.Equal(exact.Count, estimated.Edges.Count);
        Assert.All(estimated.Edges, edge => Assert.Equal(exact[edge.Name].Score / scale, edge.Score / scale, 1e-3));
    }

    [Fact]
    public void Integrated_gradients_of_the_edges_of_the_input_sum_to_the_change_of_the_target()
    {
        using var model = new Gpt(GptConfig.Nano with { ModelWidth = 8, Heads = 2, TieEmbeddings = false });
        model.to(float64);
        using (no_grad())
            foreach (var parameter in model.parameters().Where(parameter => parameter.dim() == 2)) parameter.mul_(3);
        var (clean, corrupted) = (tensor(new long[,] { { 1, 2, 3 } }), tensor(new long[,] { { 1, 5, 3 } }));
        CircuitScores Score(int steps) =>
            model.ScoreEdges(clean, corrupted, target, EdgeScoring.IntegratedGradients, steps);
        Assert.InRange(Score(40).Evidence!.Error, 0, 1e-6);
        Assert.True(Score(1).Evidence!.Error > Score(10).Evidence!.Error);
    }

    [Fact]
    public void Direct_paths_to_the_output_of_a_norm_free_model_add_up()
    {
        using var model = InductionModel.Make();
        using (no_grad()) model.get_parameter("h.0.attn.c_proj.weight")!.add_(0.01);
        double Effect(params string[] edges) =>
            model.PatchPaths(InductionModel.Clean, InductionModel.Corrupted, target, edges) - model.PatchPaths(
                InductionModel.Clean, InductionModel.Corrupted, target, []);
        Assert.Equal(Effect("a0.h0->logits") + Effect("a0.h1->logits") + Effect("input->logits"),
            Effect("a0.h0->logits", "a0.h1->logits", "input->logits"), 1e-5);
    }

    [Fact]
    public void Areas_are_those_of_a_faithfulness_that_is_known()
    {
        var perfect = new CircuitFaithfulness([0, 5, 10], 10, [1, 1, 1]);
        Assert.Equal((1.0, 0.0), (perfect.Cpr, perfect.Cmd));
        var rising = new CircuitFaithfulness([0, 10], 10, [0, 1]);
        Assert.Equal((0.5, 0.5), (rising.Cpr, rising.Cmd));
        var few = new CircuitFaithfulness([4], 10, [1]);   // 0 without edges and 1 with all count too
        Assert.Equal((0.8, 0.2), (few.Cpr, few.Cmd));
    }

    [Fact]
    public void Wrong_circuits_are_refused_and_leave_no_hook()
    {
        using var model = InductionModel.Make();
        var (clean, corrupted) = (InductionModel.Clean, InductionModel.Corrupted);
        Assert.Contains("a0.h0->a1.h0<k>", Assert.Throws<KeyNotFoundException>(
            () => model.PatchPaths(clean, corrupted, target, ["a0.h0->a1.h0<z>"])).Message, StringComparison.Ordinal);
        using var vit = new Vit(VitConfig.Nano);
        Assert.Contains("expected Gpt or Llama", Assert.Throws<ArgumentException>(
            () => vit.ScoreEdges(rand(1, 1, 28, 28), rand(1, 1, 28, 28), target)).Message, StringComparison.Ordinal);
        var scores = model.ScoreEdges(clean, corrupted, target);
        Assert.Contains("expected a difference", Assert.Throws<ArgumentException>(
            () => model.Faithfulness(clean, clean, target, scores)).Message, StringComparison.Ordinal);
        Assert.Contains("the model has 29", Assert.Throws<ArgumentException>(
            () => model.Faithfulness(clean, corrupted, target, scores, [30])).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(model.modules().OfType<HookPoint>(), point => point.IsWatched);
    }
}
