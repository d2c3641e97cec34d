using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>One parameter or buffer of a module.</summary>
/// <param name="Name">Its name within the module, such as <c>weight</c>.</param>
/// <param name="Shape">Length of each axis.</param>
/// <param name="Count">Number of elements.</param>
/// <param name="Bytes">Size in memory.</param>
/// <param name="IsTrainable">Whether gradients are recorded for it.</param>
/// <param name="IsShared">Whether it was met before in the tree, so that it is not counted again.</param>
public sealed record ModuleTensor(string Name, IReadOnlyList<long> Shape, long Count, long Bytes, bool IsTrainable, bool IsShared)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name} [{string.Join(" × ", Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)))}]"
            + (IsShared ? " (shared)" : "");
}

/// <summary>What a module is made of: its own tensors, and the modules in it.</summary>
/// <param name="Name">Its name within its parent; empty for the root.</param>
/// <param name="Type">Name of its class.</param>
/// <param name="Own">Its own parameters, not those of the modules in it.</param>
/// <param name="Buffers">Its own buffers.</param>
/// <param name="Children">The modules in it, in the order of registration.</param>
/// <param name="Hint">What is probably wrong with it; null where nothing is.</param>
public sealed record ModuleSummary(
    string Name, string Type, IReadOnlyList<ModuleTensor> Own, IReadOnlyList<ModuleTensor> Buffers,
    IReadOnlyList<ModuleSummary> Children, string? Hint)
{
    /// <summary>Number of parameters in the whole tree below, each shared one counted where it is met first.</summary>
    public long ParameterCount { get; } = Own.Where(own => !own.IsShared).Sum(own => own.Count)
        + Children.Sum(child => child.ParameterCount);

    /// <summary>Those of them that are trained.</summary>
    public long TrainableCount { get; } =
        Own.Where(own => !own.IsShared && own.IsTrainable).Sum(own => own.Count) + Children.Sum(child => child.TrainableCount);

    /// <summary>Memory of parameters and buffers, in bytes.</summary>
    public long Bytes { get; } = Own.Concat(Buffers).Where(own => !own.IsShared).Sum(own => own.Bytes)
        + Children.Sum(child => child.Bytes);

    /// <summary>Summarises a module; reads names and shapes only, so that a module on the meta device will do.</summary>
    public static ModuleSummary Of(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return new ModuleSummaryWalk().Visit("", module);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Type}: {ParameterCount:N0} parameters, {TrainableCount:N0} trainable, {Bytes:N0} "
            + $"bytes{(Hint is null ? "" : $" ({Hint})")}");
}
