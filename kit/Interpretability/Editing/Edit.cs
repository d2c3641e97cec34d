using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>A change of an activation, at all or at chosen examples, heads, positions and channels.</summary>
/// <remarks>
/// The axes of an activation are [example, position, channel], in attention [example, head, position, channel]; of a pattern
/// the positions are the queries and the channels are the keys. Positions below 0 count from the end. In generation with a
/// cache, positions count from the beginning of the text, and -1 is the newest token. Tensors that an edit refers to must live
/// as long as the edit.
/// </remarks>
public sealed record Edit
{
    private readonly Func<string, Tensor, Tensor>? change;   // maps the name and the chosen part to its new values; null for none

    private Edit(string name, Func<string, Tensor, Tensor>? change)
    {
        Name = name;
        this.change = change;
    }

    /// <summary>What the edit does, such as "scaled by 0.5".</summary>
    public string Name { get; }

    /// <summary>Examples of the batch that change; null for all.</summary>
    public IReadOnlyList<int>? Examples { get; init; }

    /// <summary>Heads that change; null for all.</summary>
    public IReadOnlyList<int>? Heads { get; init; }

    /// <summary>Positions that change; null for all.</summary>
    public IReadOnlyList<int>? Positions { get; init; }

    /// <summary>Channels that change, of a pattern the keys; null for all.</summary>
    public IReadOnlyList<int>? Channels { get; init; }

    /// <summary>Sets the activation to zero.</summary>
    public static Edit Zero { get; } = new("set to zero", (_, x) => zeros_like(x));

    /// <summary>Applies any function.</summary>
    /// <param name="function">Maps the chosen part of an activation to its new values, of the same shape.</param>
    public static Edit Apply(Func<Tensor, Tensor> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return new("changed by a function", (_, x) => function(x));
    }

    /// <summary>Replaces the activation.</summary>
    /// <param name="value">The new values, in the shape of the chosen part or broadcast to it.</param>
    /// <exception cref="ArgumentException">The values are not finite.</exception>
    public static Edit Replace(Tensor value)
    {
        EditValue.CheckFinite(value, "The replacement");
        return new("replaced", (name, x) => EditValue.Fitted(value, x, name));
    }

    /// <summary>Adds to the activation, such as a steering vector.</summary>
    /// <param name="value">What is added, in the shape of the chosen part or broadcast to it, such as [channels].</param>
    /// <param name="strength">Factor of the value; with 0 no bit of the activation changes.</param>
    /// <exception cref="ArgumentException">The value or the strength is not finite.</exception>
    public static Edit Add(Tensor value, double strength = 1)
    {
        EditValue.CheckFinite(value, "The added tensor");
        EditValue.CheckFinite(strength, nameof(strength));
        return new($"{strength:g3} × a tensor added",
            strength == 0 ? null : (name, x) => x + (EditValue.Fitted(value, x, name) * strength));
    }

    /// <summary>Multiplies the activation.</summary>
    /// <param name="factor">The factor; with 1 no bit of the activation changes.</param>
    /// <exception cref="ArgumentException">The factor is not finite.</exception>
    public static Edit Scale(double factor)
    {
        EditValue.CheckFinite(factor, nameof(factor));
        return new($"scaled by {factor:g3}", factor == 1 ? null : (_, x) => x * factor);
    }

    /// <summary>Removes the part of each vector that lies along a direction: x - (x · d) d / |d|².</summary>
    /// <param name="direction">[channels], not zero.</param>
    /// <exception cref="ArgumentException">The direction is not finite, or zero, or has more than one axis.</exception>
    public static Edit ProjectOut(Tensor direction)
    {
        EditValue.CheckFinite(direction, "The direction");
        using var size = direction.square().sum();
        if (direction.dim() != 1 || size.to(float64).item<double>() == 0)
            throw new ArgumentException($"The direction is {direction.ShapeText()}; expected [channels], not all zero.");
        return new("with a direction projected out", (name, x) =>
        {
            if (x.shape[^1] != direction.shape[0])
                throw new ArgumentException(
                    $"The direction is {direction.ShapeText()}; the edited part of '{name}' is {x.ShapeText()}.");
            var d = direction.to(x);
            return x - ((x * d).sum(-1, keepdim: true) * d / d.square().sum());
        });
    }

    /// <summary>Keeps the activation at the values that were recorded, and lets no gradient through.</summary>
    /// <param name="recording">A recording of the same places; it must live as long as the edit.</param>
    public static Edit Freeze(ActivationCache recording)
    {
        ArgumentNullException.ThrowIfNull(recording);
        return new("frozen", null) { Whole = (name, x) => EditValue.Fitted(recording[name], x, name) };
    }

    /// <summary>Replaces the activation by its mean over the examples and positions of a recording (mean ablation).</summary>
    /// <param name="recording">A recording of the same places on other texts; it must live as long as the edit.</param>
    public static Edit Mean(ActivationCache recording)
    {
        ArgumentNullException.ThrowIfNull(recording);
        return new("replaced by the mean", null)
        {
            Whole = (name, x) => EditValue.Mean(recording, name).to(x).expand(x.shape),
        };
    }

    /// <summary>
    /// Replaces each example's activation by that of an example of a recording, chosen at random (resample ablation).
    /// </summary>
    /// <param name="recording">A recording of the same places on other texts of the same length; it must live as long as the
    /// edit.</param>
    /// <param name="seed">Seed of the choice, which is the same at all places.</param>
    public static Edit Resample(ActivationCache recording, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(recording);
        return new("resampled", null) { Whole = (name, x) => EditValue.Resampled(recording[name], x, name, seed) };
    }

    /// <inheritdoc/>
    public override string ToString() => Name + Part("examples", Examples) + Part("heads", Heads)
        + Part("positions", Positions) + Part("channels", Channels);

    /// <summary>Maps the name and the whole activation to new values of its shape, of which the chosen part is taken.</summary>
    private Func<string, Tensor, Tensor>? Whole { get; init; }

    /// <summary>Applies the edit to an activation.</summary>
    /// <param name="name">Name of the place.</param>
    /// <param name="activation">The activation.</param>
    /// <returns>The edited activation; the same tensor if nothing changes.</returns>
    internal Tensor On(string name, Tensor activation)
    {
        if (change is null && Whole is null) return activation;
        var part = EditRegion.Of(this, name, activation);
        if (part.IsEmpty) return activation;
        using var scope = NewDisposeScope();
        var changed = Whole is not null ? part.Take(Whole(name, activation)) : change!(name, part.Take(activation));
        return part.Put(activation, changed, name).MoveToOuterDisposeScope();
    }

    private static string Part(string what, IReadOnlyList<int>? chosen) =>
        chosen is null ? "" : $", {what} {string.Join(", ", chosen)}";
}
