using System.Diagnostics;
using System.Globalization;
using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>Reads a model's predictions out of its residual stream after each layer.</summary>
public static class Lenses
{
    private const double Tolerance = 1e-6;

    /// <summary>Decodes the residual stream after each layer.</summary>
    /// <param name="model">A transformer of the kit with a head, that reads one tensor.</param>
    /// <param name="input">Its input, such as tokens, int64 [batch, time].</param>
    /// <param name="lens">How the stream is translated; null for the logit lens.</param>
    /// <returns>
    /// Logits, [number of layers + 1, batch, time, vocabulary], from the embeddings on; the caller disposes them.
    /// </returns>
    /// <exception cref="ArgumentException">The model has no such head.</exception>
    public static Tensor LensLogits(this Module<Tensor, Tensor> model, Tensor input, ILens? lens = null)
    {
        lens ??= new LogitLens();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parts = TransformerParts.Of(model);
        using var streams = Streams(model, parts, input);
        return stack(Depths(parts).Select(depth => parts.Decode(lens.Translate(depth, streams[Place(parts, depth)]))))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Reads what a model would predict after each layer, for one text.</summary>
    /// <param name="model">A transformer of the kit with a head, that reads one tensor.</param>
    /// <param name="tokens">int64 [1, time].</param>
    /// <param name="lens">How the stream is translated; null for the logit lens.</param>
    /// <param name="measure">What the numbers are.</param>
    /// <param name="decode">The text of a token; null for its number.</param>
    /// <returns>[layer, position]: the numbers, with the predicted tokens as texts.</returns>
    /// <exception cref="ArgumentException">The batch is not one text, or the model has no such head.</exception>
    public static Grid ReadWith(this Module<Tensor, Tensor> model, Tensor tokens, ILens? lens = null,
        LensMeasure measure = LensMeasure.TopProbability, Func<long, string>? decode = null)
    {
        if (tokens.dim() != 2 || tokens.shape[0] != 1)
            throw new ArgumentException($"Got {tokens.ShapeText()}; expected one text, [1, time].", nameof(tokens));
        lens ??= new LogitLens();
        decode ??= token => token.ToString(CultureInfo.InvariantCulture);
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = model.LensLogits(tokens, lens).select(1, 0);                 // [layer, time, vocabulary]
        using var plain = model.Record(tokens, new RecordingOptions { Names = [TransformerParts.Of(model).Layers[0].Begin] });
        var output = plain.Output![0];
        var values = Measured(logits.to(float64), output.to(float64), tokens[0], measure);
        var best = logits.argmax(-1).cpu();
        var (layers, time) = (logits.shape[0], logits.shape[1]);
        var grid = new double[layers, time];
        var texts = new string[layers, time];
        for (var layer = 0; layer < layers; layer++)
        {
            for (var position = 0; position < time; position++)
            {
                grid[layer, position] = values[layer, position].item<double>();
                texts[layer, position] = decode(best[layer, position].item<long>());
            }
        }
        return new Grid($"{lens.Name}: {Words(measure)}",
            measure is LensMeasure.Entropy or LensMeasure.Divergence ? "nats" : "",
            [.. Enumerable.Range(0, (int)layers).Select(depth => depth == 0 ? "embeddings" : $"after layer {depth - 1}")],
            [.. tokens[0].cpu().data<long>().ToArray().Select(decode)], grid)
        {
            RowAxis = "layer",
            ColumnAxis = "token",
            Texts = texts,
            Evidence = new Evidence
            {
                Law = "after the last layer the lens gives the model's logits",
                Error = ((logits[-1] - output).abs().max() / output.abs().max()).to(float64).item<double>(),
                Tolerance = Tolerance,
                ForwardPasses = 2,
                Seconds = watch.Elapsed.TotalSeconds,
            },
        };
    }

    /// <summary>How far the prediction after each layer is from the model's output.</summary>
    /// <param name="model">A transformer of the kit with a head, that reads one tensor.</param>
    /// <param name="input">Its input, such as tokens, int64 [batch, time].</param>
    /// <param name="lens">How the stream is translated; null for the logit lens.</param>
    /// <returns>The mean Kullback-Leibler divergence after each number of layers, in nats, from the embeddings on.</returns>
    public static double[] LensDivergence(this Module<Tensor, Tensor> model, Tensor input, ILens? lens = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var logits = model.LensLogits(input, lens);
        var wanted = logits[-1].log_softmax(-1);
        return [.. Enumerable.Range(0, (int)logits.shape[0])
            .Select(depth => Divergence(wanted, logits[depth]).to(float64).item<double>())];
    }

    /// <summary>Records the streams before every layer and after the last.</summary>
    /// <exception cref="ArgumentException">A stream holds NaN or infinity.</exception>
    internal static ActivationCache Streams(Module<Tensor, Tensor> model, TransformerParts parts, Tensor input)
    {
        var names = Depths(parts).Select(depth => Place(parts, depth));
        var streams = model.Record(input, new RecordingOptions { Names = [.. names] });
        try
        {
            foreach (var name in streams.Names) Activations.Finite(streams[name], name);
            return streams;
        }
        catch
        {
            streams.Dispose();
            throw;
        }
    }

    /// <summary>Mean of Σ p (log p - log q) over all positions.</summary>
    internal static Tensor Divergence(Tensor wantedLog, Tensor logits) =>
        (wantedLog.exp() * (wantedLog - logits.log_softmax(-1))).sum(-1).mean();

    private static IEnumerable<int> Depths(TransformerParts parts) => Enumerable.Range(0, parts.Layers.Count + 1);

    private static string Place(TransformerParts parts, int depth) =>
        depth < parts.Layers.Count ? parts.Layers[depth].Begin : parts.Layers[^1].End;

    private static Tensor Measured(Tensor logits, Tensor output, Tensor tokens, LensMeasure measure)
    {
        var log = logits.log_softmax(-1);                                          // [layer, time, vocabulary]
        if (measure == LensMeasure.TopProbability) return log.amax([-1]).exp();
        if (measure == LensMeasure.Entropy) return -(log.exp() * log).sum(-1);
        if (measure == LensMeasure.Divergence)
        {
            var wanted = output.log_softmax(-1);
            return (wanted.exp() * (wanted - log)).sum(-1);
        }
        var time = tokens.shape[0];
        var next = tokens.narrow(0, 1, time - 1).view(1, -1, 1).expand(log.shape[0], time - 1, 1);
        var known = log.narrow(1, 0, time - 1).gather(-1, next).squeeze(-1).exp();
        return cat([known, full([log.shape[0], 1], double.NaN, float64, log.device)], 1);
    }

    private static string Words(LensMeasure measure) => measure switch
    {
        LensMeasure.TopProbability => "probability of the predicted token",
        LensMeasure.NextProbability => "probability of the next token",
        LensMeasure.Entropy => "entropy",
        _ => "divergence from the output",
    };
}
