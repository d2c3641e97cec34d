using ResearchKit.Compression;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class SparseTrainingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model;

    public SparseTrainingTests()
    {
        random.manual_seed(3);
        model = new Gpt(GptConfig.Nano);
    }

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void Pruned_weights_stay_zero_and_the_others_learn()
    {
        using var masks = ModelMasks.Magnitude(model, 0.5);
        Assert.Equal(masks.Weights / 2, masks.Pruned);
        var before = Clone();
        Train(new SparseTraining(masks), evaluate: () => AssertZero(masks));
        AssertZero(masks);
        foreach (var (name, mask) in masks.Masks)
            Assert.True((model.state_dict()[name] - before[name]).abs().masked_fill(mask, 1).min().item<float>() > 0, name);
        using var zeros = ModelMasks.OfZeros(model);
        Assert.All(zeros.Masks, pair => Assert.True(pair.Value.Equals(masks.Masks[pair.Key]), pair.Key));
    }

    [Fact]
    public void Masks_by_rank_are_exact_and_survive_a_file()
    {
        using var global = ModelMasks.Magnitude(model, 0.3, global: true);
        Assert.Equal((long)Math.Round(0.3 * global.Weights, MidpointRounding.ToEven), global.Pruned);
        using var random_ = ModelMasks.Random(model, 0.25, seed: 1, name => name.EndsWith("c_fc.weight",
            StringComparison.Ordinal));
        Assert.Equal(["h.0.mlp.c_fc.weight", "h.1.mlp.c_fc.weight"], random_.Masks.Keys);
        Assert.Equal(random_.Weights / 4, random_.Pruned);
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "masks.safetensors");
        random_.Save(path);
        using var back = ModelMasks.Load(path);
        Assert.All(random_.Masks, pair => Assert.True(pair.Value.Equals(back.Masks[pair.Key])));
        Assert.Contains("2,048 of 8,192 weights pruned (25.0", random_.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mask_of_another_model_changes_nothing()
    {
        using var masks = ModelMasks.Magnitude(model, 0.5);
        using var deeper = new Gpt(GptConfig.Nano with { Layers = 1 });
        using var wider = new Gpt(GptConfig.Nano with { FeedForwardWidth = 64 });
        Assert.Contains("has no parameter h.1.attn", Assert.Throws<ArgumentException>(() => masks.Apply(deeper)).Message,
            StringComparison.Ordinal);
        var before = wider.state_dict()["h.0.attn.c_attn.weight"].clone();
        Assert.Contains("the mask of h.0.mlp.c_fc.weight is Bool [32, 128], the parameter of Gpt is [32, 64]",
            Assert.Throws<ArgumentException>(() => masks.Apply(wider)).Message, StringComparison.Ordinal);
        Assert.True(before.Equals(wider.state_dict()["h.0.attn.c_attn.weight"]));
        using var ticket = new LotteryTicket(model);
        Assert.Throws<ArgumentException>(() => ticket.Rewind(wider));
        Assert.Contains("chooses no parameter", Assert.Throws<ArgumentException>(() =>
            ModelMasks.Magnitude(model, 0.5, filter: _ => false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_ticket_rewinds_bit_for_bit_and_prunes_what_remains()
    {
        foreach (var global in new[] { true, false })
        {
            var start = Clone();
            using var ticket = new LotteryTicket(model, global);
            var pruned = 0L;
            for (var round = 0; round < 2; round++)
            {
                Train(new SparseTraining(ticket.Masks));
                var earlier = ticket.Masks.Masks.ToDictionary(pair => pair.Key, pair => pair.Value.clone());
                ticket.Prune(model, 0.25);
                Assert.All(earlier, pair => Assert.True(pair.Value.logical_and(ticket.Masks.Masks[pair.Key]).Equals(pair.Value)));
                pruned += (ticket.Masks.Weights - pruned) / 4;
                Assert.Equal(pruned, ticket.Masks.Pruned, 10.0);
                ticket.Rewind(model);
                Assert.All(model.state_dict(), pair => Assert.True(pair.Value.Equals(ticket.Masks.Masks.TryGetValue(pair.Key,
                    out var mask)
                    ? start[pair.Key].masked_fill(mask, 0) : start[pair.Key]), pair.Key));
            }
        }
    }

    [Fact]
    public void Movement_prunes_by_its_schedule_what_moves_to_zero()
    {
        using var movement = new MovementPruning { Share = 0.4, Start = 2, End = 6 };
        Assert.Equal([0, 0, 0.4 * (1 - (0.75 * 0.75 * 0.75)), 0.4, 0.4], new[] { 1, 2, 3, 6, 9 }.Select(movement.ShareAt));
        Assert.Throws<InvalidOperationException>(movement.Masks);
        Train(movement, steps: 8, () =>
        {
            using var now = movement.Masks();
            AssertZero(now);   // evaluations use the averaged weights
        });
        using var masks = movement.Masks();
        AssertZero(masks);
        foreach (var mask in masks.Masks.Values)
            Assert.Equal((long)Math.Round(0.4 * mask.numel(), MidpointRounding.ToEven), mask.sum().item<long>());
        using var bad = new MovementPruning { Share = 0.4, Start = 5, End = 5 };
        Assert.Contains("more than Start, 5", Assert.Throws<ArgumentException>(() => Train(bad)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Movement_scores_are_the_sum_of_the_movements()
    {
        // one weight grows, the other shrinks: of two equal magnitudes the shrinking one goes
        using var line = nn.Linear(2, 1, hasBias: false);
        using (no_grad()) line.weight!.copy_(tensor(new[] { 1f, 1f }).view(1, 2));
        using var movement = new MovementPruning { Share = 0.5, End = 2, Filter = _ => true };
        var examples = new TensorExamples(eye(2).repeat(4, 1), tensor(new[] { 2f, 0f }).repeat(4).unsqueeze(1));
        using var trainer = new Trainer(line, Objective.Regression, new BatchLoader(examples, 8), new TrainerOptions
        {
            Steps = 4,
            WarmupSteps = 0,
            LearningRate = 0.01,
            FinalLearningRate = 0.01,
            Callbacks = [movement],
        });
        trainer.Fit();
        Assert.True(line.weight![0, 0].item<float>() > 1);
        Assert.Equal(0, line.weight[0, 1].item<float>());
    }

    private Dictionary<string, Tensor> Clone() => model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());

    private void AssertZero(ModelMasks masks)
    {
        foreach (var (name, mask) in masks.Masks)
            Assert.Equal(0, model.state_dict()[name].masked_select(mask).abs().sum().item<float>());
    }

    private void Train(TrainingCallback callback, int steps = 4, Action? evaluate = null)
    {
        var windows = new TextWindows([.. Enumerable.Range(0, 400).Select(place => (long)(place * place % 65))], 8);
        using var trainer = new Trainer(model, new Objective(batch =>
        {
            if (!model.training) evaluate?.Invoke();
            return Losses.CrossEntropy(model.call(batch.Inputs), batch.Targets);
        }), new BatchLoader(windows, 4), new TrainerOptions
        {
            Steps = steps,
            WarmupSteps = 1,
            LearningRate = 1e-2,
            EvaluateEvery = 2,
            EvaluationBatches = 1,
            AverageDecay = 0.5,
            Callbacks = [callback],
        }, windows);
        trainer.Fit();
    }
}
