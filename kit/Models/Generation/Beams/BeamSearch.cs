using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Beam search: looks for the most probable text instead of the most probable next token.</summary>
public static class BeamSearch
{
    /// <summary>
    /// Searches for the most probable continuations of a prompt. More beams find better texts at a higher cost.
    /// </summary>
    /// <remarks>
    /// Sutskever et al., 2014, §3.2, https://arxiv.org/abs/1409.3215. The search ends when no unfinished text can
    /// beat the finished ones any more. The model is in evaluation mode meanwhile. Penalties change the log-probabilities,
    /// as in transformers. Stop strings are no option, because the search knows no tokenizer.
    /// </remarks>
    /// <param name="model">The language model.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="options">Options of the search.</param>
    /// <returns>At most as many texts as beams, best first.</returns>
    /// <exception cref="ArgumentException">
    /// An empty prompt, a token outside the vocabulary, or the options are out of range.
    /// </exception>
    public static IReadOnlyList<BeamText> SearchBeams(this ILanguageModel model, IReadOnlyList<long> prompt,
        BeamOptions? options = null)
    {
        options = (options ?? new BeamOptions()).Validated();
        Generation.CheckPrompt(model.VocabularySize, prompt);
        using var scope = NewDisposeScope();
        using var text = new Continuation(model, tensor(prompt.ToArray()).unsqueeze(0), null, options.MaximumTokens);
        List<BeamText> finished = [], alive = [new([], 0, 0)];
        for (var length = 1; length <= options.MaximumTokens && alive.Count > 0; length++)
        {
            if (finished.Count == options.Beams && options.BestScore(alive[0].LogProbability, length) <= finished[^1].Score)
                break;
            alive = Step(text, prompt, alive, finished, length, options);
        }
        return Best(alive.Concat(finished), options);
    }

    /// <summary>
    /// Extends each unfinished text by its most probable next tokens and keeps the best of all results.
    /// </summary>
    private static List<BeamText> Step(Continuation text, IReadOnlyList<long> prompt, List<BeamText> alive,
        List<BeamText> finished, int length, BeamOptions options)
    {
        using var scope = NewDisposeScope();
        var kept = new List<(BeamText Text, long Row)>();
        // at most so many candidates per beam are stop tokens, so enough unfinished ones remain
        var count = Math.Max(2, 1 + options.StopTokens.Count) * options.Beams;
        var candidates = Candidates(Scores(text.Next(), prompt, alive, options.Rules), alive, count).ToList();
        for (var rank = 0; rank < candidates.Count && kept.Count < options.Beams; rank++)
        {
            var (row, token, logProbability) = candidates[rank];
            var longer = new BeamText([.. alive[row].Tokens, token], logProbability, options.Score(logProbability, length));
            if (!options.StopTokens.Contains(token)) kept.Add((longer, row));
            else if (rank < options.Beams) finished.Add(longer);
        }
        var best = Best(finished, options);
        finished.Clear();
        finished.AddRange(best);

        if (kept.Count == 0) return [];
        text.Reorder([.. kept.Select(beam => beam.Row)]);
        text.Add([.. kept.Select(beam => beam.Text.Tokens[^1])]);
        return [.. kept.Select(beam => beam.Text)];
    }

    /// <summary>Returns the log-probabilities of the next tokens after the rules, float64 [beam, vocabulary].</summary>
    private static Tensor Scores(Tensor logits, IReadOnlyList<long> prompt, List<BeamText> alive, SamplingOptions rules)
    {
        var scores = logits.cpu().to(float64).log_softmax(1);
        return stack(alive.Select((beam, row) =>
        {
            var history = new TokenHistory(prompt);
            foreach (var token in beam.Tokens) history.Add(token);
            return LogitRules.Apply(rules, scores[row], history);
        }));
    }

    /// <summary>Returns the most probable extensions by one token, best first, without those the rules exclude.</summary>
    private static IEnumerable<(int Row, long Token, double LogProbability)> Candidates(Tensor scores,
        List<BeamText> alive, int count)
    {
        var vocabulary = scores.shape[1];
        var before = tensor(alive.Select(beam => beam.LogProbability).ToArray(), float64).unsqueeze(1);
        var all = (scores + before).flatten();   // [beam · vocabulary]
        var (values, indices) = all.topk((int)Math.Min(count, all.shape[0]));
        return values.data<double>().ToArray().Zip(indices.data<long>().ToArray(),
            (logProbability, index) => ((int)(index / vocabulary), index % vocabulary, logProbability))
            .Where(candidate => !double.IsNegativeInfinity(candidate.Item3));
    }

    private static List<BeamText> Best(IEnumerable<BeamText> texts, BeamOptions options) =>
        [.. texts.OrderByDescending(text => text.Score).Take(options.Beams)];
}
