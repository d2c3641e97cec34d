using System.Globalization;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Tasks;

/// <summary>A word that may stand in place of a mask.</summary>
/// <param name="Token">The token.</param>
/// <param name="Probability">Its probability.</param>
/// <param name="Text">The text with the token in place of this mask.</param>
public sealed record MaskCandidate(string Token, double Probability, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Probability:0.0000} {Token}: {Text}");
}

/// <summary>The most probable words for one mask of a text.</summary>
/// <param name="Text">The text.</param>
/// <param name="Mask">Which mask of the text, from 0.</param>
/// <param name="Candidates">The candidates, most probable first.</param>
public sealed record MaskPrediction(string Text, int Mask, IReadOnlyList<MaskCandidate> Candidates)
{
    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', Candidates);
}

/// <summary>Finds the words that fit into a text with masks: <c>Paris is the [MASK] of France.</c></summary>
/// <param name="model">The model.</param>
/// <param name="tokenizer">Its tokenizer.</param>
/// <exception cref="ArgumentException">The vocabulary has no [MASK].</exception>
public sealed class FillMask(BertForMaskedLanguageModel model, WordPieceTokenizer tokenizer)
{
    private readonly long mask = tokenizer.Special.Mask
        ?? throw new ArgumentException($"The vocabulary of {tokenizer.VocabularySize} tokens has no [MASK].", nameof(tokenizer));

    /// <summary>The text that stands for a missing word.</summary>
    public string MaskToken => tokenizer.Token(mask);

    /// <summary>Loads a published masked-language model with its tokenizer.</summary>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/param"/>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/exception"/>
    public static FillMask FromPretrained(string folder) =>
        new(BertForMaskedLanguageModel.FromPretrained(folder), FolderSettings.WordPieces(folder));

    /// <summary>Returns the most probable words for each mask of a text; the other masks stay masks.</summary>
    /// <param name="text">A text with one <see cref="MaskToken"/> or more.</param>
    /// <param name="count">Number of candidates of each mask.</param>
    /// <returns>One for each mask, in their order.</returns>
    /// <exception cref="ArgumentException">
    /// The text has no mask, or is longer than the context length, or the count is below 1.
    /// </exception>
    public IReadOnlyList<MaskPrediction> Fill(string text, int count = 5)
    {
        if (count < 1) throw new ArgumentException($"The count is {count}; expected at least 1.", nameof(count));
        var ids = tokenizer.EncodeForBert(text).Ids;
        if (ids.Length > model.Config.ContextLength)
            throw new ArgumentException($"Got {ids.Length} tokens; the context length is {model.Config.ContextLength}.",
                nameof(text));
        var places = Enumerable.Range(0, ids.Length).Where(at => ids[at] == mask).ToList();
        var pieces = text.Split(MaskToken);
        if (places.Count == 0 || places.Count != pieces.Length - 1)
            throw new ArgumentException($"The text has {places.Count} masks; expected at least one {MaskToken}.", nameof(text));
        using var evaluation = new EvaluationMode(model);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var tokens = tensor(ids).unsqueeze(0).to(model.parameters().First().device);
        var probabilities = model.Logits(tokens)[0].to(float32).softmax(-1).cpu();   // [time, vocabulary]
        return [.. places.Select((place, number) => Predict(probabilities[place], pieces, number, count))];
    }

    private MaskPrediction Predict(Tensor probabilities, string[] pieces, int number, int count)
    {
        var (values, indices) = probabilities.topk((int)Math.Min(count, probabilities.shape[0]));
        var candidates = values.data<float>().ToArray().Zip(indices.data<long>().ToArray(), (probability, id) =>
            new MaskCandidate(tokenizer.Token(id), probability, Filled(pieces, number, tokenizer.Token(id)))).ToList();
        return new MaskPrediction(string.Join(MaskToken, pieces), number, candidates);
    }

    /// <summary>Puts a token in place of a mask; the end of a word (<c>##s</c>) joins the word before it.</summary>
    private string Filled(string[] pieces, int number, string token)
    {
        var before = string.Join(MaskToken, pieces[..(number + 1)]);
        var after = string.Join(MaskToken, pieces[(number + 1)..]);
        return token.StartsWith("##", StringComparison.Ordinal) ? before.TrimEnd() + token[2..] + after : before + token + after;
    }
}
