using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>One parameter or buffer of a module.</summary>
/// <param name="Name">Its name within the module, such as <c>weight</c>.</param>
/// <param name="Shape">Length of each axis.</param>
/// <param name="Count">Number of elements.</param>
/// <param name="Bytes">Size in memory.</param>
/// <param name="IsTrainable">Whether gradients are recorded for it.</param>
/// <param name="IsShared">Whether it occurred earlier in the module tree, so that it is not counted
/// again.</param>
public sealed record ModuleTensor(string Name, IReadOnlyList<long> Shape, long Count, long Bytes, bool IsTrainable, bool IsShared)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Name} [{string.Join(" × ", Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)))}]"
            + (IsShared ? " (shared)" : "");
}

/// <summary>Structure of a module: its own tensors and its submodules.</summary>
/// <param name="Name">Its name within its parent; empty for the root.</param>
/// <param name="Type">Name of its class.</param>
/// <param name="Own">Its own parameters, without those of its submodules.</param>
/// <param name="Buffers">Its own buffers.</param>
/// <param name="Children">Its submodules, in the order of registration.</param>
/// <param name="Hint">A probable mistake in the module, in words; null for none.</param>
public sealed record ModuleSummary(
    string Name, string Type, IReadOnlyList<ModuleTensor> Own, IReadOnlyList<ModuleTensor> Buffers,
    IReadOnlyList<ModuleSummary> Children, string? Hint)
{
    /// <summary>
    /// Number of parameters of the module and its submodules; a shared parameter counts once, at its first place.
    /// </summary>
    public long ParameterCount { get; } = Own.Where(own => !own.IsShared).Sum(own => own.Count)
        + Children.Sum(child => child.ParameterCount);

    /// <summary>Number of these parameters that are trained.</summary>
    public long TrainableCount { get; } =
        Own.Where(own => !own.IsShared && own.IsTrainable).Sum(own => own.Count) + Children.Sum(child => child.TrainableCount);

    /// <summary>Memory of parameters and buffers, in bytes.</summary>
    public long Bytes { get; } = Own.Concat(Buffers).Where(own => !own.IsShared).Sum(own => own.Bytes)
        + Children.Sum(child => child.Bytes);

    /// <summary>
    /// What the module computed in the forward pass that was summarised; null without one, or if it was not called.
    /// </summary>
    public ModuleCall? Call { get; init; }

    /// <summary>
    /// Memory of the outputs of the modules without submodules in the forward pass, in bytes: about what a backward pass keeps.
    /// Tensors inside a module, such as an attention pattern, are not in it. 0 without a forward pass.
    /// </summary>
    public long ActivationBytes =>
        Children.Count == 0 ? Call?.OutputBytes ?? 0 : Children.Sum(child => child.ActivationBytes);

    /// <summary>
    /// Summarises a module and a forward pass of it: output shapes, FLOPs and activations of each module as well.
    /// </summary>
    /// <param name="module">The module; it runs in evaluation mode without gradients.</param>
    /// <param name="forward">Runs it on this thread, such as <c>() =&gt; model.Logits(tokens, mask)</c>.</param>
    public static ModuleSummary Of(nn.Module module, Action forward)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(forward);
        return new ModuleSummaryWalk(ModuleCalls.Of(module, forward)).Visit("", module);
    }

    /// <summary>Summarises a module and its forward pass on an input, such as <c>zeros([1, 128], int64)</c> for tokens.</summary>
    /// <inheritdoc cref="Of(nn.Module, Action)"/>
    /// <param name="module">The module; it runs in evaluation mode without gradients.</param>
    /// <param name="input">The input, on the module's device.</param>
    public static ModuleSummary Of(nn.Module<Tensor, Tensor> module, Tensor input) => Of(module, () => module.call(input));

    /// <summary>Summarises a module and its forward pass on zeros of a shape, in the dtype of its first parameter.</summary>
    /// <param name="module">The module; it runs in evaluation mode without gradients.</param>
    /// <param name="inputShape">Such as [1, 3, 224, 224].</param>
    public static ModuleSummary Of(nn.Module<Tensor, Tensor> module, IReadOnlyList<long> inputShape)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var scope = NewDisposeScope();
        var first = module.parameters().FirstOrDefault();
        return Of(module, zeros([.. inputShape], first?.dtype ?? float32, first?.device));
    }

    /// <summary>
    /// Summarises a module. Reads only names and shapes, so the module may be on the meta device.
    /// </summary>
    public static ModuleSummary Of(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return new ModuleSummaryWalk().Visit("", module);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Type}: {ParameterCount:N0} parameters, {TrainableCount:N0} trainable, {Bytes:N0} "
            + $"bytes{Computed}{(Hint is null ? "" : $" ({Hint})")}");

    private string Computed => Call is null ? "" : string.Create(CultureInfo.InvariantCulture,
        $"; output [{string.Join(", ", Call.OutputShape)}], {Call.Flops:N0} FLOPs, {ActivationBytes:N0} bytes of activations");
}
