using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Distributed;

/// <summary>Random numbers of the processes of one run.</summary>
public sealed class RandomStreamTests : IDisposable
{
    private static readonly long[] Text = [.. Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61))];
    private readonly string folder = Directory.CreateTempSubdirectory("streams-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Each_rank_has_its_own_random_stream_that_the_seed_determines()
    {
        var masks = Enumerable.Range(0, 4).Select(rank => Drawn(new Apart(rank, 4), seed: 5)).ToList();
        Assert.Equal(4, masks.Select(mask => string.Join("", mask)).Distinct().Count());
        Assert.Equal(masks[2], Drawn(new Apart(2, 4), seed: 5));
        Assert.NotEqual(masks[2], Drawn(new Apart(2, 4), seed: 6));
    }

    [Fact]
    public void A_single_rank_has_the_random_stream_of_a_run_without_ranks()
    {
        using var scope = NewDisposeScope();
        Compute.Seed(5);
        using var model = new Gpt(GptConfig.Nano);
        Assert.Equal(Mask(), Drawn(null, seed: 5));
        Assert.Equal(Drawn(null, seed: 5), Drawn(new Apart(0, 1), seed: 5));
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 4)]
    public void A_checkpoint_of_another_world_size_is_refused_and_changes_nothing(int before, int now)
    {
        ThreadWorkers.Run(before, workers =>
        {
            using var model = Model(1);
            using var trainer = Make(model, workers, new CheckpointOptions(folder, 2));
            return trainer.Run().Count();
        });
        ThreadWorkers.Run(now, workers =>
        {
            using var model = Model(2);
            using var trainer = Make(model, workers, null);
            var weights = Weights(model);
            var message = Assert.Throws<InvalidDataException>(() => trainer.Resume(folder)).Message;
            Assert.Contains($"of a run of {before} processes; this one has {now}", message, StringComparison.Ordinal);
            Assert.Equal((0, weights), (trainer.Step, Weights(model)));
            return true;
        });
    }

    private static float[] Drawn(ICommunicator? workers, long seed)
    {
        using var scope = NewDisposeScope();
        Compute.Seed(seed);
        using var model = new Gpt(GptConfig.Nano);
        using var trainer = Make(model, workers, null);
        return Mask();
    }

    private static float[] Mask() => nn.functional.dropout(ones(64), 0.5, training: true).data<float>().ToArray();

    private static Gpt Model(long seed)
    {
        lock (Text)
        {
            Compute.Seed(seed);
            return new Gpt(GptConfig.Nano);
        }
    }

    private static Trainer Make(Gpt model, ICommunicator? workers, CheckpointOptions? checkpoints) =>
        new(model, Losses.CrossEntropy,
        new BatchLoader(new TextWindows(Text, 16), 2, share: workers?.Rank ?? 0, shares: workers?.WorldSize ?? 1),
        new TrainerOptions { Steps = 2, EvaluateEvery = null, Workers = workers, Checkpoints = checkpoints });

    private static string Weights(Gpt model) =>
        string.Join(' ', model.parameters().Select(parameter => parameter.sum().item<float>()));

    /// <summary>A process that never hears of the others, who hold what it holds.</summary>
    private sealed class Apart(int rank, int count) : ICommunicator
    {
        public int Rank => rank;

        public int WorldSize => count;

        public void AllReduce(IReadOnlyList<Tensor> tensors)
        {
            foreach (var tensor in tensors) tensor.mul_(count);
        }

        public void Broadcast(IReadOnlyList<Tensor> tensors, int from) { }
    }
}
