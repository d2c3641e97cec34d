using System.Globalization;
using System.Security.Cryptography;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// What a run keeps from its first step to its last: a checkpoint of a run with other values would not go on, but begin another.
/// </summary>
/// <param name="Optimizer">Type of the optimizer.</param>
/// <param name="Seed">Seed of the order of examples; null for the order of their numbers.</param>
/// <param name="BatchSize">Examples of a batch.</param>
/// <param name="Accumulation">Batches of a step.</param>
/// <param name="Examples">Number of examples.</param>
/// <param name="Data">Checksum of three of the examples.</param>
/// <param name="AccumulationTargets">Targets of a step; null for a fixed number of batches.</param>
internal sealed record RunIdentity(string Optimizer, int? Seed, int BatchSize, int Accumulation, long Examples, string Data,
    long? AccumulationTargets = null)
{
    /// <summary>The identity of a trainer's run.</summary>
    public static RunIdentity Of(Trainer trainer) => new(trainer.Optimizer.Name, trainer.Loader.Seed, trainer.Loader.BatchSize,
        trainer.Accumulation, trainer.Loader.Examples.Count, Checksum(trainer.Loader.Examples), trainer.AccumulationTargets);

    /// <summary>Names what differs, with both values; null where nothing does.</summary>
    public string? DifferenceTo(RunIdentity now)
    {
        string? Differs(string name, object? before, object? after) =>
            Equals(before, after) ? null
                : string.Create(CultureInfo.InvariantCulture,
                $"its {name} is {before ?? "none"}, this trainer's {after ?? "none"}");
        string?[] differences =
        [
            Differs("optimizer", Optimizer, now.Optimizer),
            Differs("seed of the loader", Seed, now.Seed),
            Differs("batch size", BatchSize, now.BatchSize),
            Differs("accumulation", Accumulation, now.Accumulation),
            Differs("accumulation in targets", AccumulationTargets, now.AccumulationTargets),
            Differs("number of examples", Examples, now.Examples),
            Data == now.Data ? null : "its examples differ from this trainer's",
        ];
        return differences.Any(one => one is not null) ? string.Join("; ", differences.Where(one => one is not null)) : null;
    }

    private static string Checksum(Data.IExamples examples)
    {
        using var scope = NewDisposeScope();
        using var batch = examples.Fetch([0, examples.Count / 2, examples.Count - 1]);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var name in batch.Names.Order(StringComparer.Ordinal)) hash.AppendData(batch[name].cpu().contiguous().bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
