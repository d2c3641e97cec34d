using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Low-rank adapters of a model: trains a few per cent of the parameters beside a frozen model.</summary>
/// <remarks>
/// They apply to the linear layers of the kit's models, and to <c>Dense</c> layers of a user's model. After
/// <see cref="Attach"/> only the adapters record gradients, so an optimizer is given <see cref="Parameters"/>.
/// </remarks>
public static class Adapters
{
    /// <summary>Adds adapters to the linear layers that the options choose, and freezes everything else.</summary>
    /// <returns>Names of the layers that have an adapter.</returns>
    /// <exception cref="ArgumentException">
    /// A setting is out of range, no layer is chosen, the rank is above a layer's smaller side, or a weight cannot be quantized;
    /// the model is as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model has adapters, or is packed.</exception>
    public static IReadOnlyList<string> Attach(nn.Module model, LowRankOptions? options = null)
    {
        options ??= new();
        options.Check();
        Packing.Refuse(model, "adapted");
        var layers = Layers(model).Where(layer => options.Wants(layer.Name)).ToList();
        if (layers.Count == 0)
            throw new ArgumentException("No linear layer is chosen. The model has: "
                + (Layers(model).FirstOrDefault().Name is null ? "none."
                    : string.Join(", ", Layers(model).Take(8).Select(layer => layer.Name)) + " …"), nameof(options));
        if (Of(model).Count > 0) throw new InvalidOperationException("The model has adapters already.");
        foreach (var (name, layer) in layers)
            if (layer.Stored.shape.Min() < options.Rank)
                throw new ArgumentException($"{name} is {layer.Stored.ShapeText()}; a rank of {options.Rank} is above its "
                    + "smaller side.");
        if (options.Base is { } scheme)
            foreach (var (name, layer) in layers) CheckBase(name, layer, scheme);
        foreach (var parameter in model.parameters()) parameter.requires_grad = false;
        foreach (var (_, layer) in layers) layer.Attach(New(layer, options));
        return [.. layers.Select(layer => layer.Name)];
    }

    /// <summary>The adapters of a model by the names of their layers.</summary>
    public static IReadOnlyDictionary<string, LowRankAdapter> Of(nn.Module model) => Layers(model)
        .Where(layer => layer.Layer.Adapter is not null).ToDictionary(layer => layer.Name, layer => layer.Layer.Adapter!);

    /// <summary>The parameters that are trained, with their names in the model.</summary>
    public static IEnumerable<(string Name, TorchSharp.Modules.Parameter Parameter)> Parameters(nn.Module model) =>
        model.named_parameters().Where(pair => pair.parameter.requires_grad).Select(pair => (pair.name, pair.parameter));

    /// <summary>Adds every adapter's product to its weight: inference costs what it did without adapters.</summary>
    /// <remarks>A quantized weight is rounded again, with an error that the result states.</remarks>
    /// <exception cref="InvalidOperationException">The model has no adapter, or they are merged.</exception>
    public static AdapterMerge Merge(nn.Module model)
    {
        var layers = Attached(model, merged: false);
        using var noGrad = no_grad();
        return new AdapterMerge([.. layers.Select(layer => Merge(layer.Name, layer.Layer))]);
    }

    /// <summary>
    /// Takes the products out of the weights again, which then are as they were up to rounding (1e-6); quantized weights bit for
    /// bit.
    /// </summary>
    /// <remarks>With magnitudes (DoRA), the rows are divided by the factor that merging multiplied them by.</remarks>
    /// <exception cref="InvalidOperationException">The model has no adapter, or they are not merged.</exception>
    public static void Unmerge(nn.Module model)
    {
        using var noGrad = no_grad();
        foreach (var (_, layer) in Attached(model, merged: true))
        {
            using var scope = NewDisposeScope();
            var (adapter, matrix) = (layer.Adapter!, layer.Matrix());
            if (adapter.Codes is { } codes) codes.Restore();
            else matrix.copy_(adapter.Unadapted(matrix));
            adapter.IsMerged = false;
        }
    }

    /// <summary>
    /// Turns the quantized weights of a model with merged adapters into ordinary ones: the numbers of their codes.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The model has no adapter, they are not merged, or no weight is quantized.
    /// </exception>
    public static void Dequantize(nn.Module model)
    {
        var layers = Attached(model, merged: true).Where(layer => layer.Layer.Adapter!.Codes is not null).ToList();
        if (layers.Count == 0) throw new InvalidOperationException("No weight of the model is quantized.");
        foreach (var (_, layer) in layers) layer.Adapter!.Dequantize(layer);
    }

    private static AdaptedLayer Merge(string name, IAdaptableLayer layer)
    {
        using var scope = NewDisposeScope();
        var (adapter, matrix) = (layer.Adapter!, layer.Matrix());
        double? error = null;
        if (adapter.Codes is { } codes) error = codes.Replace(adapter.Adapted(codes.Numbers()));
        else matrix.copy_(adapter.Adapted(matrix));
        adapter.IsMerged = true;
        return new AdaptedLayer(name, error);
    }

    /// <summary>The layers with an adapter, all of which are merged, or none.</summary>
    private static List<(string Name, IAdaptableLayer Layer)> Attached(nn.Module model, bool merged)
    {
        var layers = Layers(model).Where(layer => layer.Layer.Adapter is not null).ToList();
        if (layers.Count == 0) throw new InvalidOperationException("The model has no adapter.");
        return layers.FirstOrDefault(layer => layer.Layer.Adapter!.IsMerged != merged).Name is not { } name ? layers
            : throw new InvalidOperationException($"The adapter of {name} is {(merged ? "not " : "")}merged.");
    }

    private static void CheckBase(string name, IAdaptableLayer layer, QuantizationScheme scheme)
    {
        using var scope = NewDisposeScope();
        var matrix = layer.Matrix();
        try
        {
            scheme.GroupsOf(matrix.shape[1]);
        }
        catch (ArgumentException error)
        {
            throw new ArgumentException($"{name}: {error.Message}", error);
        }
        if (!matrix.isfinite().all().item<bool>())
            throw new ArgumentException($"{name} holds NaN or infinity, which no code stands for.");
    }

    private static LowRankAdapter New(IAdaptableLayer layer, LowRankOptions options)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var matrix = layer.Matrix().detach();
        var adapter = new LowRankAdapter(matrix, options.Rank, options.Scale, options.HasMagnitudes, options.Dropout);
        if (options.Start == LowRankStart.SingularValues)
        {
            using var factors = LowRankFactors.Of(matrix, options.Rank);
            var root = Math.Sqrt(options.Scale);
            adapter.B.copy_(factors.Left / root);
            adapter.A.copy_(factors.Right / root);
            matrix.sub_(adapter.Product());
        }
        if (options.Base is { } scheme) adapter.Quantize(layer, scheme);
        return adapter;
    }

    private static IEnumerable<(string Name, IAdaptableLayer Layer)> Layers(nn.Module model) =>
        model.named_modules().Where(pair => pair.module is IAdaptableLayer)
            .Select(pair => (pair.name, (IAdaptableLayer)pair.module));
}
