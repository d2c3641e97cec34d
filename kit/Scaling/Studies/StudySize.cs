using System.Globalization;

namespace ResearchKit.Scaling;

/// <summary>A size of model in a study.</summary>
/// <param name="Name">Name of the size, unique in the study; it is a part of file names.</param>
/// <param name="Parameters">N as the study's laws count it.</param>
/// <param name="OperationsPerToken">Operations of training on a token, forward and backward.</param>
public sealed record StudySize(string Name, double Parameters, double OperationsPerToken)
{
    /// <summary>A size from the cost of a model.</summary>
    /// <param name="name">Name of the size.</param>
    /// <param name="cost">Its cost for an input as in training.</param>
    /// <param name="countsEmbeddings">Whether N counts embeddings, and the operations the output layer.</param>
    public static StudySize Of(string name, ModelCost cost, bool countsEmbeddings = true)
    {
        ArgumentNullException.ThrowIfNull(cost);
        return new(name, countsEmbeddings ? cost.Parameters.Total : cost.Parameters.WithoutEmbedding,
            cost.TrainingOperations(1) - (countsEmbeddings ? 0 : 3 * cost.HeadOperations / cost.Positions));
    }
}

/// <summary>A run of a study: a size of model that is trained with a budget.</summary>
/// <param name="Size">The size.</param>
/// <param name="Operations">C, the budget in operations.</param>
/// <param name="Seed">Seed of the run; the study has set it when it asks for the trainer.</param>
/// <param name="Folder">Folder of its record and checkpoints.</param>
public sealed record StudyRun(StudySize Size, double Operations, int Seed, string Folder)
{
    /// <summary>D, number of tokens that the budget pays for.</summary>
    public double Tokens => Operations / Size.OperationsPerToken;

    /// <summary>Number of steps for a number of tokens a step, at least one.</summary>
    public int Steps(long tokensPerStep) => (int)Math.Max(1, Math.Round(Tokens / tokensPerStep));

    /// <summary>Options of checkpoints in the run's folder, from which an interrupted study goes on.</summary>
    /// <param name="every">Steps from one checkpoint to the next.</param>
    public Training.CheckpointOptions Checkpoints(int every = 500) => new(Path.Combine(Folder, "checkpoints"),
        every)
    { Keep = 1, Best = false };

    internal static string FolderName(StudySize size, double operations, int seed) => string.Create(CultureInfo.InvariantCulture,
        $"{size.Name}-{operations:0.###e0}-seed-{seed}").Replace("+", "", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Size.Name}, C {Operations:0.###e0}, D {Tokens:0.###e0}, seed {Seed}");
}
