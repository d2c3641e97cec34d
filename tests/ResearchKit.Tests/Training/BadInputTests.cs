using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Training;

/// <summary>
/// What a trainer says to data that cannot be trained on, in the midst of a run: the step is not done, and the last checkpoint
/// is there.
/// </summary>
public sealed class BadInputTests : IDisposable
{
    private const int BadFrom = 3;
    private static readonly long[] Text = [.. Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61))];
    private readonly string folder = Directory.CreateTempSubdirectory("bad-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly Dictionary<string, (Func<Batch, Batch> Spoil, string[] Said)> Batches = new()
    {
        ["no example"] = (_ => new Batch(zeros([0, 16], int64), zeros([0, 16], int64)),
            [$"Step {BadFrom}", "inputs [0, 16] and targets [0, 16]", "no example"]),
        ["a label too large"] = (batch => new Batch(batch.Inputs, batch.Targets + 10), ["The targets go from", "65 classes"]),
        ["a label below zero"] = (batch => new Batch(batch.Inputs, batch.Targets - 3), ["The targets go from -3", "65 classes"]),
        ["too few targets"] =
            (batch => new Batch(batch.Inputs, batch.Targets[.., ..15]), ["logits [4, 16, 65]", "targets [4, 15]"]),
        ["inputs longer than the context"] =
            (batch => new Batch(batch.Inputs.repeat(1, 3), batch.Targets.repeat(1, 3)), ["48 tokens", "context length is 32"]),
        ["inputs that are no tokens"] = (batch => new Batch(batch.Inputs.to(float32), batch.Targets), ["Float32", "Int64"]),
        ["a token beyond the vocabulary"] =
            (batch => new Batch(batch.Inputs + 100, batch.Targets), ["Tokens range from 100 to 160"]),
    };

    public static TheoryData<string> Bad => [.. Batches.Keys];

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_batch_is_refused_before_its_step(string what)
    {
        var (spoil, said) = Batches[what];
        Refused(new SpoiltExamples(spoil), (logits, targets) => Losses.CrossEntropy(logits, targets), said);
    }

    [Fact]
    public void Data_that_cannot_be_read_ends_the_run_with_its_own_error() =>
        Refused(new SpoiltExamples(_ => throw new IOException("the disk has gone")), (logits, targets) =>
            Losses.CrossEntropy(logits, targets), "the disk has gone");

    [Fact]
    public void A_loss_that_is_not_a_scalar_or_has_no_gradient_is_refused_before_its_step()
    {
        var whole = new SpoiltExamples(batch => batch);
        var steps = 0;
        Refused(whole, (logits, targets) =>
            ++steps < BadFrom ? Losses.CrossEntropy(logits, targets) : logits.mean([0L, 1L]), "shape [65]", "one number");
        steps = 0;
        Refused(whole, (logits, targets) =>
            ++steps < BadFrom ? Losses.CrossEntropy(logits, targets) : tensor(1.5f), "does not depend on the model's parameters");
    }

    [Fact]
    public void Empty_data_is_refused_at_once()
    {
        using var model = Model();
        using var nothing = zeros([0, 16], int64);
        Assert.Contains("There are 0 examples",
            Assert.Throws<ArgumentException>(() => new BatchLoader(new TensorExamples(nothing, nothing), 4)).Message,
            StringComparison.Ordinal);
        Assert.Contains("held-out data holds no example", Assert.Throws<ArgumentException>(() =>
            new Trainer(model, Losses.CrossEntropy, new BatchLoader(new TextWindows(Text, 16), 4), new TrainerOptions(),
                new TensorExamples(nothing, nothing))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader(new TextWindows(Text, 16), 0));
        using var more = zeros([5, 16], int64);
        Assert.Contains("[0, 16]", Assert.Throws<ArgumentException>(() => new TensorExamples(more, nothing)).Message,
            StringComparison.Ordinal);
    }

    [SkippableFact]
    public void The_error_names_a_read_only_checkpoint_folder_before_the_first_step()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Here even the administrator may not write to /proc.");
        using var model = Model();
        foreach (var place in new[] { "/proc/checkpoints", "/proc/self/task" })
        {
            using var trainer = Make(model, new SpoiltExamples(batch => batch), (logits, targets) =>
                Losses.CrossEntropy(logits, targets), new CheckpointOptions(place, 2));
            var error = Assert.ThrowsAny<Exception>(() => trainer.Run().Count());
            Assert.True(error is IOException or UnauthorizedAccessException, error.ToString());
            Assert.Contains(place, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("Another run", error.Message, StringComparison.Ordinal);
            Assert.Equal(0, trainer.Step);
        }
    }

    /// <summary>
    /// The third step fails with these words; the weights are those of the second, whose checkpoint can be gone on from.
    /// </summary>
    private void Refused(IExamples examples, Func<Tensor, Tensor, Tensor> loss, params string[] said)
    {
        var place = Path.Combine(folder, Guid.NewGuid().ToString());
        using var model = Model();
        using var trainer = Make(model, examples, loss, new CheckpointOptions(place, 2));
        var error = Assert.ThrowsAny<Exception>(() => trainer.Run().Count());
        Assert.All(said, words => Assert.Contains(words, error.Message, StringComparison.Ordinal));
        Assert.Equal(BadFrom - 1, trainer.Step);
        using var other = Model();
        using var resumed = Make(other, new SpoiltExamples(batch => batch), (logits, targets) =>
            Losses.CrossEntropy(logits, targets), new CheckpointOptions(place, 2));
        resumed.Resume(place);
        Assert.Equal(BadFrom - 1, resumed.Step);
        Assert.Equal(Weights(model), Weights(other));
        Assert.Equal(4, resumed.Run().Last().Step);
    }

    private static Gpt Model()
    {
        Compute.Seed(3);
        return new Gpt(GptConfig.Nano);
    }

    private static Trainer Make(Gpt model, IExamples examples, Func<Tensor, Tensor, Tensor> loss,
        CheckpointOptions checkpoints) =>
        new(model, loss, new BatchLoader(examples, 4, seed: null),
            new TrainerOptions { Steps = 4, EvaluateEvery = null, Checkpoints = checkpoints });

    private static float[] Weights(Gpt model) =>
        [.. model.parameters().SelectMany(parameter => parameter.data<float>().ToArray())];

    /// <summary>Windows of a text whose third batch of four is spoilt.</summary>
    private sealed class SpoiltExamples(Func<Batch, Batch> spoil) : IExamples
    {
        private readonly TextWindows windows = new(Text, 16);

        public long Count => windows.Count;

        public Batch Fetch(IReadOnlyList<long> numbers) =>
            numbers[0] == 4 * (BadFrom - 1) ? spoil(windows.Fetch(numbers)) : windows.Fetch(numbers);
    }
}
