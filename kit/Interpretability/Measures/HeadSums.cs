using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>Sums over a corpus of what the heads of each layer attend to.</summary>
internal sealed class HeadSums : IDisposable
{
    private const int Kinds = 7;
    private static readonly int[] Shares = [0, 1, 2, 3, 4];

    private readonly List<Tensor> layers = [];        // float64 [kind, head] each: sums over queries
    private readonly double[] counts = new double[Kinds];

    public int Batches { get; private set; }

    public long Tokens { get; private set; }

    /// <summary>The largest difference of a query's sum from 1.</summary>
    public double Error { get; private set; }

    /// <summary>Runs a batch, [batch, time], and adds its patterns.</summary>
    public void Add(Module<Tensor, Tensor> model, Tensor tokens)
    {
        using var scope = NewDisposeScope();
        using var cache = ActivationCache.Record(model, name => name.EndsWith("hook_pattern", StringComparison.Ordinal));
        model.call(tokens).Dispose();
        var targets = Targets(tokens);
        for (var kind = 0; kind < Shares.Length; kind++)
            counts[kind] += targets[kind].amax([-1]).sum().to(float64).item<double>();   // queries that have a target
        for (var kind = Shares.Length; kind < Kinds; kind++) counts[kind] += tokens.numel();
        var layer = 0;
        foreach (var name in cache.Names) Add(layer++, cache[name], targets);
        Batches++;
        Tokens += tokens.numel();
    }

    /// <summary>The means, with the copying score of each head.</summary>
    public IEnumerable<HeadScores> Scores(IReadOnlyDictionary<(int Layer, int Head), double> copying)
    {
        for (var layer = 0; layer < layers.Count; layer++)
        {
            using var host = layers[layer].cpu();
            var heads = (int)host.shape[1];
            var sums = host.data<double>().ToArray();
            double Mean(int kind, int head) => counts[kind] > 0 ? sums[(kind * heads) + head] / counts[kind] : double.NaN;
            for (var head = 0; head < heads; head++)
                yield return new HeadScores(layer, head, Mean(0, head), Mean(1, head), Mean(2, head), Mean(3, head),
                    Mean(4, head), Mean(5, head), Mean(6, head), copying.GetValueOrDefault((layer, head), double.NaN));
        }
    }

    public void Dispose()
    {
        foreach (var sums in layers) sums.Dispose();
    }

    private void Add(int layer, Tensor pattern, IReadOnlyList<Tensor> targets)
    {
        using var scope = NewDisposeScope();
        var wide = pattern.to(float32);                                                 // [batch, head, query, key]
        Error = Math.Max(Error, (wide.sum(dim: -1) - 1).abs().max().item<float>());
        var entropy = -(wide * wide.clamp_min(1e-30).log()).sum([0, 2, 3]);             // [head]
        var sums = stack([.. targets.Select(target => (wide * target.unsqueeze(1)).sum([0, 2, 3]).to(float64)),
            entropy.to(float64), (wide * Distances(pattern)).sum([0, 2, 3]).to(float64)]);
        if (layer == layers.Count) layers.Add(sums.DetachFromDisposeScope());
        else layers[layer].add_(sums);
    }

    /// <summary>
    /// Which keys count for each query, as 0 and 1, [batch or 1, query, key]: the token before, earlier copies, what follows
    /// them, the query itself, the first token.
    /// </summary>
    private static List<Tensor> Targets(Tensor tokens)
    {
        var time = tokens.shape[1];
        var (batch, device) = (tokens.shape[0], tokens.device);
        var positions = arange(time, device: device);
        var (query, key) = (positions.unsqueeze(1), positions.unsqueeze(0));
        var same = tokens.unsqueeze(2).eq(tokens.unsqueeze(1)) & (key < query);         // [batch, query, key]
        // a key follows an earlier copy if the token before it is one
        var after = cat([zeros(batch, time, 1, dtype: @bool, device: device), same.narrow(2, 0, time - 1)], 2) & (key <= query);
        Tensor[] all = [key.eq(query - 1).unsqueeze(0).expand(batch, time, time), same, after,
            key.eq(query).unsqueeze(0).expand(batch, time, time),
                (key.eq(0) & (query > 0)).unsqueeze(0).expand(batch, time, time)];
        return [.. all.Select(target => target.to(float32))];
    }

    private static Tensor Distances(Tensor pattern)
    {
        using var scope = NewDisposeScope();
        var query = arange(pattern.shape[2], dtype: float32, device: pattern.device).unsqueeze(1);
        return (query - arange(pattern.shape[3], dtype: float32, device: pattern.device)).abs().MoveToOuterDisposeScope();
    }
}
