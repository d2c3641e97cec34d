using ResearchKit.Data.SentencePieces;

namespace ResearchKit.Data;

/// <summary>
/// Trains a unigram vocabulary: starts with many pieces, fits their probabilities, and repeatedly drops those
/// whose removal reduces the corpus's likelihood least.
/// </summary>
/// <remarks>Kudo, 2018, §3.2, https://arxiv.org/abs/1804.10959.</remarks>
public static class UnigramTrainer
{
    private const int Steps = 2;               // EM steps between two prunings
    private const double Kept = 0.75;          // fraction of the pieces that a pruning keeps
    private const int SeedsPerPiece = 8;

    /// <param name="texts">
    /// The corpus. Words are separated by white space; pieces do not cross word boundaries.
    /// </param>
    /// <param name="vocabularySize">
    /// Number of tokens: &lt;pad&gt; 0, &lt;/s&gt; 1, &lt;unk&gt; 2 as in T5, every character of the corpus, and
    /// pieces; fewer if the corpus does not have enough pieces.
    /// </param>
    /// <param name="longest">Maximum length of a piece in characters.</param>
    /// <param name="progress">Receives the number of remaining pieces after each pruning.</param>
    /// <returns>The tokenizer. Training is deterministic.</returns>
    /// <exception cref="ArgumentException">
    /// The texts contain no word, or more distinct characters than the vocabulary has room for.
    /// </exception>
    public static SentencePieceTokenizer Train(IEnumerable<string> texts, int vocabularySize, int longest = 16,
        IProgress<int>? progress = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, 1);
        var room = vocabularySize - 3;
        var pieces = new UnigramCorpus(texts, SeedsPerPiece * Math.Max(room, 0), longest);
        if (pieces.Characters > room)
            throw new ArgumentException($"The texts contain {pieces.Characters} distinct characters; "
                + $"a vocabulary of {vocabularySize} has room for {Math.Max(room, 0)}.", nameof(vocabularySize));
        while (true)
        {
            for (var step = 0; step < Steps; step++) pieces.Step();
            if (pieces.Count <= room) break;
            pieces.Prune(Math.Max(room, (int)(pieces.Count * Kept)));
            progress?.Report(pieces.Count);
        }
        return SentencePieceTokenizer.From(new PieceModel
        {
            Pieces = [new("<pad>", 0, PieceKind.Control), new("</s>", 0, PieceKind.Control), new("<unk>", 0, PieceKind.Unknown),
                .. pieces.Scores().OrderByDescending(entry => entry.Score).ThenBy(entry => entry.Text, StringComparer.Ordinal)
                    .Select(entry => new Piece(entry.Text, (float)entry.Score, PieceKind.Normal))],
        }, "the trained model");
    }
}
