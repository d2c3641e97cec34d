using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Removes channels, heads and layers from a model: what comes out is an ordinary smaller model of the same
/// class.</summary>
/// <remarks>
/// The smaller model computes what the original would with the removed channels at zero (<see cref="Mask"/>). Where the channels
/// of the residual stream are removed, its norms take their statistics over those that stay. Where a model normalises after the
/// addition (BERT), a removed layer is left out.
/// </remarks>
public static class StructuredPruning
{
    /// <summary>Removes channels of several groups.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="channels">Numbers of the removed channels, from 0, by the names of the groups (see
    /// <see cref="ChannelGroups"/>).</param>
    /// <returns>A smaller model with its own weights, in the mode and on the device of the original. The caller disposes
    /// it.</returns>
    /// <exception cref="KeyNotFoundException">There is no such group; the message lists those that exist.</exception>
    /// <exception cref="ArgumentException">
    /// A number is out of range or given twice, no channel would stay, groups that must lose equally many do not, or the model
    /// is not one of the kit's.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static TModel Remove<TModel>(TModel model, IReadOnlyDictionary<string, IReadOnlyList<int>> channels)
        where TModel : nn.Module
    {
        var prunable = PrunableModel.Of(model);
        var kept = Kept(prunable.Groups, channels);
        var smaller = (TModel)MetaInitialization.Make(() => prunable.Make(kept));
        try
        {
            Fill(model, smaller, prunable.Groups, kept);
            prunable.Correct(smaller);
            smaller.train(model.training);
            return smaller;
        }
        catch
        {
            smaller.Dispose();
            throw;
        }
    }

    /// <summary>Removes channels of one group.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="group">Name of the group.</param>
    /// <param name="channels">Numbers of the removed channels, from 0.</param>
    /// <inheritdoc cref="Remove{TModel}(TModel, IReadOnlyDictionary{string, IReadOnlyList{int}})"/>
    public static TModel Remove<TModel>(TModel model, string group, params IReadOnlyList<int> channels)
        where TModel : nn.Module =>
        Remove(model, new Dictionary<string, IReadOnlyList<int>> { [group] = channels });

    /// <summary>
    /// Removes every second layer, as DistilBERT's student starts: the first layer stays, the second goes, and so on.
    /// </summary>
    /// <remarks>Sanh et al., 2019, https://arxiv.org/abs/1910.01108.</remarks>
    /// <param name="model">A transformer; it is not changed. A T5 loses every second layer of both stacks.</param>
    /// <exception cref="ArgumentException">The model has no layers that can be removed, or only one.</exception>
    public static TModel EverySecondLayer<TModel>(TModel model) where TModel : nn.Module
    {
        Dictionary<string, IReadOnlyList<int>> removed = [];
        foreach (var group in ChannelGroups.Of(model).Where(group => group.Kind == ChannelKind.Layers))
        {
            int[] second = [.. Enumerable.Range(0, group.Count).Where(layer => (layer + group.FirstLayer) % 2 == 1)];
            if (second.Length > 0) removed[group.Name] = second;
        }
        return removed.Count > 0 ? Remove(model, removed) : throw new ArgumentException(
            $"{model.GetName()} has no second layer to remove.", nameof(model));
    }

    /// <summary>
    /// Sets the removed channels of a model to zero in place: their weights, biases and norms, in all tensors of the group. The
    /// shapes stay.
    /// </summary>
    /// <param name="model">The model; it is changed.</param>
    /// <param name="channels">Numbers of the channels, from 0, by the names of the groups.</param>
    /// <remarks>
    /// The outputs then equal those of the smaller model to rounding, but for channels of the residual stream, whose norms here
    /// still count the zeros.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// As for <see cref="Remove{TModel}(TModel, IReadOnlyDictionary{string, IReadOnlyList{int}})"/>, or a layer cannot be masked,
    /// because the model normalises after the addition.
    /// </exception>
    /// <exception cref="KeyNotFoundException">There is no such group; the message lists those that exist.</exception>
    public static void Mask(nn.Module model, IReadOnlyDictionary<string, IReadOnlyList<int>> channels)
    {
        var prunable = PrunableModel.Of(model);
        Kept(prunable.Groups, channels);
        var tensors = ModelTensors.Of(model);
        List<string> branches = [];
        foreach (var (name, numbers) in channels)
        {
            var group = prunable.Groups.Named(name);
            if (group.Kind != ChannelKind.Layers) continue;
            foreach (var number in numbers)
                branches.AddRange(prunable.Branches(group, number + group.FirstLayer) ?? throw new ArgumentException(
                    $"{model.GetName()} normalises after each addition, so that a layer of zeros still changes its input; "
                    + "remove the layer instead."));
        }
        using var noGrad = no_grad();
        foreach (var name in branches.SelectMany(branch => new[] { $"{branch}.weight", $"{branch}.bias" }))
            if (tensors.TryGetValue(name, out var tensor)) tensor.zero_();
        foreach (var (name, numbers) in channels)
            foreach (var axis in prunable.Groups.Named(name).Axes)
                Zero(tensors[axis.Tensor], axis, numbers);
    }

