using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>One operation of a forward pass, as the backward pass will see it.</summary>
/// <param name="Kept">Bytes that it keeps for the backward pass and that nothing before it kept.</param>
/// <param name="Passing">Bytes of the gradients of its input and output, which exist while it is differentiated.</param>
/// <param name="Weights">Parameters that get a gradient here, with its bytes.</param>
/// <param name="Block">Number of the recomputed block it belongs to; 0 for none.</param>
internal readonly record struct TapeStep(long Kept, long Passing, IReadOnlyList<(nint Handle, long Bytes)> Weights, int Block);

/// <summary>Notes which bytes a forward pass keeps for the backward pass, while it runs on this thread.</summary>
/// <remarks>
/// Each layer says what libtorch's autograd keeps of it. Only shapes matter, so the model may be on the meta device. A tensor
/// that several operations keep counts once, by the object that represents it.
/// </remarks>
internal sealed class ActivationTape : IDisposable
{
    [ThreadStatic]
    private static ActivationTape? current;

    private readonly HashSet<Tensor> kept = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Tensor, Tensor> sources = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Tensor> halves = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Tensor> cast = new(ReferenceEqualityComparer.Instance);
    private readonly List<TapeStep> steps = [];
    private readonly ActivationTape? outer = current;
    private int blocks, block;

    /// <param name="half">Whether products are computed in a 16-bit type, as autocast does.</param>
    /// <param name="emulated">Whether they are float32 products of rounded factors (<see cref="BFloat16Emulation"/>).</param>
    /// <param name="given">Tensors that exist without the pass, such as the batch.</param>
    public ActivationTape(bool half, bool emulated, IEnumerable<Tensor> given)
    {
        IsHalf = half;
        IsEmulated = emulated;
        kept.UnionWith(given);
        current = this;
    }

    /// <summary>The tape of this thread; null for none.</summary>
    public static ActivationTape? Current => current;

    /// <summary>Whether products are computed in a 16-bit type.</summary>
    public bool IsHalf { get; }

    /// <summary>Whether products in a 16-bit type are emulated.</summary>
    public bool IsEmulated { get; }

    /// <summary>The operations in order.</summary>
    public IReadOnlyList<TapeStep> Steps => steps;

    /// <summary>Bytes of a tensor in the precision of the run.</summary>
    public long Bytes(Tensor tensor) => tensor.numel() * (halves.Contains(Source(tensor)) ? 2 : tensor.element_size());

    /// <summary>Notes an operation.</summary>
    /// <param name="input">Its input.</param>
    /// <param name="output">Its output; nothing is noted if it needs no gradient.</param>
    /// <param name="keeps">Tensors that it keeps.</param>
    /// <param name="extra">Further bytes that it keeps.</param>
    /// <param name="weights">Its parameters.</param>
    public void Note(Tensor input, Tensor output, ReadOnlySpan<Tensor> keeps, long extra = 0,
        params ReadOnlySpan<Tensor?> weights)
    {
        if (!output.requires_grad) return;
        var bytes = extra;
        foreach (var tensor in keeps)
            if (kept.Add(Source(tensor))) bytes += Bytes(tensor);
        var trained = new List<(nint, long)>();
        foreach (var weight in weights)
            if (weight is { requires_grad: true }) trained.Add((Source(weight).Handle, weight.numel() * weight.element_size()));
        steps.Add(new(bytes, Bytes(input) + Bytes(output), trained, block));
    }

    /// <summary>Adds bytes that exist only while the last operation is differentiated.</summary>
    public void Passes(long bytes)
    {
        if (steps.Count > 0) steps[^1] = steps[^1] with { Passing = steps[^1].Passing + bytes };
    }

    /// <summary>Says that a tensor has the values of another in the same memory, or all its gradient goes to it.</summary>
    public static void Same(Tensor source, Tensor view)
    {
        if (current is { } tape && !ReferenceEquals(source, view)) tape.sources[view] = tape.Source(source);
    }

    /// <summary>Says that a tensor would be of a 16-bit type in this run.</summary>
    public void MarkHalf(Tensor tensor)
    {
        if (IsHalf) halves.Add(Source(tensor));
    }

    /// <summary>Says that a tensor is of a 16-bit type if another is.</summary>
    public void SameType(Tensor source, Tensor tensor)
    {
        if (halves.Contains(Source(source))) halves.Add(Source(tensor));
    }

    /// <summary>
    /// Bytes that a product keeps of one of its factors in mixed precision: a copy of it, except of one that has the type
    /// already.
    /// A weight is copied once.
    /// </summary>
    public long Copied(Tensor factor, bool isWeight)
    {
        if (IsEmulated) return factor.numel() * 4;
        if (halves.Contains(Source(factor)))
            return kept.Add(Source(factor)) ? factor.numel() * 2 : 0;
        return !isWeight || cast.Add(Source(factor)) ? factor.numel() * 2 : 0;
    }

    /// <summary>Begins a block whose inside is recomputed; it ends when the returned object is disposed.</summary>
    public static IDisposable? Block(IEnumerable<Tensor?> inputs)
    {
        if (current is not { block: 0 } tape) return null;
        const long RandomState = 5056;
        var bytes = RandomState;
        foreach (var input in inputs.OfType<Tensor>())
            if (tape.kept.Add(tape.Source(input))) bytes += tape.Bytes(input);
        tape.steps.Add(new(bytes, 0, [], 0));
        tape.block = ++tape.blocks;
        // in the backward pass the block's output, its gradient and that of its input exist beside what the inside keeps
        if (inputs.FirstOrDefault() is { } stream) tape.steps.Add(new(3 * tape.Bytes(stream), 0, [], tape.block));
        return Disposable.Of(() => tape.block = 0);
    }

    /// <inheritdoc/>
    public void Dispose() => current = outer;

    private Tensor Source(Tensor tensor) => sources.GetValueOrDefault(tensor, tensor);
}
