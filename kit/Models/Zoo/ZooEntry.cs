using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>A published model that the kit reads.</summary>
public sealed record ZooEntry
{
    private readonly Func<nn.Module> create;

    internal ZooEntry(Func<nn.Module> create) => this.create = create;

    /// <summary>Name of the model, such as <c>resnet18</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Number of trainable parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>FLOPs of a forward pass for one <see cref="Unit"/>; a multiplication and an addition count as two.</summary>
    public required double Flops { get; init; }

    /// <summary>
    /// What <see cref="Flops"/> are for: an image, or a token (the last, written tokens of an encoder-decoder).
    /// </summary>
    public required string Unit { get; init; }

    /// <summary>The input at which <see cref="Flops"/> were counted.</summary>
    public required string Input { get; init; }

    /// <summary>Licence of the published weights.</summary>
    public required string Licence { get; init; }

    /// <summary>Name on the hub, for <c>PretrainedHub.DownloadAsync</c>, or the address of the files.</summary>
    public required string Source { get; init; }

    /// <summary>Names of the published files of weights, each of which loads.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Creates the model with initial values, not the published weights.</summary>
    public nn.Module Create() => create();

    /// <summary>The entry in one line.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Name}: {Parameters:N0} parameters, {Flops / 1e9:G4} GFLOPs per {Unit} ({Input}), {Licence}, {Source}");
}

/// <summary>Published models as a table.</summary>
/// <param name="Entries">The models.</param>
public sealed record ZooTable(IReadOnlyList<ZooEntry> Entries)
{
    /// <summary>The table as text, one line a model.</summary>
    public override string ToString() => string.Join('\n', Entries);
}