    private static void Zero(Tensor tensor, ChannelAxis axis, IReadOnlyList<int> channels)
    {
        using var scope = NewDisposeScope();
        var elements = Indexes(channels.SelectMany(channel => Elements(axis, channel)), tensor.device);
        if (elements.numel() > 0) tensor.index_fill_(axis.Axis, elements, 0);
    }

    /// <summary>Elements of an axis that belong to a channel.</summary>
    private static IEnumerable<long> Elements(ChannelAxis axis, int channel) =>
        Enumerable.Range(axis.Offset + (channel * axis.Width), axis.Width).Select(place => (long)place);

    private static Tensor Indexes(IEnumerable<long> numbers, Device device) => tensor([.. numbers], ScalarType.Int64, device);

    /// <summary>Checks the removed channels, and returns those of each group that stay.</summary>
    private static KeptChannels Kept(IReadOnlyList<ChannelGroup> groups, IReadOnlyDictionary<string, IReadOnlyList<int>> removed)
    {
        ArgumentNullException.ThrowIfNull(removed);
        foreach (var (name, channels) in removed) Check(groups.Named(name), channels);
        foreach (var set in groups.Where(group => group.EqualCounts is not null).GroupBy(group => group.EqualCounts))
        {
            var lost = set.Select(group => (group.Name, Count: removed.GetValueOrDefault(group.Name)?.Count ?? 0)).ToArray();
            if (lost.FirstOrDefault(one => one.Count != lost[0].Count) is { Name: not null } other)
                throw new ArgumentException($"{lost[0].Name} would lose {lost[0].Count} units and {other.Name} {other.Count}; "
                    + "all layers "
                    + "and directions of a recurrent network have the same width: "
                    + $"{string.Join(", ", lost.Select(one => one.Name))}.");
        }
        return new KeptChannels(groups.ToDictionary(group => group.Name, group => removed.TryGetValue(group.Name, out var gone)
            ? Enumerable.Range(0, group.Count).Except(gone).ToArray() : [.. Enumerable.Range(0, group.Count)]));
    }

    private static void Check(ChannelGroup group, IReadOnlyList<int> channels)
    {
        foreach (var channel in channels)
            if (channel < 0 || channel >= group.Count)
                throw new ArgumentException($"Group {group.Name} has no channel {channel}; it has 0 to {group.Count - 1}.");
        if (channels.Distinct().Count() != channels.Count)
            throw new ArgumentException($"A channel of group {group.Name} is given twice: {string.Join(", ", channels)}.");
        if (channels.Count >= group.Count && group.FirstLayer == 0)
            throw new ArgumentException($"All {group.Count} channels of group {group.Name} would go; at least one must stay.");
    }

    /// <summary>Fills the smaller model from the original.</summary>
    private static void Fill(nn.Module model, nn.Module smaller, IReadOnlyList<ChannelGroup> groups, KeptChannels kept)
    {
        using var noGrad = no_grad();
        var original = ModelTensors.Of(model);
        var axes = groups.SelectMany(group => group.Axes.Select(axis => (Group: group, Axis: axis)))
            .ToLookup(pair => pair.Axis.Tensor);
        MetaInitialization.Fill(ModelTensors.Of(smaller), (name, like) =>
        {
            var source = Source(name, groups, kept, original);
            using var scope = NewDisposeScope();
            var values = original[source].detach();
            foreach (var axis in axes[source].GroupBy(pair => pair.Axis.Axis)) values = Selected(values, axis.Key, axis, kept);
            if (!values.shape.SequenceEqual(like.shape))
                throw new InvalidOperationException(
                    $"{name} would be [{string.Join(", ", values.shape)}]; the smaller model expects "
                    + $"[{string.Join(", ", like.shape)}].");
            return values.clone().MoveToOuterDisposeScope();
        });
        foreach (var (name, parameter) in smaller.named_parameters())
            parameter.requires_grad = original[Source(name, groups, kept, original)].requires_grad;
    }

    private static Tensor Selected(Tensor values, int axis, IEnumerable<(ChannelGroup Group, ChannelAxis Axis)> places,
        KeptChannels kept)
    {
        var gone = new HashSet<long>();
        foreach (var (group, place) in places)
            foreach (var channel in Enumerable.Range(0, group.Count).Except(kept[group.Name]))
                gone.UnionWith(Elements(place, channel));
        if (gone.Count == 0) return values;
        var stay = Indexes(
            Enumerable.Range(0, (int)values.shape[axis]).Select(place => (long)place).Where(place => !gone.Contains(place)),
            values.device);
        return values.index_select(axis, stay);
    }

    /// <summary>Name in the original of a tensor of the smaller model, whose layers have other numbers.</summary>
    private static string Source(string name, IReadOnlyList<ChannelGroup> groups, KeptChannels kept,
        Dictionary<string, Tensor> original)
    {
        foreach (var group in groups)
        {
            if (group.LayerPrefix is not { } prefix || !name.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var end = name.IndexOf('.', prefix.Length);
            var number = int.Parse(name.AsSpan(prefix.Length, end - prefix.Length),
                System.Globalization.CultureInfo.InvariantCulture);
            if (number < group.FirstLayer) return name;
            var source = $"{prefix}{kept[group.Name][number - group.FirstLayer] + group.FirstLayer}{name[end..]}";
            // the first layer alone holds a position bias (T5)
            return original.ContainsKey(source) ? source : name;
        }
        return name;
    }
}
