using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>
/// The two runs of a sweep, and the target's value of every cell, the plain way: one whole forward for each cell.
/// </summary>
internal class PatchRuns : IDisposable
{
    private protected readonly Module<Tensor, Tensor> model;
    private protected readonly Tensor input;      // of the run that is patched, [example, ...]
    private protected readonly ActivationCache source, patched;
    private protected readonly Target target;
    private protected readonly int tokensAtOnce;

    public PatchRuns(Module<Tensor, Tensor> model, Tensor sourceInput, Tensor input, Target target,
        IReadOnlyList<string> sourceNames, IReadOnlyList<string> patchedNames, int tokensAtOnce)
    {
        this.model = model;
        this.input = input;
        this.target = target;
        this.tokensAtOnce = tokensAtOnce;
        source = model.Record(sourceInput, new RecordingOptions { Names = sourceNames });
        try
        {
            patched = model.Record(input, new RecordingOptions { Names = patchedNames });
            SourceValue = target.Values(source.Output!).Average();
            PatchedValue = target.Values(patched.Output!).Average();
        }
        catch
        {
            source.Dispose();
            patched?.Dispose();
            throw;
        }
        Forwards = 2;
    }

    /// <summary>The target on the run from which activations are taken.</summary>
    public double SourceValue { get; }

    /// <summary>The target on the run that is patched, without a patch.</summary>
    public double PatchedValue { get; }

    public int Forwards { get; private protected set; }

    public long Bytes => source.Bytes + patched.Bytes;

    /// <summary>A recorded activation of the source run.</summary>
    public Tensor Source(string name) => source[name];

    /// <summary>Computes the target of each cell, the mean over the examples.</summary>
    public virtual double[] Values(IReadOnlyList<PatchCell> cells, IProgress<double>? progress, CancellationToken cancellation)
    {
        var values = new Dictionary<PatchCell, double>(ReferenceEqualityComparer.Instance);
        var tokens = input.shape[0] * (input.dim() > 1 ? input.shape[1] : 1);
        var perRun = (int)Math.Max(1, tokensAtOnce / tokens);
        foreach (var group in cells.GroupBy(cell => cell.Place).SelectMany(group => group.Chunk(perRun)))
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var (cell, value) in group.Zip(Whole(group))) values[cell] = value;
            progress?.Report((double)values.Count / cells.Count);
        }
        return [.. cells.Select(cell => values[cell])];
    }

    public void Dispose()
    {
        source.Dispose();
        patched.Dispose();
    }

    /// <summary>The mean of the target over the examples of each cell; rows are [cell · example].</summary>
    private protected IEnumerable<double> Means(Tensor logits) =>
        target.Values(logits).Chunk((int)input.shape[0]).Select(examples => examples.Average());

    private double[] Whole(PatchCell[] cells)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var place = Places.Named(model, cells[0].Place);
        var hook = place.Module.register_forward_hook((_, _, output) => Patched(output, cells, 0, 0));
        try
        {
            long[] times = [cells.Length, .. input.shape.Skip(1).Select(_ => 1L)];
            Forwards += cells.Length;
            return [.. Means(model.call(input.repeat(times)))];
        }
        finally
        {
            hook.remove();
        }
    }

    /// <summary>A copy of an activation in which each cell has written its part.</summary>
    /// <param name="activation">[cell · example, ...], from position <paramref name="start"/> on.</param>
    /// <param name="cells">The cells, all of one place.</param>
    /// <param name="first">The row at which the cells begin.</param>
    /// <param name="start">First position of the activation.</param>
    private protected Tensor Patched(Tensor activation, IReadOnlyList<PatchCell> cells, long first, int start)
    {
        var examples = input.shape[0];
        var edited = activation.clone();
        for (var cell = 0; cell < cells.Count; cell++)
            cells[cell].Write(edited.narrow(0, first + (cell * examples), examples), source[cells[cell].Place], start);
        return edited;
    }
}
