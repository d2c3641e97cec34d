using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>
/// Records the activations of a model: while this object is alive, every forward pass stores its activations
/// here.
/// </summary>
/// <remarks>
/// Names are those of the hook points in the module tree. Each forward pass replaces the activations of earlier
/// ones. Recording an attention pattern makes that layer, and only that one, fall back to unfused attention.
/// </remarks>
public sealed class ActivationCache : IDisposable
{
    private readonly Dictionary<string, Tensor> activations = [];
    private readonly Dictionary<string, Tensor> probes = [];   // zeros that were added to the activations, for their gradients
    private readonly List<Action> removals = [];
    private readonly RecordingOptions options;

    private ActivationCache(RecordingOptions options) => this.options = options;

    /// <summary>Starts recording.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="filter">
    /// Selects hook points by name, such as <c>name => name.EndsWith("resid_post")</c>; by default all hook points.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The filter selects no hook point; the message lists those that exist.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static ActivationCache Record(nn.Module model, Func<string, bool>? filter = null) =>
        Record(model, new RecordingOptions { Names = filter is null ? [] : ["*"], Filter = filter });

    /// <inheritdoc cref="Record(nn.Module, Func{string, bool}?)"/>
    /// <param name="model">Any model.</param>
    /// <param name="options">What is kept, and where.</param>
    /// <exception cref="KeyNotFoundException">
    /// A name or pattern matches nothing; the message lists the nearest names.
    /// </exception>
    /// <exception cref="ArgumentException">The filter leaves nothing, or the model has no such layer.</exception>
    public static ActivationCache Record(nn.Module model, RecordingOptions options)
    {
        Packing.Refuse(model, "hooked");
        var cache = new ActivationCache(options);
        try
        {
            cache.Attach(model);
            return cache;
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }

    /// <summary>Names of the recorded hook points, in the order of computation.</summary>
    public IReadOnlyCollection<string> Names => activations.Keys;

    /// <summary>Memory of the recorded activations, in bytes.</summary>
    public long Bytes => activations.Values.Sum(activation => activation.numel() * activation.element_size());

    /// <summary>The output of the model in the last recorded pass; null if it was stopped, or if the caller ran it.</summary>
    public Tensor? Output { get; internal set; }

    /// <summary>Number of tokens of each text of a padded batch; empty for an ordinary one.</summary>
    public IReadOnlyList<int> Lengths { get; internal set; } = [];

    /// <summary>
    /// Returns the activation at a hook point in the last forward pass: a copy without gradient, which the cache
    /// owns.
    /// </summary>
    /// <exception cref="KeyNotFoundException">
    /// Nothing was recorded under this name; the message lists the recorded names.
    /// </exception>
    public Tensor this[string name] => activations.TryGetValue(name, out var activation) ? activation
        : throw new KeyNotFoundException(
            activations.Count == 0 ? $"'{name}' was not recorded: the model has not run since recording began."
            : $"'{name}' was not recorded; {Places.Nearest(name, activations.Keys)}. There are {Places.Some(activations.Keys)}.");

    /// <summary>Returns the activation of one text of a padded batch, without the padding.</summary>
    /// <param name="name">Name of a hook point.</param>
    /// <param name="text">Index of the text in the batch.</param>
    /// <returns>[time, channels]; [head, time, d_head] in attention; [head, query, key] for a pattern. A view.</returns>
    /// <exception cref="ArgumentException">There is no such text.</exception>
    public Tensor Of(string name, int text)
    {
        var activation = this[name];
        if (text < 0 || text >= activation.shape[0])
            throw new ArgumentException($"There is no text {text}; '{name}' holds {activation.shape[0]}.", nameof(text));
        var one = activation[text];
        if (text >= Lengths.Count) return one;
        var padded = Lengths.Max();
        for (var axis = 0; axis < one.dim(); axis++)   // every axis of positions
            if (axis >= one.dim() - 2 && one.shape[axis] == padded && Activations.IsPosition(name, one.dim(), axis))
                one = one.narrow(axis, 0, Lengths[text]);
        return one;
    }

    /// <summary>Computes the gradient of a target with respect to every recorded activation; <see cref="Gradient"/> returns
    /// them. Gradients of parameters stay as they are.</summary>
    /// <param name="target">Any tensor that was computed from the recorded pass; its elements are summed.</param>
    /// <param name="keepGraph">Whether another target will be differentiated.</param>
    /// <exception cref="InvalidOperationException">The recording was made without gradients.</exception>
    public void Backward(Tensor target, bool keepGraph = false)
    {
        RequireGradients();
        foreach (var probe in probes.Values) probe.grad = null;
        using var scope = NewDisposeScope();
        autograd.backward([target.sum()], null, keepGraph, false, [.. probes.Values]);
    }

    /// <summary>Returns the gradient at a hook point after <see cref="Backward"/>: zero where the target does not depend on
    /// it.</summary>
    /// <param name="name">Name of a hook point.</param>
    /// <returns>The shape of the activation; the caller disposes it.</returns>
    /// <exception cref="InvalidOperationException">The recording was made without gradients.</exception>
    public Tensor Gradient(string name)
    {
        RequireGradients();
        _ = this[name];
        using var gradient = probes[name].grad;
        return gradient is null ? zeros_like(probes[name]) : gradient.alias();
    }

    /// <summary>Stops recording and keeps the activations.</summary>
    public void Stop()
    {
        foreach (var remove in removals) remove();
        removals.Clear();
    }

    /// <summary>Stops recording and frees the activations.</summary>
    public void Dispose()
    {
        Stop();
        foreach (var tensor in activations.Values.Concat(probes.Values)) tensor.Dispose();
        activations.Clear();
        probes.Clear();
        Output?.Dispose();
        Output = null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{activations.Count} activations: {Places.Some(activations.Keys)}";

    /// <summary>
    /// Runs a forward pass until it ends, or until <see cref="RecordingOptions.StopAtLayer"/>, which ends other passes with an
    /// exception.
    /// </summary>
    /// <param name="forward">Calls the model.</param>
    /// <returns>The result of the pass; null if it was stopped.</returns>
    public Tensor? Run(Func<Tensor> forward)
    {
        try
        {
            return forward();
        }
        catch (PassStopped stopped) when (stopped.Cache == this)
        {
            return null;
        }
    }

    private void Attach(nn.Module model)
    {
        var places = Places.Matching(model, options.Names);
        var chosen = options.Filter is null ? places : places.Where(place => options.Filter(place.Name)).ToList();
        if (chosen.Count == 0)
            throw new ArgumentException($"The filter chooses none of the {places.Count} places of {model.GetName()}, such as "
                + $"{Places.Some(places.Select(place => place.Name))}.", nameof(model));
        foreach (var place in chosen)
            removals.Add(place.Module.register_forward_hook((_, _, output) => Keep(place.Name, output)).remove);
        if (options.StopAtLayer is { } layer)
            removals.Add(Activations.Begin(model, layer).Module.register_forward_hook((_, _, _) => throw new PassStopped(this))
                .remove);
    }

    private Tensor Keep(string name, Tensor output)
    {
        if (activations.Remove(name, out var earlier)) earlier.Dispose();
        using var detached = output.detach();
        activations[name] = Kept(detached).DetachFromDisposeScope();
        if (!options.Gradients) return output;
        if (probes.Remove(name, out var old)) old.Dispose();
        var probe = zeros_like(detached, requires_grad: true).DetachFromDisposeScope();
        probes[name] = probe;
        return output + probe;
    }

    private Tensor Kept(Tensor activation)
    {
        var dtype = activation.is_floating_point() ? options.DType ?? activation.dtype : activation.dtype;
        return activation.to(dtype, options.Device ?? activation.device, copy: true);
    }

    private void RequireGradients()
    {
        if (!options.Gradients)
            throw new InvalidOperationException("The recording was made without gradients; set RecordingOptions.Gradients.");
    }

    /// <summary>Ends a forward pass before the layer at which a recording stops.</summary>
    private sealed class PassStopped(ActivationCache cache) : Exception("The recording stopped the forward pass.")
    {
        public ActivationCache Cache { get; } = cache;
    }
}
