using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Training;

namespace ResearchKit.Benchmarks;

/// <summary>
/// The training that several benchmarks measure: a GPT of 6 layers, 6 heads and 384 channels on 8 windows of 256 characters.
/// </summary>
internal static class GptTraining
{
    private const int Windows = 8, Context = 256;

    public static Gpt Model() =>
        new(GptConfig.Nano with
        {
            VocabularySize = 65,
            ContextLength = Context,
            ModelWidth = 384,
            Layers = 6,
            Heads = 6,
            Dropout = 0
        });

    public static BatchLoader Loader(ICommunicator? workers = null)
    {
        var random = new Random(1);
        var (rank, count) = (workers?.Rank ?? 0, workers?.WorldSize ?? 1);
        return new BatchLoader(new TextWindows([.. Enumerable.Range(0, 200_000).Select(_ => (long)random.Next(65))], Context, 16),
            Windows / count, 1, share: rank, shares: count);
    }

    public static Trainer Train(Gpt model, Precision precision, ICommunicator? workers = null) =>
        new(model, Losses.CrossEntropy, Loader(workers), new TrainerOptions
        {
            Steps = int.MaxValue,
            Schedule = _ => 1e-3,
            EvaluateEvery = null,
            Precision = precision,
            Workers = workers,
        });
}
