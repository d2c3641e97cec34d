using System.Diagnostics;
using ResearchKit.Models;
using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>Finds which edges between heads and MLPs a behaviour needs, and tests circuits of them.</summary>
/// <remarks>
/// Models are Gpt and Llama. The clean input shows the behaviour, and the corrupted one, of the same shape, does not. An edge is
/// corrupted if its reader gets what the sender wrote for the corrupted input; norms are computed from what is read.
/// </remarks>
public static class Circuits
{
    private const double IntegralTolerance = 0.05;   // of the change, for few places
    private static readonly double[] Shares = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

    /// <summary>Scores every edge of a model.</summary>
    /// <param name="model">A Gpt or Llama.</param>
    /// <param name="clean">Clean tokens, int64 [example, time].</param>
    /// <param name="corrupted">Corrupted tokens of the same shape.</param>
    /// <param name="target">What is measured; the mean over the examples.</param>
    /// <param name="scoring">How edges are scored.</param>
    /// <param name="steps">Places of the integral of <see cref="EdgeScoring.IntegratedGradients"/>.</param>
    /// <param name="progress">Receives the share that is done.</param>
    /// <param name="cancellation">Ends the work between passes.</param>
    /// <returns>The change of the target by corrupting each edge alone, measured or estimated.</returns>
    /// <exception cref="ArgumentException">
    /// The shapes differ, the model is another one, or the target is not a number.
    /// </exception>
    public static CircuitScores ScoreEdges(this Module<Tensor, Tensor> model, Tensor clean, Tensor corrupted, Target target,
        EdgeScoring scoring = EdgeScoring.AttributionPatching, int steps = 5, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        Require.AtLeast(1, steps);
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(model);
        using var pair = new CircuitPair(model, clean, corrupted, target);
        var scores = scoring == EdgeScoring.Exact ? Exact(pair, progress, cancellation)
            : Attributed(pair, scoring == EdgeScoring.IntegratedGradients ? GaussLegendre.Nodes(steps) : [(1, 1)], progress,
                cancellation);
        return new CircuitScores($"{target.Name}, effect of edges", target.Unit,
            [.. scores.OrderByDescending(edge => Math.Abs(edge.Score))])
        {
            Evidence = new Evidence
            {
                ForwardPasses = pair.Forwards,
                BackwardPasses = pair.Backwards,
                Seconds = watch.Elapsed.TotalSeconds,
                PeakBytes = pair.Bytes,
                Law = scoring == EdgeScoring.IntegratedGradients
                    ? "the scores of the input's edges sum to the change of the target" : null,
                Error = scoring == EdgeScoring.IntegratedGradients ? Gap(scores, pair) : 0,
                Tolerance = IntegralTolerance,
                Notes = [scoring switch
                {
                    EdgeScoring.Exact => "every edge patched",
                    EdgeScoring.AttributionPatching => "linear approximation",
                    _ => $"integrated gradients, {steps} places",
                }],
            },
        };
    }

    /// <summary>
    /// Path patching: the target after some edges carry what they carry for the corrupted input, with everything behind them
    /// computed again, through the real norms.
    /// </summary>
    /// <remarks>Wang et al., 2022, https://arxiv.org/abs/2211.00593; Goldowsky-Dill et al., 2023,
    /// https://arxiv.org/abs/2304.05969.</remarks>
    /// <param name="model">A Gpt or Llama.</param>
    /// <param name="clean">Clean tokens, int64 [example, time].</param>
    /// <param name="corrupted">Corrupted tokens of the same shape.</param>
    /// <param name="target">What is measured; the mean over the examples.</param>
    /// <param name="edges">
    /// Names of edges, such as <c>a0.h1->a1.h2&lt;k&gt;</c>, <c>input->m0</c> or <c>a1.h2->logits</c>.
    /// </param>
    /// <returns>The target after the patch.</returns>
    /// <exception cref="KeyNotFoundException">There is no such edge; the message lists the nearest names.</exception>
    public static double PatchPaths(this Module<Tensor, Tensor> model, Tensor clean, Tensor corrupted, Target target,
        IEnumerable<string> edges)
    {
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(model);
        using var pair = new CircuitPair(model, clean, corrupted, target);
        return pair.Value(pair.Named(edges));
    }

