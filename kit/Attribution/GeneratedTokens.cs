using ResearchKit.Interpretability;
using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>One token of a text as its model saw it.</summary>
/// <param name="Token">The token.</param>
/// <param name="LogProbability">Its log-probability after the tokens before it, in nats.</param>
/// <param name="Entropy">The entropy of the predicted distribution, in nats.</param>
/// <param name="Rank">How many tokens were more probable.</param>
/// <param name="Alternatives">The most probable tokens with their probabilities, the first first.</param>
public sealed record TokenPrediction(
    long Token, double LogProbability, double Entropy, long Rank, IReadOnlyList<(long Token, double Probability)> Alternatives);

/// <summary>How probable each token of a text was, and what else the model thought of.</summary>
public static class GeneratedTokens
{
    /// <summary>Reads the predictions of a text from one forward pass.</summary>
    /// <param name="model">A decoder: tokens [1, time] to logits [1, time, vocabulary].</param>
    /// <param name="tokens">The text, such as a prompt with what was generated after it.</param>
    /// <param name="alternatives">How many alternatives to keep.</param>
    /// <returns>A prediction for each token but the first, which nothing predicts.</returns>
    /// <exception cref="ArgumentException">Fewer than two tokens, or logits of another shape.</exception>
    public static IReadOnlyList<TokenPrediction> Of(Module<Tensor, Tensor> model, IReadOnlyList<long> tokens,
        int alternatives = 5)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokens);
        Require.AtLeast(1, alternatives);
        if (tokens.Count < 2) throw new ArgumentException($"Got {tokens.Count} tokens; expected at least 2.", nameof(tokens));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var input = tensor(tokens.ToArray(), int64).unsqueeze(0);
        using var explained = new Explained(model, Target.LogProbability(tokens[^1], 0), input.to(DeviceOf(model)), 1);
        var logits = explained.Output(explained.Input);
        if (logits.dim() != 3 || logits.shape[1] != tokens.Count)
            throw new ArgumentException($"The model returns {logits.ShapeText()} for {tokens.Count} tokens; expected [1, "
                + "time, vocabulary].");
        var log = logits[0, ..^1].to(float64).log_softmax(-1).cpu();   // [time - 1, vocabulary]
        var own = log.gather(1, input[0, 1..].unsqueeze(1));
        var entropy = -(log.exp() * log).nan_to_num(0).sum(dim: 1);
        var rank = log.gt(own).sum(dim: 1);
        var (best, at) = log.exp().topk((int)Math.Min(alternatives, log.shape[1]), 1);
        var (p, h, r) = (own.flatten().data<double>().ToArray(), entropy.data<double>().ToArray(), rank.data<long>().ToArray());
        var (shares, places, width) = (best.data<double>().ToArray(), at.data<long>().ToArray(), (int)best.shape[1]);
        return [.. Enumerable.Range(0, p.Length).Select(row => new TokenPrediction(tokens[row + 1], p[row], h[row], r[row],
            [.. Enumerable.Range(row * width, width).Select(i => (places[i], shares[i]))]))];
    }

    /// <summary>Returns the predictions as scores that are drawn over the text.</summary>
    /// <param name="predictions">The predictions.</param>
    /// <param name="text">Gives the text of a token.</param>
    public static TokenScores ToTokenScores(this IReadOnlyList<TokenPrediction> predictions, Func<long, string> text)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(text);
        var scores = new double[predictions.Count, 2];
        for (var at = 0; at < predictions.Count; at++)
            (scores[at, 0], scores[at, 1]) = (predictions[at].LogProbability, predictions[at].Entropy);
        return new TokenScores("predictions", "nats", ["log-probability", "entropy"],
            [new ScoredText([.. predictions.Select(one => text(one.Token))], scores)]);
    }

    private static Device DeviceOf(nn.Module model) => model.parameters().FirstOrDefault()?.device ?? CPU;
}
