using System.Globalization;

namespace ResearchKit.Tasks;

/// <summary>How probable a text is, in the units of lm-evaluation-harness.</summary>
/// <param name="LogProbability">Log-probability of all scored tokens, in nats.</param>
/// <param name="Tokens">Number of scored tokens.</param>
/// <param name="Bytes">Bytes of the scored text in UTF-8.</param>
/// <param name="Words">Words of the text: parts between white space.</param>
public sealed record TextScore(double LogProbability, int Tokens, int Bytes, int Words)
{
    /// <summary>Mean negative log-probability of a token, in nats.</summary>
    public double NatsPerToken => -LogProbability / Tokens;

    /// <summary>e to the nats per token. It depends on the tokenizer, so that it compares only models that share one.</summary>
    public double Perplexity => Math.Exp(NatsPerToken);

    /// <summary>Bits for each byte of the text; comparable between tokenizers.</summary>
    public double BitsPerByte => -LogProbability / Bytes / Math.Log(2);

    /// <summary>e to the nats per word, "word_perplexity"; comparable between tokenizers.</summary>
    public double WordPerplexity => Math.Exp(-LogProbability / Words);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{NatsPerToken:0.####} nats per token, perplexity {Perplexity:0.##}, {BitsPerByte:0.####} bits per byte, ")
        + string.Create(CultureInfo.InvariantCulture, $"word perplexity {WordPerplexity:0.##} ({Tokens:N0} tokens)");
}