    /// <summary>
    /// Measures circuits of the strongest edges: the edges outside a circuit carry what they carry for the corrupted input.
    /// </summary>
    /// <param name="model">A Gpt or Llama.</param>
    /// <param name="clean">Clean tokens, int64 [example, time].</param>
    /// <param name="corrupted">Corrupted tokens of the same shape.</param>
    /// <param name="target">What is measured; the mean over the examples.</param>
    /// <param name="scores">The scores that order the edges, by absolute value.</param>
    /// <param name="sizes">Numbers of edges; null for shares of all edges from 0.1 % to 100 %, and none.</param>
    /// <param name="progress">Receives the share that is done.</param>
    /// <param name="cancellation">Ends the work between passes.</param>
    /// <exception cref="ArgumentException">
    /// The target is the same on both inputs, or a size is negative or above the number of edges.
    /// </exception>
    public static CircuitFaithfulness Faithfulness(this Module<Tensor, Tensor> model, Tensor clean, Tensor corrupted,
        Target target, CircuitScores scores, IReadOnlyList<int>? sizes = null, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(model);
        using var pair = new CircuitPair(model, clean, corrupted, target);
        var names = scores.Edges.Select(edge => edge.Name).ToList();
        var counts = (sizes ?? [.. Shares.Select(share => (int)Math.Round(share * names.Count))]).Distinct().Order().ToList();
        if (counts.Count == 0 || counts[0] < 0 || counts[^1] > names.Count)
            throw new ArgumentException($"Got circuits of {string.Join(", ", counts)} edges; the model has {names.Count}.",
                nameof(sizes));
        if (pair.CleanValue == pair.CorruptedValue)
            throw new ArgumentException(
                $"The target '{target.Name}' is {pair.CleanValue} on both inputs; expected a difference.", nameof(target));
        double Share(int kept)
        {
            cancellation.ThrowIfCancellationRequested();
            return (pair.Value(pair.Named(names.Skip(kept))) - pair.CorruptedValue) / (pair.CleanValue - pair.CorruptedValue);
        }
        var values = new List<double>();
        foreach (var count in counts)
        {
            values.Add(Share(count));
            progress?.Report((double)values.Count / counts.Count);
        }
        return new CircuitFaithfulness(counts, names.Count, values)
        {
            Evidence = new Evidence
            {
                Law = "all edges give 1 and none give 0",
                Error = Math.Max(Math.Abs(Share(names.Count) - 1), Math.Abs(Share(0))),
                Tolerance = 1e-4,
                ForwardPasses = pair.Forwards,
                Seconds = watch.Elapsed.TotalSeconds,
                PeakBytes = pair.Bytes,
            },
        };
    }

    /// <summary>How far integrated gradients are from completeness, as a share of the change of the target.</summary>
    private static double Gap(List<CircuitEdge> scores, CircuitPair pair)
    {
        var change = pair.CorruptedValue - pair.CleanValue;
        var sum = scores.Where(edge => edge.From == pair.Nodes.Senders[0].Name).Sum(edge => edge.Score);
        return change == 0 ? Math.Abs(sum) : Math.Abs((sum - change) / change);
    }

    private static List<CircuitEdge> Exact(CircuitPair pair, IProgress<double>? progress, CancellationToken cancellation)
    {
        var edges = new List<CircuitEdge>();
        var total = pair.Nodes.Receivers.Sum(receiver => receiver.Senders);
        foreach (var receiver in pair.Nodes.Receivers)
        {
            for (var sender = 0; sender < receiver.Senders; sender++)
            {
                cancellation.ThrowIfCancellationRequested();
                var value = pair.Value(new Dictionary<Receiver, IReadOnlyList<int>> { [receiver] = [sender] });
                edges.Add(pair.Edge(receiver, sender, value - pair.CleanValue));
                progress?.Report((double)edges.Count / total);
            }
        }
        return edges;
    }

    private static List<CircuitEdge> Attributed(CircuitPair pair, (double Place, double Weight)[] places,
        IProgress<double>? progress, CancellationToken cancellation)
    {
        var sums = new Dictionary<Receiver, double[]>();
        for (var step = 0; step < places.Length; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var (receiver, effects) in pair.Effects(places[step].Place))
            {
                if (!sums.TryGetValue(receiver, out var sum)) sums[receiver] = sum = new double[receiver.Senders];
                for (var sender = 0; sender < sum.Length; sender++) sum[sender] += effects[sender] * places[step].Weight;
            }
            progress?.Report((step + 1.0) / places.Length);
        }
        return [.. sums.SelectMany(pairs => pairs.Value.Select((score, sender) => pair.Edge(pairs.Key, sender, score)))];
    }
}
