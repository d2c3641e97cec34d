using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Factors that move into the weights of a model; nothing is changed before <see cref="Apply"/>.</summary>
internal sealed class WeightFolding : IDisposable
{
    private readonly Dictionary<string, nn.Module> modules;
    private readonly List<(FoldSite Site, Tensor Factors)> folds = [];
    private readonly Dictionary<string, Tensor> columns = [];                        // factors of a layer's inputs
    private readonly Dictionary<string, List<(long Start, Tensor Factors)>> rows = [];   // factors of a layer's outputs

    private WeightFolding(nn.Module model)
    {
        modules = model.named_modules().ToDictionary(pair => pair.name, pair => pair.module);
    }

    /// <summary>Finds the factors of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="scaling">How factors are found.</param>
    /// <param name="schemes">The grids of the layers that are rounded.</param>
    /// <param name="calibration">What the layers read.</param>
    /// <exception cref="ArgumentException">A setting or a place is wrong, or calibration is missing.</exception>
    public static WeightFolding Find(nn.Module model, InputScaling scaling,
        IReadOnlyDictionary<string, QuantizationScheme> schemes, Calibration? calibration)
    {
        scaling.Check();
        var folding = new WeightFolding(model);
        try
        {
            var method = scaling.GetType().Name;
            foreach (var site in scaling.Sites ?? FoldSite.Of(model))
                if (site.Consumers.Any(schemes.ContainsKey)) folding.Add(site, scaling, schemes, calibration, method);
            return folding.folds.Count > 0 ? folding : throw new ArgumentException(
                $"{method} finds no place where factors can move into a chosen layer; name some as {nameof(InputScaling.Sites)}.");
        }
        catch
        {
            folding.Dispose();
            throw;
        }
    }

    /// <summary>The weight of a layer with its factors.</summary>
    /// <returns>float32 [out, in], a new tensor; the caller disposes it.</returns>
    public Tensor WeightOf(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weight = Linear(name).Matrix().to(ScalarType.Float32, copy: true);
        if (columns.TryGetValue(name, out var factors)) weight.mul_(factors);
        foreach (var (start, part) in rows.GetValueOrDefault(name) ?? [])
            weight.narrow(0, start, part.shape[0]).div_(part.unsqueeze(1));
        return weight.MoveToOuterDisposeScope();
    }

    /// <summary>The moments of a layer's inputs with the factors; null where none were moved.</summary>
    public InputMoments? MomentsOf(string name, InputMoments moments) =>
        columns.TryGetValue(name, out var factors) ? moments.DividedBy(factors) : null;

    /// <summary>Moves the factors into the model.</summary>
    /// <param name="replaced">Layers whose weights have been replaced by <see cref="WeightOf"/>, rounded or not.</param>
    public void Apply(IReadOnlySet<string> replaced)
    {
        using var noGrad = no_grad();
        foreach (var name in columns.Keys.Concat(rows.Keys).Distinct().Where(name => !replaced.Contains(name)))
        {
            if (modules[name] is not IAdaptableLayer linear) continue;
            using var scope = NewDisposeScope();
            linear.Matrix().copy_(WeightOf(name));
        }
        foreach (var (site, factors) in folds) DivideOutputs(site, factors);
    }

    public void Dispose()
    {
        foreach (var (_, factors) in folds) factors.Dispose();
    }

    private void Add(FoldSite site, InputScaling scaling, IReadOnlyDictionary<string, QuantizationScheme> schemes,
        Calibration? calibration, string method)
    {
        using var scope = NewDisposeScope();
        var moments = calibration?.Moments.GetValueOrDefault(site.Consumers[0]);
        var readers = site.Consumers.Select(name => (Weight: WeightOf(name), schemes.GetValueOrDefault(name))).ToList();
        foreach (var (reader, _) in readers)
            try
            {
                InputMoments.Required(reader, moments, method);
            }
            catch (ArgumentException error)
            {
                throw new ArgumentException($"{site.Consumers[0]}: {error.Message}", error);
            }
        CheckProducer(site, moments!.Largest.shape[0]);
        var factors = scaling.Factors(readers, moments).DetachFromDisposeScope();
        folds.Add((site, factors));
        foreach (var name in site.Consumers)
            if (!columns.TryAdd(name, factors))
                throw new ArgumentException($"The inputs of {name} are the output of two places: {site.Producer} is the second.");
        if (modules[site.Producer] is not IAdaptableLayer) return;
        if (!rows.TryGetValue(site.Producer, out var parts)) rows[site.Producer] = parts = [];
        parts.Add((site.FirstRow, factors));
    }

    private void CheckProducer(FoldSite site, long channels)
    {
        if (!modules.TryGetValue(site.Producer, out var producer))
            throw new ArgumentException($"The model has no module {site.Producer}.");
        var outputs = producer is IAdaptableLayer linear ? linear.Outputs
            : OwnParameters(producer).Select(pair => pair.Parameter).FirstOrDefault(parameter => parameter.dim() == 1)?.shape[0]
            ?? throw new ArgumentException($"{site.Producer} has no gains that factors could move into.");
        if (site.FirstRow < 0 || site.FirstRow + channels > outputs)
            throw new ArgumentException($"{site.Producer} has {outputs} outputs; {site.Consumers[0]} reads {channels} "
                + $"from {site.FirstRow}.");
    }

    /// <summary>Divides gains and biases of a norm, or the bias of a linear layer.</summary>
    private void DivideOutputs(FoldSite site, Tensor factors)
    {
        var producer = modules[site.Producer];
        foreach (var (_, parameter) in OwnParameters(producer).Where(pair => pair.Parameter.dim() == 1))
        {
            using var part = parameter.narrow(0, site.FirstRow, factors.shape[0]);
            part.div_(factors);
        }
    }

    private IAdaptableLayer Linear(string name) => modules.GetValueOrDefault(name) as IAdaptableLayer
        ?? throw new ArgumentException($"The model has no linear layer {name}.");

    private static IEnumerable<(string Name, Parameter Parameter)> OwnParameters(nn.Module module) =>
        module.named_parameters(recurse: false).Select(pair => (pair.name, pair.parameter));
}
