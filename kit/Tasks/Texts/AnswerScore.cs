using System.Globalization;
using System.Text;

namespace ResearchKit.Tasks;

/// <summary>How probable an answer to a prompt is.</summary>
/// <param name="Answer">The answer.</param>
/// <param name="LogProbability">Log-probability of all its tokens together, given the prompt, in nats.</param>
/// <param name="Tokens">Number of its tokens.</param>
/// <param name="IsGreedy">Whether greedy decoding would write it.</param>
public sealed record AnswerScore(string Answer, double LogProbability, int Tokens, bool IsGreedy)
{
    /// <summary>Nats per token.</summary>
    public double PerToken => LogProbability / Tokens;

    /// <summary>Nats per character (code point) of the answer; the "acc_norm" of lm-evaluation-harness compares these.</summary>
    public double PerCharacter => LogProbability / Answer.EnumerateRunes().Count();

    /// <summary>Nats per byte of the answer in UTF-8.</summary>
    public double PerByte => LogProbability / Encoding.UTF8.GetByteCount(Answer);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Answer} {LogProbability:0.####} nats ({Tokens} tokens)");
}

/// <summary>The answers to a prompt among which a model chose.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Scores">Score of each answer, in the given order.</param>
public sealed record AnswerChoice(string Prompt, IReadOnlyList<AnswerScore> Scores)
{
    /// <summary>Index of the most probable answer; the first of equal ones.</summary>
    public int Index => Enumerable.Range(0, Scores.Count).MaxBy(at => Scores[at].LogProbability);

    /// <summary>The most probable answer.</summary>
    public string Answer => Scores[Index].Answer;

    /// <summary>Probability of each answer, if it is one of these: they sum to 1.</summary>
    public IReadOnlyList<double> Probabilities
    {
        get
        {
            var most = Scores.Max(score => score.LogProbability);
            var shares = Scores.Select(score => Math.Exp(score.LogProbability - most)).ToList();
            var sum = shares.Sum();
            return [.. shares.Select(share => share / sum)];
        }
    }

    /// <summary>Draws an answer by these probabilities; the same seed draws the same.</summary>
    public string Draw(int seed)
    {
        var rest = new Random(seed).NextDouble();
        var probabilities = Probabilities;
        for (var at = 0; at < probabilities.Count; at++)
            if ((rest -= probabilities[at]) < 0) return Scores[at].Answer;
        return Answer;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var shares = Probabilities;
        return string.Join('\n', Scores.Select((score, at) => string.Create(CultureInfo.InvariantCulture,
            $"{(at == Index ? ">" : " ")} {shares[at]:0.000} {score}")));
    }
}
